//! Makes the five calls with arbitrary arguments and says what came of them. Whatever it does, it harms nobody but itself.
//!
//! Arguments: `seed=N` (1), `count=N` calls (100,000). Every capability that it is granted, under whatever name, is a
//! target. It ends with status 1 if the kernel wrote where it was not told to. The same seed makes the same arguments, except
//! for deadlines, which are near the clock.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod generator;
mod random;

use alloc::vec;

use hallows::abi::{self, Event, Handle};
use hallows::raw::{Arena, Call};
use hallows::{Endpoint, Error, Outcome, Start, log, process, space};

use generator::{Generator, Layout};

/// Guards on both sides of the arena: whole pages, so that a stray write of a page does not jump over them.
const GUARD_BYTES: usize = 4_096;
/// What fills the guards.
const GUARD: u8 = 0x5a;
/// After so many calls it deletes what it made: a full space and an empty budget would turn everything else into the same two
/// errors.
const CLEAN_EVERY: u64 = 2_048;
/// After so many calls it reads the clock again.
const CLOCK_EVERY: u64 = 64;

/// How often each result came: success, then the errors by number.
struct Tally {
    results: [u64; Error::ALL.len() + 1],
    not_made: u64,
}

impl Tally {
    fn count(&mut self, packed: i64) {
        let place = match abi::decode_result(packed) {
            Ok(_) => 0,
            Err(error) => usize::from(error.number()),
        };
        if let Some(count) = self.results.get_mut(place) {
            *count += 1;
        }
    }

    fn log(&self, seed: u64) {
        log!(
            "seed {seed}: {} succeeded, {} were not made to keep this program whole",
            self.results[0],
            self.not_made
        );
        for error in Error::ALL {
            let count = self.results[usize::from(error.number())];
            if count > 0 {
                log!("{count} ended with {error:?}: {error}");
            }
        }
    }
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let seed: u64 = start.setting("seed", 1)?;
    let count: u64 = start.setting("count", 100_000)?;
    let layout = Layout::USUAL;
    // One page more than needed, to align it.
    let mut memory = vec![GUARD; layout.bytes() + 2 * GUARD_BYTES + layout.page()];
    let shift = memory.as_ptr().align_offset(layout.page());
    let (_, aligned) = memory.split_at_mut(shift);
    let (before, rest) = aligned.split_at_mut(GUARD_BYTES);
    let (middle, after) = rest.split_at_mut(layout.bytes());
    middle.fill(0);

    let mut arena = Arena::new(middle);
    let mut generator = Generator::new(seed, layout, arena.address());
    start.info().grants().for_each(|(_, handle)| generator.keep(handle));
    let own = generator.kept();
    let mut tally = Tally { results: [0; Error::ALL.len() + 1], not_made: 0 };
    let mut now = process::now()?;
    for number in 0..count {
        if number % CLOCK_EVERY == 0 {
            now = process::now()?;
        }
        if number % CLEAN_EVERY == CLEAN_EVERY - 1 {
            generator.forget(own, |handle| {
                let _ = space::delete(Endpoint::from_handle(handle));
            });
        }
        let arguments = generator.arguments(arena.bytes(), now);
        let Some(packed) = arena.call(&arguments) else {
            tally.not_made += 1;
            continue;
        };
        tally.count(packed);
        if packed >= 0 {
            learn(&mut generator, arena.bytes(), &arguments, packed);
        }
    }
    tally.log(seed);
    if before.iter().chain(after.iter()).any(|byte| *byte != GUARD) {
        log!("seed {seed}: the kernel wrote outside of what it was given");
        return Err(process::exit(1));
    }
    Ok(())
}

/// Keeps the handles and tokens that a call brought, as targets for later ones.
fn learn(generator: &mut Generator, memory: &[u8], arguments: &hallows::raw::Arguments, packed: i64) {
    let handles = match arguments.call {
        Call::Send => {
            generator.keep_token(packed.cast_unsigned());
            return;
        }
        Call::Answer => return,
        Call::Call => Outcome::unpack(packed).handles,
        Call::Wait | Call::AnswerWait => {
            let place = arguments.event as usize;
            let event = memory.get(place..place + Event::SIZE).and_then(Event::parse);
            let Some(event) = event else { return };
            generator.keep_token(event.token);
            event.handles
        }
    };
    let place = arguments.handles.offset as usize;
    let (list, _) = memory.get(place..).unwrap_or(&[]).as_chunks();
    for handle in list.iter().take(handles as usize) {
        generator.keep_made(Handle(u32::from_le_bytes(*handle)));
    }
}
