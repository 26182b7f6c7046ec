//! Names below directories: finding, making, removing and moving them.
//!
//! Each of these system calls takes a directory and a path, and none of them keeps the path below the directory. So the directory of the last
//! step is opened by [`find`], and the call gets nothing but the last name: one step, neither `.` nor `..`, without `/`, and not followed if it
//! is a symbolic link. What somebody else makes of that name meanwhile is still a name in that directory.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hallows_system::files::{Kind, Moment, Refusal, Status};
use rustix::fs::{
    AtFlags, Mode, OFlags, linkat, mkdirat, readlinkat_raw, renameat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::beneath::find;
use super::bytes::timestamps;
use super::opened::OpenFile;
use super::path::{Last, Relative};
use super::refusal::refused;
use super::status;

/// Bytes that a symbolic link leads to, at most: Linux's bound for a path.
pub(super) const LINK_BYTES: usize = 4096;
/// So many symbolic links are followed at a path's end; Linux's own number.
const MOST_LINKS: usize = 40;
/// What a new directory may be used for, before the process's mask takes away from it.
const NEW_DIRECTORY: u32 = 0o777;

/// Where a path's last step is.
struct Place<'a, 'p> {
    directory: Directory<'a>,
    name: Cow<'p, [u8]>,
    /// It was said to be a directory.
    slash: bool,
}

/// The directory that a name is in.
enum Directory<'a> {
    Here(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Directory<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Here(descriptor) => descriptor.as_fd(),
            Self::Below(descriptor) => descriptor.as_fd(),
        }
    }
}

impl Place<'_, '_> {
    fn status(&self) -> Result<Status, Refusal> {
        status::of_name(&self.directory, &self.name)
    }

    /// Whether something that is no directory is made here: where a directory is meant, it cannot be.
    fn check_new_file(&self) -> Result<(), Refusal> {
        if !self.slash {
            return Ok(());
        }
        self.status().and(Err(Refusal::Exists))
    }
}

/// What a path comes to, when its last step may be a link that is followed.
enum Found<'a, 'p> {
    /// A name, of anything but a link that should be followed.
    Name(Place<'a, 'p>),
    /// A directory, which was said to be one.
    Directory(OwnedFd),
}

impl OpenFile {
    /// Where a path's last step is; `dots` is what it means if that is no name.
    fn place<'p>(&self, path: &'p [u8], dots: Refusal) -> Result<Place<'_, 'p>, Refusal> {
        let path = Relative::new(path)?;
        match path.last() {
            Last::Name { parent, name, slash } => {
                Ok(Place { directory: self.parent(parent)?, name: Cow::Borrowed(name), slash })
            }
            Last::Dots => {
                find(self, path.bytes(), OFlags::DIRECTORY)?;
                Err(dots)
            }
        }
    }

    fn parent(&self, path: Option<&[u8]>) -> Result<Directory<'_>, Refusal> {
        match path {
            None => Ok(Directory::Here(self.as_fd())),
            Some(path) => find(self, path, OFlags::DIRECTORY).map(Directory::Below),
        }
    }

    /// Follows links at a path's end, if it should, by itself: the calls that follow one would follow it anywhere.
    fn resolve<'p>(&self, path: &'p [u8], follow: bool) -> Result<Found<'_, 'p>, Refusal> {
        let mut path = Cow::Borrowed(path);
        for _ in 0..=MOST_LINKS {
            let (parent, name) = match Relative::new(&path)?.last() {
                Last::Name { parent, name, slash: false } => (parent, name),
                // Linux follows a link before a slash, and keeps it below.
                _ => return find(self, &path, OFlags::DIRECTORY).map(Found::Directory),
            };
            let directory = self.parent(parent)?;
            let mut target = [0; LINK_BYTES];
            let target = match follow.then(|| read_link(&directory, name, &mut target)) {
                // What is no link, or not there: for whoever uses the name.
                None | Some(Err(Refusal::Invalid)) => {
                    let name = Cow::Owned(name.to_vec());
                    return Ok(Found::Name(Place { directory, name, slash: false }));
                }
                Some(target) => Relative::new(target?)?,
            };
            let beside = parent.map_or(Vec::new(), |parent| [parent, b"/"].concat());
            path = Cow::Owned([&beside, target.bytes()].concat());
        }
        Err(Refusal::TooManyLinksFollowed)
    }

    pub fn status_of(&self, path: &[u8], follow: bool) -> Result<Status, Refusal> {
        let path = Relative::new(path)?;
        self.directory()?;
        // The usual case, in one system call.
        if let Some(name) = path.lone_name() {
            let status = status::of_name(self, name)?;
            if !follow || status.kind != Kind::SymbolicLink {
                return Ok(status);
            }
        }
        let flags = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        status::of_descriptor(find(self, path.bytes(), flags)?)
    }

    pub fn set_times_of(
        &self,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
    ) -> Result<(), Refusal> {
        let times = timestamps(accessed, modified);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        match self.changing()?.resolve(path, follow)? {
            Found::Name(place) => utimensat(&place.directory, &*place.name, &times, flags),
            Found::Directory(directory) => utimensat(directory, c".", &times, flags),
        }
        .map_err(refused)
    }

    pub fn make_directory(&self, path: &[u8]) -> Result<(), Refusal> {
        let place = self.changing()?.place(path, Refusal::Exists)?;
        mkdirat(&place.directory, &*place.name, Mode::from_raw_mode(NEW_DIRECTORY)).map_err(refused)
    }

    pub fn remove_directory(&self, path: &[u8]) -> Result<(), Refusal> {
        let place = self.changing()?.place(path, Refusal::Invalid)?;
        unlinkat(&place.directory, &*place.name, AtFlags::REMOVEDIR).map_err(refused)
    }

    pub fn remove_file(&self, path: &[u8]) -> Result<(), Refusal> {
        let place = self.changing()?.place(path, Refusal::IsDirectory)?;
        if place.slash && place.status()?.kind != Kind::Directory {
            return Err(Refusal::NotDirectory);
        }
        unlinkat(&place.directory, &*place.name, AtFlags::empty()).map_err(refused)
    }

    pub fn rename(&self, path: &[u8], to: &Self, new_path: &[u8]) -> Result<(), Refusal> {
        let (from, to) = (self.changing()?, to.changing()?);
        let (from, to) = (from.place(path, Refusal::Busy)?, to.place(new_path, Refusal::Busy)?);
        if (from.slash || to.slash) && from.status()?.kind != Kind::Directory {
            return Err(Refusal::NotDirectory);
        }
        renameat(&from.directory, &*from.name, &to.directory, &*to.name).map_err(refused)
    }

    /// One more name for a file: in both directories something changes, so neither may be one where nothing does. (A second name would also be a
    /// way to write to a file that is only to be read.)
    pub fn link(&self, path: &[u8], follow: bool, to: &Self, new_path: &[u8]) -> Result<(), Refusal> {
        let (from, to) = (self.changing()?, to.changing()?);
        let from = from.resolve(path, follow)?;
        let to = to.place(new_path, Refusal::Exists).and_then(|to| to.check_new_file().map(|()| to));
        match (from, to) {
            (Found::Name(from), Ok(to)) => {
                linkat(&from.directory, &*from.name, &to.directory, &*to.name, AtFlags::empty())
                    .map_err(refused)
            }
            // Of two refusals, the one for the file comes first.
            (Found::Name(from), Err(refusal)) => from.status().and(Err(refusal)),
            // Directories have one name; that, where there is room for another.
            (Found::Directory(_), Ok(to)) => {
                Err(if to.status().is_ok() { Refusal::Exists } else { Refusal::NotPermitted })
            }
            (Found::Directory(_), Err(refusal)) => Err(refusal),
        }
    }

    pub fn make_link(&self, target: &[u8], path: &[u8]) -> Result<(), Refusal> {
        let place = self.changing()?.place(path, Refusal::Exists)?;
        match target {
            [] => return Err(Refusal::NoEntry),
            // It would lead programs of the host somewhere, and those of the machine nowhere.
            [b'/', ..] => return Err(Refusal::NotPermitted),
            _ if target.contains(&0) => return Err(Refusal::Invalid),
            _ => {}
        }
        place.check_new_file()?;
        symlinkat(target, &place.directory, &*place.name).map_err(refused)
    }

    /// Where a link leads, as it was said when it was made.
    pub fn link_target<'b>(
        &self,
        path: &[u8],
        buffer: &'b mut [u8; LINK_BYTES],
    ) -> Result<&'b [u8], Refusal> {
        let place = self.directory()?.place(path, Refusal::Invalid)?;
        if place.slash {
            find(self, path, OFlags::DIRECTORY)?;
            return Err(Refusal::Invalid);
        }
        read_link(&place.directory, &place.name, buffer)
    }
}

/// Where a link leads. [`Refusal::Invalid`]: it is none.
fn read_link<'b>(
    directory: &Directory<'_>,
    name: &[u8],
    buffer: &'b mut [u8; LINK_BYTES],
) -> Result<&'b [u8], Refusal> {
    let length = readlinkat_raw(directory, name, &mut buffer[..]).map_err(refused)?;
    match buffer.get(..length) {
        // It may have been cut.
        Some(target) if length < LINK_BYTES => Ok(target),
        _ => Err(refused(Errno::NAMETOOLONG)),
    }
}
