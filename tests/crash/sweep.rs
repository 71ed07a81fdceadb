//! The n-th system call fails: every call that writes, syncs, renames, opens, grows or shrinks a file, once and for good, with an
//! input/output error and with a full disk. The child opens anew and repeats the call, as a caller should; whatever it was told
//! done must be there.
//!
//! The tracer injects the errors (strace(1), "Tampering"); without it the harness says so. `MEDIALITH_SWEEP=0` tries every call.

use crate::world::{Dice, Supervisor, times};
use std::path::Path;
use std::process::Command;

const CALLS: [&str; 9] =
    ["pwrite64", "write", "fsync", "fdatasync", "rename", "openat", "fallocate", "ftruncate", "unlink"];
/// Rounds of one child: puts, deletes, an update, a passing dataset, a seal and a rebuild.
const ROUNDS: u64 = 8;

/// Why the harness cannot run here.
fn missing() -> Option<String> {
    let probe = Command::new("strace").args(["-f", "--seccomp-bpf", "-e", "trace=fsync", "true"]).output();
    match probe {
        Err(e) => Some(format!("no strace: {e}")),
        Ok(out) if !out.status.success() => Some(format!("strace: {}", String::from_utf8_lossy(&out.stderr))),
        Ok(_) => None,
    }
}

fn tracer(log: &Path, injections: &[String]) -> Vec<String> {
    let mut command: Vec<String> = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-o"].map(str::to_owned).to_vec();
    command.push(log.to_str().unwrap().to_owned());
    command.extend(injections.iter().flat_map(|what| ["-e".to_owned(), what.clone()]));
    command
}

/// How often the child makes each call when nothing fails.
fn counts() -> Vec<(&'static str, u64)> {
    let (home, log) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let supervisor = Supervisor::new(home.path().join("db"), 1);
    let traced = tracer(log.path(), &[format!("trace={}", CALLS.join(","))]);
    let (_, said) = supervisor.start_persistent(ROUNDS, &traced).ended();
    assert_eq!(said.last().map(String::as_str), Some("end"), "{said:?}");
    let text = std::fs::read_to_string(log.path()).unwrap();
    let count = |call: &str| text.lines().filter(|line| line.contains(&format!(" {call}("))).count() as u64;
    CALLS.iter().map(|call| (*call, count(call))).collect()
}

/// One child with one fault. Returns whether the fault was met.
fn attempt(call: &str, error: &str, when: &str) -> bool {
    let what = format!("{call} {error} when {when}");
    let (home, log) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let mut supervisor = Supervisor::new(home.path().join("db"), 1);
    let injection = [format!("trace={call}"), format!("inject={call}:error={error}:when={when}")];
    let (status, said) = supervisor.start_persistent(ROUNDS, &tracer(log.path(), &injection)).ended();
    let gave_up = said.iter().any(|line| line.starts_with("gave up"));
    // The pipe that acknowledgements go through fails too: then the child ends, as it must.
    let mute = call == "write" && said.last().map(String::as_str) != Some("end");
    // So does what the test runner prints after the child's end: then its exit code says so, which no signal would have.
    let unheard = call == "write" && status.code().is_some();
    assert!(status.success() || mute || unheard || call == "openat", "{what}: the child died: {said:?}");
    assert!(said.last().map(String::as_str) == Some("end") || gave_up || mute || call == "openat", "{what}: {said:?}");
    supervisor.note(&said);
    if home.path().join("db").exists() {
        match supervisor.verify(1) {
            Ok(()) => {}
            // Nothing was promised of a database whose making was never acknowledged.
            Err(_) if supervisor.acknowledged == 0 && gave_up => {}
            Err(lost) => panic!("{what}: {lost}: {said:?}"),
        }
    }
    std::fs::read_to_string(log.path()).unwrap().contains("(INJECTED)")
}

#[test]
fn the_nth_call_fails() {
    if let Some(why) = missing() {
        println!("skipped: {why}");
        return;
    }
    let wanted = times("MEDIALITH_SWEEP", 8);
    let mut points = Vec::new();
    for (call, count) in counts() {
        for n in 1..=count {
            for error in ["EIO", "ENOSPC"] {
                points.extend([(call, error, n.to_string()), (call, error, format!("{n}+"))]);
            }
        }
    }
    let (all, mut dice, mut met) = (points.len(), Dice(u64::from(std::process::id())), 0);
    if wanted > 0 {
        let pick = |_| points[dice.below(all as u64) as usize].clone();
        points = (0..wanted).map(pick).collect();
    }
    for (call, error, when) in &points {
        met += u32::from(attempt(call, error, when));
    }
    println!("sweep: {} of {all} faults tried, {met} met, 0 acknowledged calls lost", points.len());
    assert!(met > 0, "no fault was met");
}

/// The control: a sync that claims to succeed without being made is not an error, so nothing would notice; one that fails must be
/// noticed. With every sync failing for good nothing may be acknowledged.
#[test]
fn failing_syncs_acknowledge_nothing() {
    if let Some(why) = missing() {
        println!("skipped: {why}");
        return;
    }
    let (home, log) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let supervisor = Supervisor::new(home.path().join("db"), 1);
    let all = "inject=fsync,fdatasync:error=EIO".to_owned();
    let traced = tracer(log.path(), &["trace=fsync,fdatasync".to_owned(), all]);
    let (_, said) = supervisor.start_persistent(2, &traced).ended();
    assert!(said.iter().any(|line| line.starts_with("gave up 0")), "{said:?}");
    assert!(!said.iter().any(|line| line == "0 0"), "{said:?}");
}
