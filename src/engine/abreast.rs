//! Questions to a store that are asked at the same time, because each of them waits for its answer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::sync::lock;

/// Runs `each` on all items, at most `width` at the same time, and returns what came of them in their order. A panic of one is
/// the caller's.
pub(super) fn abreast<T: Sync, R: Send>(width: usize, items: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let work = || {
        while let Some((at, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            let result = each(item);
            lock(&done).push((at, result));
        }
    };
    let threads = width.clamp(1, items.len().max(1));
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut done = std::mem::take(&mut *lock(&done));
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn all_is_done_in_order_and_no_more_at_once_than_allowed() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let each = |n: &usize| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
            now.fetch_sub(1, Ordering::SeqCst);
            n * 2
        };
        let items: Vec<usize> = (0..100).collect();
        assert!(abreast(5, &items, each).into_iter().eq((0..100).map(|n| n * 2)));
        assert!((1..=5).contains(&most.load(Ordering::SeqCst)));
        assert_eq!(abreast(0, &[7], |n| *n), [7]);
        assert!(abreast(3, &[] as &[u8], |n| *n).is_empty());
    }
}
