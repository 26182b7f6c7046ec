//! Our side of the benches: kernels driven by the bench itself, on the bench's cores, with the programs that `hallows` carries.
//!
//! A bench's kernel is the kernel of every machine; only its core's loop runs on the thread that measures, so that a turn can
//! begin and end. A timekeeper runs on the second core, as in a machine, and is counted.

mod calls;
mod compute;
mod flood;
pub mod key_values;
pub mod lab;
mod lending;
mod life;
mod loss;
mod machine;
mod network;
mod networked;
mod policy;
mod running;
mod scheduling;
mod strace;
mod unix;
mod wakeup;
pub mod web;
mod wired;

use hallows_bench::Ours;
use hallows_bench::coreutils::Task;
use hallows_bench::kernels::{Kernel, Loop};
use hallows_bench::registry::{Beside, LOSS_KERNELS, PerCall, PerFiles, PerKernel, PerLoop, WORKERS};
use hallows_bench::streams::STREAMS;
use hallows_bench::unix_programs::Script;
use hallows_protocols::bench::Kind;

use crate::compile::Compiler;
use crate::failure::Failure;

/// How ours are set up, for the report.
const SET_UP: &str = "WebAssembly cells; kernel and engine of this executable; timekeeper on the second core";

/// Ours of the laboratory, with this quantum, for requests of this kind.
///
/// # Errors
/// When a program cannot be compiled.
pub fn of_lab(
    quantum_ns: u64,
    service: &hallows_lab::Service,
    says: lab::Says,
) -> Result<lab::Ours, Failure> {
    Ok(lab::Ours::new(machine::Programs::new(&Compiler::open(true)?)?, quantum_ns, service, says))
}

/// All contestants.
///
/// # Errors
/// When a program cannot be compiled.
pub fn ours() -> Result<Ours<'static>, Failure> {
    let compiler = Compiler::open(true)?;
    let bench = machine::Programs::new(&compiler)?;
    Ok(Ours {
        protected_call: calls::same_core(&bench, Kind::Call64, calls::Server::Passive),
        active_call: calls::same_core(&bench, Kind::Call64, calls::Server::Active),
        null_call: calls::same_core(&bench, Kind::Null, calls::Server::Passive),
        stub_call_record: Beside {
            ours: calls::same_core(&bench, Kind::StubRecord, calls::Server::Passive),
            without: calls::same_core(&bench, Kind::Call64, calls::Server::Passive),
        },
        stub_call_bytes: Beside {
            ours: calls::same_core(&bench, Kind::StubBytes, calls::Server::Passive),
            without: calls::same_core(&bench, Kind::Call64, calls::Server::Passive),
        },
        cross_core_call_awake: calls::cross_core(&bench, Kind::Call64, calls::Far::Awake),
        cross_core_call_parked: calls::cross_core(&bench, Kind::Call64, calls::Far::Parked),
        ring_cross_core: calls::cross_core(&bench, Kind::RingStream, calls::Far::Awake),
        ring_same_core: calls::same_core(&bench, Kind::Ring, calls::Server::Active),
        threads_mutex: calls::same_core(&bench, Kind::Mutex, calls::Server::Active),
        threads_spawn_join: calls::same_core(&bench, Kind::SpawnJoin, calls::Server::Active),
        threads_condvar: calls::same_core(&bench, Kind::Condvar, calls::Server::Active),
        echo_xdp: Beside { ours: network::echo_xdp(), without: network::plain_xdp() },
        echo_wire: [wired::echo(), wired::services(), wired::one_side()],
        packets: wired::packets(),
        packets_xdp: Beside { ours: flood::packets(), without: flood::socket_batches() },
        system_calls: wired::system_calls(),
        system_calls_xdp: flood::system_calls(),
        stream_xdp: STREAMS.map(network::stream),
        stream_wire: STREAMS.map(wired::stream),
        preempt: scheduling::preempt(&bench),
        preempt_remote: PerLoop {
            arithmetic: scheduling::preempt_remote(&bench, Loop::Arithmetic),
            memory_bound: scheduling::preempt_remote(&bench, Loop::MemoryBound),
            bulk_memory: scheduling::preempt_remote(&bench, Loop::BulkMemory),
        },
        quantum: scheduling::quantum(&bench),
        preemption_loss: LOSS_KERNELS.map(|kernel| loss::together(&bench, kernel)),
        preemption_loss_alone: LOSS_KERNELS.map(|kernel| loss::alone(&bench, kernel)),
        wakeup: WORKERS.map(|workers| wakeup::wakeup(&bench, workers)),
        lend: [lending::Way::Lent, lending::Way::TakenBack].map(|way| lending::lend(&bench, way)),
        policy_short: Beside { ours: policy::least_attained(), without: policy::linked_in() },
        policy_longest: policy::longest(),
        spawn: life::spawn(&bench),
        spawn_sustained: life::spawn_sustained(&bench),
        cells: life::cells(&bench),
        boot: life::boot(),
        idle: life::idle(),
        compute: PerKernel {
            sha_256: compute::compute(&bench, Kernel::Sha256, machine::Checks::With),
            json_parse: compute::compute(&bench, Kernel::JsonParse, machine::Checks::With),
            n_body: compute::compute(&bench, Kernel::NBody, machine::Checks::With),
            memory_scan: compute::compute(&bench, Kernel::MemoryScan, machine::Checks::With),
        },
        compute_without_checks: PerKernel {
            sha_256: compute::compute(&bench, Kernel::Sha256, machine::Checks::Without),
            json_parse: compute::compute(&bench, Kernel::JsonParse, machine::Checks::Without),
            n_body: compute::compute(&bench, Kernel::NBody, machine::Checks::Without),
            memory_scan: compute::compute(&bench, Kernel::MemoryScan, machine::Checks::Without),
        },
        wasi_call: PerCall {
            clock: unix::call(unix::Call::Clock),
            write_null: unix::call(unix::Call::WriteNull),
        },
        unix_files: PerFiles {
            wc_small: unix::coreutils(Task::WcSmall),
            sort_small: unix::coreutils(Task::SortSmall),
            sha256sum_small: unix::coreutils(Task::Sha256Small),
            wc_large: unix::coreutils(Task::WcLarge),
            sha256sum_large: unix::coreutils(Task::Sha256Large),
        },
        unix_sort: unix::coreutils(Task::Sort),
        unix_scripts: Script::ALL.map(unix::script),
        unix_run: unix::run(),
        key_values: Some(Box::new(key_values::key_values)),
        web: Some(Box::new(web::web_server)),
    })
}
