//! Calls: a WebAssembly client calls a server in batches and times them itself.

use std::sync::Arc;
use std::sync::mpsc;

use hallows_abi::Handle;
use hallows_bench::registry::{Place, ours};
use hallows_bench::{BenchError, Samples};
use hallows_kernel::{Configuration, CoreId, Service};
use hallows_linux::platform::TrapStack;
use hallows_protocols::bench::{Kind, MAX_BATCHES, Request};
use hallows_sdk::{Deadline, Endpoint, Form};

use super::SET_UP;
use super::machine::{Bench, Checks, Programs, wrong};

/// How the server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// On its caller's thread.
    Passive,
    /// With its own thread.
    Active,
}

/// What the far core does between calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    /// It looks for work.
    Awake,
    /// It sleeps.
    Parked,
}

/// Messages that may wait: one client, one call at a time.
const QUEUE: Service = Service::Active { limit: 16 };
/// Memory of each cell: what the programs start with, and room.
const MEMORY: u64 = 4 << 20;
/// Linear words of a native program's answer.
const ANSWER_BYTES: usize = 8 + 4 * MAX_BATCHES;
/// Between two calls to a parked core, in nanoseconds: long beside its falling asleep.
const PAUSE_NS: u64 = 60_000;

/// Client and server on one core.
pub fn same_core(programs: &Arc<Programs>, kind: Kind, server: Server) -> Place<'static> {
    let programs = programs.clone();
    let mut made: Option<(Bench, hallows_kernel::Rooted)> = None;
    ours(SET_UP, 2, move |turn| {
        if made.is_none() {
            let bench = Bench::new(&programs, turn, Checks::With, Configuration::default())?;
            let client = match serving(kind) {
                Some(program) => pair(&bench, program, server, 0)?,
                None => alone(&bench)?,
            };
            bench.get_ready(turn)?;
            made = Some((bench, client));
        }
        let Some((bench, client)) = &made else { return Err(wrong("no machine")) };
        let (results, received) = mpsc::channel();
        let (operations, wanted) = (turn.sampling.operations(), turn.sample_limit);
        let budget = turn.budget;
        bench.drive(turn, &[("client", client)], move || {
            let client = Endpoint::from_handle(Handle(Handle::FIRST_GRANT));
            let begin = std::time::Instant::now();
            let mut times = Vec::new();
            let mut failure = None;
            while times.len() < wanted && begin.elapsed() < budget && failure.is_none() {
                failure = batches(client, kind, operations, MAX_BATCHES as u32, &mut times).err();
            }
            let _ = results.send((times, failure));
        })?;
        samples(bench, received.recv().map_err(wrong)?, operations * parts(kind))
    })
}

/// Client on one core, active server on the other.
pub fn cross_core(programs: &Arc<Programs>, kind: Kind, far: Far) -> Place<'static> {
    let programs = programs.clone();
    ours(SET_UP, 2, move |turn| {
        turn.cores.second()?;
        let looks = if far == Far::Parked { 0 } else { Configuration::default().idle_looks };
        let configuration = Configuration { cores: 2, idle_looks: looks, ..Configuration::default() };
        let bench = Bench::new(&programs, turn, Checks::With, configuration)?;
        bench.kernel.machine.keep_awake(far == Far::Awake);
        let program = serving(kind).ok_or_else(|| wrong("nobody serves that"))?;
        let client = pair(&bench, program, Server::Active, 1)?;
        let (results, received) = mpsc::channel();
        let operations = if far == Far::Awake { turn.sampling.operations() } else { 1 };
        let (wanted, budget) = (turn.sample_limit, turn.budget);
        let second = turn.cores.second()?;
        let kernel = bench.kernel.clone();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let settled = hallows_bench::cores::settle(second, hallows_bench::cores::Priority::Ordinary);
                if settled.is_ok()
                    && let Ok(_stack) = TrapStack::install()
                {
                    kernel.run_core(CoreId(1));
                }
            });
            let driven = bench.drive(turn, &[("client", &client)], move || {
                let client = Endpoint::from_handle(Handle(Handle::FIRST_GRANT));
                let begin = std::time::Instant::now();
                let mut times = Vec::new();
                let mut failure = None;
                while times.len() < wanted && begin.elapsed() < budget && failure.is_none() {
                    let count = if far == Far::Awake { MAX_BATCHES as u32 } else { 1 };
                    failure = batches(client, kind, operations, count, &mut times).err();
                    if far == Far::Parked {
                        let pause = std::time::Instant::now();
                        while pause.elapsed().as_nanos() < u128::from(PAUSE_NS) {
                            std::hint::spin_loop();
                        }
                    }
                }
                let _ = results.send((times, failure));
            });
            bench.kernel.machine.keep_awake(false);
            kernel.shut_down();
            driven
        })?;
        samples(&bench, received.recv().map_err(wrong)?, operations * parts(kind))
    })
}

/// The program that serves calls of a kind; none of what a program does alone.
const fn serving(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Null | Kind::Call64 | Kind::Call => Some("bench-server"),
        Kind::StubRecord | Kind::StubBytes => Some("bench-stubs"),
        Kind::Ring | Kind::RingStream => Some("bench-ring"),
        Kind::Mutex | Kind::SpawnJoin | Kind::Condvar => None,
    }
}

/// How many parts a sample has, of which a figure is one: an exchange over a ring is two entries, each put by one side and taken by the other. On one
/// core the sides take turns, on two they work at the same time.
const fn parts(kind: Kind) -> u32 {
    match kind {
        Kind::Ring => 4,
        Kind::RingStream => 2,
        Kind::Null | Kind::Call64 | Kind::Call | Kind::StubRecord | Kind::StubBytes => 1,
        Kind::Mutex | Kind::SpawnJoin | Kind::Condvar => 1,
    }
}

/// Makes server and client; the client's endpoint.
fn pair(
    bench: &Bench,
    program: &'static str,
    server: Server,
    server_core: u32,
) -> Result<hallows_kernel::Rooted, BenchError> {
    let passive = server == Server::Passive;
    let serving = bench.cell(program, passive, server_core, MEMORY)?;
    let service = if passive { Service::Passive { handler_budget_ns: 0 } } else { QUEUE };
    let target = bench.endpoint(&serving, service)?;
    bench.start(&serving, &[], &[])?;
    let calling = bench.cell("bench-client", false, 0, MEMORY)?;
    let endpoint = bench.endpoint(&calling, QUEUE)?;
    bench.start(&calling, &[], &[("target", &target)])?;
    Ok(endpoint)
}

/// Makes the program whose threads are measured; its endpoint.
fn alone(bench: &Bench) -> Result<hallows_kernel::Rooted, BenchError> {
    let calling = bench.cell("bench-threads", false, 0, MEMORY)?;
    let endpoint = bench.endpoint(&calling, QUEUE)?;
    bench.start(&calling, &[], &[])?;
    Ok(endpoint)
}

/// Lets the client make batches of calls; the nanoseconds of each.
fn batches(
    client: Endpoint,
    kind: Kind,
    count: u32,
    batches: u32,
    times: &mut Vec<u64>,
) -> Result<(), String> {
    let request = Request { kind: kind as u32, count, batches, bytes: 64 };
    let mut answer = [0; ANSWER_BYTES];
    let outcome = client
        .call(request.emit().as_ref(), &[], &mut answer, &mut [], Deadline::NEVER)
        .map_err(|error| error.to_string())?;
    let (head, rest) = answer[..outcome.length as usize].split_at_checked(8).ok_or("a short answer")?;
    let error = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if error != 0 {
        return Err(format!("a call ended with error {error}"));
    }
    times.extend(
        rest.chunks_exact(4).map(|time| u64::from(u32::from_le_bytes([time[0], time[1], time[2], time[3]]))),
    );
    Ok(())
}

fn samples(
    bench: &Bench,
    (times, failure): (Vec<u64>, Option<String>),
    operations: u32,
) -> Result<Samples, BenchError> {
    match failure {
        Some(failure) => Err(bench.failed(&failure)),
        None => Ok(Samples::scaled(times, 1.0 / f64::from(operations))),
    }
}
