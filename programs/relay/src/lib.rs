//! An async server: hands each piece of work to two workers and answers with the result that comes first. It handles as many clients
//! at once as ask it.
//!
//! Granted: `worker0` and `worker1` (SEND). It serves one endpoint, actively. Argument `limit_us=N` (100,000): after so long a client gets
//! an empty answer.
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use hallows::task::{Either, Events, Request, race, scope};
use hallows::{Deadline, Endpoint, Error, Start, println, rights};
use hallows_protocols::work;

type Worker = Endpoint<rights!(SEND)>;

/// The first result of two workers. Whoever is slower works for nothing.
async fn first(events: &Events, workers: [Worker; 2], work: &work::Request) -> Result<work::Response, Error> {
    let [one, other] = workers.map(|worker| events.ask(worker, work));
    match race(one, other).await {
        Either::First(result) | Either::Second(result) => result,
    }
}

/// Answers one client: in time, or with nothing.
async fn relay(
    events: &Events,
    workers: [Worker; 2],
    limit: Duration,
    request: Request,
) -> Result<(), Error> {
    let Some(work) = request.form::<work::Request>() else { return request.answer(&[], &[]) };
    let deadline = Deadline::after(limit)?;
    match events.with_deadline(deadline, first(events, workers, &work)).await {
        Ok(Ok(result)) => request.reply(&result),
        Ok(Err(_)) | Err(_) => request.answer(&[], &[]),
    }
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let workers: [Worker; 2] = [start.grant("worker0")?, start.grant("worker1")?];
    let limit = Duration::from_micros(start.setting("limit_us", 100_000)?);
    scope(async |scope| {
        loop {
            let request = events.request().await;
            scope.spawn(async move {
                match relay(events, workers, limit, request).await {
                    // A client that has given up waits for nothing.
                    Ok(()) | Err(Error::BadToken) => {}
                    Err(error) => println!("could not answer: {error}"),
                }
            });
        }
    })
    .await
}
