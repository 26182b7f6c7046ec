//! Opening files, and what is known of one that is open.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hallows_system::files::{Kind, Opening, Refusal, Status};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::beneath::{find, open_beneath, resolving};
use super::devices::Devices;
use super::path::Relative;
use super::status;
use crate::services::resources::{GrantedDirectory, Permit};

/// A file or directory that is open.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub descriptor: OwnedFd,
    pub is_directory: bool,
    /// Bytes may be read.
    pub readable: bool,
    /// Bytes may be written.
    pub writable: bool,
    /// It is below a directory where nothing is changed.
    pub read_only: bool,
    /// Linux puts what is written to the end.
    pub appends: bool,
    /// Where a directory's descriptor stands, if that is known: the cookie of the next entry.
    pub cursor: Option<u64>,
    /// None for a granted directory.
    _permit: Option<Permit>,
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Nothing of this is done when a file is opened that turns out to be a device or a pipe: no waiting, and no terminal becomes the machine's.
const HARMLESS: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

/// `O_DSYNC`. (rustix 1.1 has `O_SYNC` under this name.)
const DATA_SYNC: OFlags = OFlags::from_bits_retain(libc::O_DSYNC.cast_unsigned());

/// What a new file may be used for, before the process's mask takes away from it.
pub(super) const NEW_FILE: u32 = 0o666;

impl OpenFile {
    /// A granted directory, with a descriptor of its own: the granted one's position is everybody's.
    pub fn granted(directory: &GrantedDirectory) -> Result<Self, Errno> {
        let open = |how| open_beneath(&directory.descriptor, b".", OFlags::DIRECTORY | how, Mode::empty());
        // Of one whose names must not be read, what lies below can be reached all the same.
        let descriptor = match open(OFlags::RDONLY) {
            Err(Errno::ACCESS) => open(OFlags::PATH),
            result => result,
        }?;
        Ok(Self {
            descriptor,
            is_directory: true,
            readable: true,
            writable: false,
            read_only: directory.read_only,
            appends: false,
            cursor: None,
            _permit: None,
        })
    }

    /// Itself, if it is a directory.
    pub fn directory(&self) -> Result<&Self, Refusal> {
        if self.is_directory { Ok(self) } else { Err(Refusal::NotDirectory) }
    }

    /// Itself, if it is a directory below which things may be changed.
    pub fn changing(&self) -> Result<&Self, Refusal> {
        let directory = self.directory()?;
        if directory.read_only { Err(Refusal::ReadOnly) } else { Ok(directory) }
    }

    /// Opens what is below this directory. `seen`: the path was just found to lead to a file or a directory.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotSupported`] for what is neither a file nor a directory, which is not opened: nobody at a pipe's other end notices;
    /// [`Refusal::ReadOnly`]; those of [`Relative::new`] and of Linux.
    pub fn open(
        &self,
        path: &[u8],
        how: Opening,
        seen: bool,
        devices: &mut Devices,
        permit: impl FnOnce() -> Option<Permit>,
    ) -> Result<(Self, Status), Refusal> {
        let directory = self.directory()?;
        let path = Relative::new(path)?;
        let permit = permit().ok_or(Refusal::TooManyFiles)?;
        if !seen {
            directory.check_kind(path, how)?;
        }
        let descriptor = if directory.read_only {
            directory.open_unchanged(path, how)?
        } else {
            let (flags, mode) = flags(how);
            open_beneath(directory, path.bytes(), flags, mode).map_err(opening)?
        };
        let status = status::of_descriptor(&descriptor)?;
        let is_directory = match status.kind {
            Kind::Directory => true,
            Kind::Regular => false,
            _ => return Err(Refusal::NotSupported),
        };
        devices.check(&descriptor, status.device)?;
        let opened = Self {
            descriptor,
            is_directory,
            readable: is_directory || how.contains(Opening::READ),
            writable: how.contains(Opening::WRITE),
            read_only: directory.read_only,
            appends: false,
            cursor: None,
            _permit: Some(permit),
        };
        Ok((opened, status))
    }

    /// Whether a path leads to something that may be opened, as far as that is known before. (What somebody puts there between this and the
    /// opening is opened, without waiting, and refused then.)
    fn check_kind(&self, path: Relative<'_>, how: Opening) -> Result<(), Refusal> {
        // Nearly always it is a file. This look may lead out of the directory, so nothing that it finds is told to anybody.
        let seen = status::of_name(self, path.bytes()).map(|status| status.kind);
        if matches!(seen, Ok(Kind::Regular | Kind::Directory) | Err(_)) {
            return Ok(());
        }
        let follow = if how.contains(Opening::FOLLOW) { OFlags::empty() } else { OFlags::NOFOLLOW };
        let Ok(found) = find(self, path.bytes(), follow) else { return Ok(()) };
        match status::of_descriptor(&found)?.kind {
            // Of links, opening says what is to be said.
            Kind::Regular | Kind::Directory | Kind::SymbolicLink => Ok(()),
            Kind::Pipe | Kind::Socket | Kind::CharacterDevice | Kind::BlockDevice | Kind::Unknown => {
                let is_new = how.contains(Opening::CREATE) && how.contains(Opening::EXCLUSIVE);
                Err(if is_new { Refusal::Exists } else { Refusal::NotSupported })
            }
        }
    }

    /// Opens where nothing is changed. `CREATE` is good for what is there already, as on any read-only file system.
    fn open_unchanged(&self, path: Relative<'_>, how: Opening) -> Result<OwnedFd, Refusal> {
        if how.contains(Opening::WRITE) || how.contains(Opening::TRUNCATE) {
            return Err(Refusal::ReadOnly);
        }
        let (flags, _) = flags(how);
        let flags = flags.difference(OFlags::CREATE | OFlags::EXCL);
        let creates = how.contains(Opening::CREATE);
        match open_beneath(self, path.bytes(), flags, Mode::empty()).map_err(opening) {
            Err(Refusal::NoEntry) if creates => Err(Refusal::ReadOnly),
            Ok(_) | Err(Refusal::TooManyLinksFollowed) if creates && how.contains(Opening::EXCLUSIVE) => {
                Err(Refusal::Exists)
            }
            result => result,
        }
    }
}

/// The flags for a way of opening, and the mode of what is made.
fn flags(how: Opening) -> (OFlags, Mode) {
    let mut flags = HARMLESS
        | match (how.contains(Opening::READ), how.contains(Opening::WRITE)) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (_, false) => OFlags::RDONLY,
        };
    // Without `CREATE`, `EXCLUSIVE` says nothing, as everywhere.
    let creates = how.contains(Opening::CREATE);
    let pairs = [
        (creates, OFlags::CREATE),
        (creates && how.contains(Opening::EXCLUSIVE), OFlags::EXCL),
        (how.contains(Opening::TRUNCATE), OFlags::TRUNC),
        (how.contains(Opening::DIRECTORY), OFlags::DIRECTORY),
        (!how.contains(Opening::FOLLOW), OFlags::NOFOLLOW),
        (how.contains(Opening::DATA_SYNC), DATA_SYNC),
        (how.contains(Opening::FILE_SYNC), OFlags::SYNC),
    ];
    for (is_asked, flag) in pairs {
        if is_asked {
            flags |= flag;
        }
    }
    // openat2 takes a mode only where something may be made.
    (flags, if creates { Mode::from_raw_mode(NEW_FILE) } else { Mode::empty() })
}

/// The refusal for an error of opening.
fn opening(error: Errno) -> Refusal {
    match error {
        // A socket, a device without a driver, a pipe that nobody reads: none of what is opened here.
        Errno::NXIO | Errno::NODEV => Refusal::NotSupported,
        error => resolving(error),
    }
}
