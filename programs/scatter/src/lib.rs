//! An async client: asks for many pieces of work at once, cuts off a server that never answers, and cancels what it needs no more.
//!
//! Granted: `relay` (SEND), which does work, and `deaf` (SEND), which never answers. Argument `pieces=N` (100). It ends with status 1 at
//! the first thing that is not as it should be.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::time::Duration;

use hallows::task::{Events, scope};
use hallows::{Deadline, Endpoint, Error, Start, println, process, rights};
use hallows_protocols::work::{Request, Response};

type Server = Endpoint<rights!(SEND)>;

/// Steps of a piece: some microseconds of work.
const STEPS: u32 = 5_000;
/// How long it has patience with the deaf server.
const PATIENCE: Duration = Duration::from_millis(5);
/// Calls of the deaf server that are cancelled.
const CANCELLED: u64 = 3;

/// All pieces at once; how many had the right result.
async fn gather(events: &Events, relay: Server, pieces: u64) -> u64 {
    scope(async |scope| {
        let ask = |seed| {
            let request = Request { seed, steps: STEPS };
            scope.spawn(async move {
                let response = events.ask::<Response, _, _>(relay, &request).await;
                response.is_ok_and(|response| response.result == request.result())
            })
        };
        let tasks: Vec<_> = (0..pieces).map(ask).collect();
        let mut right = 0;
        for task in tasks {
            right += u64::from(task.await == Ok(true));
        }
        right
    })
    .await
}

/// How long a call of the deaf server took before its deadline ended it.
async fn cut_off(events: &Events, deaf: Server) -> Result<Duration, Error> {
    let before = process::now()?;
    let deadline = Deadline::at(before).plus(PATIENCE);
    match events.with_deadline(deadline, events.call(deaf, b"hello?", &[], 8)).await {
        Err(Error::DeadlinePassed) => Ok(Duration::from_nanos(process::now()?.saturating_sub(before))),
        Err(error) | Ok(Err(error)) => Err(error),
        Ok(Ok(_)) => Err(Error::Refused),
    }
}

/// Waits for one answer among calls that never end, and cancels those; how many were cancelled.
async fn cancel(events: &Events, relay: Server, deaf: Server) -> Result<u64, Error> {
    scope(async |scope| {
        let call = |_| scope.spawn(async move { events.call(deaf, b"hello?", &[], 8).await });
        let waiting: Vec<_> = (0..CANCELLED).map(call).collect();
        events.ask::<Response, _, _>(relay, &Request { seed: 1, steps: STEPS }).await?;
        scope.cancel();
        let mut cancelled = 0;
        for task in waiting {
            cancelled += u64::from(task.await.is_err());
        }
        Ok(cancelled)
    })
    .await
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let (relay, deaf): (Server, Server) = (start.grant("relay")?, start.grant("deaf")?);
    let pieces = start.setting("pieces", 100)?;
    let right = gather(events, relay, pieces).await;
    println!("{right} of {pieces} pieces have the right result");
    let waited = cut_off(events, deaf).await?;
    println!("a server that never answers was cut off after {} ms", waited.as_millis());
    let cancelled = cancel(events, relay, deaf).await?;
    println!("{cancelled} calls were cancelled");
    // What was given up disturbs nobody.
    let again = gather(events, relay, pieces).await;
    if (right, cancelled, again) != (pieces, CANCELLED, pieces) || waited < PATIENCE {
        return Err(process::exit(1));
    }
    println!("scattered, gathered, cut off and cancelled");
    Ok(())
}
