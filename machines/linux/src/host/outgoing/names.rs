//! The addresses of names, asked of Linux's library (`getaddrinfo`), which waits: each on a thread of its own.
//!
//! Nobody can end such a thread before it has its answer. So it counts as long as it runs, also where its name is given up, or has had its time.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use super::Failure;
use super::shares::Shares;

/// How long a name may take: six servers that say nothing, as the library asks them by default.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Threads at a time.
const MOST_ASKED: usize = 16;
/// Addresses of each version.
const MOST_ADDRESSES: usize = 16;

/// How a name's addresses are had.
pub(super) type Ask = fn(&str) -> io::Result<Vec<IpAddr>>;

/// Asks the library, which knows this host's own names (`/etc/hosts`) and its servers of names.
pub(super) fn ask_library(name: &str) -> io::Result<Vec<IpAddr>> {
    // The port is of no interest.
    Ok((name, 0).to_socket_addrs()?.map(|place| place.ip()).collect())
}

/// Names that are asked for.
#[derive(Debug)]
pub(super) struct Names {
    patience: Duration,
    ask: Ask,
    /// Of threads.
    shares: Shares,
    /// What is wanted yet.
    wanted: HashMap<u64, Question>,
    /// Of the last question.
    last: u64,
    answers: (Sender<Answered>, Receiver<Answered>),
    /// Tells of them.
    bell: Arc<OwnedFd>,
}

#[derive(Debug)]
struct Question {
    /// Among all that were ever asked.
    serial: u64,
    until: Instant,
}

/// What a thread has found before it ended.
#[derive(Debug)]
struct Answered {
    serial: u64,
    owner: u64,
    found: io::Result<Vec<IpAddr>>,
}

impl Names {
    /// None yet.
    ///
    /// # Errors
    /// When Linux has no descriptor for this.
    pub fn new(patience: Duration, ask: Ask) -> io::Result<Self> {
        Ok(Self {
            patience,
            ask,
            shares: Shares::of(MOST_ASKED),
            wanted: HashMap::new(),
            last: 0,
            answers: channel(),
            bell: Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?),
        })
    }

    /// What there is to read when something was answered.
    pub fn bell(&self) -> &OwnedFd {
        &self.bell
    }

    /// When the first of them has had its time.
    pub fn until(&self) -> Option<Instant> {
        self.wanted.values().map(|question| question.until).min()
    }

    /// Asks for a name's addresses, for somebody, under a number.
    ///
    /// # Errors
    /// `ENFILE` if he has as many as are left for others, `EAGAIN` if there is no thread.
    pub fn ask(&mut self, number: u64, owner: u64, name: String) -> Result<(), Errno> {
        if !self.shares.take(owner) {
            return Err(Errno::NFILE);
        }
        self.last += 1;
        let (serial, ask, sender, bell) = (self.last, self.ask, self.answers.0.clone(), self.bell.clone());
        // Signals are blocked on the thread that calls this, and so on this one.
        let began = std::thread::Builder::new().name("name".to_owned()).spawn(move || {
            let found = ask(&name);
            if sender.send(Answered { serial, owner, found }).is_ok() {
                // It takes more than are ever asked.
                let _ = rustix::io::write(&bell, &1_u64.to_ne_bytes());
            }
        });
        if began.is_err() {
            self.shares.give_back(owner);
            return Err(Errno::AGAIN);
        }
        self.wanted.insert(number, Question { serial, until: Instant::now() + self.patience });
        Ok(())
    }

    /// Nobody wants it any more.
    pub fn give_up(&mut self, number: u64) {
        self.wanted.remove(&number);
    }

    /// Nobody wants any of them any more.
    pub fn forget(&mut self) {
        self.wanted.clear();
    }

    /// What was found, under its numbers: those of version 4 first, each in the library's order. And those that have had their time.
    pub fn settle(&mut self, now: Instant) -> Vec<(u64, Result<Vec<IpAddr>, Failure>)> {
        // Before they are looked for: who answers later rings again.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        let mut settled = Vec::new();
        while let Ok(Answered { serial, owner, found }) = self.answers.1.try_recv() {
            self.shares.give_back(owner);
            let number = self.wanted.iter().find(|(_, question)| question.serial == serial);
            if let Some(number) = number.map(|(number, _)| *number) {
                self.wanted.remove(&number);
                settled.push((number, of_both_versions(found)));
            }
        }
        self.wanted.retain(|number, question| {
            let has_time = now < question.until;
            if !has_time {
                settled.push((*number, Err(Failure::NoAnswer)));
            }
            has_time
        });
        settled
    }
}

/// What the library's answer comes to: it does not say whether nobody knows the name or nobody could be asked.
fn of_both_versions(found: io::Result<Vec<IpAddr>>) -> Result<Vec<IpAddr>, Failure> {
    let (mut first, mut second): (Vec<IpAddr>, Vec<IpAddr>) = found
        .unwrap_or_default()
        .into_iter()
        // Those of one link are nobody's without it.
        .filter(|address| !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local()))
        .partition(IpAddr::is_ipv4);
    first.truncate(MOST_ADDRESSES);
    second.truncate(MOST_ADDRESSES);
    first.append(&mut second);
    if first.is_empty() { Err(Failure::NoAddress) } else { Ok(first) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    /// What is settled next.
    fn settled(names: &mut Names) -> Vec<(u64, Result<Vec<IpAddr>, Failure>)> {
        poll(&mut [PollFd::new(names.bell(), PollFlags::IN)], None).unwrap();
        names.settle(Instant::now())
    }

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_hosts_own_names_are_known_and_others_are_not() {
        let mut names = Names::new(PATIENCE, ask_library).unwrap();
        names.ask(3, 1, "localhost".to_owned()).unwrap();
        let [(3, Ok(found))] = &*settled(&mut names) else { panic!("no address of localhost") };
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        // Names that the library refuses, so that no server is asked.
        for name in ["", "a b", "with\0zero", &"x".repeat(300)] {
            names.ask(4, 1, name.to_owned()).unwrap();
            assert_eq!(settled(&mut names), [(4, Err(Failure::NoAddress))], "{name:?}");
        }
    }

    #[test]
    fn addresses_are_in_order_and_not_too_many() {
        let found = addresses(&["fd00::2", "10.0.0.2", "fe80::1", "fd00::1", "10.0.0.1"]);
        let ordered = addresses(&["10.0.0.2", "10.0.0.1", "fd00::2", "fd00::1"]);
        assert_eq!(of_both_versions(Ok(found)), Ok(ordered));
        assert_eq!(of_both_versions(Ok(addresses(&["fe80::1"]))), Err(Failure::NoAddress));
        let many = (0..40).map(|number| IpAddr::from([10, 0, 0, number])).chain(addresses(&["fd00::1"]));
        assert_eq!(of_both_versions(Ok(many.collect())).unwrap().len(), MOST_ADDRESSES + 1);
    }

    /// Names of one test wait until it says that they need not.
    static OPEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

    fn ask_silence(_: &str) -> io::Result<Vec<IpAddr>> {
        let (is_open, changed) = &OPEN;
        drop(changed.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
        Ok(addresses(&["10.0.0.1"]))
    }

    #[test]
    fn who_asks_for_names_that_nobody_answers_leaves_threads_for_others() {
        let mut names = Names::new(PATIENCE, ask_silence).unwrap();
        let mut ask = |number, owner| names.ask(number, owner, "name.test".to_owned());
        let first = (0..100).filter(|number| ask(*number, 1).is_ok()).count();
        assert_eq!(first, MOST_ASKED / 2);
        assert_eq!(ask(100, 1), Err(Errno::NFILE));
        assert_eq!(ask(101, 2), Ok(()));
        // To give up makes no room: the threads are still there.
        (0..100).for_each(|number| names.give_up(number));
        assert_eq!(names.ask(102, 1, "name.test".to_owned()), Err(Errno::NFILE));
        // Time is over for what is wanted.
        let late = names.until().unwrap();
        assert_eq!(names.settle(late), [(101, Err(Failure::NoAnswer))]);
        *OPEN.0.lock().unwrap() = true;
        OPEN.1.notify_all();
        while names.ask(103, 1, "name.test".to_owned()).is_err() {
            assert_eq!(settled(&mut names), [], "nobody wants the others any more");
        }
        loop {
            let all = settled(&mut names);
            if !all.is_empty() {
                assert_eq!(all, [(103, Ok(addresses(&["10.0.0.1"])))]);
                return;
            }
        }
    }
}
