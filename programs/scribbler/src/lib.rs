//! A client that offers rings and then writes whatever it likes into them, at any time, and rings without reason. It harms nobody but
//! itself: the service says which rings it broke, goes on, and at the end serves this client too, once it behaves.
//!
//! Granted: `checksum` (SEND and WATCH). Arguments `rings=N` (60), `seed=N` (1).
#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;
use core::time::Duration;

use hallows::ring::{self, Bell, CLOSED, Layout, OFFER, Offer, Submission, WORK};
use hallows::{
    Budget, Connection, Deadline, Error, Form, Handle, Notification, Object, Region, Rights, Start, Transfer,
    Window, log, process, rights, space,
};
use hallows_protocols::checksum::{CHECKSUM, of_bytes};

/// One page and a half of queues and payload, in two pages.
const WORDS: usize = 1_024;
static RING: Window<WORDS> = Window::new();

/// Entries of each queue.
const ENTRIES: u32 = 16;
/// Words in front of the entries, of which every sixteenth counts.
const FRONT_WORDS: u64 = 128;
/// How often it writes and rings, for each ring.
const STEPS: u64 = 40;
/// How long it waits for the service's answers.
const PATIENCE: Duration = Duration::from_secs(200);

/// Random numbers that a seed determines: xorshift64* (Marsaglia 2003, Vigna 2016).
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A ring as a hostile client has it: a region, and the service's bell.
struct Ring {
    region: Region,
    own: Notification,
    /// None if the service did not take it.
    service: Option<Notification<rights!(SEND)>>,
}

impl Ring {
    /// Offers a ring; one of them in four is none.
    fn offer(service: &Connection, random: &mut Random, deadline: Deadline) -> Result<Self, Error> {
        let region = Budget::OWN.create_region(size_of_val(&RING) as u64)?;
        region.map_writable(&RING)?;
        let layout = Layout::filling(ENTRIES, size_of_val(&RING) as u64).map_err(|_| Error::BadArgument)?;
        layout.write(RING.words()).map_err(|_| Error::BadArgument)?;
        let own = Budget::OWN.create_notification()?;
        let shared = region.share_with(Rights::READ | Rights::WRITE);
        let given = match random.below(16) {
            // The header says something else.
            0 => {
                scribble(random.below(5), random.next());
                [shared, own.share_with(Rights::SEND)]
            }
            // It cannot be written.
            1 => [region.share_with(Rights::READ), own.share_with(Rights::SEND)],
            // They are the other way round.
            2 => [own.share_with(Rights::SEND), shared],
            // Submissions that nobody put are there from the start, too many of them.
            3 => {
                scribble(16, u64::from(ENTRIES) + 1 + random.below(9));
                [shared, own.share_with(Rights::SEND)]
            }
            _ => [shared, own.share_with(Rights::SEND)],
        };
        let (mut reply, mut handles) = ([0; 8], [Handle::NULL]);
        let outcome =
            service.call(&Offer { magic: OFFER }.emit(), &given, &mut reply, &mut handles, deadline)?;
        let taken = outcome.handles == 1;
        let bell = taken.then(|| Notification::<rights!(SEND)>::from_handle(handles[0]));
        Ok(Self { region, own, service: bell })
    }

    /// Writes and rings, until the service does not hear it any more. Whether that was so.
    fn vandalise(&self, random: &mut Random) -> Result<bool, Error> {
        let Some(service) = self.service else { return Ok(false) };
        for _ in 0..STEPS {
            for _ in 0..random.below(4) {
                let word = match random.below(4) {
                    // The words of the lines: indices and sleep words.
                    0..3 => (1 + random.below(6)) * 16,
                    _ => random.below(FRONT_WORDS + 8 * u64::from(ENTRIES)),
                };
                let value = match random.below(4) {
                    0 => random.next(),
                    // Nearly right.
                    _ => random.below(u64::from(ENTRIES) + 4),
                };
                scribble(word, value);
            }
            // Sometimes it says that it has closed the ring, and scribbles on.
            let bits = if random.below(16) == 0 { CLOSED } else { WORK };
            if service.signal(bits).is_err() {
                return Ok(true);
            }
            if random.below(4) == 0 {
                process::yield_now()?;
            }
        }
        // Out of its reach, while it may be looked at.
        Ok(false)
    }

    /// Takes everything back.
    fn end(self) -> Result<(), Error> {
        if let Some(service) = self.service {
            let _ = space::delete(service);
        }
        self.own.destroy()?;
        space::delete(self.own)?;
        self.region.unmap(&RING)?;
        self.region.destroy()?;
        space::delete(self.region)
    }
}

fn scribble(word: u64, value: u64) {
    if let Some(word) = usize::try_from(word).ok().and_then(|word| RING.words().get(word)) {
        word.store(value, Ordering::Relaxed);
    }
}

/// One checksum, asked for as it should be.
fn behave(service: &Connection, deadline: Deadline) -> Result<bool, Error> {
    let mut ring = ring::Client::offer(
        &RING,
        ENTRIES,
        Bell::bound(7)?,
        |bytes, transfers: &[Transfer], reply, handles| {
            service.call(bytes, transfers, reply, handles, deadline)
        },
    )?;
    let bytes = b"now as it should be";
    let submission =
        Submission { operation: CHECKSUM, length: bytes.len() as u32, token: 1, ..Submission::default() };
    ring.payload().of(&submission).map_err(|_| Error::BadArgument)?.write(bytes);
    ring.submit(&submission)?;
    ring.wait(deadline)?;
    let is_right = ring
        .complete()?
        .is_some_and(|completion| completion.token == 1 && completion.detail == u64::from(of_bytes(bytes)));
    ring.close()?;
    Ok(is_right)
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let service = Connection::granted(&start, "checksum")?;
    let rings: u64 = start.setting("rings", 60)?;
    let mut random = Random(start.setting("seed", 1_u64)? | 1);
    let deadline = Deadline::after(PATIENCE)?;
    let (mut refused, mut closed) = (0, 0);
    for _ in 0..rings {
        let ring = Ring::offer(&service, &mut random, deadline)?;
        refused += u64::from(ring.service.is_none());
        closed += u64::from(ring.vandalise(&mut random)?);
        ring.end()?;
    }
    log!("offered {rings} rings: {refused} were not taken, {closed} were closed while it scribbled");
    if !behave(&service, deadline)? {
        log!("the service gave a wrong checksum, or none");
        return Err(process::exit(1));
    }
    log!("behaved for once, and was served");
    Ok(())
}
