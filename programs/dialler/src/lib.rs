//! Connects to one place so often that something runs out, lets go what it has, and connects again: for tests of who is told what then.
//!
//! Granted: `net`, a network that allows the place (SEND and WATCH). Arguments: `to=ADDRESS:PORT`; `times=N` (100), connections that are begun at once;
//! `patience=SECONDS` (60), after which those are given up that are not there; `again=N` (0), as many as it makes afterwards, one after the other, each tried until there is
//! room for it. It never reads, so what it lets go is reset where the other end has said something.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::SocketAddr;
use core::time::Duration;

use hallows::net::protocol::Refusal;
use hallows::net::{Network, Problem, TcpStream};
use hallows::task::{Events, scope};
use hallows::{Deadline, Error, Start, log, println};

/// How long to wait before it is tried again whether there is room.
const PAUSE: Duration = Duration::from_millis(20);

/// What became of connections that were begun at once.
#[derive(Default)]
struct Begun<'n> {
    there: Vec<TcpStream<'n>>,
    refused: u32,
    silent: u32,
}

/// Begins so many at once. Of those that are refused the first is told of when it is.
async fn begin<'n>(
    network: &Network<'n>,
    events: &Events,
    to: SocketAddr,
    times: u32,
    patience: Duration,
) -> Result<Begun<'n>, Error> {
    let begun = RefCell::new(Begun::default());
    let deadline = Deadline::after(patience)?;
    scope(async |scope| {
        for _ in 0..times {
            let begun = &begun;
            scope.spawn(async move {
                let connected = events.with_deadline(deadline, network.connect(to)).await;
                let mut begun = begun.borrow_mut();
                match connected {
                    Ok(Ok(stream)) => begun.there.push(stream),
                    Ok(Err(problem)) => {
                        begun.refused += 1;
                        if begun.refused == 1 {
                            println!("not all at once: {problem}");
                        }
                    }
                    Err(_) => begun.silent += 1,
                }
            });
        }
    })
    .await;
    Ok(begun.into_inner())
}

/// Makes one more, when there is room.
async fn connect<'n>(
    network: &Network<'n>,
    events: &Events,
    to: SocketAddr,
) -> Result<TcpStream<'n>, Problem> {
    loop {
        match network.connect(to).await {
            Err(Problem::Refused(Refusal::Full)) => events.sleep(PAUSE).await?,
            other => return other,
        }
    }
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let Some(Ok(to)) = start.info().setting("to").map(str::parse::<SocketAddr>) else {
        log!("say where to: dialler to=ADDRESS:PORT, and times=, patience=, again= as wanted");
        return Err(Error::BadArgument);
    };
    let (times, again) = (start.setting("times", 100)?, start.setting("again", 0_u32)?);
    let patience = Duration::from_secs(start.setting("patience", 60)?);
    let network = Network::granted(&start, "net", events)?;
    let Begun { there, refused, silent } = begin(&network, events, to, times, patience).await?;
    println!("{} connected, {refused} refused, {silent} not heard of", there.len());
    drop(there);
    let mut more = Vec::new();
    for _ in 0..again {
        match events.with_deadline(Deadline::after(patience)?, connect(&network, events, to)).await? {
            Ok(stream) => more.push(stream),
            Err(problem) => {
                log!("{problem}");
                return Err(problem.into());
            }
        }
    }
    println!("{} connected again", more.len());
    Ok(())
}
