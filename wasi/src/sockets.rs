//! TCP sockets: `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`. Ports are given at the start; preview 1 has no way to make one, or to connect.

use alloc::vec::Vec;

use crate::descriptor::{Connection, Descriptor, Flags, Target};
use crate::memory::{self, Memory};
use crate::system::{BYTES_MOST, READ_MOST, System};
use crate::transfer::{outcome, write_all};
use crate::vectors::Vectors;
use crate::{Errno, Process, Result, Rights};

/// `riflags`: what is read stays.
const PEEK: u32 = 1;
/// `riflags`: all that has room is waited for.
const WAIT_ALL: u32 = 2;
/// `sdflags`: nothing more is read.
const READ_END: u32 = 1;
/// `sdflags`: nothing more is sent.
const WRITE_END: u32 = 2;

/// A time that never comes.
const NEVER: u64 = u64::MAX;

/// Bytes that are taken to know whether there are some, and of what is read and stays: they lie in the machine's memory until the program takes them.
const AHEAD_MOST: u32 = 512;

/// How a connection is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Until there is something.
    pub waits: bool,
    /// What is read stays.
    pub peeks: bool,
    /// Until all room is full.
    pub wants_all: bool,
}

/// Waits until something happens with a socket, at most until then. Whatever it is, it may be what others were waited for.
pub(crate) fn wait<S: System>(system: &mut S, waits: &mut u64, until: u64) -> Result {
    *waits += 1;
    system.await_sockets(until)
}

impl<K: Copy> Connection<K> {
    /// Has something to read, if anything has come: how much. None: not now.
    pub fn look<S: System<Socket = K>>(&mut self, system: &mut S) -> Result<Option<usize>> {
        if self.unread.is_empty() && !self.has_ended {
            match system.receive(self.socket, AHEAD_MOST) {
                Err(Errno::Again) => return Ok(None),
                bytes => {
                    let bytes = bytes?;
                    self.has_ended = bytes.is_empty();
                    self.unread.extend_from_slice(bytes);
                }
            }
        }
        Ok(Some(self.unread.len()))
    }

    /// Reads into ranges what has come, or the next that comes.
    pub fn read<S: System<Socket = K>>(
        &mut self,
        (system, waited): (&mut S, &mut u64),
        memory: &mut impl Memory,
        vectors: &mut Vectors,
        done: &mut u32,
        how: Reading,
    ) -> Result {
        while vectors.total() > 0 {
            let most = vectors.total().min(READ_MOST);
            let read = if !self.unread.is_empty() || self.has_ended || how.peeks {
                self.read_ahead(system, memory, vectors, how)
            } else {
                system.receive(self.socket, most).and_then(|bytes| {
                    self.has_ended = bytes.is_empty();
                    vectors.scatter(memory, bytes)?;
                    memory::size(bytes.len())
                })
            };
            match read {
                Err(Errno::Again) if how.waits => {
                    wait(system, waited, NEVER)?;
                    continue;
                }
                read => *done += read?,
            }
            if self.has_ended && self.unread.is_empty() || !how.wants_all || how.peeks {
                break;
            }
        }
        Ok(())
    }

    /// The same of what was taken before, or is only looked at.
    fn read_ahead<S: System<Socket = K>>(
        &mut self,
        system: &mut S,
        memory: &mut impl Memory,
        vectors: &mut Vectors,
        how: Reading,
    ) -> Result<u32> {
        let length = self.look(system)?.ok_or(Errno::Again)?.min(vectors.total() as usize);
        vectors.scatter(memory, self.unread.get(..length).unwrap_or_default())?;
        if !how.peeks {
            self.unread.drain(..length);
            if self.unread.is_empty() {
                self.unread = Vec::new();
            }
        }
        memory::size(length)
    }

    /// Sends bytes from the front; how many.
    pub fn send<S: System<Socket = K>>(
        &mut self,
        (system, waited): (&mut S, &mut u64),
        bytes: &[u8],
        waits: bool,
    ) -> Result<u32> {
        loop {
            match system.send(self.socket, bytes) {
                Err(Errno::Again) if waits => wait(system, waited, NEVER)?,
                sent => {
                    self.full_since = (sent == Err(Errno::Again)).then_some(*waited);
                    return sent;
                }
            }
        }
    }

    /// Whether nothing is taken, as far as anybody knows who has waited for sockets so often.
    pub fn is_full(&self, waits: u64) -> bool {
        self.full_since == Some(waits)
    }
}

impl<S: System> Process<S> {
    /// `sock_accept`: the next connection of a port, with these flags.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notsock`], [`Errno::Notcapable`], [`Errno::Fault`]; [`Errno::Inval`] for flags that are none, and of a connection;
    /// [`Errno::Again`] of a port that is not to wait; [`Errno::Mfile`], [`Errno::Nfile`]; what the service refuses.
    pub fn sock_accept(&mut self, memory: &mut impl Memory, fd: u32, flags: u32, place: u32) -> Result {
        let Self { system, table, waits, .. } = self;
        let room = table.check_room();
        let descriptor = table.get(fd)?;
        let (port, ahead) = match &mut descriptor.target {
            Target::Port { socket, ahead } => (*socket, ahead),
            Target::Connection(_) => return Err(Errno::Inval),
            _ => return Err(Errno::Notsock),
        };
        let flags = Flags::parse(flags)?;
        if !descriptor.base.contains(Rights::SOCK_ACCEPT) {
            return Err(Errno::Notcapable);
        }
        memory.check_writable(u64::from(place), 4)?;
        room?;
        let socket = loop {
            if let Some(socket) = ahead.take() {
                break socket;
            }
            match system.accept(port) {
                Err(Errno::Again) if !descriptor.flags.contains(Flags::NONBLOCK) => {
                    wait(system, waits, NEVER)?;
                }
                socket => break socket?,
            }
        };
        let accepted = Descriptor::connection(socket, descriptor.inheriting, flags);
        let number = table.add(accepted)?;
        memory::write_u32(memory, place, number)
    }

    /// `sock_recv`: bytes that have come, or the next that come; with flags to leave them there, or to wait for all.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notsock`], [`Errno::Notcapable`], [`Errno::Fault`]; [`Errno::Inval`] for flags that are none, and of a port;
    /// [`Errno::Again`] of a connection that is not to wait; [`Errno::Connreset`].
    #[expect(clippy::too_many_arguments, reason = "WASI has so many")]
    pub fn sock_recv(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        list: u32,
        count: u32,
        flags: u32,
        read: u32,
        told: u32,
    ) -> Result {
        let Self { system, table, waits, .. } = self;
        let (connection, is_nonblocking) = connection(table.get(fd)?, Rights::FD_READ)?;
        if flags & !(PEEK | WAIT_ALL) != 0 {
            return Err(Errno::Inval);
        }
        memory.check_writable(u64::from(read), 4)?;
        memory.check_writable(u64::from(told), 2)?;
        let mut vectors = Vectors::to_read(memory, list, count)?;
        let how =
            Reading { waits: !is_nonblocking, peeks: flags & PEEK != 0, wants_all: flags & WAIT_ALL != 0 };
        let mut done = 0;
        let result = connection.read((system, waits), memory, &mut vectors, &mut done, how);
        let done = outcome(done, result)?;
        // Nothing was cut off: bytes of TCP have no ends.
        memory.write(u64::from(told), &[0; 2])?;
        memory::write_u32(memory, read, done)
    }

    /// `sock_send`: all of it is sent, unless something goes wrong on the way.
    ///
    /// # Errors
    ///
    /// As [`Process::sock_recv`]; [`Errno::Pipe`] behind the end; there are no flags.
    pub fn sock_send(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        list: u32,
        count: u32,
        flags: u32,
        sent: u32,
    ) -> Result {
        let Self { system, table, buffer, waits, .. } = self;
        let (connection, is_nonblocking) = connection(table.get(fd)?, Rights::FD_WRITE)?;
        if flags != 0 {
            return Err(Errno::Inval);
        }
        memory.check_writable(u64::from(sent), 4)?;
        let mut vectors = Vectors::to_write(memory, list, count)?;
        let mut done = 0;
        let result = write_all(system, buffer, memory, &mut vectors, &mut done, |system, bytes, _| {
            connection.send(
                (system, waits),
                bytes.get(..BYTES_MOST as usize).unwrap_or(bytes),
                !is_nonblocking,
            )
        });
        memory::write_u32(memory, sent, outcome(done, result)?)
    }

    /// `sock_shutdown`: nothing more is read, sent, or both.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notsock`], [`Errno::Notcapable`]; [`Errno::Inval`] if it is neither, and of a port; [`Errno::Connreset`].
    pub fn sock_shutdown(&mut self, _: &mut impl Memory, fd: u32, how: u32) -> Result {
        let Self { system, table, .. } = self;
        let (connection, _) = connection(table.get(fd)?, Rights::SOCK_SHUTDOWN)?;
        if how == 0 || how & !(READ_END | WRITE_END) != 0 {
            return Err(Errno::Inval);
        }
        if how & READ_END != 0 {
            connection.unread.clear();
            connection.has_ended = true;
        }
        if how & WRITE_END != 0 { system.finish(connection.socket) } else { Ok(()) }
    }
}

/// A descriptor's connection, if it is one and has this right; and whether it is not to wait.
fn connection<F, C, K>(
    descriptor: &mut Descriptor<F, C, K>,
    right: Rights,
) -> Result<(&mut Connection<K>, bool)> {
    let Descriptor { target, base, flags, .. } = descriptor;
    match target {
        Target::Connection(_) if !base.contains(right) => Err(Errno::Notcapable),
        Target::Connection(connection) => Ok((connection, flags.contains(Flags::NONBLOCK))),
        Target::Port { .. } => Err(Errno::Inval),
        _ => Err(Errno::Notsock),
    }
}
