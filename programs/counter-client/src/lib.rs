//! Outlives its server: makes the counter crash, is told of its death and its rebirth, and goes on.
//!
//! Granted: `counter` (SEND and WATCH). Argument `rounds=N` (1): how often to let it crash. It needs a supervisor that restarts
//! the counter. If that gives up, so does this; without one, it does when `patience_ms=N` (10,000) have passed.
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use hallows::{Connection, Deadline, Error, Start, log, process};
use hallows_protocols::counter::{Action, Request, Response};

/// How often it counts in each life of the server.
const STEPS: u64 = 3;

fn add(counter: &Connection, deadline: Deadline) -> Result<u64, Error> {
    let request = Request { action: Action::Add as u32, amount: 1 };
    counter.ask::<_, Response>(&request, deadline).map(|answer| answer.value)
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let rounds: u32 = start.setting("rounds", 1)?;
    let patience = Duration::from_millis(start.setting("patience_ms", 10_000)?);
    let counter = Connection::granted(&start, "counter")?;
    for round in 1..=rounds {
        for step in 1..=STEPS {
            let value = add(&counter, Deadline::after(patience)?)?;
            if value != step {
                log!("the counter says {value} instead of {step}");
                return Err(process::exit(1));
            }
        }
        log!("round {round}: counted to {STEPS}; now the counter shall crash");
        // Of its last start: what counts is the next one.
        counter.forget_signals()?;
        let crash = Request { action: Action::Crash as u32, amount: 0 };
        match counter.endpoint().ask::<_, Response>(&crash, Deadline::after(patience)?) {
            Err(Error::ServerDied) => log!("round {round}: the call ended: {}", Error::ServerDied),
            other => {
                log!("the counter should have crashed, and the call gave {other:?}");
                return Err(process::exit(1));
            }
        }
        counter.await_running(Deadline::after(patience)?)?;
        log!("round {round}: told that the counter runs again");
    }
    let value = add(&counter, Deadline::after(patience)?)?;
    if value != 1 {
        log!("a reborn counter starts from 1, and this one says {value}");
        return Err(process::exit(1));
    }
    log!("after {rounds} crashes the counter counts again from 1");
    Ok(())
}
