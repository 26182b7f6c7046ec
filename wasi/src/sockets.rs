//! Sockets, of which there are none: `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`.

use crate::memory::Memory;
use crate::system::System;
use crate::{Errno, Process, Result};

impl<S: System> Process<S> {
    /// `sock_accept`: no descriptor is a socket.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notsock`], as all functions of sockets.
    pub fn sock_accept(&mut self, _: &mut impl Memory, fd: u32, _: u32, _: u32) -> Result {
        self.no_socket(fd)
    }

    /// `sock_recv`.
    ///
    /// # Errors
    ///
    /// As [`Process::sock_accept`].
    #[expect(clippy::too_many_arguments, reason = "WASI has so many")]
    pub fn sock_recv(
        &mut self,
        _: &mut impl Memory,
        fd: u32,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
    ) -> Result {
        self.no_socket(fd)
    }

    /// `sock_send`.
    ///
    /// # Errors
    ///
    /// As [`Process::sock_accept`].
    pub fn sock_send(&mut self, _: &mut impl Memory, fd: u32, _: u32, _: u32, _: u32, _: u32) -> Result {
        self.no_socket(fd)
    }

    /// `sock_shutdown`.
    ///
    /// # Errors
    ///
    /// As [`Process::sock_accept`].
    pub fn sock_shutdown(&mut self, _: &mut impl Memory, fd: u32, _: u32) -> Result {
        self.no_socket(fd)
    }

    fn no_socket(&mut self, fd: u32) -> Result {
        self.table.get(fd)?;
        Err(Errno::Notsock)
    }
}
