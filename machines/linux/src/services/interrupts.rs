//! Descriptors that have something for a cell: a thread of Linux waits for them, and tells whoever drives one.
//!
//! As a card's interrupt, it comes once each time that it was armed: while a cell takes what there is, nobody is told.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

/// What a message has as its badge that says: there is something. No client's is so high.
pub const INTERRUPT_BADGE: u64 = u64::MAX;

/// Descriptors that can be waited for.
#[derive(Debug)]
pub(super) struct Interrupts {
    epoll: OwnedFd,
    sources: Vec<Arc<OwnedFd>>,
}

/// Those that are told of at once; the others are a moment later.
const MOST_AT_ONCE: usize = 16;

/// Those of this process.
static INSTALLED: OnceLock<Arc<Interrupts>> = OnceLock::new();

/// Makes those of this process known, once.
pub(super) fn install(interrupts: Arc<Interrupts>) -> io::Result<()> {
    INSTALLED.set(interrupts).map_err(|_| io::Error::other("this process has its network already"))
}

/// Waits for descriptors that have something, and tells of each by its number, for good: the life of a thread.
///
/// # Errors
///
/// When Linux refuses to wait. At once and without an error if there are none.
pub fn await_interrupts(tell: impl FnMut(usize)) -> io::Result<()> {
    INSTALLED
        .get()
        .filter(|interrupts| !interrupts.sources.is_empty())
        .map_or(Ok(()), |interrupts| interrupts.wait(tell))
}

impl Interrupts {
    /// Of these, none of them armed.
    pub fn new(sources: Vec<Arc<OwnedFd>>) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (number, source) in (0..).zip(&sources) {
            epoll::add(&epoll, source.as_fd(), EventData::new_u64(number), EventFlags::ONESHOT)?;
        }
        Ok(Self { epoll, sources })
    }

    /// The one of this number is told of once, as soon as it has something, or at once.
    pub fn arm(&self, number: usize) {
        let Some(source) = self.sources.get(number) else { return };
        let flags = EventFlags::IN | EventFlags::ONESHOT;
        let armed = epoll::modify(&self.epoll, source.as_fd(), EventData::new_u64(number as u64), flags);
        // It was added, and is open as long as this is.
        debug_assert_eq!(armed, Ok(()));
    }

    /// Waits for those that are armed, for good.
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
        let sources = readers.into_iter().map(|reader| Arc::new(reader.into())).collect();
        let interrupts = Arc::new(Interrupts::new(sources).unwrap());
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
