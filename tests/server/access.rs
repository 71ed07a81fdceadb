//! Keys: roles, bound projects, disabling, rotation and temporary keys, all while the server runs.

use super::client::{Bent, Client, Running, date, get, keys, nonce, quiet, raw, refused};
use medialith::model::now;
use medialith::server::{ACTIONS, NewKey, Role};
use std::time::Duration;

/// Longer than the server takes to notice a change of the keys.
const NOTICED: Duration = Duration::from_millis(700);

#[test]
fn each_role_may_do_its_part() {
    let running = Running::start(quiet()).with_dataset();
    let callers: Vec<(Role, Client)> = Role::ALL.into_iter().map(|role| (role, running.client_as(role, &[]))).collect();
    for action in ACTIONS.iter().copied().flatten() {
        for (role, client) in &callers {
            // Parameters are checked after the role, so a call without any shows what the role allows.
            let answer = client.call(action.name, &[]);
            let denied = answer.status == 403;
            assert_eq!(denied, *role < action.role, "{} as {role}", action.name);
            if denied {
                let json = answer.json();
                assert_eq!(json["Code"], "NoPermission");
                assert_eq!(json["AccessDeniedDetail"]["AuthAction"], format!("imm:{}", action.name));
            }
        }
    }
    running.stop();
}

/// How credentials are bent.
type Bend = fn(&mut Bent);

/// What each operation must answer to credentials that do not hold, and how they are bent.
const BROKEN: [(&str, Bend); 5] = [
    ("SignatureDoesNotMatch", |b| b.secret.push('x')),
    ("InvalidAccessKeyId.NotFound", |b| b.key_id.push('x')),
    ("InvalidTimeStamp.Expired", |b| b.date = date(now().0 - 901_000_000_000)),
    ("InvalidTimeStamp.Expired", |b| b.date = date(now().0 + 960_000_000_000)),
    ("InvalidTimeStamp.Format", |b| b.date = String::new()),
];

#[test]
fn no_operation_answers_without_credentials_that_hold() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let place = [("ProjectName", "p"), ("DatasetName", "d")];
    for action in ACTIONS.iter().copied().flatten() {
        let name = action.name;
        let bare = format!(
            "POST /?Action={name}&Version=2020-09-30&ProjectName=p HTTP/1.1\r\nHost: h\r\nx-acs-action: {name}\r\nx-acs-version: 2020-09-30\r\n\r\n"
        );
        assert_eq!(refused(&raw(client.address, bare.as_bytes())).1, "IncompleteSignature", "{name}");
        for (code, bend) in BROKEN {
            let mut bent = client.bent();
            bend(&mut bent);
            assert_eq!(refused(&client.send(name, &place, &bent)).1, code, "{name}");
            bent.nonce = nonce();
            let old = get(&client.legacy_bent("GET", name, &place, &bent));
            assert_eq!(refused(&raw(client.address, &old)).1, code, "{name}, legacy");
        }
        let (bent, old) = (client.bent(), get(&client.legacy("GET", name, &[])));
        for (code, bytes) in [("V3", client.bytes(name, &[], &bent)), ("legacy", old)] {
            let first = raw(client.address, &bytes);
            assert!(first.status == 200 || refused(&first).1 != "SignatureNonceUsed", "{name}, {code}");
            assert_eq!(refused(&raw(client.address, &bytes)).1, "SignatureNonceUsed", "{name}, {code}");
        }
    }
    // Nothing was done for any of them.
    client.ok("GetDataset", &place);
    running.stop();
}

#[test]
fn bound_keys_see_their_projects_only() {
    let running = Running::start(quiet()).with_dataset();
    running.client().ok("CreateProject", &[("ProjectName", "q")]);
    let bound = running.client_as(Role::Admin, &["p"]);
    bound.ok("GetProject", &[("ProjectName", "p")]);
    bound.ok("ListRegions", &[("AcceptLanguage", "ja")]);
    for (action, params) in [
        ("GetProject", &[("ProjectName", "q")][..]),
        ("CreateProject", &[("ProjectName", "r")]),
        ("ListProjects", &[]),
        ("DetachOSSBucket", &[("OSSBucket", "b")]),
    ] {
        assert_eq!(bound.fails(action, params).1, "NoPermission", "{action}");
    }
    running.stop();
}

#[test]
fn keys_change_under_a_running_server() {
    let running = Running::start(quiet());
    let keys = keys(running.dir.path());
    let client = running.client_as(Role::Read, &[]);
    let region = [("AcceptLanguage", "ja")];
    client.ok("ListRegions", &region);
    keys.set_enabled(&client.key.id, false).unwrap();
    std::thread::sleep(NOTICED);
    assert_eq!(client.fails("ListRegions", &region).1, "InvalidAccessKeyId.Inactive");
    keys.set_enabled(&client.key.id, true).unwrap();
    let rotated = Client { key: keys.rotate(&client.key.id).unwrap(), ..client.clone() };
    std::thread::sleep(NOTICED);
    rotated.ok("ListRegions", &region);
    assert_eq!(client.fails("ListRegions", &region).1, "SignatureDoesNotMatch");
    keys.delete(&client.key.id).unwrap();
    std::thread::sleep(NOTICED);
    assert_eq!(
        rotated.fails("ListRegions", &region),
        (404, "InvalidAccessKeyId.NotFound".into(), "Specified access key is not found.".into())
    );
    running.stop();
}

#[test]
fn temporary_keys_need_their_token_and_end() {
    let running = Running::start(quiet());
    let new = |lasts| NewKey { role: Role::Read, projects: Vec::new(), lasts: Some(lasts), note: String::new() };
    let keys = keys(running.dir.path());
    let lasting = keys.create(&new(Duration::from_secs(60))).unwrap();
    let ending = keys.create(&new(Duration::from_millis(1))).unwrap();
    std::thread::sleep(NOTICED);
    let region = [("AcceptLanguage", "ja")];
    let code = |key: &medialith::server::Issued, token: Option<&str>| {
        let client = Client { address: running.address, key: key.clone() };
        let mut bent = client.bent();
        bent.more_fields.extend(token.map(|t| ("x-acs-security-token".to_owned(), t.to_owned())));
        let answer = client.send("ListRegions", &region, &bent);
        if answer.status == 200 { "OK".to_owned() } else { refused(&answer).1 }
    };
    assert_eq!(code(&lasting, lasting.token.as_deref()), "OK");
    assert_eq!(code(&lasting, None), "MissingSecurityToken");
    assert_eq!(code(&lasting, ending.token.as_deref()), "InvalidSecurityToken.Malformed");
    assert_eq!(code(&ending, ending.token.as_deref()), "InvalidSecurityToken.Expired");
    // The token in the legacy scheme.
    let client = Client { address: running.address, key: lasting.clone() };
    let params = [("AcceptLanguage", "ja"), ("SecurityToken", lasting.token.as_deref().unwrap())];
    let signed = client.legacy("GET", "ListRegions", &params);
    let query = medialith::server::sign::canonical_query(signed.iter().map(|(k, v)| (k.as_str(), v.as_str())), true);
    let get = format!("GET /?{query} HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(super::client::raw(running.address, get.as_bytes()).status, 200);
    running.stop();
}

/// The file of keys as the first version wrote it.
#[test]
fn keys_of_every_version_open() {
    use std::os::unix::fs::PermissionsExt;
    let from = crate::tree::root().join("tests/fixtures/access-v1");
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("db")).unwrap();
    std::fs::copy(from.join("ACCESS"), dir.path().join("db/ACCESS")).unwrap();
    let seal = dir.path().join("db.key");
    std::fs::copy(from.join("seal.key"), &seal).unwrap();
    std::fs::set_permissions(&seal, std::fs::Permissions::from_mode(0o600)).unwrap();
    let keys = keys(dir.path());
    let grants: Vec<(Role, bool, usize)> =
        keys.list().unwrap().iter().map(|g| (g.role, g.enabled, g.projects.len())).collect();
    assert_eq!(grants, [(Role::Admin, true, 0), (Role::Read, false, 1), (Role::Index, true, 0)]);
    // Changing a key needs its secret unsealed.
    let id = keys.list().unwrap()[1].id.clone();
    keys.set_enabled(&id, true).unwrap();
}
