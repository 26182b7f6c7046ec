//! What lies below a directory: the functions `path_*`.

use alloc::vec::Vec;

use hallows_system::files::Opening;

use crate::descriptor::{Descriptor, Filetype, Flags, Position, Target};
use crate::files::{filestat, moments};
use crate::memory::{self, Memory};
use crate::system::System;
use crate::{Errno, Process, Result, Rights};

/// Bytes of a path at most, as on Linux.
const PATH_MOST: u32 = 4_096;

/// Reads a path. What it may be is looked at here; what it leads to is the service's to say.
fn text(memory: &impl Memory, place: u32, length: u32, to: &mut Vec<u8>) -> Result {
    if length > PATH_MOST {
        return Err(Errno::Nametoolong);
    }
    to.resize(length as usize, 0);
    memory.read(u64::from(place), to)?;
    core::str::from_utf8(to).map_err(|_| Errno::Ilseq)?;
    match to.first() {
        None => Err(Errno::Noent),
        Some(b'/') => Err(Errno::Notcapable),
        // Hosts take it for the end.
        Some(_) if to.contains(&0) => Err(Errno::Inval),
        Some(_) => Ok(()),
    }
}

/// `lookupflags`: whether a symbolic link at the path's end is followed.
fn follow(flags: u32) -> Result<bool> {
    match flags {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::Inval),
    }
}

/// `oflags`.
#[derive(Clone, Copy, Debug)]
struct How(u32);

impl How {
    const CREATE: u32 = 1;
    const DIRECTORY: u32 = 2;
    const EXCLUSIVE: u32 = 4;
    const TRUNCATE: u32 = 8;

    fn parse(flags: u32) -> Result<Self> {
        let how = Self(flags);
        let makes_directory = how.has(Self::CREATE) && how.has(Self::DIRECTORY);
        if flags > 15 || makes_directory { Err(Errno::Inval) } else { Ok(how) }
    }

    const fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    /// The rights that the directory must have.
    fn needs(self) -> Rights {
        let mut rights = Rights::PATH_OPEN;
        if self.has(Self::CREATE) {
            rights = rights | Rights::PATH_CREATE_FILE;
        }
        if self.has(Self::TRUNCATE) {
            rights = rights | Rights::PATH_FILESTAT_SET_SIZE;
        }
        rights
    }
}

/// The rights that a file is opened for writing for.
const WRITING: Rights = Rights(Rights::FD_WRITE.0 | Rights::FD_ALLOCATE.0 | Rights::FD_FILESTAT_SET_SIZE.0);
/// The rights that it is opened for reading for.
const READING: Rights = Rights(Rights::FD_READ.0 | Rights::FD_READDIR.0);

/// How the service shall open it.
fn opening(how: How, follow: bool, base: Rights, flags: Flags) -> Opening {
    let writes = base.intersects(WRITING);
    let parts = [
        (writes, Opening::WRITE),
        // One way at least: hosts know no other.
        (base.intersects(READING) || !writes, Opening::READ),
        (how.has(How::CREATE), Opening::CREATE),
        (how.has(How::EXCLUSIVE), Opening::EXCLUSIVE),
        (how.has(How::TRUNCATE), Opening::TRUNCATE),
        (how.has(How::DIRECTORY), Opening::DIRECTORY),
        (follow, Opening::FOLLOW),
        (flags.contains(Flags::DSYNC), Opening::DATA_SYNC),
        (flags.contains(Flags::SYNC) || flags.contains(Flags::RSYNC), Opening::FILE_SYNC),
    ];
    let chosen = parts.into_iter().filter_map(|(is_set, part)| is_set.then_some(part));
    chosen.fold(Opening::default(), |all, part| all | part)
}

/// A descriptor of what was opened, with the rights that mean something for its kind.
fn descriptor<F: Copy, C: Copy, S: Copy>(
    file: F,
    kind: Filetype,
    (base, inheriting): (Rights, Rights),
    flags: Flags,
) -> Descriptor<F, C, S> {
    match kind {
        Filetype::Directory => {
            let target = Target::Directory { file, name: None };
            Descriptor { target, base: base & Rights::OF_DIRECTORIES, inheriting, flags }
        }
        _ => {
            let target = Target::File { file, kind, position: Position::At(0) };
            let has_places = matches!(kind, Filetype::Regular | Filetype::BlockDevice);
            let of_kind = if has_places { Rights::OF_FILES } else { Rights::OF_FILES_WITHOUT_PLACES };
            Descriptor { target, base: base & of_kind, inheriting: Rights::NONE, flags }
        }
    }
}

impl<S: System> Process<S> {
    /// A directory with these rights, and a path below it, which is in `self.path` then.
    fn below(
        &mut self,
        memory: &impl Memory,
        fd: u32,
        rights: Rights,
        (place, length): (u32, u32),
    ) -> Result<S::File> {
        let directory = self.table.get(fd)?.directory(rights)?;
        text(memory, place, length, &mut self.path)?;
        Ok(directory)
    }

    /// The same for where something goes: that path is in `self.new_path`.
    fn below_too(
        &mut self,
        memory: &impl Memory,
        fd: u32,
        rights: Rights,
        (place, length): (u32, u32),
    ) -> Result<S::File> {
        let directory = self.table.get(fd)?.directory(rights)?;
        text(memory, place, length, &mut self.new_path)?;
        Ok(directory)
    }

    /// `path_create_directory`.
    ///
    /// # Errors
    ///
    /// All of these: [`Errno::Badf`], [`Errno::Notdir`], [`Errno::Notcapable`], [`Errno::Fault`]; of a path [`Errno::Ilseq`] if it is
    /// not UTF-8, [`Errno::Notcapable`] if it is absolute or leads out of the directory, [`Errno::Noent`] if it is empty,
    /// [`Errno::Inval`] if it has a zero byte, [`Errno::Nametoolong`]; what the service refuses.
    pub fn path_create_directory(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        path: u32,
        length: u32,
    ) -> Result {
        let directory = self.below(memory, fd, Rights::PATH_CREATE_DIRECTORY, (path, length))?;
        self.system.make_directory(directory, &self.path)
    }

    /// `path_remove_directory`.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`].
    pub fn path_remove_directory(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        path: u32,
        length: u32,
    ) -> Result {
        let directory = self.below(memory, fd, Rights::PATH_REMOVE_DIRECTORY, (path, length))?;
        self.system.remove_directory(directory, &self.path)
    }

    /// `path_unlink_file`.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`].
    pub fn path_unlink_file(&mut self, memory: &mut impl Memory, fd: u32, path: u32, length: u32) -> Result {
        let directory = self.below(memory, fd, Rights::PATH_UNLINK_FILE, (path, length))?;
        self.system.remove_file(directory, &self.path)
    }

    /// `path_filestat_get`.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`]; [`Errno::Inval`] for flags that are none.
    pub fn path_filestat_get(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        flags: u32,
        path: u32,
        length: u32,
        place: u32,
    ) -> Result {
        let directory = self.below(memory, fd, Rights::PATH_FILESTAT_GET, (path, length))?;
        let status = self.system.status_of(directory, &self.path, follow(flags)?)?;
        memory.write(u64::from(place), &filestat(&status))
    }

    /// `path_filestat_set_times`.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`]; [`Errno::Inval`] for flags that are none or exclude each other.
    #[expect(clippy::too_many_arguments, reason = "WASI has so many")]
    pub fn path_filestat_set_times(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        flags: u32,
        path: u32,
        length: u32,
        accessed: u64,
        modified: u64,
        which: u32,
    ) -> Result {
        let directory = self.below(memory, fd, Rights::PATH_FILESTAT_SET_TIMES, (path, length))?;
        let (accessed, modified) = moments(accessed, modified, which)?;
        self.system.set_times_of(directory, &self.path, follow(flags)?, accessed, modified)
    }

    /// `path_link`.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`], of both paths; [`Errno::Inval`] for flags that are none.
    #[expect(clippy::too_many_arguments, reason = "WASI has so many")]
    pub fn path_link(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        flags: u32,
        path: u32,
        length: u32,
        new_fd: u32,
        new_path: u32,
        new_length: u32,
    ) -> Result {
        let from = self.below(memory, fd, Rights::PATH_LINK_SOURCE, (path, length))?;
        let to = self.below_too(memory, new_fd, Rights::PATH_LINK_TARGET, (new_path, new_length))?;
        self.system.link(from, &self.path, follow(flags)?, to, &self.new_path)
    }

    /// `path_rename`.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`], of both paths.
    #[expect(clippy::too_many_arguments, reason = "WASI has so many")]
    pub fn path_rename(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        path: u32,
        length: u32,
        new_fd: u32,
        new_path: u32,
        new_length: u32,
    ) -> Result {
        let from = self.below(memory, fd, Rights::PATH_RENAME_SOURCE, (path, length))?;
        let to = self.below_too(memory, new_fd, Rights::PATH_RENAME_TARGET, (new_path, new_length))?;
        self.system.rename(from, &self.path, to, &self.new_path)
    }

    /// `path_symlink`.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`], of both paths: no link of ours leads to an absolute path, either.
    pub fn path_symlink(
        &mut self,
        memory: &mut impl Memory,
        target: u32,
        target_length: u32,
        fd: u32,
        path: u32,
        length: u32,
    ) -> Result {
        let directory = self.below(memory, fd, Rights::PATH_SYMLINK, (path, length))?;
        text(memory, target, target_length, &mut self.new_path)?;
        self.system.make_link(directory, &self.new_path, &self.path)
    }

    /// `path_readlink`: as much of it as there is room for.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`].
    #[expect(clippy::too_many_arguments, reason = "WASI has so many")]
    pub fn path_readlink(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        path: u32,
        length: u32,
        buffer: u32,
        buffer_length: u32,
        used: u32,
    ) -> Result {
        let directory = self.below(memory, fd, Rights::PATH_READLINK, (path, length))?;
        memory.check_writable(u64::from(used), 4)?;
        let target = self.system.link_target(directory, &self.path)?;
        let front = target.get(..buffer_length as usize).unwrap_or(target);
        memory.write(u64::from(buffer), front)?;
        memory::write_u32(memory, used, memory::size(front.len())?)
    }

    /// `path_open`. Rights that mean nothing for the kind of file are left out; all others that are asked for must be among those that the
    /// directory passes on.
    ///
    /// # Errors
    ///
    /// As [`Process::path_create_directory`]; [`Errno::Inval`] for flags that are none, and to make a directory;
    /// [`Errno::Mfile`] and [`Errno::Nfile`] if there are too many.
    #[expect(clippy::too_many_arguments, reason = "WASI has so many")]
    pub fn path_open(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        lookup: u32,
        path: u32,
        length: u32,
        how: u32,
        base: u64,
        inheriting: u64,
        flags: u32,
        opened: u32,
    ) -> Result {
        let parent = self.table.get(fd)?;
        let passed_on = parent.inheriting;
        // What kind of file it is goes before what is asked of it.
        parent.directory(Rights::NONE)?;
        let (follow, how, flags) = (follow(lookup)?, How::parse(how)?, Flags::parse(flags)?);
        let (base, inheriting) = (Rights(base) & Rights::ALL, Rights(inheriting) & Rights::ALL);
        let mut asked = base | inheriting;
        if flags.contains(Flags::DSYNC) {
            asked = asked | Rights::FD_DATASYNC;
        }
        if flags.contains(Flags::SYNC) || flags.contains(Flags::RSYNC) {
            asked = asked | Rights::FD_SYNC;
        }
        if !passed_on.contains(asked) {
            return Err(Errno::Notcapable);
        }
        let directory = self.below(memory, fd, how.needs(), (path, length))?;
        memory.check_writable(u64::from(opened), 4)?;
        self.table.check_room()?;
        let how = opening(how, follow, base, flags);
        let (file, status) = self.system.open(directory, &self.path, how)?;
        let number = self.table.add(descriptor(file, status.kind.into(), (base, inheriting), flags))?;
        memory::write_u32(memory, opened, number)
    }
}
