//! Asks for the addresses of names, and prints them.
//!
//! Granted: `net`, a network that allows the servers of names (SEND and WATCH). Arguments: names, `patience=SECONDS` (15) for each. It ends with an error
//! if one of them has no address.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use core::time::Duration;

use hallows::net::{Network, Problem};
use hallows::task::Events;
use hallows::{Deadline, Error, Start, log, println, process};

/// Nanoseconds of a microsecond.
const NS_PER_US: u64 = 1_000;

async fn dig(network: &Network<'_>, events: &Events, name: &str, patience: Duration) -> Result<(), Problem> {
    let began = process::now()?;
    let deadline = Deadline::after(patience)?;
    let addresses = events.with_deadline(deadline, network.resolve(name)).await??;
    let took = process::now()?.saturating_sub(began) / NS_PER_US;
    for address in &addresses {
        println!("{name} {address}");
    }
    println!("{name}: {} addresses in {took} us", addresses.len());
    Ok(())
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let patience = Duration::from_secs(start.setting("patience", 15)?);
    let network = Network::granted(&start, "net", events)?;
    let mut names = start.info().arguments().filter(|argument| !argument.contains('=')).peekable();
    if names.peek().is_none() {
        log!("say a name: dig NAME, and patience=SECONDS as wanted");
        return Err(Error::BadArgument);
    }
    let mut ended = Ok(());
    for name in names {
        if let Err(problem) = dig(&network, events, name, patience).await {
            println!("{name}: {problem}");
            ended = Err(problem.into());
        }
    }
    ended
}
