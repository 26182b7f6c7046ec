//! Wakes those that have asked for it, all at once, and tells them when it began to: the message thread of schbench, for `hallows bench wakeup`.
//!
//! It serves one endpoint with its own thread; a message is a wish to be woken, and its answer the time, in ns, 8 bytes, little-endian. All that are woken at
//! once are told the same time, that before the first of them: so it is seen if the one that wakes is stopped while it does.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Deadline, Error, Event, EventKind, Start, Token, answer, answer_wait, process, wait};

/// So many are woken at once at most; more come with the next time.
const MOST: usize = 64;

#[hallows::main]
fn main(_: Start<'_>) -> Result<(), Error> {
    let mut next = wait(&mut [], &mut [], Deadline::NEVER)?;
    loop {
        let Some(first) = wish(&next) else {
            next = wait(&mut [], &mut [], Deadline::NEVER)?;
            continue;
        };
        let mut others = [first; MOST - 1];
        let mut count = 0;
        while let Some(place) = others.get_mut(count)
            && let Some(another) = wish(&wait(&mut [], &mut [], Deadline::PASSED)?)
        {
            *place = another;
            count += 1;
        }
        let began = process::now()?.to_le_bytes();
        for other in others.iter().take(count) {
            answer(*other, &began, &[])?;
        }
        // Who asked first goes on where this one stops.
        next = answer_wait(first, &began, &[], &mut [], &mut [], Deadline::NEVER)?;
    }
}

/// Who wishes to be woken by an event.
fn wish(event: &Event) -> Option<Token> {
    (event.kind == EventKind::Message).then_some(Token(event.token))
}
