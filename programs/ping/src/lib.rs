//! Asks an address whether it is there, by echoes of ICMP, and how long an answer takes.
//!
//! Granted: `net`, a network that allows the address and, for a name, the servers of names (SEND and WATCH). Arguments: an address or a name, `count=N` (4),
//! `interval=MILLISECONDS` (1000), `bytes=N` (56), `patience=MILLISECONDS` (1000) for each. It ends with an error if nothing came back.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use hallows::net::{Echoes, Network, Problem};
use hallows::task::Events;
use hallows::{Deadline, Error, Start, log, println, process};

/// Nanoseconds of a microsecond.
const NS_PER_US: u64 = 1_000;

/// What is asked, and how.
struct Plan {
    count: u16,
    interval: Duration,
    patience: Duration,
    said: Vec<u8>,
}

/// Sends one echo and waits for it; how many nanoseconds it took, if it came in time.
async fn once(
    echoes: &mut Echoes<'_>,
    events: &Events,
    plan: &Plan,
    number: u16,
) -> Result<Option<u64>, Problem> {
    let began = process::now()?;
    let deadline = Deadline::after(plan.patience)?;
    echoes.send(number, &plan.said).await?;
    let mut heard = vec![0; plan.said.len()];
    loop {
        let came = events.with_deadline(deadline, echoes.receive(&mut heard)).await;
        match came {
            Err(Error::DeadlinePassed) => return Ok(None),
            Err(error) => return Err(error.into()),
            // One that was given up comes late.
            Ok(Ok((which, _))) if which != number => {}
            Ok(Ok((_, length))) if length != heard.len() || heard != plan.said => {
                println!("number {number} came back as something else");
                return Ok(None);
            }
            Ok(Ok(_)) => return Ok(Some(process::now()?.saturating_sub(began))),
            Ok(Err(problem)) => return Err(problem),
        }
    }
}

async fn ping(network: &Network<'_>, events: &Events, to: &str, plan: &Plan) -> Result<u16, Problem> {
    let address: IpAddr = match network.resolve(to).await?.first() {
        Some(first) => *first,
        None => return Ok(0),
    };
    let mut echoes = network.ping(address)?;
    let mut took = Vec::new();
    for number in 1..=plan.count {
        let next = Deadline::after(plan.interval)?;
        match once(&mut echoes, events, plan, number).await? {
            Some(ns) => {
                println!("{} bytes from {address}: number {number}, {} us", plan.said.len(), ns / NS_PER_US);
                took.push(ns / NS_PER_US);
            }
            None => println!("number {number}: nothing from {address}"),
        }
        if number < plan.count {
            events.sleep_until(next).await;
        }
    }
    took.sort_unstable();
    if let (Some(least), Some(most), Some(middle)) = (took.first(), took.last(), took.get(took.len() / 2)) {
        println!(
            "{} of {} came back: {least}, {middle}, {most} us (least, middle, most)",
            took.len(),
            plan.count
        );
    } else {
        println!("none of {} came back", plan.count);
    }
    Ok(u16::try_from(took.len()).unwrap_or(u16::MAX))
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let Some(to) = start.info().arguments().find(|argument| !argument.contains('=')) else {
        log!("say whom: ping ADDRESS, and count=, interval=, bytes=, patience= as wanted");
        return Err(Error::BadArgument);
    };
    let bytes: usize = start.setting("bytes", 56)?;
    let plan = Plan {
        count: start.setting("count", 4)?,
        interval: Duration::from_millis(start.setting("interval", 1_000)?),
        patience: Duration::from_millis(start.setting("patience", 1_000)?),
        // Letters, as others have them.
        said: (b'a'..=b'z').cycle().take(bytes.min(MOST_BYTES)).collect(),
    };
    let network = Network::granted(&start, "net", events)?;
    match ping(&network, events, to, &plan).await {
        Ok(0) => Err(Error::DeadlinePassed),
        Ok(_) => Ok(()),
        Err(problem) => {
            log!("{to}: {problem}");
            Err(problem.into())
        }
    }
}

/// More than any frame carries: the service says so.
const MOST_BYTES: usize = 60_000;
