//! `pipe-stream-same-core`, `pipe-stream-cross-core`: the same entries over a pair of pipes, a batch with each system call.

use std::os::fd::{AsRawFd, OwnedFd};

use super::peer::{Isolation, Peer};
use super::stream::{BATCH, CROSS_CORE_PARTS, Entry, SAME_CORE_PARTS, Stream, UNDER_WAY};
use super::{Placement, priority_text};
use crate::contestant::{Contestant, Description};
use crate::cores::{Core, Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Two threads, each pinned, that write a batch at once and read what is there.
pub struct PipeStream {
    placement: Placement,
    priority: Priority,
}

impl PipeStream {
    /// A rival whose sides are placed and scheduled like this.
    #[must_use]
    pub const fn new(placement: Placement, priority: Priority) -> Self {
        Self { placement, priority }
    }
}

impl Contestant for PipeStream {
    fn describe(&self) -> Description {
        Description {
            name: self.placement.name("pipe-stream", Isolation::Threads),
            configuration: format!(
                "{}, pinned, {}; two pipes; write and read of {BATCH} entries of 32 bytes at once",
                Isolation::Threads.text(),
                priority_text(self.priority)
            ),
            cores_used: self.placement.cores_used(),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let core = self.placement.answering_core(turn)?;
        let (stay, parts) = match self.placement {
            Placement::SameCore => (0, SAME_CORE_PARTS),
            Placement::CrossCore => (UNDER_WAY, CROSS_CORE_PARTS),
        };
        let connection = Connection::open(core, self.priority)?;
        on_core(turn.cores.first(), self.priority, || {
            let (mut stream, mut buffer) = (Stream::default(), [[0; 4]; BATCH]);
            turn.measure(|| {
                stream.entry(
                    stay,
                    |batch| write(&connection.requests, batch),
                    |taken| {
                        read(&connection.answers, &mut buffer)?.iter().for_each(|entry| taken.entry(*entry));
                        Ok(())
                    },
                )
            })
        })?
        .map(|samples| samples.shared_by(parts))
    }
}

/// In this order: the peer ends when nobody can write to it any more, and is joined after that.
struct Connection {
    requests: OwnedFd,
    answers: OwnedFd,
    _peer: Peer,
}

impl Connection {
    fn open(core: Core, priority: Priority) -> Result<Self, BenchError> {
        let make =
            || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(BenchError::system("make a pipe"));
        let ((input, requests), (answers, output)) = (make()?, make()?);
        // SAFETY: it is a thread.
        let peer =
            unsafe { Peer::start(Isolation::Threads, core, priority, move || serve(&input, &output))? };
        Ok(Self { requests, answers, _peer: peer })
    }
}

/// Answers until nobody can ask any more.
fn serve(input: &OwnedFd, output: &OwnedFd) {
    let mut buffer = [[0; 4]; BATCH];
    while let Ok(questions) = read(input, &mut buffer) {
        let count = questions.len();
        let mut answers = [[0; 4]; BATCH];
        for (answer, [token, argument, ..]) in answers.iter_mut().zip(questions) {
            *answer = [*token, 0, *argument, 0];
        }
        if write(output, &answers[..count]).is_err() {
            return;
        }
    }
}

/// Writes all: at most 1 KiB, which a pipe takes at once or not at all.
#[inline]
fn write(to: &OwnedFd, entries: &[Entry]) -> Result<(), BenchError> {
    let bytes = size_of_val(entries);
    // SAFETY: the memory is as long as said and readable.
    let written = unsafe { libc::write(to.as_raw_fd(), entries.as_ptr().cast(), bytes) };
    if written == bytes as isize { Ok(()) } else { Err(BenchError::last_os("write entries to a pipe")) }
}

/// Reads what is there: whole entries, since they are written so.
#[inline]
fn read<'a>(from: &OwnedFd, buffer: &'a mut [Entry; BATCH]) -> Result<&'a [Entry], BenchError> {
    // SAFETY: the memory is as long as said and writable, and any bytes are entries.
    let read = unsafe { libc::read(from.as_raw_fd(), buffer.as_mut_ptr().cast(), size_of_val(buffer)) };
    match usize::try_from(read) {
        Ok(bytes) if bytes > 0 && bytes.is_multiple_of(size_of::<Entry>()) => {
            Ok(&buffer[..bytes / size_of::<Entry>()])
        }
        _ => Err(BenchError::last_os("read entries from a pipe")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn entries_go_round_on_one_core_and_across() {
        play_twice(
            &mut PipeStream::new(Placement::SameCore, Priority::RealtimeIfAllowed),
            Sampling::BATCH,
            20,
        );
        if has_second_core() {
            play_twice(
                &mut PipeStream::new(Placement::CrossCore, Priority::RealtimeIfAllowed),
                Sampling::BATCH,
                20,
            );
        }
        refuses_one_core(&mut PipeStream::new(Placement::CrossCore, Priority::RealtimeIfAllowed));
    }
}
