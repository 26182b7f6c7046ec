//! `futex-same-core`, `futex-cross-core`: messages in shared memory, and sleep only while there is nothing to do.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::mailbox::{Mailbox, SharedMailbox, Slot};
use super::message;
use super::peer::{Isolation, Peer};
use super::{Placement, priority_text};
use crate::contestant::{Contestant, Description};
use crate::cores::{Core, Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Two threads or processes, each pinned: the message through shared memory, waking and sleeping by futex.
pub struct Futex {
    placement: Placement,
    isolation: Isolation,
    priority: Priority,
    connection: Option<Connection>,
}

struct Connection {
    mailbox: Arc<SharedMailbox>,
    isolation: Isolation,
    number: u32,
    peer: Option<Peer>,
}

impl Futex {
    /// A rival whose sides are placed, separated and scheduled like this.
    #[must_use]
    pub const fn new(placement: Placement, isolation: Isolation, priority: Priority) -> Self {
        Self { placement, isolation, priority, connection: None }
    }

    fn connect(&mut self, turn: &Turn<'_>) -> Result<&mut Connection, BenchError> {
        let core = self.placement.answering_core(turn)?;
        if self.connection.as_ref().is_some_and(|connection| !connection.serves_on(core)) {
            self.connection = None;
        }
        match &mut self.connection {
            Some(connection) => Ok(connection),
            empty => Ok(empty.insert(Connection::open(self.isolation, core, self.priority)?)),
        }
    }
}

impl Connection {
    fn open(isolation: Isolation, core: Core, priority: Priority) -> Result<Self, BenchError> {
        let mailbox = Arc::new(SharedMailbox::map()?);
        let theirs = Arc::clone(&mailbox);
        // SAFETY: `serve` uses the shared mapping and futex calls only.
        let peer =
            unsafe { Peer::start(isolation, core, priority, move || serve(theirs.mailbox(), isolation))? };
        Ok(Self { mailbox, isolation, number: 0, peer: Some(peer) })
    }

    fn serves_on(&self, core: Core) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.core() == core)
    }

    fn ask(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let Mailbox { request, answer } = self.mailbox.mailbox();
        turn.measure(|| {
            self.number = self.number.wrapping_add(1);
            let number = u64::from(self.number);
            request.post(self.number, &message::request(number));
            wake(request.number(), self.isolation);
            wait_for(answer, self.number, self.isolation);
            message::check(number, &answer.take())
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Every exchange is complete here, so the peer waits for the next number.
        let request = &self.mailbox.mailbox().request;
        request.post(self.number.wrapping_add(1), &message::request(message::LAST_REQUEST));
        wake(request.number(), self.isolation);
        self.peer = None;
    }
}

impl Contestant for Futex {
    fn describe(&self) -> Description {
        let private = match self.isolation {
            Isolation::Threads => " (FUTEX_PRIVATE_FLAG)",
            Isolation::Processes => "",
        };
        Description {
            name: self.placement.name("futex", self.isolation),
            configuration: format!(
                "{}, pinned, {}; 64 bytes each way through shared memory; FUTEX_WAKE, then FUTEX_WAIT{private}, no \
                 wait where the answer is there already",
                self.isolation.text(),
                priority_text(self.priority)
            ),
            cores_used: self.placement.cores_used(),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let priority = self.priority;
        let connection = self.connect(turn)?;
        on_core(turn.cores.first(), priority, || connection.ask(turn))?
    }
}

fn serve(mailbox: &Mailbox, isolation: Isolation) {
    let mut number = 0u32;
    loop {
        number = number.wrapping_add(1);
        wait_for(&mailbox.request, number, isolation);
        let request = mailbox.request.take();
        if message::is_last(&request) {
            return;
        }
        mailbox.answer.post(number, &message::answer(&request));
        wake(mailbox.answer.number(), isolation);
    }
}

/// Sleeps until the slot has the message with this number.
#[inline]
fn wait_for(slot: &Slot, number: u32, isolation: Isolation) {
    while !slot.has(number) {
        // The kernel sleeps only if the word still holds the previous number, so no wake-up is lost; interruptions and
        // early answers fall through to the check.
        futex(slot.number(), libc::FUTEX_WAIT, number.wrapping_sub(1), isolation);
    }
}

#[inline]
fn wake(word: &AtomicU32, isolation: Isolation) {
    futex(word, libc::FUTEX_WAKE, 1, isolation);
}

/// The system call: sleeps while the word has a value, or wakes so many that sleep on it.
#[inline]
pub(super) fn futex(word: &AtomicU32, operation: libc::c_int, value: u32, isolation: Isolation) {
    let operation = match isolation {
        // The kernel need not look for other processes that map the word.
        Isolation::Threads => operation | libc::FUTEX_PRIVATE_FLAG,
        Isolation::Processes => operation,
    };
    // SAFETY: the word is a live, aligned 32-bit atomic; no timeout is given; the other arguments are unused.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, core::ptr::null::<libc::timespec>())
    };
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn messages_go_round_on_one_core_and_across() {
        for isolation in [Isolation::Threads, Isolation::Processes] {
            play_twice(
                &mut Futex::new(Placement::SameCore, isolation, Priority::RealtimeIfAllowed),
                Sampling::BATCH,
                5,
            );
            if has_second_core() {
                play_twice(
                    &mut Futex::new(Placement::CrossCore, isolation, Priority::RealtimeIfAllowed),
                    Sampling::Single,
                    5,
                );
            }
            refuses_one_core(&mut Futex::new(Placement::CrossCore, isolation, Priority::RealtimeIfAllowed));
        }
    }
}
