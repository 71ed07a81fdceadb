//! What is mounted below a directory, as the system lists it (proc_pid_mountinfo(5)).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

const LIST: &str = "/proc/self/mountinfo";

/// A file system that is mounted: where, below the root, and the number of that mount.
pub type Mount = (PathBuf, u64);

/// What is mounted below `root` now; nothing where the system does not say.
pub fn mounts_below(root: &Path) -> BTreeSet<Mount> {
    below(root, &std::fs::read(LIST).unwrap_or_default())
}

fn below(root: &Path, list: &[u8]) -> BTreeSet<Mount> {
    let mount = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ');
        let number = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let point = PathBuf::from(OsString::from_vec(unescape(fields.nth(3)?)));
        let path = point.strip_prefix(root).ok()?;
        (!path.as_os_str().is_empty()).then(|| (path.to_owned(), number))
    };
    list.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

/// Space, tab, newline and backslash are written as a backslash and three octal digits.
fn unescape(mut text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        let code = rest.get(..3).filter(|_| *first == b'\\').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                text = rest.get(3..).unwrap_or(&[]);
            }
            None => {
                bytes.push(*first);
                text = rest;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_told_by_path_and_number() {
        let list = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            30 22 8:2 / /srv rw,relatime shared:1 - ext4 /dev/sdb rw\n\
            31 30 8:3 / /srv/my\\040disk\\134 rw - xfs /dev/sdc rw\n\
            32 30 8:4 / /srvx rw - xfs /dev/sdd rw\nbroken line\n\n";
        let want = |all: &[(&str, u64)]| all.iter().map(|(path, n)| (PathBuf::from(path), *n)).collect();
        assert_eq!(below(Path::new("/srv"), list), want(&[("my disk\\", 31)]));
        assert_eq!(below(Path::new("/"), list), want(&[("srv", 30), ("srv/my disk\\", 31), ("srvx", 32)]));
        assert!(!mounts_below(Path::new("/")).is_empty());
    }
}
