//! Seccomp: the system calls that reading one file takes; any other ends the process (seccomp(2)).

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// Allowed whatever their arguments: bytes in and out of what is open, memory, time, the end.
const ALWAYS: [i64; 29] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_recvmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit_group,
];

/// Calls that well-behaved code tries in passing and can do without: they fail instead of ending the process. The allocator
/// names its memory and looks at the number of nodes; a printed panic asks whether it prints to a terminal; more filters are nobody's business.
const IN_VAIN: [i64; 3] = [libc::SYS_prctl, libc::SYS_ioctl, libc::SYS_seccomp];

/// Installs the filters; tells whether they are in force.
pub(super) fn filter() -> bool {
    let filters = || -> Option<[BpfProgram; 2]> {
        let vain = IN_VAIN.iter().map(|call| (*call, Vec::new())).collect();
        let allowed = allowed()?;
        // Of two filters the stricter verdict counts: the first lets the vain calls pass, the second makes them fail.
        let fails = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        Some([
            compile(allowed, SeccompAction::KillProcess, SeccompAction::Allow)?,
            compile(vain, SeccompAction::Allow, fails)?,
        ])
    };
    // IMPORTANT: in this order: to install a filter takes prctl and seccomp, which fail from the second one on.
    filters().is_some_and(|filters| filters.iter().all(|filter| seccompiler::apply_filter(filter).is_ok()))
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    mismatch: SeccompAction,
    matched: SeccompAction,
) -> Option<BpfProgram> {
    let arch = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, mismatch, matched, arch).ok()?.try_into().ok()
}

fn allowed() -> Option<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    rules.extend(IN_VAIN.iter().map(|call| (*call, Vec::new())));
    let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
    let no_code = || condition(2, SeccompCmpOp::MaskedEq(executable), 0);
    rules.insert(libc::SYS_mmap, vec![rule(vec![no_code()?])?]);
    rules.insert(libc::SYS_mprotect, vec![rule(vec![no_code()?])?]);
    // `abort` sends the signal to its own thread; nobody else can be reached.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![rule(vec![condition(0, SeccompCmpOp::Eq, own)?])?]);
    // The copy of the socket is made behind the walls, and a debug build looks whether a descriptor that it closes is open.
    let command = |number: i32| rule(vec![condition(1, SeccompCmpOp::Eq, u64::from(number.unsigned_abs()))?]);
    rules.insert(libc::SYS_fcntl, vec![command(libc::F_DUPFD_CLOEXEC)?, command(libc::F_GETFD)?]);
    let itself = condition(0, SeccompCmpOp::Eq, 0)?;
    let cpu = condition(1, SeccompCmpOp::Eq, u64::from(libc::RLIMIT_CPU))?;
    rules.insert(libc::SYS_prlimit64, vec![rule(vec![itself, cpu])?]);
    Some(rules)
}

fn rule(conditions: Vec<SeccompCondition>) -> Option<SeccompRule> {
    SeccompRule::new(conditions).ok()
}

fn condition(argument: u8, op: SeccompCmpOp, value: u64) -> Option<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value).ok()
}
