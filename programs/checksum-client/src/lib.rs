//! Has checksums made over a ring, a batch at a time, and compares each with its own.
//!
//! Granted: `checksum` (SEND and WATCH). Arguments `batches=N` (200); `async=1` waits as an async program does.
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use hallows::ring::{self, Bell, Failure, Submission};
use hallows::task::Events;
use hallows::{Connection, Deadline, Error, Start, Window, log, process};
use hallows_protocols::checksum::{CHECKSUM, MOST_BYTES, of_bytes};

/// 64 KiB, the service's largest.
const WORDS: usize = 8_192;
static RING: Window<WORDS> = Window::new();

/// Entries of each queue.
const ENTRIES: u32 = 64;
/// Submissions between two doorbells.
const BATCH: usize = 32;
/// Bytes of each part: some of them end inside of a word.
const PART_BYTES: usize = 1_003;
/// Where each part begins: the next word behind the one before.
const STRIDE: usize = PART_BYTES.next_multiple_of(8);

/// How long it waits for the service: far longer than that takes, and not for ever if it is gone.
const PATIENCE: Duration = Duration::from_secs(200);

type Ring = ring::Client<WORDS>;

/// Fills the parts with bytes that differ from batch to batch, submits them, and compares what comes back. How many were right.
fn batch(
    ring: &mut Ring,
    number: u64,
    mut arrival: impl FnMut(&mut Ring) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut due = [0; BATCH];
    for (part, due) in due.iter_mut().enumerate() {
        let mut bytes = [0; PART_BYTES];
        for (position, byte) in bytes.iter_mut().enumerate() {
            // Cut to a byte on purpose: any bytes will do that are others for each part and batch.
            *byte = (position as u64 * 7 + part as u64 * 31 + number * 113) as u8;
        }
        *due = of_bytes(&bytes);
        let offset = (part * STRIDE) as u64;
        let submission = Submission {
            operation: CHECKSUM,
            length: PART_BYTES as u32,
            token: number << 8 | part as u64,
            offset,
            ..Submission::default()
        };
        let place = ring.payload().of(&submission).map_err(|_| Error::BadArgument)?;
        place.write(&bytes);
        ring.submit(&submission)?;
    }
    let mut right = 0;
    while ring.under_way() > 0 {
        arrival(ring)?;
        while let Some(completion) = ring.complete()? {
            let part = (completion.token & 0xff) as usize;
            let is_right = completion.token >> 8 == number
                && completion.outcome() == Ok(PART_BYTES as u64)
                && due.get(part).is_some_and(|due| u64::from(*due) == completion.detail);
            right += u64::from(is_right);
        }
    }
    Ok(right)
}

/// What a service must refuse, one at a time and by name, and go on.
fn refusals(
    ring: &mut Ring,
    mut arrival: impl FnMut(&mut Ring) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let payload_bytes = ring.payload().bytes();
    let asked = Submission { operation: CHECKSUM, length: 64, ..Submission::default() };
    let refused = [
        (Submission { offset: payload_bytes - 8, ..asked }, Error::BadSpan),
        (Submission { offset: u64::MAX - 7, ..asked }, Error::BadSpan),
        (Submission { offset: 4, ..asked }, Error::BadSpan),
        (Submission { length: MOST_BYTES + 1, ..asked }, Error::TooLong),
        (Submission { operation: CHECKSUM + 1, ..asked }, Error::UnknownOperation),
    ];
    for (submission, error) in refused {
        ring.submit(&submission)?;
        // A bell that was rung for something else, or long ago, ends no wait.
        ring.come_again()?;
        arrival(ring)?;
        if ring.complete()?.map(|completion| completion.outcome()) != Some(Err(error)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn exercise(
    mut ring: Ring,
    batches: u64,
    mut arrival: impl FnMut(&mut Ring) -> Result<(), Failure>,
) -> Result<(), Error> {
    let mut right = 0;
    for number in 0..batches {
        right += batch(&mut ring, number, &mut arrival)?;
    }
    let all = batches * BATCH as u64;
    if right != all || !refusals(&mut ring, &mut arrival)? {
        log!("only {right} of {all} checksums are right, or a wrong request was not refused");
        return Err(process::exit(1));
    }
    log!("{all} checksums, all of them right; the service was woken {} times", ring.rung());
    ring.close()
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let service = Connection::granted(&start, "checksum")?;
    let batches: u64 = start.setting("batches", 200)?;
    let is_async = start.setting("async", 0_u32)? == 1;
    let deadline = Deadline::after(PATIENCE)?;
    let offer = |bell| {
        Ring::offer(&RING, ENTRIES, bell, |bytes, transfers, reply, handles| {
            service.call(bytes, transfers, reply, handles, deadline)
        })
    };
    if is_async {
        let bell = Bell::unbound()?;
        let events = Events::new();
        let mut listener = events.listen(bell.notification())?;
        exercise(offer(bell)?, batches, |ring| {
            events.block_on(events.with_deadline(deadline, ring.arrival(&mut listener)))??
        })
    } else {
        exercise(offer(Bell::bound(1)?)?, batches, |ring| ring.wait(deadline))
    }
}
