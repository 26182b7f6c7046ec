//! One end of a wire: frames go by memory that this machine shares with another one of this host, and by no system call.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hallows_abi::ring::Broken;
use hallows_sdk::packets::{Card, HEAD_BYTES};
use hallows_sdk::{Error, log};

use super::device::Device;
use crate::host::wire::{Line, ring};
use crate::services::interrupts::Interrupts;

/// An end between two lives of whoever drives it.
pub(super) type Shelf = Arc<Mutex<Option<Line>>>;

/// What becomes of a wire, as the parent says it.
#[derive(Debug)]
pub enum WireNews {
    /// Another machine is there.
    Met {
        /// What is shared with it.
        memory: OwnedFd,
        /// What rings its bell.
        ringer: OwnedFd,
    },
    /// It is gone.
    Parted,
    /// Somebody was there who cannot be at the other end.
    Unfit {
        /// Why.
        why: String,
    },
}

/// The latest news that nobody who drives the wire has heard.
#[derive(Debug)]
pub(super) struct Letterbox {
    latest: Mutex<Option<WireNews>>,
    has_some: AtomicBool,
    /// Wakes whoever drives it.
    ringer: OwnedFd,
}

impl Letterbox {
    pub const fn new(ringer: OwnedFd) -> Self {
        Self { latest: Mutex::new(None), has_some: AtomicBool::new(false), ringer }
    }

    /// Puts news in the place of older ones.
    pub fn put(&self, news: WireNews) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(news);
        // Release: who sees it finds the news.
        self.has_some.store(true, Ordering::Release);
        self.wake();
    }

    fn take(&self) -> Option<WireNews> {
        // Relaxed, as it is asked for each frame: the swap behind it is what counts.
        if !self.has_some.load(Ordering::Relaxed) || !self.has_some.swap(false, Ordering::Acquire) {
            return None;
        }
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn has_some(&self) -> bool {
        self.has_some.load(Ordering::Acquire)
    }

    fn wake(&self) {
        ring(&self.ringer);
    }
}

/// An end that somebody has taken for this machine.
#[derive(Debug)]
pub(super) struct Wire {
    card: Card,
    /// There until this is dropped.
    line: Option<Line>,
    /// Where it goes then.
    shelf: Shelf,
    letterbox: Arc<Letterbox>,
    interrupts: Arc<Interrupts>,
    /// Its place among the process's interfaces.
    number: usize,
}

impl Wire {
    /// With the end on a shelf; `None` if another one has it.
    pub fn new(
        card: Card,
        shelf: &Shelf,
        letterbox: Arc<Letterbox>,
        interrupts: Arc<Interrupts>,
        number: usize,
    ) -> Option<Self> {
        let line = Some(shelf.lock().unwrap_or_else(PoisonError::into_inner).take()?);
        Some(Self { card, line, shelf: shelf.clone(), letterbox, interrupts, number })
    }

    /// The end, with the latest news heard.
    fn line(&mut self) -> Option<&mut Line> {
        let line = self.line.as_mut()?;
        if let Some(news) = self.letterbox.take() {
            hear(line, &self.card, news);
        }
        Some(line)
    }
}

fn hear(line: &mut Line, card: &Card, news: WireNews) {
    match news {
        WireNews::Met { memory, ringer } => match line.join(&memory, ringer) {
            Ok(()) => {
                let [a, b, c, d, e, f] = card.address;
                log!("the wire is whole; this end of it is {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
            }
            Err(error) => log!("what the other machine shares is of no use: {error}"),
        },
        WireNews::Parted if line.is_joined() => {
            line.part();
            log!("the other machine is gone; the wire waits for another one");
        }
        WireNews::Parted => {}
        WireNews::Unfit { why } => {
            line.part();
            log!("who came to the other end cannot be there: {why}");
        }
    }
}

/// What a broken ring comes to: nobody is there, until another one comes.
fn broken(broken: Broken) {
    log!("the other machine is not heard any more, it did what nobody may: {}", broken.message());
}

impl Drop for Wire {
    fn drop(&mut self) {
        *self.shelf.lock().unwrap_or_else(PoisonError::into_inner) = self.line.take();
    }
}

impl Device for Wire {
    fn card(&self) -> Card {
        self.card
    }

    fn transmit(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), Error> {
        if length < HEAD_BYTES {
            return Err(Error::BadArgument);
        }
        match self.line().ok_or(Error::NotReady)?.send(length, write) {
            Ok(Some(true)) => Ok(()),
            Ok(Some(false)) => Err(Error::Busy),
            Ok(None) => Err(Error::NotReady),
            Err(error) => {
                broken(error);
                Err(Error::NotReady)
            }
        }
    }

    fn flush(&mut self) -> bool {
        if let Some(line) = &mut self.line {
            line.flush();
        }
        true
    }

    fn has_some(&mut self) -> bool {
        let found = self.line().map_or(Ok(false), Line::has_some);
        found.unwrap_or_else(|error| {
            broken(error);
            false
        })
    }

    fn receive(&mut self) -> Result<Option<&[u8]>, Error> {
        // While nobody is there, rooms wait for who comes.
        let received = self.line().map_or(Ok(None), Line::receive);
        Ok(received.unwrap_or_else(|error| {
            broken(error);
            None
        }))
    }

    fn tell(&mut self) {
        let has_some = self.line().map_or(Ok(false), Line::rest).unwrap_or_else(|error| {
            broken(error);
            false
        });
        // The bell was emptied, and this may have rung it.
        if has_some || self.letterbox.has_some() {
            self.letterbox.wake();
        }
        self.interrupts.arm(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use hallows_sdk::packets::Kind;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;
    use crate::host::wire::{End, MTU, make_memory};

    /// An end as a machine has it over many lives of its driver, and what rings its bell.
    struct Installed {
        card: Card,
        shelf: Shelf,
        letterbox: Arc<Letterbox>,
        interrupts: Arc<Interrupts>,
        ringer: OwnedFd,
    }

    impl Installed {
        fn new(end: End) -> Self {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let (bell, ringer) = socketpair(AddressFamily::UNIX, SocketType::DGRAM, flags, None).unwrap();
            let bell = Arc::new(bell);
            Self {
                card: Card { kind: Kind::Wire as u32, mtu: MTU, address: [2; 6] },
                shelf: Arc::new(Mutex::new(Some(Line::new(end, bell.clone()).unwrap()))),
                letterbox: Arc::new(Letterbox::new(ringer.try_clone().unwrap())),
                interrupts: Arc::new(Interrupts::new(vec![bell]).unwrap()),
                ringer,
            }
        }

        fn live(&self) -> Option<Wire> {
            Wire::new(self.card, &self.shelf, self.letterbox.clone(), self.interrupts.clone(), 0)
        }
    }

    fn meet([one, other]: [&Installed; 2]) {
        let memory = make_memory().unwrap();
        for (whom, peer) in [(one, other), (other, one)] {
            let (memory, ringer) = (memory.try_clone().unwrap(), peer.ringer.try_clone().unwrap());
            whom.letterbox.put(WireNews::Met { memory, ringer });
        }
    }

    fn send(wire: &mut Wire, byte: u8) -> Result<(), Error> {
        let sent = wire.transmit(60, &mut |frame| frame.fill(byte));
        assert!(wire.flush());
        sent
    }

    #[test]
    fn frames_go_while_both_are_there_whatever_lives_their_drivers_have() {
        let ends = [End::First, End::Second].map(Installed::new);
        let [mut one, mut other] = ends.each_ref().map(|end| end.live().unwrap());
        assert!(ends[0].live().is_none(), "it has a driver");
        assert_eq!(send(&mut one, 1), Err(Error::NotReady));
        assert_eq!(other.receive(), Ok(None));
        for round in 0..3 {
            meet(ends.each_ref());
            for byte in 2..5 {
                assert_eq!(send(&mut one, byte), Ok(()));
            }
            assert!(other.has_some());
            assert_eq!(other.receive(), Ok(Some(&[2; 60][..])));
            // The next life finds what the last one has left.
            drop(other);
            other = ends[1].live().unwrap();
            assert_eq!(other.receive(), Ok(Some(&[3; 60][..])));
            assert_eq!(other.receive(), Ok(Some(&[4; 60][..])));
            assert_eq!(send(&mut other, 5), Ok(()));
            assert_eq!(one.receive(), Ok(Some(&[5; 60][..])));
            if round != 1 {
                ends[0].letterbox.put(WireNews::Parted);
                assert_eq!(send(&mut one, 6), Err(Error::NotReady));
            }
        }
        assert_eq!(one.transmit(HEAD_BYTES - 1, &mut |_| {}), Err(Error::BadArgument));
    }

    #[test]
    fn a_full_wire_is_busy_and_goes_on() {
        let ends = [End::First, End::Second].map(Installed::new);
        let [mut one, mut other] = ends.each_ref().map(|end| end.live().unwrap());
        meet(ends.each_ref());
        let mut sent = 0;
        while send(&mut one, 1) == Ok(()) {
            sent += 1;
        }
        assert_eq!((sent, send(&mut one, 1)), (256, Err(Error::Busy)));
        assert!(other.receive().unwrap().is_some());
        assert!(other.flush());
        assert_eq!(send(&mut one, 1), Ok(()));
    }

    #[test]
    fn who_waits_is_told_of_frames_and_of_news() {
        let ends = [End::First, End::Second].map(Installed::new);
        let [mut one, mut other] = ends.each_ref().map(|end| end.live().unwrap());
        let (sender, told) = channel();
        let interrupts = ends[1].interrupts.clone();
        // It waits as long as the process runs.
        std::thread::spawn(move || interrupts.wait(|number| sender.send(number).unwrap()));
        other.tell();
        meet(ends.each_ref());
        assert_eq!(told.recv(), Ok(0), "somebody is there");
        assert!(!other.has_some());
        other.tell();
        assert!(told.recv_timeout(Duration::from_millis(5)).is_err(), "nothing has come");
        assert_eq!(send(&mut one, 1), Ok(()));
        assert_eq!(told.recv(), Ok(0));
        assert_eq!(other.receive(), Ok(Some(&[1; 60][..])));
        // What comes before it sleeps is told of at once.
        assert_eq!(send(&mut one, 2), Ok(()));
        other.tell();
        assert_eq!(told.recv(), Ok(0));
        assert_eq!(other.receive(), Ok(Some(&[2; 60][..])));
        other.tell();
        ends[1].letterbox.put(WireNews::Parted);
        assert_eq!(told.recv(), Ok(0), "nobody is there");
    }
}
