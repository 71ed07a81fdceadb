//! Twenty-eight ways out of a jail, each as one system call. What comes back is told as the title of the file: a worker that
//! lives to tell was not ended by its filter, and the number says what the kernel answered.

use crate::names::NAMES;
use crate::said;
use medialith::extract::Extracted;

/// Tries one.
pub(crate) fn attempt(number: usize) -> Extracted {
    let path = c"/etc/passwd".as_ptr();
    let fresh = c"/tmp/medialith-escape".as_ptr();
    // SAFETY: each call gets constants or pointers to text that lives for ever; none touches memory of this process.
    let answer = unsafe {
        let parent = libc::getpid() - 1;
        match number {
            0 => libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDONLY),
            1 => libc::syscall(libc::SYS_openat, libc::AT_FDCWD, fresh, libc::O_CREAT | libc::O_WRONLY, 0o600),
            2 => libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path, [0u64; 3].as_ptr(), 24),
            3 => libc::syscall(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0),
            4 => libc::syscall(libc::SYS_socket, libc::AF_INET, libc::SOCK_DGRAM, 0),
            5 => libc::syscall(libc::SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0),
            6 => libc::syscall(libc::SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, [0i32; 2].as_mut_ptr()),
            7 => libc::syscall(libc::SYS_connect, 0, [0u8; 16].as_ptr(), 16),
            8 => libc::syscall(libc::SYS_bind, 0, [0u8; 16].as_ptr(), 16),
            9 => libc::syscall(libc::SYS_execve, c"/bin/true".as_ptr(), 0, 0),
            10 => libc::syscall(libc::SYS_execveat, 0, c"".as_ptr(), 0, 0, libc::AT_EMPTY_PATH),
            11 => libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0),
            12 => libc::syscall(libc::SYS_clone, libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND, 0, 0, 0, 0),
            13 => libc::syscall(libc::SYS_clone3, [0u64; 11].as_ptr(), 88),
            14 => libc::syscall(libc::SYS_ptrace, libc::PTRACE_ATTACH, parent, 0, 0),
            15 => libc::syscall(libc::SYS_kill, parent, 0),
            16 => libc::syscall(libc::SYS_pidfd_open, parent, 0),
            17 => libc::syscall(libc::SYS_mount, 0, 0, 0, 0, 0),
            18 => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER),
            19 => libc::syscall(libc::SYS_bpf, 0, 0, 0),
            20 => libc::syscall(libc::SYS_io_uring_setup, 1, 0),
            21 => libc::syscall(libc::SYS_memfd_create, c"x".as_ptr(), 0),
            22 => libc::syscall(libc::SYS_process_vm_readv, parent, 0, 0, 0, 0, 0),
            23 => libc::syscall(libc::SYS_add_key, 0, 0, 0, 0, 0),
            24 => libc::syscall(libc::SYS_userfaultfd, 0),
            25 => libc::syscall(libc::SYS_perf_event_open, 0, 0, 0, 0, 0),
            26 => {
                let (code, private) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
                libc::syscall(libc::SYS_mmap, 0, 4096, code, private, -1, 0)
            }
            27 => libc::syscall(libc::SYS_prlimit64, parent, libc::RLIMIT_CPU, 0, 0),
            _ => panic!("there are {} escapes", NAMES.len()),
        }
    };
    said(&format!("{}: {answer}", NAMES.get(number).unwrap()))
}
