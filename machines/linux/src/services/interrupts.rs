//! Interfaces that have something to receive: a thread of Linux waits for them, and tells whoever drives one.
//!
//! As a card's interrupt, it comes once each time that it was armed: while frames are taken, nobody is told.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

/// Interfaces that can be waited for.
#[derive(Debug)]
pub(super) struct Interrupts {
    epoll: OwnedFd,
    interfaces: Vec<Arc<OwnedFd>>,
}

/// Interfaces that are told of at once; the others are a moment later.
const MOST_AT_ONCE: usize = 16;

impl Interrupts {
    /// Of these interfaces, none of them armed.
    pub fn new(interfaces: Vec<Arc<OwnedFd>>) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (number, interface) in (0..).zip(&interfaces) {
            epoll::add(&epoll, interface.as_fd(), EventData::new_u64(number), EventFlags::ONESHOT)?;
        }
        Ok(Self { epoll, interfaces })
    }

    /// The interface of this number is told of once, as soon as it has something, or at once.
    pub fn arm(&self, number: usize) {
        let Some(interface) = self.interfaces.get(number) else { return };
        let flags = EventFlags::IN | EventFlags::ONESHOT;
        let armed = epoll::modify(&self.epoll, interface.as_fd(), EventData::new_u64(number as u64), flags);
        // It was added, and is open as long as this is.
        debug_assert_eq!(armed, Ok(()));
    }

    /// Waits for interfaces that are armed, for good.
    ///
    /// # Errors
    ///
    /// When Linux refuses to wait.
    pub fn wait(&self, mut tell: impl FnMut(usize)) -> io::Result<()> {
        let mut events = Vec::with_capacity(MOST_AT_ONCE);
        loop {
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                let number = event.data;
                tell(usize::try_from(number.u64()).unwrap_or(usize::MAX));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Write, pipe};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_armed_is_told_of_once_and_what_is_not_never() {
        let pipes: Vec<_> = (0..2).map(|_| pipe().unwrap()).collect();
        let (readers, mut writers): (Vec<_>, Vec<_>) = pipes.into_iter().unzip();
        let interfaces = readers.into_iter().map(|reader| Arc::new(reader.into())).collect();
        let interrupts = Arc::new(Interrupts::new(interfaces).unwrap());
        let (sender, told) = channel();
        let waits = interrupts.clone();
        // It waits as long as the process runs.
        std::thread::spawn(move || waits.wait(|number| sender.send(number).unwrap()));
        writers[0].write_all(b"x").unwrap();
        writers[1].write_all(b"x").unwrap();
        interrupts.arm(1);
        assert_eq!(told.recv(), Ok(1));
        // Told of in the order in which they were armed: there was nothing else in between.
        interrupts.arm(0);
        assert_eq!(told.recv(), Ok(0));
        interrupts.arm(0);
        assert_eq!(told.recv(), Ok(0), "there is still something");
        interrupts.arm(7);
        assert!(told.recv_timeout(Duration::from_millis(1)).is_err());
    }
}
