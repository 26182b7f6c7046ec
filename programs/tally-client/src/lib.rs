//! Counts through whoever provides the interface `tally`, with several calls under way at any time, and ends with status 1 if one of them is lost,
//! refused or counted twice, whoever answers.
//!
//! Granted: `registry`, a namespace (SEND). Arguments: `last=N`, the version of the server that is to answer in the end (1); `rounds=N`, how many calls that one
//! gets at least (1,000).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::cell::RefCell;
use core::time::Duration;

use hallows::registry::{Namespace, Problem};
use hallows::task::{Events, Through, scope};
use hallows::{Deadline, Error, Start, log, process};
use hallows_protocols::tally::{self, Standing};

const NEVER: Deadline = Deadline::NEVER;
/// Who is to answer in the end has this long to come: a hundred times what it needs where nothing else runs.
const LONGEST: Duration = Duration::from_secs(30);
/// Calls that are under way at any time: several are in the queue of a server whose place another one takes.
const UNDER_WAY: usize = 8;

/// What one server has answered.
#[derive(Clone, Copy)]
struct Met {
    version: u32,
    answers: u64,
    /// The highest count that it gave; it counts nothing but these calls.
    count: u64,
}

/// Notes an answer; how many its server has given.
fn note(met: &RefCell<Vec<Met>>, Standing { version, count }: Standing) -> u64 {
    let mut met = met.borrow_mut();
    if let Some(known) = met.iter_mut().find(|known| known.version == version) {
        known.answers += 1;
        known.count = known.count.max(count);
        return known.answers;
    }
    met.push(Met { version, answers: 1, count });
    1
}

/// One call after another, until the last server has answered enough of them.
async fn count(
    tally: tally::Client<Through<'_>>,
    (last, rounds): (u32, u64),
    limit: Deadline,
    met: &RefCell<Vec<Met>>,
) -> Result<(), Error> {
    loop {
        let standing = tally.add_async(limit).await?;
        if note(met, standing) >= rounds && standing.version == last {
            return Ok(());
        }
    }
}

hallows::uses!(tally, hallows::registry::protocol);

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Problem> {
    let namespace = Namespace::granted(&start, "registry")?;
    let last: u32 = start.setting("last", 1)?;
    let rounds: u64 = start.setting("rounds", 1_000)?;
    let limit = Deadline::after(LONGEST)?;
    let server: tally::Client = namespace.await_provider(limit)?;
    let tally = tally::Client(events.through(server.0));
    let met = RefCell::default();
    scope(async |scope| -> Result<(), Error> {
        let tasks = [(); UNDER_WAY].map(|()| scope.spawn(count(tally, (last, rounds), limit, &met)));
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
    .await?;
    let met = met.into_inner();
    for Met { version, answers, count } in &met {
        log!("version {version} has counted {count} calls and answered {answers}");
        if count != answers {
            return Err(process::exit(1).into());
        }
    }
    log!("{} servers have counted every call, the last one is version {last}", met.len());
    look_below(namespace, last)
}

/// A namespace below one has what that has, until it is closed.
fn look_below(namespace: Namespace, last: u32) -> Result<(), Problem> {
    let below = namespace.child(NEVER)?;
    let same: tally::Client = below.resolve(NEVER)?;
    let Standing { version, .. } = same.look(NEVER)?;
    below.0.close(NEVER)?;
    if version != last || below.resolve::<tally::Client>(NEVER).is_ok() {
        log!("a namespace below has version {version}, or was not closed");
        return Err(process::exit(1).into());
    }
    Ok(())
}
