//! A file system of our own on a loop device, in a mount namespace of our own: other namespaces of the machine would keep it
//! mounted (reliability research, section 8).

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a command of the system; the error is what it said.
pub(crate) fn system(program: &str, arguments: &[&str]) -> Result<String, String> {
    let out = Command::new(program).args(arguments).output().map_err(|e| format!("no {program}: {e}"))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned());
    }
    Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr).trim()))
}

/// Set in the child that has the namespace.
const INSIDE: &str = "MEDIALITH_RIG";

/// Runs the test `name` once more in a namespace of its own; `true` in that run. Where that cannot be done the reason is printed.
pub(crate) fn inside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if let Err(why) = system("unshare", &["-m", "--propagation", "private", "true"]) {
        println!("skipped: {why}");
        return false;
    }
    let itself = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["-m", "--propagation", "private"])
        .arg(itself)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{name} failed in its namespace");
    false
}

/// An ext4 file system on a loop device over an image in memory.
pub(crate) struct Disk {
    device: String,
    /// Where it is mounted.
    pub(crate) mount: PathBuf,
    _home: tempfile::TempDir,
}

impl Disk {
    /// Makes and mounts one; the error says what is missing here.
    pub(crate) fn make(mebibytes: u64) -> Result<Disk, String> {
        let memory = Path::new("/dev/shm");
        let home = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let (image, mount) = (home.path().join("image"), home.path().join("mount"));
        std::fs::create_dir(&mount).unwrap();
        std::fs::write(&image, [])
            .and_then(|()| std::fs::File::options().write(true).open(&image)?.set_len(mebibytes << 20))
            .map_err(|e| e.to_string())?;
        system("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()])?;
        let device = system("losetup", &["-f", "--show", image.to_str().unwrap()])?;
        let disk = Disk { device, mount, _home: home };
        disk.mount()?;
        Ok(disk)
    }

    pub(crate) fn mount(&self) -> Result<(), String> {
        system("mount", &[&self.device, self.mount.to_str().unwrap()]).map(drop)
    }

    pub(crate) fn unmount(&self) -> Result<(), String> {
        system("umount", &[self.mount.to_str().unwrap()]).map(drop)
    }

    /// Loses everything that was not synced, as a loss of power does (`FS_IOC_SHUTDOWN` without flushing the log, ext4 and XFS).
    #[expect(unsafe_code, reason = "an ioctl")]
    pub(crate) fn lose_power(&self) -> Result<(), String> {
        use std::os::fd::AsRawFd;
        /// `_IOR('X', 125, __u32)`.
        const SHUTDOWN: libc::c_ulong = 0x8004_587D;
        const NO_LOG_FLUSH: u32 = 2;
        let root = std::fs::File::open(&self.mount).map_err(|e| e.to_string())?;
        // SAFETY: the request reads four bytes at the pointer, which the constant has.
        let answer = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &NO_LOG_FLUSH) };
        if answer == 0 { Ok(()) } else { Err(format!("FS_IOC_SHUTDOWN: {}", std::io::Error::last_os_error())) }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _unmounted = self.unmount();
        let _detached = system("losetup", &["-d", &self.device]);
    }
}
