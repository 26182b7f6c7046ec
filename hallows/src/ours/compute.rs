//! Computing: the kernels' sources as WebAssembly in a cell.

use std::sync::Arc;
use std::sync::mpsc;

use hallows_abi::Handle;
use hallows_bench::clock;
use hallows_bench::kernels::Kernel;
use hallows_bench::registry::{Place, ours};
use hallows_kernel::{Configuration, Rooted, Service};
use hallows_protocols::compute::{Request, Response};
use hallows_sdk::{Deadline, Endpoint};

use super::SET_UP;
use super::machine::{Bench, Checks, Programs, wrong};

/// Memory of the cell: the scan's 64 MiB and the other kernels' inputs.
const MEMORY: u64 = 256 << 20;

/// One run of a kernel's workload, as its caller sees it.
pub fn compute(programs: &Arc<Programs>, kernel: Kernel, checks: Checks) -> Place<'static> {
    let programs = programs.clone();
    let mut made: Option<(Bench, Rooted)> = None;
    ours(SET_UP, 2, move |turn| {
        if made.is_none() {
            let bench = Bench::new(&programs, turn, checks, Configuration::default())?;
            let cell = bench.cell("compute", true, 0, MEMORY)?;
            // A minute: a run is not to be taken for a hang.
            let endpoint = bench.endpoint(&cell, Service::Passive { handler_budget_ns: 60_000_000_000 })?;
            bench.start(&cell, &[], &[])?;
            bench.get_ready(turn)?;
            made = Some((bench, endpoint));
        }
        let Some((bench, endpoint)) = &made else { return Err(wrong("no machine")) };
        let (results, received) = mpsc::channel();
        let (budget, limit) = (turn.clock.ticks(turn.budget), turn.sample_limit);
        let expected = hallows_bench::kernels::Workload::prepare(kernel).run();
        bench.drive(turn, &[("compute", endpoint)], move || {
            let endpoint = Endpoint::from_handle(Handle(Handle::FIRST_GRANT));
            let run = || {
                endpoint
                    .ask::<Request, Response>(&Request { kernel: kernel as u32, runs: 1 }, Deadline::NEVER)
            };
            let mut ticks = Vec::new();
            let mut failure = run().err().map(|error| error.to_string());
            let until = clock::glance() + budget;
            while failure.is_none() && ticks.len() < limit && clock::glance() < until {
                let begin = clock::begin();
                match run() {
                    Ok(response) if response.checksum == expected => ticks.push(clock::end() - begin),
                    Ok(_) => failure = Some("another checksum than the native run's".to_owned()),
                    Err(error) => failure = Some(error.to_string()),
                }
            }
            let _ = results.send((ticks, failure));
        })?;
        match received.recv().map_err(wrong)? {
            (_, Some(failure)) => Err(bench.failed(&failure)),
            (ticks, None) => Ok(turn.single(ticks)),
        }
    })
}
