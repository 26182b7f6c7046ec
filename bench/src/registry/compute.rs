//! The benches of plain computing: what the sandbox and its preemption checks cost.

use std::time::Duration;

use hallows_bench_kernels::Kernel;

use super::{Place, ROUNDS, SAMPLE_LIMIT};
use crate::bench::{Bench, BoxedContestant};
use crate::contestant::Renamed;
use crate::requirement::Requirement;
use crate::rivals::{NativeKernel, NativeShaInstructions};
use crate::samples::Unit;
use crate::turn::Sampling;

/// Kernels take milliseconds: a hundred samples.
const COMPUTE_TURN: Duration = Duration::from_millis(300);

fn compute<'a>(kernel: Kernel, what: &'static str, ours: Place<'a>, without_checks: Place<'a>) -> Bench<'a> {
    let mut rivals: Vec<BoxedContestant<'a>> = vec![Box::new(NativeKernel::new(kernel))];
    if let Some(contestant) = without_checks {
        rivals.push(Box::new(Renamed::new("ours-without-checks", contestant)));
    }
    Bench {
        name: "compute",
        variant: Some(kernel.name()),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: COMPUTE_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: the kernel's loop as WebAssembly with bounds and preemption checks. Not on it: calls, preparing the \
               input. The ratio to ours-without-checks is the preemption checks' share",
        why_rival_is_slow: "a sandbox cannot beat native code of the same source by ten times: one of the two did not do \
            its work",
        requirements: vec![Requirement::AtMostTimes("native", 1.5)],
        published: &[],
        ours,
        rivals,
    }
}

pub(super) fn sha_256<'a>(ours: Place<'a>, without_checks: Place<'a>) -> Bench<'a> {
    let mut bench = compute(Kernel::Sha256, "SHA-256 of 1 MiB in portable Rust", ours, without_checks);
    bench.rivals.push(Box::new(NativeShaInstructions::default()));
    bench
}

pub(super) fn json_parse<'a>(ours: Place<'a>, without_checks: Place<'a>) -> Bench<'a> {
    compute(Kernel::JsonParse, "parsing 256 KiB of JSON, every value looked at", ours, without_checks)
}

pub(super) fn n_body<'a>(ours: Place<'a>, without_checks: Place<'a>) -> Bench<'a> {
    compute(Kernel::NBody, "20,000 steps of five bodies in floating point", ours, without_checks)
}

pub(super) fn memory_scan<'a>(ours: Place<'a>, without_checks: Place<'a>) -> Bench<'a> {
    compute(Kernel::MemoryScan, "counting values in 64 MiB", ours, without_checks)
}
