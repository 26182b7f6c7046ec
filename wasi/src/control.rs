//! Descriptors themselves: `fd_close`, `fd_renumber`, `fd_fdstat_get`, `fd_fdstat_set_flags`, `fd_fdstat_set_rights`,
//! `fd_prestat_get`, `fd_prestat_dir_name`.

use crate::descriptor::{Filetype, Flags, Target};
use crate::memory::{self, Memory};
use crate::process::release;
use crate::system::System;
use crate::{Errno, Process, Result, Rights};

/// Bytes of `fdstat`.
const FDSTAT_BYTES: usize = 24;
/// Bytes of `prestat`.
const PRESTAT_BYTES: usize = 8;

/// `fdstat`: kind, flags, rights of itself, rights of what is opened through it.
fn fdstat(kind: Filetype, flags: Flags, base: Rights, inheriting: Rights) -> [u8; FDSTAT_BYTES] {
    let mut form = [0; FDSTAT_BYTES];
    let parts = [kind as u64 | u64::from(flags.number()) << 16, base.0, inheriting.0];
    for (place, part) in form.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    form
}

impl<S: System> Process<S> {
    /// `fd_close`.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`].
    pub fn fd_close(&mut self, _: &mut impl Memory, fd: u32) -> Result {
        let descriptor = self.table.remove(fd)?;
        self.listing.forget(fd);
        release(&mut self.system, descriptor);
        Ok(())
    }

    /// `fd_renumber`: `to` is closed, and becomes what `fd` was.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`] if one of them is not there.
    pub fn fd_renumber(&mut self, _: &mut impl Memory, fd: u32, to: u32) -> Result {
        if let Some(replaced) = self.table.renumber(fd, to)? {
            self.listing.forget(fd);
            self.listing.forget(to);
            release(&mut self.system, replaced);
        }
        Ok(())
    }

    /// What kind of file a descriptor stands for.
    pub(crate) fn kind(&mut self, fd: u32) -> Result<Filetype> {
        match &mut self.table.get(fd)?.target {
            Target::Directory { .. } => Ok(Filetype::Directory),
            Target::File { kind, .. } => Ok(*kind),
            Target::Port { .. } | Target::Connection(_) => Ok(Filetype::SocketStream),
            Target::Stream { kind: Some(kind), .. } => Ok(*kind),
            Target::Stream { console, kind } => {
                let is_terminal = self.system.is_terminal(*console)?;
                Ok(*kind.insert(if is_terminal { Filetype::CharacterDevice } else { Filetype::Unknown }))
            }
        }
    }

    /// `fd_fdstat_get`.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Fault`].
    pub fn fd_fdstat_get(&mut self, memory: &mut impl Memory, fd: u32, place: u32) -> Result {
        let kind = self.kind(fd)?;
        let descriptor = self.table.get(fd)?;
        let form = fdstat(kind, descriptor.flags, descriptor.base, descriptor.inheriting);
        memory.write(u64::from(place), &form)
    }

    /// `fd_fdstat_set_flags`.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notcapable`]; [`Errno::Inval`] for flags that are none; [`Errno::Notsup`] to change those that a
    /// file is opened with: `dsync`, `rsync`, `sync`.
    pub fn fd_fdstat_set_flags(&mut self, _: &mut impl Memory, fd: u32, flags: u32) -> Result {
        let descriptor = self.table.get(fd)?;
        let flags = Flags::parse(flags)?;
        descriptor.check(Rights::FD_FDSTAT_SET_FLAGS)?;
        if !descriptor.flags.may_become(flags) {
            return Err(Errno::Notsup);
        }
        descriptor.flags = flags;
        Ok(())
    }

    /// `fd_fdstat_set_rights`: rights can only be given up.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`]; [`Errno::Notcapable`] for rights that are not there.
    pub fn fd_fdstat_set_rights(
        &mut self,
        _: &mut impl Memory,
        fd: u32,
        base: u64,
        inheriting: u64,
    ) -> Result {
        let descriptor = self.table.get(fd)?;
        let (base, inheriting) = (Rights(base), Rights(inheriting));
        if !descriptor.base.contains(base) || !descriptor.inheriting.contains(inheriting) {
            return Err(Errno::Notcapable);
        }
        (descriptor.base, descriptor.inheriting) = (base, inheriting);
        Ok(())
    }

    /// `fd_prestat_get`: how long the path is that the program knows a directory by.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`] also for what is not such a directory: that is how programs find the last one.
    pub fn fd_prestat_get(&mut self, memory: &mut impl Memory, fd: u32, place: u32) -> Result {
        let length = memory::size(self.preopened(fd)?.len())?;
        let mut form = [0; PRESTAT_BYTES];
        if let Some(place) = form.last_chunk_mut() {
            *place = length.to_le_bytes();
        }
        memory.write(u64::from(place), &form)
    }

    /// `fd_prestat_dir_name`: that path.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Fault`]; [`Errno::Nametoolong`] if it does not fit.
    pub fn fd_prestat_dir_name(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        place: u32,
        length: u32,
    ) -> Result {
        let name = self.preopened(fd)?;
        if name.len() > length as usize {
            return Err(Errno::Nametoolong);
        }
        memory.write(u64::from(place), name.as_bytes())
    }

    fn preopened(&mut self, fd: u32) -> Result<&str> {
        match &self.table.get(fd)?.target {
            Target::Directory { name: Some(name), .. } => Ok(name),
            _ => Err(Errno::Badf),
        }
    }
}
