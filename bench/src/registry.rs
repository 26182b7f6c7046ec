//! The table of benches: thirty-one names, what each demands, and who takes part. (`jitter` is none of them: it has distributions, not medians.)

mod calls;
mod compute;
mod key_values;
mod lending;
mod life;
mod loss;
mod network;
mod policy;
mod ring;
mod scheduling;
mod threads;
mod unix;
mod wakeup;
mod web;

use std::time::Duration;

use crate::bench::{Bench, BoxedContestant};
use crate::contestant::FromClosure;
use crate::error::BenchError;
use crate::jitter;
use crate::kernels::Kernel;
use crate::key_values::KeyValues;
use crate::samples::Samples;
use crate::streams::STREAMS;
use crate::turn::Turn;
use crate::unix_programs::Script;
use crate::web::WebServer;

/// The names that `hallows bench` knows, in the order of its reports.
pub const NAMES: [&str; 31] = [
    "protected-call",
    "active-call",
    "cross-core-call",
    "null-call",
    "stub-call",
    "ring",
    "threads",
    "echo-wire",
    "echo-xdp",
    "packets",
    "syscalls",
    "stream",
    "preempt",
    "preempt-remote",
    "quantum",
    "preemption-loss",
    "wakeup",
    "lend",
    "policy",
    "spawn",
    "cells",
    "boot",
    "idle",
    "compute",
    "wasi-call",
    "unix-files",
    "unix-compute",
    "unix-run",
    "kv",
    "kv-tail",
    "http",
];

/// Most operations take below a microsecond: this many milliseconds give thousands of samples.
const SHORT_TURN: Duration = Duration::from_millis(150);
/// Turns of each contestant: the smallest number whose spread means something.
const ROUNDS: u32 = 5;
/// 800 KiB of samples: enough for a p99.9 of a hundred, little enough to stay out of the way.
const SAMPLE_LIMIT: usize = 100_000;

/// A place for one of our contestants; a bench whose place is empty shows its rivals alone.
pub type Place<'a> = Option<BoxedContestant<'a>>;

/// Fills a [`Place`]: how we are set up, how many cores are busy for us (the timekeeper's too), and how we measure.
pub fn ours<'a>(
    configuration: impl Into<String>,
    cores_used: u32,
    turn: impl FnMut(&Turn<'_>) -> Result<Samples, BenchError> + 'a,
) -> Place<'a> {
    Some(Box::new(FromClosure::new("ours", configuration, cores_used, turn)))
}

/// A contestant of ours, and what it is compared with in the same run: ours without what the bench is about.
#[derive(Default)]
pub struct Beside<'a> {
    /// The contestant.
    pub ours: Place<'a>,
    /// The same without.
    pub without: Place<'a>,
}

/// One thing for each of the three endless loops of [`crate::kernels::Loop`].
#[derive(Default)]
pub struct PerLoop<T> {
    /// Dependent arithmetic.
    pub arithmetic: T,
    /// Random accesses that miss the caches.
    pub memory_bound: T,
    /// Fills of 16 MiB.
    pub bulk_memory: T,
}

/// The kernels of `preemption-loss`: arithmetic, branches, loads whose addresses nobody can guess.
pub const LOSS_KERNELS: [Kernel; 3] = [Kernel::Sha256, Kernel::JsonParse, Kernel::HashTable];

/// Workers on a core in the benches of `wakeup`.
pub const WORKERS: [usize; 2] = [1, 4];

/// One thing for each kernel of the bench `compute`.
#[derive(Default)]
pub struct PerKernel<T> {
    /// Integer arithmetic.
    pub sha_256: T,
    /// Branches and bytes.
    pub json_parse: T,
    /// Floating point.
    pub n_body: T,
    /// Memory bandwidth.
    pub memory_scan: T,
}

/// One thing for each call of WASI that is measured.
#[derive(Default)]
pub struct PerCall<T> {
    /// Reading the monotonic clock.
    pub clock: T,
    /// Writing a byte to `/dev/null`.
    pub write_null: T,
}

/// One thing for each [`crate::coreutils::Task`] of `unix-files`.
#[derive(Default)]
pub struct PerFiles<T> {
    /// `wc` of many small files.
    pub wc_small: T,
    /// `sort` of all their lines.
    pub sort_small: T,
    /// `sha256sum` of them.
    pub sha256sum_small: T,
    /// `wc` of a large file.
    pub wc_large: T,
    /// `sha256sum` of it.
    pub sha256sum_large: T,
}

/// Our side of every bench. What a turn must measure is told with each field; where and how long, by its [`Turn`].
///
/// A closure pins its own threads to [`Turn::cores`] and leaves them idle when it returns.
#[derive(Default)]
pub struct Ours<'a> {
    /// A round trip with 64 bytes each way to a passive server in another cell, its capability looked up.
    pub protected_call: Place<'a>,
    /// The same to an active server on the same core.
    pub active_call: Place<'a>,
    /// The same to an active server on the second core, which is awake.
    pub cross_core_call_awake: Place<'a>,
    /// The same while the second core sleeps before every call.
    pub cross_core_call_parked: Place<'a>,
    /// A kernel call that looks up a capability and does nothing.
    pub null_call: Place<'a>,
    /// `protected_call` through stubs of an interface, a record each way.
    pub stub_call_record: Beside<'a>,
    /// The same with a list of bytes each way.
    pub stub_call_bytes: Beside<'a>,
    /// An entry of a ring, put or taken; its two sides on two cores that are awake, three batches always under way: half of the time from exchange to exchange.
    pub ring_cross_core: Place<'a>,
    /// The same on one core, a batch at a time: a quarter of an exchange's time.
    pub ring_same_core: Place<'a>,
    /// Holding a lock that nobody else wants.
    pub threads_mutex: Place<'a>,
    /// Starting a thread of the same program that does nothing, and joining it.
    pub threads_spawn_join: Place<'a>,
    /// Giving a turn to another thread of the program and getting it back, by a lock and a condition, on one core.
    pub threads_condvar: Place<'a>,
    /// A datagram of 64 bytes over [`crate::wire`] and back; without, by AF_XDP without a machine.
    pub echo_xdp: Beside<'a>,
    /// A datagram of 64 bytes from a machine to another over a wire, and back: between programs that have their devices for themselves, between programs with
    /// sockets of network services, and what of the first is spent in the machine that answers.
    pub echo_wire: [Place<'a>; 3],
    /// The same many at a time and in the shortest frames, the time for each.
    pub packets: Place<'a>,
    /// The same over [`crate::wire`]; without, by [`crate::rivals::answered_in_batches`] with the same sender.
    pub packets_xdp: Beside<'a>,
    /// System calls for each million of `packets`.
    pub system_calls: Place<'a>,
    /// System calls for each batch of `packets_xdp`.
    pub system_calls_xdp: Place<'a>,
    /// The time for each KiB of as many streams as [`STREAMS`] says, over [`crate::wire`] ([`crate::streams`]).
    pub stream_xdp: [Place<'a>; STREAMS.len()],
    /// The same from a machine to another over a wire.
    pub stream_wire: [Place<'a>; STREAMS.len()],
    /// Suspending a spinning program and resuming one.
    pub preempt: Place<'a>,
    /// From asking on the first core to stopped on the second ([`Turn::single`] of ticks).
    pub preempt_remote: PerLoop<Place<'a>>,
    /// Lengths of uninterrupted runs of 100 spinning programs on one core, 5 µs asked.
    pub quantum: Place<'a>,
    /// A run of a kernel while two cells share a core at a quantum of 5 µs, half of both cells' time; without: one cell's run after the other's. In the
    /// order of [`LOSS_KERNELS`].
    pub preemption_loss: [Beside<'a>; LOSS_KERNELS.len()],
    /// A run of a kernel in a cell that shares its core with nobody who could run; without: nobody looks after time, either.
    pub preemption_loss_alone: [Beside<'a>; LOSS_KERNELS.len()],
    /// From when a messenger begins to wake a worker until that runs ([`crate::wakeups`]), with as many workers on a core as [`WORKERS`] says.
    pub wakeup: [Place<'a>; WORKERS.len()],
    /// From a message's sending to its receiver's first instruction on a core that is lent, and on one that is taken back.
    pub lend: [Place<'a>; 2],
    /// What a policy in WebAssembly says of a thread; without, the same linked in.
    pub policy_short: Beside<'a>,
    /// The same, with as many steps as there can be.
    pub policy_longest: Place<'a>,
    /// From asking for a warm program to its first call.
    pub spawn: Place<'a>,
    /// A whole life of a warm program, one after another: the time of each.
    pub spawn_sustained: Place<'a>,
    /// With 10,000 cells alive: bytes of each beside its own memory. An error if fewer are alive.
    pub cells: Place<'a>,
    /// From starting the process to its first program's first byte ([`crate::first_byte`]).
    pub boot: Place<'a>,
    /// Wake-ups of all threads of an idle machine for [`Turn::budget`] ([`crate::context_switches::during`]).
    pub idle: Place<'a>,
    /// One run of a kernel's workload in a cell.
    pub compute: PerKernel<Place<'a>>,
    /// The same compiled without preemption checks, which shows their share. Its contestant is a rival of `compute`.
    pub compute_without_checks: PerKernel<Place<'a>>,
    /// One call of WASI by a Unix program, measured by itself.
    pub wasi_call: PerCall<Place<'a>>,
    /// A whole command of coreutils on files ([`crate::coreutils`]).
    pub unix_files: PerFiles<Place<'a>>,
    /// The same that mostly computes: `sort`.
    pub unix_sort: Place<'a>,
    /// Scripts by interpreters and a database, in the order of [`Script::ALL`].
    pub unix_scripts: [Place<'a>; Script::ALL.len()],
    /// A whole command of a Unix program that says hello ([`crate::HELLO`]).
    pub unix_run: Place<'a>,
    /// Makes a key-value server of ours.
    pub key_values: Option<Box<dyn Fn() -> KeyValues<'a> + 'a>>,
    /// Makes a web server of ours.
    pub web: Option<Box<dyn Fn() -> WebServer<'a> + 'a>>,
}

/// All benches, with ours where it was given.
#[must_use]
pub fn registry(ours: Ours<'_>) -> Vec<Bench<'_>> {
    let [lent, taken_back] = ours.lend;
    let losses = loss::benches(ours.preemption_loss, ours.preemption_loss_alone);
    let [echo_wire, echo_wire_services, echo_wire_one_side] = ours.echo_wire;
    let wakeups = WORKERS.into_iter().zip(ours.wakeup).map(|(workers, place)| wakeup::wakeup(workers, place));
    let mut benches = vec![
        calls::protected_call(ours.protected_call),
        calls::active_call(ours.active_call),
        calls::cross_core_call_awake(ours.cross_core_call_awake),
        calls::cross_core_call_parked(ours.cross_core_call_parked),
        calls::null_call(ours.null_call),
        calls::stub_call_record(ours.stub_call_record),
        calls::stub_call_bytes(ours.stub_call_bytes),
        ring::cross_core(ours.ring_cross_core),
        ring::same_core(ours.ring_same_core),
        threads::mutex(ours.threads_mutex),
        threads::spawn_join(ours.threads_spawn_join),
        threads::condvar(ours.threads_condvar),
        network::echo_wire(echo_wire),
        network::echo_wire_services(echo_wire_services),
        network::echo_wire_one_side(echo_wire_one_side),
        network::echo_xdp(ours.echo_xdp),
        network::packets(ours.packets),
        network::packets_xdp(ours.packets_xdp),
        network::system_calls(ours.system_calls),
        network::system_calls_xdp(ours.system_calls_xdp),
    ];
    benches.extend(network::streams(ours.stream_xdp, ours.stream_wire));
    benches.extend([
        scheduling::preempt(ours.preempt),
        scheduling::preempt_remote_arithmetic(ours.preempt_remote.arithmetic),
        scheduling::preempt_remote_memory_bound(ours.preempt_remote.memory_bound),
        scheduling::preempt_remote_bulk_memory(ours.preempt_remote.bulk_memory),
        scheduling::quantum(ours.quantum),
    ]);
    benches.extend(losses.chain(wakeups));
    benches.extend([
        lending::lent(lent),
        lending::taken_back(taken_back),
        policy::short(ours.policy_short),
        policy::longest(ours.policy_longest),
        life::spawn(ours.spawn),
        life::spawn_sustained(ours.spawn_sustained),
        life::cells(ours.cells),
        life::boot(ours.boot),
        scheduling::idle(ours.idle),
        compute::sha_256(ours.compute.sha_256, ours.compute_without_checks.sha_256),
        compute::json_parse(ours.compute.json_parse, ours.compute_without_checks.json_parse),
        compute::n_body(ours.compute.n_body, ours.compute_without_checks.n_body),
        compute::memory_scan(ours.compute.memory_scan, ours.compute_without_checks.memory_scan),
        unix::wasi_call_clock(ours.wasi_call.clock),
        unix::wasi_call_write_null(ours.wasi_call.write_null),
        unix::wc_small(ours.unix_files.wc_small),
        unix::sort_small(ours.unix_files.sort_small),
        unix::sha256sum_small(ours.unix_files.sha256sum_small),
        unix::wc_large(ours.unix_files.wc_large),
        unix::sha256sum_large(ours.unix_files.sha256sum_large),
        unix::sort(ours.unix_sort),
    ]);
    benches.extend(
        Script::ALL.into_iter().zip(ours.unix_scripts).map(|(script, ours)| unix::script(script, ours)),
    );
    benches.push(unix::run(ours.unix_run));
    benches.extend(key_values::benches(ours.key_values.as_deref()));
    benches.extend(web::benches(ours.web.as_deref()));
    benches
}

/// Keeps the benches with these names (`preempt-remote`) or titles (`preempt-remote/arithmetic`); all, if none is given.
///
/// # Errors
/// [`BenchError::Argument`] with the known names, if one is unknown.
pub fn select<'a>(benches: Vec<Bench<'a>>, names: &[String]) -> Result<Vec<Bench<'a>>, BenchError> {
    let is_named = |bench: &Bench<'_>, name: &String| bench.name == name || bench.title() == *name;
    if let Some(unknown) = names.iter().find(|name| !benches.iter().any(|bench| is_named(bench, name))) {
        let text = format!("there is no bench '{unknown}'; known are {}, {}", NAMES.join(", "), jitter::NAME);
        return Err(BenchError::Argument(text));
    }
    Ok(benches
        .into_iter()
        .filter(|bench| names.is_empty() || names.iter().any(|name| is_named(bench, name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benches_are_those_of_the_table_in_its_order() {
        let mut names: Vec<&str> = registry(Ours::default()).iter().map(|bench| bench.name).collect();
        names.dedup();
        assert_eq!(names, NAMES);
    }

    fn place(mark: &'static str) -> Place<'static> {
        ours(mark, 1, |_: &Turn<'_>| Ok(Samples::in_units(vec![1])))
    }

    /// Ours beside itself, wherever it is compared with that.
    fn beside() -> Ours<'static> {
        let both = || Beside { ours: place("with"), without: place("without") };
        Ours {
            stub_call_record: both(),
            stub_call_bytes: both(),
            echo_xdp: both(),
            packets_xdp: both(),
            preemption_loss: LOSS_KERNELS.map(|_| both()),
            preemption_loss_alone: LOSS_KERNELS.map(|_| both()),
            ..Ours::default()
        }
    }

    #[test]
    fn every_bench_says_what_is_on_its_path_and_every_requirement_names_a_rival_that_takes_part() {
        for bench in registry(beside()) {
            assert!(!bench.path.is_empty() && !bench.what.is_empty(), "{}", bench.title());
            assert!(bench.rivals.is_empty() || !bench.why_rival_is_slow.is_empty(), "{}", bench.title());
            assert!(!bench.requirements.is_empty(), "{}", bench.title());
            for requirement in &bench.requirements {
                let Some(rival) = requirement.rival() else { continue };
                assert!(
                    bench.rivals.iter().any(|contestant| contestant.describe().name == rival),
                    "{} has no rival {rival}",
                    bench.title()
                );
            }
        }
    }

    #[test]
    fn no_two_contestants_of_a_bench_have_the_same_name() {
        for bench in registry(beside()) {
            let mut names: Vec<String> = bench.rivals.iter().map(|rival| rival.describe().name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), bench.rivals.len(), "{}", bench.title());
        }
    }

    #[test]
    fn each_place_reaches_its_own_bench() {
        let benches = registry(Ours {
            cross_core_call_parked: place("parked"),
            stream_xdp: [None, place("sixty-four")],
            stream_wire: [place("one"), None],
            preemption_loss: [
                Beside::default(),
                Beside { ours: place("json"), without: None },
                Beside::default(),
            ],
            wakeup: [None, place("four")],
            preempt_remote: PerLoop { bulk_memory: place("bulk"), ..PerLoop::default() },
            compute: PerKernel { n_body: place("n-body"), ..PerKernel::default() },
            compute_without_checks: PerKernel { n_body: place("unchecked"), ..PerKernel::default() },
            wasi_call: PerCall { write_null: place("write"), ..PerCall::default() },
            unix_files: PerFiles { wc_large: place("wc"), ..PerFiles::default() },
            ..Ours::default()
        });
        let given: Vec<(String, String)> = benches
            .iter()
            .filter_map(|bench| Some((bench.title(), bench.ours.as_ref()?.describe().configuration)))
            .collect();
        let expected = [
            ("cross-core-call/parked", "parked"),
            ("stream/xdp-64", "sixty-four"),
            ("stream/wire", "one"),
            ("preempt-remote/bulk-memory", "bulk"),
            ("preemption-loss/json-parse", "json"),
            ("wakeup/four-workers", "four"),
            ("compute/n-body", "n-body"),
            ("wasi-call/write-null", "write"),
            ("unix-files/wc-large", "wc"),
        ];
        assert_eq!(given, expected.map(|(title, mark)| (title.to_owned(), mark.to_owned())));
        let unchecked = benches.iter().flat_map(|bench| &bench.rivals).find(|rival| {
            let description = rival.describe();
            description.name == "ours-without-checks" && description.configuration == "unchecked"
        });
        assert!(unchecked.is_some());
    }

    #[test]
    fn names_and_titles_select_and_unknown_ones_are_refused_with_the_list() {
        let titles = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            select(registry(Ours::default()), &names)
                .map(|benches| benches.iter().map(Bench::title).collect::<Vec<_>>())
        };
        assert_eq!(
            titles(&["spawn", "compute/n-body"]).expect("known"),
            ["spawn", "spawn/sustained", "compute/n-body"]
        );
        assert_eq!(titles(&[]).expect("all").len(), 80);
        let error = titles(&["spwan"]).expect_err("unknown").to_string();
        assert!(error.contains("'spwan'") && error.contains("protected-call"), "{error}");
    }
}
