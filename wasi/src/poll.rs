//! `poll_oneoff`: waits for times, for input, and for what is always ready.

use crate::clocks::{Clock, TRUSTED_NS};
use crate::descriptor::Target;
use crate::memory::{self, Memory};
use crate::sockets;
use crate::system::System;
use crate::{Errno, Process, Result, Rights};

/// Subscriptions of one call at most: between two looks at whether the program shall stop there are no more.
const SUBSCRIPTIONS_MOST: u32 = 4_096;

/// Where somebody waits for sockets and for input at once, the latter is looked for so often, in ns.
const BETWEEN_INPUT_NS: u64 = 5_000_000;

/// Bytes of `subscription`.
const SUBSCRIPTION_BYTES: usize = 48;
/// Bytes of `event`.
const EVENT_BYTES: usize = 32;

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Clock {
        clock: u32,
        timeout: u64,
        flags: u16,
    },
    Read(u32),
    Write(u32),
    /// Some number that is none.
    Nothing(u8),
}

/// `subscription`.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    userdata: u64,
    on: On,
}

impl Subscription {
    fn parse(form: &[u8; SUBSCRIPTION_BYTES]) -> Self {
        let mut words = [0; SUBSCRIPTION_BYTES / 8];
        for (word, bytes) in words.iter_mut().zip(form.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let [userdata, tag, first, timeout, _, flags] = words;
        // The lower bytes: the rest is padding.
        let (tag, number, flags) = (tag as u8, first as u32, flags as u16);
        let on = match tag {
            0 => On::Clock { clock: number, timeout, flags },
            1 => On::Read(number),
            2 => On::Write(number),
            _ => On::Nothing(tag),
        };
        Self { userdata, on }
    }

    /// `event`: that it has happened, with so many bytes ready, or cannot.
    fn event(&self, result: Result<u64>) -> [u8; EVENT_BYTES] {
        let kind = match self.on {
            On::Clock { .. } => 0,
            On::Read(_) => 1,
            On::Write(_) => 2,
            On::Nothing(tag) => tag,
        };
        let error = result.map_or_else(Errno::number, |_| 0);
        let words = [self.userdata, u64::from(error) | u64::from(kind) << 16, result.unwrap_or(0), 0];
        let mut form = [0; EVENT_BYTES];
        for (place, word) in form.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        form
    }
}

/// What a look at the subscriptions has found to wait for.
#[derive(Clone, Copy, Debug)]
struct Waiting<C> {
    /// The earliest time.
    until: Option<u64>,
    /// A stream that may have input.
    input: Option<C>,
    /// A socket with which something may happen.
    sockets: bool,
}

impl<C> Waiting<C> {
    fn until(&mut self, time: u64) {
        self.until = Some(self.until.map_or(time, |until| until.min(time)));
    }
}

impl<S: System> Process<S> {
    /// `poll_oneoff`. Files are always ready, and streams to be written to; a port when somebody can be accepted.
    ///
    /// # Errors
    ///
    /// [`Errno::Inval`] for no subscriptions or more than 4,096; [`Errno::Fault`]. What is wrong with one of them is in its event.
    pub fn poll_oneoff(
        &mut self,
        memory: &mut impl Memory,
        subscriptions: u32,
        events: u32,
        count: u32,
        happened: u32,
    ) -> Result {
        if count == 0 || count > SUBSCRIPTIONS_MOST {
            return Err(Errno::Inval);
        }
        memory.check_writable(u64::from(events), u64::from(count) * EVENT_BYTES as u64)?;
        memory.check_writable(u64::from(happened), 4)?;
        let start = self.system.now()?;
        let mut now = start;
        let ready = loop {
            let mut waiting = Waiting { until: None, input: None, sockets: false };
            let mut ready = 0;
            for number in 0..u64::from(count) {
                let place = u64::from(subscriptions) + number * SUBSCRIPTION_BYTES as u64;
                let subscription = Subscription::parse(&memory::read(memory, place)?);
                let result = self.look(subscription.on, start, now, &mut waiting).transpose();
                if let Some(result) = result {
                    if result == Err(Errno::Intr) {
                        return Err(Errno::Intr);
                    }
                    let place = u64::from(events) + u64::from(ready) * EVENT_BYTES as u64;
                    memory.write(place, &subscription.event(result))?;
                    ready += 1;
                }
            }
            if ready > 0 {
                break ready;
            }
            self.wait(waiting, now)?;
            now = self.system.now()?;
        };
        memory::write_u32(memory, happened, ready)
    }

    /// Waits until the next look is worth it. Why a service does not answer, that look says.
    fn wait(&mut self, waiting: Waiting<S::Console>, now: u64) -> Result {
        if waiting.sockets {
            // Whether a stream has input is asked again before long.
            let soon = waiting.input.map(|_| now.saturating_add(BETWEEN_INPUT_NS));
            let until = waiting.until.into_iter().chain(soon).min().unwrap_or(u64::MAX);
            return sockets::wait(&mut self.system, &mut self.waits, until);
        }
        match waiting {
            Waiting { input: Some(console), until, .. } => {
                let most = until.map_or(u64::MAX, |until| until.saturating_sub(now));
                match self.system.await_input(console, most) {
                    Err(Errno::Intr) => Err(Errno::Intr),
                    _ => Ok(()),
                }
            }
            Waiting { input: None, until: Some(until), .. } => self.system.sleep(until),
            // What is not ready is one of the two.
            Waiting { input: None, until: None, .. } => Err(Errno::Inval),
        }
    }

    /// Whether it has happened, with so many bytes ready.
    fn look(
        &mut self,
        on: On,
        start: u64,
        now: u64,
        waiting: &mut Waiting<S::Console>,
    ) -> Result<Option<u64>> {
        match on {
            On::Clock { clock, timeout, flags } => {
                self.look_at_clock(clock, timeout, flags, (start, now), waiting)
            }
            On::Read(fd) => self.look_for_input(fd, waiting),
            On::Write(fd) => {
                let descriptor = self.table.get(fd)?;
                descriptor.check(Rights::POLL_FD_READWRITE | Rights::FD_WRITE)?;
                let is_full = matches!(&descriptor.target, Target::Connection(connection) if connection.is_full(self.waits));
                waiting.sockets |= is_full;
                Ok((!is_full).then_some(1))
            }
            On::Nothing(_) => Err(Errno::Inval),
        }
    }

    fn look_at_clock(
        &mut self,
        clock: u32,
        timeout: u64,
        flags: u16,
        (start, now): (u64, u64),
        waiting: &mut Waiting<S::Console>,
    ) -> Result<Option<u64>> {
        let clock = Clock::parse(clock)?;
        let until = match (flags, clock) {
            // Relative times are the same on all clocks.
            (0, _) => start.saturating_add(timeout),
            (1, Clock::Monotonic) => timeout,
            (1, Clock::Realtime) => {
                let wall = self.clocks.realtime(&mut self.system, now)?;
                let until = now.saturating_add(timeout.saturating_sub(wall));
                // The wall's clock may be set meanwhile, so it is looked at again.
                until.min(now.saturating_add(if timeout > wall { TRUSTED_NS } else { 0 }))
            }
            _ => return Err(Errno::Inval),
        };
        if until <= now {
            return Ok(Some(0));
        }
        waiting.until(until);
        Ok(None)
    }

    fn look_for_input(&mut self, fd: u32, waiting: &mut Waiting<S::Console>) -> Result<Option<u64>> {
        let Self { system, table, .. } = self;
        let descriptor = table.get(fd)?;
        // A port is read by accepting.
        let reads = if matches!(descriptor.target, Target::Port { .. }) {
            Rights::SOCK_ACCEPT
        } else {
            Rights::FD_READ
        };
        descriptor.check(Rights::POLL_FD_READWRITE | reads)?;
        match &mut descriptor.target {
            Target::Port { ahead: Some(_), .. } => Ok(Some(1)),
            Target::Port { socket, ahead } => match system.accept(*socket) {
                Err(Errno::Again) => {
                    waiting.sockets = true;
                    Ok(None)
                }
                accepted => {
                    *ahead = Some(accepted?);
                    Ok(Some(1))
                }
            },
            Target::Connection(connection) => {
                let length = connection.look(system)?;
                waiting.sockets |= length.is_none();
                Ok(length.map(|length| length as u64))
            }
            Target::Stream { console, .. } => {
                if system.await_input(*console, 0)? {
                    return Ok(Some(1));
                }
                waiting.input = Some(*console);
                Ok(None)
            }
            Target::File { file, position, .. } => {
                let offset = position.resolve(system, *file)?;
                Ok(Some(system.status(*file)?.size.saturating_sub(offset)))
            }
            Target::Directory { .. } => Err(Errno::Isdir),
        }
    }
}
