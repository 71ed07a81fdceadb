//! A worker that does what the file in its hands says: hang, exhaust memory, overflow the stack, panic, answer nonsense, or
//! try to break out. It goes into the same jail by the same door as the product's.
#![expect(
    unsafe_code,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "misbehaving is what it is for; escapes are tried as raw system calls"
)]

mod escapes;
#[path = "escapes_names.rs"]
mod names;

use medialith::codec::ReadAt;
use medialith::error::Result;
use medialith::extract::{Extracted, Hint, extract_with};
use medialith::isolate::{Counted, Request, serve_with_if_asked};
use medialith::model::{Members, field};
use std::hint::black_box;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: Counted<std::alloc::System> = Counted(std::alloc::System);

/// Files that begin so are commands; all others are read as the product reads them.
const COMMAND: &[u8] = b"mock:";

fn main() {
    serve_with_if_asked(body);
    eprintln!("this program serves tests as a worker");
    std::process::exit(2);
}

fn body(source: &dyn ReadAt, sidecar: Option<&dyn ReadAt>, request: &Request<'_>) -> Result<Extracted> {
    let mut bytes = vec![0; 256];
    let count = source.read_at(0, &mut bytes).unwrap();
    bytes.truncate(count);
    match bytes.strip_prefix(COMMAND).map(|command| String::from_utf8_lossy(command).into_owned()) {
        Some(command) => Ok(obey(command.trim())),
        None => extract_with(source, sidecar, &Hint { name: request.name }, &request.options),
    }
}

fn obey(command: &str) -> Extracted {
    match command.split_once(' ').unwrap_or((command, "")) {
        ("hang", _) => loop {
            std::thread::yield_now();
            // A lock that never comes free takes no processor time.
            let lock = std::sync::Mutex::new(());
            let _held = lock.lock().unwrap();
            let _never = lock.lock();
        },
        ("spin", _) => loop {
            black_box(0);
        },
        ("panic", why) => panic!("{why}"),
        ("stack", _) => {
            black_box(deeper(1));
        }
        // What most code does: it asks for memory and aborts when it is refused.
        ("memory", _) => hoard(),
        // What careful code does: it asks, and copes.
        ("reserve", _) => {
            assert!(Vec::<u8>::new().try_reserve_exact(1 << 33).is_err());
        }
        ("exit", _) => std::process::exit(0),
        ("garbage", _) => shout(&[&4u32.to_le_bytes()[..], b"\xFFabc"].concat()),
        ("flood", _) => shout(&u32::MAX.to_le_bytes()),
        // The reply to a job that was never given, well-formed otherwise.
        ("stale", _) => shout(&[&5u32.to_le_bytes()[..], &[19, 0x80, 0x7F, 0, 0]].concat()),
        ("close", _) => {
            for fd in 0..16 {
                // SAFETY: nothing uses the socket, its copy or the file any more.
                let _closed_or_not_open = unsafe { libc::close(fd) };
            }
            loop {
                black_box(0);
            }
        }
        ("escape", number) => return escapes::attempt(number.parse().expect("the number of an escape")),
        (other, _) => panic!("expected a command, got {other}"),
    }
    said("obeyed")
}

fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 128]);
    if depth == 0 { 0 } else { deeper(depth + 1) + frame[1] }
}

fn hoard() {
    let mut kept = Vec::new();
    for _ in 0..1024 {
        kept.push(black_box(vec![1u8; 4 << 20]));
    }
}

/// Writes to the socket past the protocol, and waits to be ended for it.
fn shout(bytes: &[u8]) {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    std::fs::File::from(socket).write_all(bytes).unwrap();
    loop {
        black_box(Duration::ZERO);
    }
}

/// A record that says one thing.
fn said(what: &str) -> Extracted {
    let mut members = Members::new();
    members.set(field::TITLE, what);
    Extracted { members, ..Extracted::default() }
}
