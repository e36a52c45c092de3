//! Which file systems cannot carry a database.

use crate::open_error::OpenError;
use std::path::Path;

/// Kinds by the magic number that `statfs` tells.
const NETWORKED: [(u64, &str); 19] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "FUSE"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564C, "NCP"),
    (0x7461_636F, "OCFS2"),
    (0x0116_1970, "GFS2"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x786F_4256, "VirtualBox shared folder"),
    (0xAAD7_AAEA, "PanFS"),
    (0xBACB_ACBC, "VMware shared folder"),
    (0x1983_0326, "BeeGFS"),
];

/// The kind of network file system that a magic number stands for.
fn networked(magic: u64) -> Option<&'static str> {
    NETWORKED.iter().find(|(number, _)| *number == magic).map(|(_, kind)| *kind)
}

/// Refuses a directory on a network file system.
pub(crate) fn refuse_networked(dir: &Path) -> Result<(), OpenError> {
    let stat = rustix::fs::statfs(dir)
        .map_err(|error| OpenError::io(format!("look at the file system of {}", dir.display()), &error))?;
    // The number has 32 bits; some kernels extend its sign.
    let magic = stat.f_type.cast_unsigned() & 0xFFFF_FFFF;
    match networked(magic) {
        Some(kind) => Err(OpenError::NetworkFileSystem { path: dir.to_owned(), kind }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_magic_and_local_ones_pass() {
        for (magic, kind) in
            [(0x6969, "NFS"), (0x6573_5546, "FUSE"), (0x0102_1997, "9p"), (0xFF53_4D42, "CIFS")]
        {
            assert_eq!(networked(magic), Some(kind));
        }
        for local in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630] {
            assert_eq!(networked(local), None, "ext4, xfs, btrfs, tmpfs, overlayfs");
        }
        refuse_networked(Path::new("/")).unwrap();
    }
}
