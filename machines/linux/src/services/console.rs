//! `console`: three streams of the process. The first is for reading and the others for writing, whatever else their descriptors can do: a
//! cell that gives output never waits for input.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallows_abi::MAX_MESSAGE;
use hallows_sdk::stub::Client;
use hallows_system::console::{Refusal, Service};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read, retry_on_intr, write};

use super::badge::Badge;
use super::resources::{Installed, Stream};

/// What an answer has before the bytes: status, which case of the result, how many bytes.
const ANSWER_HEAD: usize = 1 + 1 + 4;
/// Bytes that one read gives at most.
const READ_BYTES: usize = MAX_MESSAGE as usize - ANSWER_HEAD;

/// Serves `console`.
#[derive(Debug)]
pub(super) struct Console {
    installed: Arc<Installed>,
    /// What was read; made when something is.
    buffer: Vec<u8>,
}

impl Console {
    pub const fn new(installed: Arc<Installed>) -> Self {
        Self { installed, buffer: Vec::new() }
    }

    fn stream(&self, client: Client) -> Option<(u8, &Stream)> {
        let Some(Badge::Stream(number)) = Badge::from_number(client.badge) else { return None };
        self.installed.streams.get(usize::from(number)).map(|stream| (number, stream))
    }

    /// The stream, if it is for reading.
    fn input(&self, client: Client) -> Result<&Stream, Refusal> {
        self.stream(client)
            .filter(|(number, _)| *number == 0)
            .map(|(_, stream)| stream)
            .ok_or(Refusal::NotPermitted)
    }

    /// The stream, if it is for writing.
    fn output(&self, client: Client) -> Result<&Stream, Refusal> {
        self.stream(client)
            .filter(|(number, _)| *number != 0)
            .map(|(_, stream)| stream)
            .ok_or(Refusal::NotPermitted)
    }
}

impl Service for Console {
    fn write(&mut self, client: Client, bytes: &[u8]) -> Result<u32, Refusal> {
        let stream = self.output(client)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let written = when_ready(stream, PollFlags::OUT, || write(&stream.descriptor, bytes))?;
        // No more than a message has.
        Ok(u32::try_from(written).unwrap_or(u32::MAX))
    }

    fn read(&mut self, client: Client, most: u32) -> Result<&[u8], Refusal> {
        // Taken, so that stream and buffer are borrowed apart.
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(READ_BYTES, 0);
        let read = self.input(client).and_then(|stream| {
            let place = buffer.get_mut(..usize::try_from(most).unwrap_or(usize::MAX).min(READ_BYTES));
            let place = place.unwrap_or_default();
            if place.is_empty() {
                return Ok(0);
            }
            when_ready(stream, PollFlags::IN, || read(&stream.descriptor, &mut *place))
        });
        self.buffer = buffer;
        read.map(|length| self.buffer.get(..length).unwrap_or(&[]))
    }

    fn await_input(&mut self, client: Client, most: u64) -> Result<bool, Refusal> {
        let stream = self.input(client)?;
        // As good as for ever, where the clock cannot count so far.
        let end = Instant::now().checked_add(Duration::from_nanos(most));
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&stream.descriptor, PollFlags::IN)], timeout.as_ref()) {
                // Hung up, or in error: no more will come, which is worth to be told.
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    fn is_terminal(&mut self, client: Client) -> bool {
        self.stream(client).is_some_and(|(_, stream)| stream.is_terminal)
    }
}

/// Does something to a stream; waits first if its descriptor is one that does not (whoever else has it can make it so at any time).
fn when_ready<R>(
    stream: &Stream,
    ready: PollFlags,
    mut act: impl FnMut() -> Result<R, Errno>,
) -> Result<R, Refusal> {
    loop {
        match retry_on_intr(&mut act) {
            Err(Errno::AGAIN) => {
                retry_on_intr(|| poll(&mut [PollFd::new(&stream.descriptor, ready)], None))
                    .map_err(refusal)?;
            }
            result => return result.map_err(refusal),
        }
    }
}

fn refusal(error: Errno) -> Refusal {
    match error {
        Errno::PIPE | Errno::CONNRESET => Refusal::Closed,
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Refusal::NoSpace,
        Errno::BADF | Errno::PERM | Errno::ACCESS => Refusal::NotPermitted,
        Errno::ISDIR => Refusal::IsDirectory,
        _ => Refusal::InputOutput,
    }
}

#[cfg(test)]
mod tests;
