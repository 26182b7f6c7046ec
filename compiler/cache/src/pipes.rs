//! Feeding a process and hearing it out at the same time, until a deadline.
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, ErrorKind, Read, Write},
    os::fd::AsFd,
    process::Child,
    time::{Duration, Instant},
};

/// What a process said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Standard output, up to a bound.
    pub(crate) output: Vec<u8>,
    /// Standard output went on beyond the bound.
    pub(crate) overflowed: bool,
    /// Standard error, up to a bound.
    pub(crate) errors: String,
}

/// How much is moved at once: a pipe's usual capacity.
const CHUNK_BYTES: usize = 64 << 10;

/// Writes `input` to the process and reads what it says, until it closes both its outputs or the deadline
/// passes, which is `None`. A process that says more than `output_bound` is not read on.
pub(crate) fn exchange(
    child: &mut Child,
    input: &[u8],
    output_bound: usize,
    errors_bound: usize,
    deadline: Instant,
) -> io::Result<Option<Said>> {
    let (mut stdin, mut stdout, mut stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    if let Some(stdin) = &stdin {
        set_nonblocking(stdin)?;
    }
    let mut said = Said::default();
    let mut errors = Vec::new();
    let mut rest = input;
    loop {
        if rest.is_empty() {
            // The end of its input.
            stdin = None;
        }
        if stdout.is_none() && stderr.is_none() {
            said.errors = String::from_utf8_lossy(&errors).into_owned();
            return Ok(Some(said));
        }
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Ok(None) };
        let ready = {
            let open = [
                stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)),
                stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)),
                stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)),
            ];
            let places = [0, 1, 2]
                .map(|stream| open[stream].is_some().then(|| open[..stream].iter().flatten().count()));
            let mut polled: Vec<_> = open.into_iter().flatten().collect();
            wait(&mut polled, left)?;
            places.map(|place| place.is_some_and(|place| !polled[place].revents().is_empty()))
        };
        if ready[0]
            && let Some(pipe) = &mut stdin
        {
            match pipe.write(&rest[..rest.len().min(CHUNK_BYTES)]) {
                Ok(count) => rest = &rest[count..],
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                // It does not want to read on; what it says tells why.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => rest = &[],
                Err(error) => return Err(error),
            }
        }
        if ready[1] && !read_some(&mut stdout, &mut said.output)? {
            stdout = None;
        }
        if said.output.len() > output_bound {
            said.overflowed = true;
            return Ok(Some(said));
        }
        if ready[2] && !read_some(&mut stderr, &mut errors)? {
            stderr = None;
        }
        errors.truncate(errors_bound);
    }
}

/// Reads what is there; `false` at the end.
fn read_some(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<bool> {
    let Some(pipe) = pipe else { return Ok(false) };
    let length = into.len();
    into.resize(length + CHUNK_BYTES, 0);
    let result = pipe.read(&mut into[length..]);
    into.truncate(length + result.as_ref().map_or(0, |count| *count));
    match result {
        Ok(count) => Ok(count > 0),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(error),
    }
}

/// Waits until `descriptor` is readable or the time is over.
pub(crate) fn wait_readable(descriptor: &impl AsFd, at_most: Duration) -> io::Result<()> {
    wait(&mut [PollFd::new(descriptor, PollFlags::IN)], at_most)
}

fn wait(polled: &mut [PollFd<'_>], at_most: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(at_most).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
    match poll(polled, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn set_nonblocking(pipe: &impl AsFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(pipe)?;
    Ok(rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK)?)
}
