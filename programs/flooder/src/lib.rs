//! Sends as many messages as it gets rid of, and counts how often it is told to wait. Its victim's other clients do not
//! suffer: what waits in the queue is bounded, and so is the sender's share of it.
//!
//! Granted: `victim` (SEND and WATCH), an endpoint of an active server that answers. Argument `count=N` (100,000).
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use hallows::{Budget, Deadline, Endpoint, Error, EventKind, Start, log, rights, wait};

/// Said in every message; a calculator answers it too, with nothing.
const MESSAGE: &[u8] = b"flood";
/// How long it waits for the next event before it gives up: longer than any server takes.
const PATIENCE: Duration = Duration::from_secs(10);

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let victim: Endpoint<rights!(SEND | WATCH)> = start.grant("victim")?;
    let count: u64 = start.setting("count", 100_000)?;
    let notification = Budget::OWN.create_notification()?;
    notification.bind(0)?;
    victim.watch(notification)?;

    let (mut sent, mut answered, mut busy) = (0_u64, 0_u64, 0_u64);
    while answered < count {
        let told = if sent < count { victim.send(MESSAGE, &[], 64).map(|_| ()) } else { Err(Error::Busy) };
        match told {
            Ok(()) => sent += 1,
            // Busy: an answer makes room for the next. Not ready: the server's start is signalled.
            Err(Error::Busy | Error::NotReady) => {
                busy += u64::from(sent < count);
                let event = wait(&mut [0; 64], &mut [], Deadline::after(PATIENCE)?)?;
                match event.kind {
                    EventKind::Answer => answered += 1,
                    EventKind::Deadline => return Err(Error::DeadlinePassed),
                    _ => {}
                }
            }
            Err(error) => return Err(error),
        }
    }
    log!("{sent} messages sent and answered; {busy} times told to wait");
    Ok(())
}
