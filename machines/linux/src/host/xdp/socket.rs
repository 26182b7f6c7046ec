//! A socket of AF_XDP in the machine: frames that come and go through its four rings.
//!
//! A frame's place is at every moment Linux's or ours. Linux has those that were put into the fill ring until they come out of the receive ring, and
//! those in the transmit ring until they come out of the completion ring. So what is lent here does not change under its reader.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::xdp::{
    XDP_PGOFF_RX_RING, XDP_PGOFF_TX_RING, XDP_UMEM_PGOFF_COMPLETION_RING, XDP_UMEM_PGOFF_FILL_RING,
};
use rustix::net::{RecvFlags, SendFlags, recv, send, sockopt};

use super::mapping::Mapping;
use super::ring::{FromLinux, ToLinux};
use super::{FRAMES, RECEIVE_FRAMES, TRANSMIT_FRAMES, memory_bytes};

/// How long Linux may take for what another life has sent: a driver frees frames with its next interrupt.
const LONGEST_SENDING: Duration = Duration::from_secs(1);

/// A socket, its rings and its frames.
#[derive(Debug)]
pub struct XdpSocket {
    descriptor: Arc<OwnedFd>,
    frames: Mapping,
    chunk_bytes: u64,
    /// Places for what comes: where each begins.
    fill: ToLinux<1>,
    /// What has come: where it begins, and its length.
    receive: FromLinux<2>,
    transmit: ToLinux<2>,
    completion: FromLinux<1>,
    /// The place of the frame that was lent out last.
    lent: Option<u64>,
    /// Places for what goes, of which nothing is under way.
    free: Vec<u64>,
    /// Something was put into the transmit ring since Linux was last called for it.
    has_sent: bool,
    /// System calls that were made for frames.
    calls: u64,
}

impl XdpSocket {
    /// How many system calls were made for frames since this socket was taken over.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// Takes over a socket that was bound, with what its last user has left in its rings. At most one place for what comes is lost by that.
    ///
    /// # Errors
    ///
    /// When its rings or its frames cannot be mapped, or Linux keeps frames that another life has sent.
    pub fn take_over(descriptor: Arc<OwnedFd>, memory: &OwnedFd, chunk_bytes: u32) -> io::Result<Self> {
        let bytes = usize::try_from(memory_bytes(chunk_bytes)).map_err(io::Error::other)?;
        let has = u64::try_from(rustix::fs::fstat(memory)?.st_size).unwrap_or(0);
        if has < memory_bytes(chunk_bytes) || !chunk_bytes.is_power_of_two() {
            return Err(io::Error::other("the memory for frames is too small"));
        }
        let offsets = sockopt::xdp_mmap_offsets(&descriptor)?;
        let socket = descriptor.as_fd();
        let mut taken = Self {
            frames: Mapping::of(memory, 0, bytes)?,
            chunk_bytes: chunk_bytes.into(),
            fill: ToLinux::of(socket, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr, RECEIVE_FRAMES)?,
            receive: FromLinux::of(socket, XDP_PGOFF_RX_RING, &offsets.rx, RECEIVE_FRAMES)?,
            transmit: ToLinux::of(socket, XDP_PGOFF_TX_RING, &offsets.tx, TRANSMIT_FRAMES)?,
            completion: FromLinux::of(socket, XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr, TRANSMIT_FRAMES)?,
            lent: None,
            free: Vec::with_capacity(TRANSMIT_FRAMES as usize),
            has_sent: true,
            calls: 0,
            descriptor,
        };
        taken.take_places()?;
        Ok(taken)
    }

    /// Finds out which places are whose.
    fn take_places(&mut self) -> io::Result<()> {
        let places =
            |numbers: std::ops::Range<u32>, chunk: u64| numbers.map(move |number| u64::from(number) * chunk);
        // In its first life, Linux has none yet.
        if self.fill.put_count() == 0 && self.receive.put_count() == 0 {
            for place in places(0..RECEIVE_FRAMES, self.chunk_bytes) {
                self.fill.put([place]);
            }
        }
        let began = Instant::now();
        while self.completion.put_count() != self.transmit.taken_count() {
            if began.elapsed() > LONGEST_SENDING {
                return Err(io::Error::other("Linux has not sent frames of the life before"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        while self.completion.take().is_some() {}
        let waiting: Vec<_> = self.transmit.waiting().map(|[place, _]| place).collect();
        let all = places(RECEIVE_FRAMES..FRAMES, self.chunk_bytes);
        self.free.extend(all.filter(|place| !waiting.contains(place)));
        Ok(())
    }

    /// Whether a frame has come.
    pub fn has_some(&mut self) -> bool {
        self.receive.has_some()
    }

    /// The next frame that has come. What was lent before is over.
    pub fn receive(&mut self) -> Option<&mut [u8]> {
        self.give_back();
        let [start, length] = self.receive.take()?;
        // The upper half are options, of which none was asked for.
        let length = length & u64::from(u32::MAX);
        let place = start & !(self.chunk_bytes - 1);
        let is_place = place < u64::from(RECEIVE_FRAMES) * self.chunk_bytes;
        if !is_place || start - place + length > self.chunk_bytes {
            // Linux never says so.
            debug_assert!(false, "a frame of {length} bytes at {start}");
            return None;
        }
        self.lent = Some(place);
        let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
        // SAFETY: it came out of the receive ring, so its place is ours until it is put into the fill ring again.
        Some(unsafe { self.frames.bytes_mut(start, length) })
    }

    fn give_back(&mut self) {
        if let Some(place) = self.lent.take() {
            // It has room for all of them.
            self.fill.put([place]);
        }
    }

    /// Sends a frame of so many bytes, which is written where it is sent from; Linux may have to be called then ([`Self::hand_over`]). False: all
    /// places are under way.
    ///
    /// # Errors
    ///
    /// [`Errno::MSGSIZE`] if it is longer than a place.
    pub fn send(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<bool, Errno> {
        if length as u64 > self.chunk_bytes {
            return Err(Errno::MSGSIZE);
        }
        if self.free.is_empty() {
            self.take_back();
        }
        let Some(place) = self.free.pop() else { return Ok(false) };
        let start = usize::try_from(place).map_err(|_| Errno::MSGSIZE)?;
        // SAFETY: it is free: it came out of the completion ring, or was never sent.
        write(unsafe { self.frames.bytes_mut(start, length) });
        // There are as many places in the ring as there are for frames.
        self.transmit.put([place, length as u64]);
        self.has_sent = true;
        Ok(true)
    }

    /// Takes back the places of what was sent.
    fn take_back(&mut self) {
        while let Some([place]) = self.completion.take() {
            self.free.push(place & !(self.chunk_bytes - 1));
        }
    }

    /// Has Linux take what was put into its rings, where it has to be called for that: one call for a batch. Whether it took all.
    ///
    /// # Errors
    ///
    /// [`Errno::NETDOWN`] while the interface is down; others when it is gone.
    pub fn hand_over(&mut self) -> Result<bool, Errno> {
        if self.fill.needs_wakeup() {
            self.calls += 1;
            // It says no more than that it was called.
            let _ = recv(&self.descriptor, &mut [0_u8; 0], RecvFlags::DONTWAIT);
        }
        if !self.has_sent {
            return Ok(true);
        }
        if self.transmit.needs_wakeup() {
            self.calls += 1;
            match send(&self.descriptor, &[], SendFlags::DONTWAIT) {
                // It takes some at a time, or has no room for more in its own queues.
                Ok(_) | Err(Errno::AGAIN | Errno::BUSY | Errno::NOBUFS | Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            self.has_sent = !self.transmit.is_taken();
        } else {
            self.has_sent = false;
        }
        Ok(!self.has_sent)
    }
}
