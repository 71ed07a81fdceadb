//! Durable files: the only place that creates, renames and syncs files of ours.
//!
//! A file appears under its name whole and synced, or not at all: temporary name, write, sync, rename, sync the folder.

use crate::error::{Error, Result};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Suffix of files that are being written; whatever bears it after a crash is garbage.
pub const TEMP_SUFFIX: &str = ".tmp";

const BUFFER_BYTES: usize = 256 << 10;

/// A file under a temporary name until [`Durable::finish`]; dropped before that, it is removed.
#[derive(Debug)]
pub struct Durable {
    out: Option<BufWriter<fs::File>>,
    temp: PathBuf,
    path: PathBuf,
}

impl Durable {
    /// Begins to write what shall become `path`, replacing what is there.
    #[expect(clippy::disallowed_methods, reason = "the one place that creates files")]
    pub fn create(path: &Path) -> Result<Durable> {
        let mut name = path.as_os_str().to_owned();
        name.push(TEMP_SUFFIX);
        let temp = PathBuf::from(name);
        let file = fs::File::create(&temp).map_err(|e| Error::io(format_args!("create {}", temp.display()), e))?;
        Ok(Durable { out: Some(BufWriter::with_capacity(BUFFER_BYTES, file)), temp, path: path.to_owned() })
    }

    /// Makes the file durable under its name.
    #[expect(clippy::disallowed_methods, reason = "the one place that renames files")]
    pub fn finish(mut self) -> Result<()> {
        let failed = |what: &str, path: &Path, e| Error::io(format_args!("{what} {}", path.display()), e);
        let Some(out) = self.out.take() else { return Ok(()) };
        let renamed = out.into_inner().map_err(|e| failed("write", &self.temp, e.into_error())).and_then(|file| {
            // IMPORTANT: the bytes are durable before the name points at them.
            file.sync_all().map_err(|e| failed("sync", &self.temp, e))?;
            fs::rename(&self.temp, &self.path).map_err(|e| failed("rename", &self.temp, e))
        });
        if renamed.is_err() {
            remove_quietly(&self.temp);
        }
        renamed.and_then(|()| sync_parent(&self.path))
    }
}

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.as_mut().map_or(Ok(0), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if self.out.take().is_some() {
            remove_quietly(&self.temp);
        }
    }
}

/// A file that nothing names may stay behind: it is garbage that the next open removes.
fn remove_quietly(path: &Path) {
    drop(fs::remove_file(path));
}

/// Writes `bytes` as the whole content of `path`, atomically and durably.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Durable::create(path)?;
    file.write_all(bytes).map_err(|e| Error::io(format_args!("write {}", path.display()), e))?;
    file.finish()
}

/// Creates a folder, and durably its name; its parents must exist. A folder that exists already is fine.
pub fn create_dir(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => {
            Err(Error::io(format_args!("create the folder {}", path.display()), e))
        }
        Err(_) => Ok(()),
        Ok(()) => sync_parent(path),
    }
}

/// Makes the names in a folder durable.
pub fn sync_dir(path: &Path) -> Result<()> {
    fs::File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|e| Error::io(format_args!("sync the folder {}", path.display()), e))
}

fn sync_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        Some(_) => sync_dir(Path::new(".")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut file = Durable::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn errors_name_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let error = replace(&dir.path().join("no/such"), b"").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("no/such"), "{error}");
        fs::write(dir.path().join("f"), b"").unwrap();
        assert!(create_dir(&dir.path().join("f")).is_err());
        create_dir(&dir.path().join("d")).unwrap();
        create_dir(&dir.path().join("d")).unwrap();
    }
}
