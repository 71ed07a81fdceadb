//! Which calls run on the very thread that read their request.
//!
//! Handing a call to another thread and its answer back costs two wake-ups, on a virtual machine longer than most reads take.
//! So a call that waits for nothing but its own computation stays where it is, as long as one thread is left that watches the
//! sockets; all others run on threads that may block.

use super::http::Head;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Most threads that watch sockets.
const MOST_THREADS: usize = 8;

/// Operations that read records and indexes: no operators, no synced writes, no files of buckets.
const READS: [&str; 10] = [
    "FuzzyQuery",
    "SimpleQuery",
    "GetFileMeta",
    "BatchGetFileMeta",
    "GetProject",
    "ListProjects",
    "GetDataset",
    "ListDatasets",
    "GetTask",
    "ListTasks",
];

/// Threads of the runtime.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).clamp(2, MOST_THREADS)
}

/// Places for calls on threads that watch sockets.
pub(super) struct Inline(Semaphore);

impl Inline {
    /// All threads but one may be busy with a call.
    pub(super) fn new(threads: usize) -> Inline {
        Inline(Semaphore::new(threads.saturating_sub(1)))
    }

    /// A place for a call that says it is one of the reads. What it says is not verified yet: a lie gains nothing, since a call
    /// without a valid signature ends before it does any work.
    pub(super) fn place(&self, head: &Head) -> Option<SemaphorePermit<'_>> {
        if READS.contains(&named(head)?) { self.0.try_acquire().ok() } else { None }
    }
}

/// The operation's name as V3 requests give it, or legacy requests that have it in their query.
fn named(head: &Head) -> Option<&str> {
    let legacy = || head.query().split('&').find_map(|pair| pair.strip_prefix("Action="));
    head.field("x-acs-action").or_else(legacy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::action::find;
    use crate::server::http::parse;

    fn head(text: &str) -> Head {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_read_is_served_and_changes_nothing() {
        for name in READS {
            let action = find(name).unwrap_or_else(|| panic!("{name} is not served"));
            assert_eq!(action.role, crate::server::Role::Read, "{name}");
        }
    }

    #[test]
    fn reads_take_places_and_leave_one_thread() {
        let inline = Inline::new(2);
        let read = head("POST /?Query=a HTTP/1.1\r\nHost: h\r\nx-acs-action: FuzzyQuery\r\n\r\n");
        let held = inline.place(&read).expect("a place");
        assert!(inline.place(&read).is_none());
        drop(held);
        assert!(inline.place(&head("GET /?Query=a&Action=GetFileMeta HTTP/1.1\r\nHost: h\r\n\r\n")).is_some());
        assert!(inline.place(&head("GET /?Action=IndexFileMeta HTTP/1.1\r\nHost: h\r\n\r\n")).is_none());
        assert!(inline.place(&head("GET / HTTP/1.1\r\nHost: h\r\n\r\n")).is_none());
        assert!(Inline::new(1).place(&read).is_none());
    }
}
