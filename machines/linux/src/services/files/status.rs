//! What there is to know about a file, from Linux's forms of it.

use std::os::fd::AsFd;

use hallows_system::files::{Kind, Refusal, Status};
use rustix::fs::{AtFlags, FileType, Stat, StatxFlags, fstat, makedev, statx};

use super::refusal::refused;

const NANOSECONDS: i128 = 1_000_000_000;

/// Of an open file.
pub(super) fn of_descriptor(descriptor: impl AsFd) -> Result<Status, Refusal> {
    fstat(descriptor).map(|stat| from_stat(&stat)).map_err(refused)
}

/// Of a name in a directory; of a symbolic link, not of where it leads. The name has one step, or whoever asks sees to it that nothing is
/// told of what lies elsewhere.
pub(super) fn of_name(directory: impl AsFd, name: &[u8]) -> Result<Status, Refusal> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let known = statx(directory, name, flags, StatxFlags::BASIC_STATS).map_err(refused)?;
    let time = |time: rustix::fs::StatxTimestamp| nanoseconds(time.tv_sec, time.tv_nsec.into());
    Ok(Status {
        device: makedev(known.stx_dev_major, known.stx_dev_minor),
        inode: known.stx_ino,
        kind: kind(FileType::from_raw_mode(known.stx_mode.into())),
        links: known.stx_nlink.into(),
        size: known.stx_size,
        accessed: time(known.stx_atime),
        modified: time(known.stx_mtime),
        changed: time(known.stx_ctime),
    })
}

fn from_stat(stat: &Stat) -> Status {
    let time = |seconds: i64, part: u64| nanoseconds(seconds, i64::try_from(part).unwrap_or(0));
    Status {
        device: stat.st_dev,
        inode: stat.st_ino,
        kind: kind(FileType::from_raw_mode(stat.st_mode)),
        links: stat.st_nlink,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        accessed: time(stat.st_atime, stat.st_atime_nsec),
        modified: time(stat.st_mtime, stat.st_mtime_nsec),
        changed: time(stat.st_ctime, stat.st_ctime_nsec),
    }
}

/// The kind of file that Linux says.
pub(super) const fn kind(kind: FileType) -> Kind {
    match kind {
        FileType::RegularFile => Kind::Regular,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::SymbolicLink,
        FileType::Fifo => Kind::Pipe,
        FileType::Socket => Kind::Socket,
        FileType::CharacterDevice => Kind::CharacterDevice,
        FileType::BlockDevice => Kind::BlockDevice,
        FileType::Unknown => Kind::Unknown,
    }
}

/// Nanoseconds since 1970; the nearest that there are, for times before it and behind the year 2554.
fn nanoseconds(seconds: i64, part: i64) -> u64 {
    let whole = i128::from(seconds) * NANOSECONDS + i128::from(part);
    u64::try_from(whole.max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::nanoseconds;

    #[test]
    fn times_that_have_no_number_get_the_nearest() {
        assert_eq!(nanoseconds(1, 5), 1_000_000_005);
        assert_eq!(nanoseconds(-1, 999_999_999), 0);
        assert_eq!(nanoseconds(i64::MIN, 0), 0);
        assert_eq!(nanoseconds(i64::MAX, 0), u64::MAX);
    }
}
