//! File systems whose changes may be made by other machines, which inotify does not tell (inotify(7), "Limitations").

/// Magic numbers of statfs(2), from linux/magic.h and the file systems' own sources.
const REMOTE: [u64; 11] = [
    0x6969,      // nfs
    0x517B,      // smb
    0xFF53_4D42, // cifs
    0xFE53_4D42, // smb2
    0x6573_5546, // fuse: sshfs, rclone, glusterfs and others that cannot be told apart
    0x0102_1997, // 9p
    0x00C3_6400, // ceph
    0x5346_414F, // afs
    0x7375_7245, // coda
    0x0BD0_0BD0, // lustre
    0x786F_4256, // vboxsf
];

/// Whether a file system of that type has to be looked at from time to time, because its changes are not told.
pub fn is_network(file_system: u64) -> bool {
    REMOTE.contains(&file_system)
}
