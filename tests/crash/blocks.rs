//! Blocks that never reached the disk: a file system in user space keeps the image of a disk and the order of its writes and
//! flushes. After a run, images are made as a crash could leave them: everything before the last flush, and of what came after it
//! any part, in any order, torn at sectors. Each is mounted, which replays its journal, and verified.
//!
//! `MEDIALITH_IMAGES=1000` is the size of a night.

use crate::rig::{inside, system};
use crate::world::{Dice, Lie, Supervisor, times};
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request,
    WriteFlags,
};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

const SIZE: usize = 128 << 20;
const SECTOR: usize = 512;
/// Nobody else changes the file: the kernel may remember what it knows of it.
const REMEMBERED: Duration = Duration::from_secs(1000);
const FILE: INodeNo = INodeNo(2);

/// What the disk was told.
enum Told {
    Write(usize, Vec<u8>),
    Flush,
}

/// The image and what happened to it.
struct Record {
    image: Mutex<Vec<u8>>,
    log: Mutex<Vec<Told>>,
}

/// A folder that holds one file, the disk.
struct Folder(Arc<Record>);

fn attributes(inode: INodeNo) -> FileAttr {
    let file = inode == FILE;
    FileAttr {
        ino: inode,
        size: if file { SIZE as u64 } else { 0 },
        blocks: (SIZE / SECTOR) as u64,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: if file { FileType::RegularFile } else { FileType::Directory },
        perm: 0o700,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        flags: 0,
        blksize: 4096,
    }
}

impl Filesystem for Folder {
    fn lookup(&self, _request: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == "disk" {
            reply.entry(&REMEMBERED, &attributes(FILE), Generation(0))
        } else {
            reply.error(Errno::ENOENT)
        }
    }

    fn getattr(&self, _request: &Request, inode: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&REMEMBERED, &attributes(inode));
    }

    fn open(&self, _request: &Request, _inode: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _request: &Request,
        _inode: INodeNo,
        _handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let image = self.0.image.lock().unwrap();
        let from = (offset as usize).min(SIZE);
        reply.data(&image[from..(from + size as usize).min(SIZE)]);
    }

    fn write(
        &self,
        _request: &Request,
        _inode: INodeNo,
        _handle: FileHandle,
        offset: u64,
        data: &[u8],
        _written: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let from = offset as usize;
        self.0.image.lock().unwrap()[from..from + data.len()].copy_from_slice(data);
        self.0.log.lock().unwrap().push(Told::Write(from, data.to_vec()));
        reply.written(data.len() as u32);
    }

    fn fsync(&self, _request: &Request, _inode: INodeNo, _handle: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.0.log.lock().unwrap().push(Told::Flush);
        reply.ok();
    }

    fn flush(&self, _request: &Request, _inode: INodeNo, _handle: FileHandle, _owner: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}

/// A disk that remembers, mounted as ext4.
struct Bench {
    record: Arc<Record>,
    device: String,
    mount: PathBuf,
    home: tempfile::TempDir,
    _served: BackgroundSession,
}

impl Bench {
    fn make() -> Result<Bench, String> {
        if !Path::new("/dev/fuse").exists() {
            return Err("no /dev/fuse".to_owned());
        }
        let home = tempfile::tempdir().unwrap();
        let (folder, mount) = (home.path().join("folder"), home.path().join("mount"));
        [&folder, &mount].iter().for_each(|path| std::fs::create_dir(path).unwrap());
        let record = Arc::new(Record { image: Mutex::new(vec![0; SIZE]), log: Mutex::default() });
        let mut config = Config::default();
        config.mount_options.push(MountOption::FSName("medialith-crash".to_owned()));
        let served = fuser::spawn_mount(Folder(Arc::clone(&record)), &folder, &config);
        let served = served.map_err(|e| format!("FUSE: {e}"))?;
        let device = system("losetup", &["-f", "--show", folder.join("disk").to_str().unwrap()])?;
        let bench = Bench { record, device, mount, home, _served: served };
        system("mkfs.ext4", &["-q", "-F", &bench.device])?;
        system("mount", &[&bench.device, bench.mount.to_str().unwrap()])?;
        Ok(bench)
    }

    /// What the disk was told so far.
    fn told(&self) -> usize {
        self.record.log.lock().unwrap().len()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _unmounted = system("umount", &[self.mount.to_str().unwrap()]);
        let _detached = system("losetup", &["-d", &self.device]);
    }
}

/// The image that a crash after `cut` of the log may leave, and how much of the log was flushed.
fn crashed(base: &[u8], log: &[Told], cut: usize, dice: &mut Dice) -> (Vec<u8>, usize) {
    let flushed = log[..cut].iter().rposition(|told| matches!(told, Told::Flush)).unwrap_or(0);
    let mut image = base.to_vec();
    let mut loose: Vec<(usize, &[u8])> = Vec::new();
    for (at, told) in log[..cut].iter().enumerate() {
        match told {
            Told::Write(from, bytes) if at < flushed => image[*from..from + bytes.len()].copy_from_slice(bytes),
            Told::Write(from, bytes) if dice.below(2) == 1 => {
                // Torn anywhere: the first sectors arrive, the rest does not.
                let sectors = dice.below((bytes.len() / SECTOR) as u64 + 1) as usize;
                loose.push((*from, &bytes[..sectors * SECTOR]));
            }
            _ => {}
        }
    }
    while !loose.is_empty() {
        let (from, bytes) = loose.swap_remove(dice.below(loose.len() as u64) as usize);
        image[from..from + bytes.len()].copy_from_slice(bytes);
    }
    (image, flushed)
}

/// Runs a child on the disk until so many calls are acknowledged; returns the log, the base, and of each acknowledgement how much
/// had been told when it was heard.
fn record(bench: &Bench, lie: Option<Lie>, calls: usize) -> (Vec<u8>, Vec<Told>, Vec<String>, Vec<usize>) {
    system("sync", &[]).unwrap();
    let base = bench.record.image.lock().unwrap().clone();
    bench.record.log.lock().unwrap().clear();
    let supervisor = Supervisor::new(bench.mount.join("db"), 1);
    let mut victim = supervisor.start(lie);
    let (mut heard, begun) = (Vec::new(), Instant::now());
    while heard.len() < calls && begun.elapsed() < Duration::from_secs(60) {
        while heard.len() < victim.heard.load(Ordering::SeqCst) {
            heard.push(bench.told());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    victim.child.kill().unwrap();
    let said = victim.ended().1;
    let log = std::mem::take(&mut *bench.record.log.lock().unwrap());
    let _unmounted = system("umount", &[bench.mount.to_str().unwrap()]);
    (base, log, said, heard)
}

/// Verifies crash images; the error tells what the first bad one lost.
fn images(bench: &Bench, lie: Option<Lie>, calls: usize, number: u64) -> Result<(u64, usize), String> {
    let (base, log, said, heard) = record(bench, lie, calls);
    assert!(heard.len() > 5, "the child lived long enough: {}", heard.len());
    let (mut dice, mut checked) = (Dice(number), 0);
    let (path, mount) = (bench.home.path().join("crashed"), bench.home.path().join("again"));
    std::fs::create_dir_all(&mount).unwrap();
    for at in 0..number {
        let cut = 1 + dice.below(log.len() as u64) as usize;
        let (image, flushed) = crashed(&base, &log, cut, &mut dice);
        std::fs::write(&path, image).unwrap();
        system("mount", &["-o", "loop", path.to_str().unwrap(), mount.to_str().unwrap()])?;
        // Acknowledged when it was heard before the last flush that counts.
        let sure = heard.iter().filter(|told| **told <= flushed).count();
        let mut supervisor = Supervisor::new(mount.join("db"), 1);
        supervisor.note(&said[..sure]);
        let late = (said.len() - sure) as u64 + 1;
        let verified = if mount.join("db/FORMAT").exists() || sure > 0 { supervisor.verify(late) } else { Ok(()) };
        let _unmounted = system("umount", &[mount.to_str().unwrap()]);
        verified.map_err(|lost| format!("image {at}, cut {cut} of {}, flushed {flushed}: {lost}", log.len()))?;
        checked += supervisor.acknowledged;
    }
    Ok((checked, log.len()))
}

#[test]
fn any_blocks_may_be_missing() {
    if !inside("blocks::any_blocks_may_be_missing") {
        return;
    }
    let bench = match Bench::make() {
        Ok(bench) => bench,
        Err(why) => return println!("skipped: {why}"),
    };
    let number = times("MEDIALITH_IMAGES", 12);
    let (checked, told) = images(&bench, None, 60, number).unwrap_or_else(|lost| panic!("{lost}"));
    println!("crash images: {number} of {told} writes and flushes, {checked} acknowledged calls checked, 0 lost");
}

/// The control: commits without a sync are found missing.
#[test]
fn missing_blocks_of_unsynced_commits_are_missed() {
    if !inside("blocks::missing_blocks_of_unsynced_commits_are_missed") {
        return;
    }
    let bench = match Bench::make() {
        Ok(bench) => bench,
        Err(why) => return println!("skipped: {why}"),
    };
    let found = images(&bench, Some(Lie::NoSync), 60, 60);
    assert!(found.is_err_and(|lost| lost.contains("rounds")), "commits without a sync pass for durable");
}
