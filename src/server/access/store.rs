//! The file of access keys: read whole, replaced whole, by one writer at a time.

use super::grant::{Grant, Issued, Role};
use super::seal::{SealKey, Sealed, random};
use crate::codec::{bin, file, frame};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Name, now};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "ACCESS";
const LOCK: &str = "ACCESS.lock";
const MAGIC: [u8; 8] = *b"mlithAK\n";
/// Newest layout; `tests/fixtures/access-v1` keeps the first.
const LAYOUT: u32 = 1;
const WHAT: &str = "access keys";
/// Version of the rows.
const ROW: u8 = 1;
/// Most keys of one database.
const MAX_KEYS: usize = 1000;

/// A key as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) grant: Grant,
    sealed: Sealed,
}

impl Row {
    fn new(grant: Grant, secret: &str, seal: &SealKey) -> Result<Row> {
        let sealed = seal.seal(secret, &bin::to_vec(ROW, &grant)?)?;
        Ok(Row { grant, sealed })
    }

    /// The secret; fails if the grant was changed by somebody without the sealing key.
    pub(super) fn secret(&self, seal: &SealKey) -> Result<String> {
        seal.unseal(&self.sealed, &bin::to_vec(ROW, &self.grant)?)
    }
}

/// What a new key shall allow.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its role.
    pub role: Role,
    /// The projects that it is bound to; empty for all.
    pub projects: Vec<String>,
    /// How long it lasts; such a key comes with a security token.
    pub lasts: Option<Duration>,
    /// Anything.
    pub note: String,
}

/// The access keys of one database.
#[derive(Debug)]
pub struct AccessKeys {
    folder: PathBuf,
    seal: SealKey,
}

impl AccessKeys {
    /// The keys of the database in `folder`, sealed with the key in `seal`, which is made where it is absent.
    pub fn open(folder: &Path, seal: &Path) -> Result<AccessKeys> {
        if !folder.is_dir() {
            let what = format!("{}: expected the directory of a database, got none", folder.display());
            return Err(Error::new(ErrorKind::NotFound, what));
        }
        Ok(AccessKeys { folder: folder.to_owned(), seal: SealKey::open(seal)? })
    }

    /// Every key, in the order of creation.
    pub fn list(&self) -> Result<Vec<Grant>> {
        Ok(self.rows()?.into_iter().map(|row| row.grant).collect())
    }

    /// Makes a key.
    pub fn create(&self, new: &NewKey) -> Result<Issued> {
        new.projects.iter().try_for_each(|name| Name::parse("--project", name).map(drop))?;
        self.change(|rows| {
            if rows.len() >= MAX_KEYS {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("expected at most {MAX_KEYS} keys, got one more"),
                ));
            }
            let issued = issue(new.lasts.is_some())?;
            let created = now().0;
            let lasts = |time: Duration| created.saturating_add(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
            let grant = Grant {
                id: issued.id.clone(),
                role: new.role,
                projects: new.projects.clone(),
                enabled: true,
                created,
                expires: new.lasts.map(lasts),
                token_hash: issued.token.as_deref().map(token_hash),
                note: new.note.clone(),
            };
            rows.push(Row::new(grant, &issued.secret, &self.seal)?);
            Ok(issued)
        })
    }

    /// Enables or disables a key.
    pub fn set_enabled(&self, id: &str, enabled: bool) -> Result<()> {
        self.change(|rows| {
            let row = find(rows, id)?;
            let secret = row.secret(&self.seal)?;
            *row = Row::new(Grant { enabled, ..row.grant.clone() }, &secret, &self.seal)?;
            Ok(())
        })
    }

    /// Gives a key a new secret, and a new token where it had one. The old ones end at once.
    pub fn rotate(&self, id: &str) -> Result<Issued> {
        self.change(|rows| {
            let row = find(rows, id)?;
            let issued = Issued { id: id.to_owned(), ..issue(row.grant.token_hash.is_some())? };
            let grant = Grant { token_hash: issued.token.as_deref().map(token_hash), ..row.grant.clone() };
            *row = Row::new(grant, &issued.secret, &self.seal)?;
            Ok(issued)
        })
    }

    /// Forgets a key.
    pub fn delete(&self, id: &str) -> Result<()> {
        self.change(|rows| {
            find(rows, id)?;
            rows.retain(|row| row.grant.id != id);
            Ok(())
        })
    }

    /// The database's directory.
    pub(in crate::server) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    pub(super) fn seal(&self) -> &SealKey {
        &self.seal
    }

    pub(super) fn rows(&self) -> Result<Vec<Row>> {
        let path = self.path();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io(format_args!("read {}", path.display()), e)),
        };
        let (_, body) = frame::open(MAGIC, LAYOUT, &bytes, WHAT)?;
        bin::from_slice(ROW, body, WHAT)
    }

    /// Reads, changes and replaces the file while no other process does.
    fn change<T>(&self, change: impl FnOnce(&mut Vec<Row>) -> Result<T>) -> Result<T> {
        let path = self.folder.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(|e| Error::io(format_args!("open {}", path.display()), e))?;
        lock.lock().map_err(|e| Error::io(format_args!("lock {}", path.display()), e))?;
        let mut rows = self.rows()?;
        let made = change(&mut rows)?;
        file::replace(&self.path(), &frame::seal(MAGIC, LAYOUT, &bin::to_vec(ROW, &rows)?))?;
        Ok(made)
    }
}

fn find<'r>(rows: &'r mut [Row], id: &str) -> Result<&'r mut Row> {
    let found = rows.iter_mut().find(|row| row.grant.id == id);
    found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no access key {id:?}")))
}

/// Random names and secrets: 120 bits for an id, 240 for a secret, 256 for a token.
fn issue(temporary: bool) -> Result<Issued> {
    let (mut id, mut secret, mut token) = ([0; 15], [0; 30], [0; 32]);
    [&mut id[..], &mut secret[..], &mut token[..]].into_iter().try_for_each(random)?;
    Ok(Issued {
        id: format!("{}{}", if temporary { "STS." } else { "MLAK" }, data_encoding::BASE32_NOPAD.encode(&id)),
        secret: data_encoding::BASE64URL_NOPAD.encode(&secret),
        token: temporary.then(|| data_encoding::BASE64URL_NOPAD.encode(&token)),
    })
}

/// What is kept of a token.
pub(super) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(dir: &Path) -> AccessKeys {
        let folder = dir.join("db");
        std::fs::create_dir_all(&folder).unwrap();
        AccessKeys::open(&folder, &dir.join("seal")).unwrap()
    }

    fn new_key() -> NewKey {
        NewKey { role: Role::Index, projects: vec!["p".into()], lasts: None, note: "n".into() }
    }

    #[test]
    fn created_listed_disabled_rotated_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(dir.path());
        assert!(keys.list().unwrap().is_empty());
        let first = keys.create(&new_key()).unwrap();
        let temporary = NewKey { lasts: Some(Duration::from_secs(60)), ..new_key() };
        let second = keys.create(&temporary).unwrap();
        assert!(second.token.is_some() && second.id.starts_with("STS.") && first.id.len() == 28);
        keys.set_enabled(&first.id, false).unwrap();
        let grants = keys.list().unwrap();
        assert_eq!(grants.iter().map(|g| g.enabled).collect::<Vec<_>>(), [false, true]);
        assert!(grants[0].covers("p") && !grants[0].covers("q") && !grants[0].covers(""));
        let rotated = keys.rotate(&first.id).unwrap();
        assert_ne!(rotated.secret, first.secret);
        assert_eq!(keys.rows().unwrap()[0].secret(keys.seal()).unwrap(), rotated.secret);
        keys.delete(&second.id).unwrap();
        assert_eq!(keys.list().unwrap().len(), 1);
        assert_eq!(keys.delete("x").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_copied_database_reveals_no_secret_and_no_grant_can_be_widened() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(dir.path());
        let issued = keys.create(&new_key()).unwrap();
        let bytes = std::fs::read(keys.path()).unwrap();
        assert!(!bytes.windows(8).any(|w| issued.secret.as_bytes().windows(8).any(|s| s == w)));
        let mut row = keys.rows().unwrap().remove(0);
        row.grant.role = Role::Admin;
        assert!(row.secret(keys.seal()).is_err());
        let thief = AccessKeys::open(&dir.path().join("db"), &dir.path().join("another")).unwrap();
        assert!(thief.rows().unwrap()[0].secret(thief.seal()).is_err());
    }

    #[test]
    fn bad_names_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let bad = NewKey { projects: vec!["not a name".into()], ..new_key() };
        assert_eq!(keys(dir.path()).create(&bad).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
