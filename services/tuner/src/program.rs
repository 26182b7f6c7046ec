//! The program: looks, sleeps, changes, says so.

use alloc::vec;
use alloc::vec::Vec;

use hallows::{Deadline, Endpoint, Error, Start, log, process};
use hallows_system::tuning::{Client, Times};

use crate::objective::{Ns, Objective};
use crate::tuner::{Change, Knob, Tuner};
use crate::window::Window;

const US: u64 = 1_000;
const MS: u64 = 1_000_000;

/// What quanta are tried, in ns.
pub const QUANTA_NS: [u64; 12] =
    [US, 2 * US, 5 * US, 10 * US, 20 * US, 50 * US, 100 * US, 200 * US, 500 * US, MS, 2 * MS, 5 * MS];

/// After how long cores are lent, in ns.
pub const LENDING_NS: [u64; 9] = [US, 2 * US, 5 * US, 10 * US, 20 * US, 50 * US, 100 * US, 500 * US, 5 * MS];

/// Room for what is seen of a cell: a bucket for each of the durations that a machine tells apart, and the name of the cell.
const ROOM_BYTES: usize = 4_096;
/// A machine answers at once.
const PATIENCE_NS: u64 = 10 * 1_000 * MS;

/// What is seen of a cell by a moment.
#[derive(Debug, Default)]
struct Seen {
    at_ns: u64,
    answered: u64,
    latencies: Vec<(u64, u64)>,
}

fn soon() -> Result<Deadline, Error> {
    Ok(Deadline::at(process::now()? + PATIENCE_NS))
}

fn look(machine: &Client, cell: &str, room: &mut [u8]) -> Result<Seen, Error> {
    match machine.observe(cell, room, soon()?)? {
        Ok(seen) => Ok(Seen {
            at_ns: seen.at,
            answered: seen.answered,
            latencies: seen.latencies.into_iter().map(|bucket| (bucket.most, bucket.calls)).collect(),
        }),
        Err(_) => {
            log!("there is no cell {cell}: 'of' names one that answers calls");
            Err(Error::BadArgument)
        }
    }
}

fn sleep(until_ns: u64) -> Result<(), Error> {
    // What else ends a wait comes to nobody who has told nobody of himself.
    while process::now()? < until_ns {
        hallows::wait(&mut [], &mut [], Deadline::at(until_ns))?;
    }
    Ok(())
}

/// Puts the search's times to work, if they are others. `None` of a knob: the machine has no use for it.
fn put(machine: &Client, times: &mut Times, tuner: &Tuner) -> Result<(), Error> {
    let mut wanted = tuner.wanted();
    let quantum = wanted.next().unwrap_or(times.quantum);
    let lend_after = wanted.next().unwrap_or(times.lend_after);
    if (quantum, lend_after) != (times.quantum, times.lend_after) {
        *times = Times { quantum, lend_after, ..*times };
        if machine.change(*times, soon()?)?.is_err() {
            log!("the machine refuses a quantum of {}", Ns(quantum));
            return Err(Error::BadArgument);
        }
    }
    Ok(())
}

fn say(objective: Objective, Change { knob, from_ns, to_ns, seen: [own, other], why }: Change) {
    match objective {
        Objective::Throughput => log!(
            "{knob} {} -> {}: {why} ({} calls/s, now {})",
            Ns(from_ns),
            Ns(to_ns),
            own.rate(),
            other.rate()
        ),
        Objective::Tail { bound_ns, .. } => log!(
            "{knob} {} -> {}: {why} ({} of {} calls took more than {}, now {} of {})",
            Ns(from_ns),
            Ns(to_ns),
            own.beyond,
            own.timed,
            Ns(bound_ns),
            other.beyond,
            other.timed
        ),
    }
}

/// Granted: `tuning`. Arguments: `for=OBJECTIVE`, `of=CELL` whose answers are looked at, `window_ms=N` (20).
#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let Some(cell) = start.info().setting("of") else {
        log!("an argument 'of=CELL' names the cell whose answers count");
        return Err(Error::BadArgument);
    };
    let objective: Objective = start.info().setting("for").unwrap_or("").parse().map_err(|error| {
        log!("{error}: it is the argument 'for=…'");
        Error::BadArgument
    })?;
    let window_ns = start.setting("window_ms", 20_u64)?.clamp(1, 10_000) * MS;
    let machine = Client(start.grant::<Endpoint>("tuning")?);
    let mut times = machine.current(soon()?)?;
    let least_ns = machine.shortest_quantum(soon()?)?;
    let mut knobs = vec![Knob::new("quantum", &QUANTA_NS, least_ns, times.quantum)];
    if machine.pools(soon()?)? > 1 {
        knobs.push(Knob::new("lending after", &LENDING_NS, 0, times.lend_after));
    }
    let mut tuner = Tuner::new(objective, knobs);
    log!("for {objective} of {cell}, quantum {} to begin with", Ns(times.quantum));
    let mut room = vec![0; ROOM_BYTES];
    let usual = times;
    let ended = tune(&machine, objective, (cell, window_ns), &mut times, &mut tuner, &mut room);
    // Nobody is left to take back what was only tried.
    if let Ok(by) = soon() {
        let _ = machine.change(usual, by);
    }
    ended
}

/// Looks and changes until something ends it.
fn tune(
    machine: &Client,
    objective: Objective,
    (cell, window_ns): (&str, u64),
    times: &mut Times,
    tuner: &mut Tuner,
    room: &mut [u8],
) -> Result<(), Error> {
    loop {
        put(machine, times, tuner)?;
        let began = process::now()?;
        // What the former times have left behind.
        sleep(began + window_ns / 4)?;
        let before = look(machine, cell, room)?;
        sleep(began + window_ns)?;
        let after = look(machine, cell, room)?;
        let window = Window::between(
            objective,
            // A host that was moved may have turned the clock back.
            after.at_ns.saturating_sub(before.at_ns),
            (before.answered, after.answered),
            &before.latencies,
            &after.latencies,
        );
        if let Some(change) = tuner.saw(window) {
            say(objective, change);
        }
    }
}
