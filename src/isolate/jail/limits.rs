//! Descriptors, user, resource limits.

use rustix::process::{DumpableBehavior, Gid, Resource, Rlimit, Signal, Uid, setrlimit};

/// Descriptors that a worker may have: its streams, the copy of its socket, and those of the jobs that came together.
const DESCRIPTORS: u64 = 80;
/// Bytes of stack. Parsers count their depth; this is for those that forget.
const STACK: u64 = 2 << 20;
/// Address space beyond what the program has at its start and what one file may cost: allocators reserve more than they use.
/// The counting allocator holds the real limit; this is for memory that does not come from it.
const SPARE: u64 = 2 << 30;
/// User and group that own nothing (by convention "nobody").
const NOBODY: u32 = 65_534;

/// Descriptors that a careless library left open across the start are not for a worker.
#[expect(unsafe_code, reason = "close_range has no safe wrapper, because it closes what others may own")]
pub(super) fn close_all_but_the_standard_streams() {
    // SAFETY: nothing in this process owns a descriptor above 2 yet: it is the first thing that a worker does.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
}

/// Where the machine runs out of memory, a worker goes before the database does.
pub(super) fn offer_to_the_memory_killer() {
    let _best_effort = std::fs::OpenOptions::new()
        .write(true)
        .open("/proc/self/oom_score_adj")
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"1000"));
}

/// Becomes nobody where it is root; tells whether it is not root now.
pub(super) fn drop_root() -> bool {
    if rustix::process::geteuid().is_root() {
        let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        let _groups = rustix::thread::set_thread_groups(&[]);
        let _group = rustix::thread::set_thread_res_gid(gid, gid, gid);
        let _user = rustix::thread::set_thread_res_uid(uid, uid, uid);
    }
    !rustix::process::geteuid().is_root() && !rustix::process::getuid().is_root()
}

/// Sets all limits; tells whether every one was accepted.
pub(super) fn set(memory_bytes: u64) -> bool {
    let fixed = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    let space = address_space().saturating_add(memory_bytes).saturating_add(SPARE);
    let limits = [
        (Resource::As, space),
        (Resource::Nofile, DESCRIPTORS),
        (Resource::Stack, STACK),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        (Resource::Nproc, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ];
    limits.into_iter().fold(true, |all, (resource, most)| setrlimit(resource, fixed(most)).is_ok() && all)
}

/// Bytes of address space that the program has now.
fn address_space() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    pages.unwrap_or(1 << 20).saturating_mul(rustix::param::page_size() as u64)
}

/// No new privileges, no look inside from outside, and an end when the daemon ends.
pub(super) fn give_up_privileges() -> bool {
    // IMPORTANT: after the user was changed, which clears the signal.
    let _signal = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let _dumpable = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    rustix::thread::set_no_new_privs(true).is_ok()
}

/// The processor time that is allowed, and since when: where little time has passed, the next job is allowed the same.
#[derive(Debug, Default)]
pub(in crate::isolate) struct Allowed(Option<(std::time::Instant, std::time::Duration)>);

/// How much shorter a job's processor time may be than was asked: the system counts whole seconds anyway.
const LENIENT: std::time::Duration = std::time::Duration::from_millis(100);

impl Allowed {
    /// Allows that many seconds of processor time from now on.
    pub(in crate::isolate) fn cpu(&mut self, cpu: std::time::Duration) {
        let now = std::time::Instant::now();
        if self.0.is_some_and(|(since, allowed)| allowed == cpu && now.duration_since(since) < LENIENT) {
            return;
        }
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let used = std::time::Duration::try_from(used).unwrap_or_default();
        // To the nearest second, at least one more than are used.
        let until = used.saturating_add(cpu).as_secs_f64().round() as u64;
        let soft = (!cpu.is_zero()).then_some(until.max(used.as_secs() + 1));
        let _signal_ends_it = setrlimit(Resource::Cpu, Rlimit { current: soft, maximum: None });
        self.0 = Some((now, cpu));
    }
}
