//! `pipe-same-core`, `pipe-cross-core`: the classic exchange of Unix, over a pair of pipes.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::message::{self, MESSAGE_BYTES, Message};
use super::peer::{Isolation, Peer};
use super::{Placement, priority_text};
use crate::contestant::{Contestant, Description};
use crate::cores::{Core, Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Two threads or processes, each pinned, asking and answering 64 bytes by `write` and `read`.
pub struct Pipe {
    placement: Placement,
    isolation: Isolation,
    priority: Priority,
    connection: Option<Connection>,
    number: u64,
}

struct Connection {
    requests: OwnedFd,
    answers: OwnedFd,
    peer: Peer,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The peer is joined after this; if it is gone already, nobody reads this and nothing is lost.
        send(self.requests.as_raw_fd(), &message::request(message::LAST_REQUEST));
    }
}

impl Pipe {
    /// A rival whose sides are placed, separated and scheduled like this.
    #[must_use]
    pub const fn new(placement: Placement, isolation: Isolation, priority: Priority) -> Self {
        Self { placement, isolation, priority, connection: None, number: 0 }
    }

    fn connect(&mut self, turn: &Turn<'_>) -> Result<&Connection, BenchError> {
        let core = self.placement.answering_core(turn)?;
        if self.connection.as_ref().is_some_and(|connection| connection.peer.core() != core) {
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
        let make =
            || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(BenchError::system("make a pipe"));
        let ((input, requests), (answers, output)) = (make()?, make()?);
        // SAFETY: `serve` reads and writes, and nothing else.
        let peer = unsafe { Peer::start(isolation, core, priority, move || serve(&input, &output))? };
        Ok(Self { requests, answers, peer })
    }
}

/// Answers until the last request.
fn serve(input: &OwnedFd, output: &OwnedFd) {
    let mut request = [0; MESSAGE_BYTES];
    while receive(input.as_raw_fd(), &mut request)
        && !message::is_last(&request)
        && send(output.as_raw_fd(), &message::answer(&request))
    {}
}

impl Contestant for Pipe {
    fn describe(&self) -> Description {
        Description {
            name: self.placement.name("pipe", self.isolation),
            configuration: format!(
                "{}, pinned, {}; two pipes; write and read of 64 bytes each way by plain system calls",
                self.isolation.text(),
                priority_text(self.priority)
            ),
            cores_used: self.placement.cores_used(),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let mut number = self.number;
        let connection = self.connect(turn)?;
        let (requests, answers) = (connection.requests.as_raw_fd(), connection.answers.as_raw_fd());
        let samples = on_core(turn.cores.first(), self.priority, || {
            turn.measure(|| {
                number += 1;
                let mut answer = [0; MESSAGE_BYTES];
                if !(send(requests, &message::request(number)) && receive(answers, &mut answer)) {
                    return Err(BenchError::last_os("exchange a message over pipes"));
                }
                message::check(number, &answer)
            })
        })?;
        self.number = number;
        samples
    }
}

/// Whether a whole message was read.
#[inline]
fn receive(from: RawFd, message: &mut Message) -> bool {
    // SAFETY: the buffer is as long as said and writable.
    unsafe { libc::read(from, message.as_mut_ptr().cast(), MESSAGE_BYTES) == MESSAGE_BYTES as isize }
}

/// Whether a whole message was written; a pipe takes 64 bytes all or not at all (PIPE_BUF).
#[inline]
fn send(to: RawFd, message: &Message) -> bool {
    // SAFETY: the buffer is as long as said and readable.
    unsafe { libc::write(to, message.as_ptr().cast(), MESSAGE_BYTES) == MESSAGE_BYTES as isize }
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
                &mut Pipe::new(Placement::SameCore, isolation, Priority::RealtimeIfAllowed),
                Sampling::BATCH,
                5,
            );
            if has_second_core() {
                play_twice(
                    &mut Pipe::new(Placement::CrossCore, isolation, Priority::RealtimeIfAllowed),
                    Sampling::Single,
                    5,
                );
            }
            refuses_one_core(&mut Pipe::new(Placement::CrossCore, isolation, Priority::RealtimeIfAllowed));
        }
    }
}
