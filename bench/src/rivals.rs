//! The best that Linux, wasmtime and plain Rust can do: one file each.

mod best_of;
mod clock_gettime;
pub mod composed_components;
mod compute_native;
mod computing_threads;
mod coreutils_native;
mod futex;
mod getppid;
mod indirect_call;
mod iperf3;
mod linux_slices;
mod mailbox;
mod memory_executable;
mod message;
mod peer;
mod pipe;
mod pipe_stream;
mod posix_spawn;
mod programs_native;
mod shared_memory_spin;
pub mod short_slices;
mod socket_batches;
mod socket_echo;
mod spsc;
mod static_elf;
mod static_hello;
mod static_libc;
mod std_threads;
mod stream;
mod tgkill;
mod thread_switch;
mod unix_datagram;
mod wasmtime_run;
mod woken_over;
mod woken_workers;
mod write_null;

pub use best_of::BestOf;
pub use clock_gettime::ClockGettime;
pub use composed_components::ComposedComponents;
pub use compute_native::{NativeKernel, NativeShaInstructions};
pub use computing_threads::{ComputingThreads, Sharing};
pub use coreutils_native::NativeCoreutils;
pub use futex::Futex;
pub use getppid::GetParent;
pub use indirect_call::IndirectCall;
pub use iperf3::Iperf3;
pub use linux_slices::LinuxSlices;
pub use message::{MESSAGE_BYTES, Message};
pub use peer::Isolation;
pub use pipe::Pipe;
pub use pipe_stream::PipeStream;
pub use posix_spawn::{PosixSpawn, Program, Starts};
pub use programs_native::NativeProgram;
pub use shared_memory_spin::SharedMemorySpin;
pub use socket_batches::{SocketBatches, answered_in_batches};
pub use socket_echo::SocketEcho;
pub use spsc::Spsc;
pub use static_hello::StaticHello;
pub use std_threads::{StdThreads, ThreadsDo};
pub use tgkill::Tgkill;
pub use thread_switch::ThreadSwitch;
pub use unix_datagram::DatagramPair;
pub use wasmtime_run::WasmtimeRun;
pub use woken_over::WokenOver;
pub use woken_workers::WokenWorkers;
pub use write_null::WriteNull;

use crate::bench::BoxedContestant;
use crate::contestant::Contestant;
use crate::cores::{Core, Priority, realtime_is_allowed};
use crate::error::BenchError;
use crate::turn::Turn;

/// Where the two sides of an exchange run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Both on the first core.
    SameCore,
    /// The asking side on the first core, the answering side on the second.
    CrossCore,
}

impl Placement {
    /// `pipe-same-core`, `pipe-same-core-processes`: the plain name is the faster one's.
    fn name(self, means: &str, isolation: Isolation) -> String {
        let place = match self {
            Self::SameCore => "same-core",
            Self::CrossCore => "cross-core",
        };
        match isolation {
            Isolation::Threads => format!("{means}-{place}"),
            Isolation::Processes => format!("{means}-{place}-processes"),
        }
    }

    const fn cores_used(self) -> u32 {
        match self {
            Self::SameCore => 1,
            Self::CrossCore => 2,
        }
    }

    fn answering_core(self, turn: &Turn<'_>) -> Result<Core, BenchError> {
        match self {
            Self::SameCore => Ok(turn.cores.first()),
            Self::CrossCore => turn.cores.second(),
        }
    }
}

/// For configurations: which priority the threads of a rival have.
fn priority_text(priority: Priority) -> &'static str {
    match priority {
        Priority::Ordinary => "ordinary priority",
        Priority::WhenIdle => "SCHED_IDLE",
        Priority::RealtimeIfAllowed if realtime_is_allowed() => "SCHED_FIFO",
        Priority::RoundRobinIfAllowed if realtime_is_allowed() => "SCHED_RR",
        Priority::RealtimeIfAllowed | Priority::RoundRobinIfAllowed => {
            "ordinary priority, since real-time threads are not permitted"
        }
    }
}

/// The same rival at real-time and at ordinary priority, whichever is faster here.
pub fn faster_priority<'a, C: Contestant + 'a>(rival: impl Fn(Priority) -> C) -> BoxedContestant<'a> {
    let mut candidates: Vec<BoxedContestant<'a>> = vec![Box::new(rival(Priority::RealtimeIfAllowed))];
    if realtime_is_allowed() {
        candidates.push(Box::new(rival(Priority::Ordinary)));
    }
    Box::new(BestOf::new(candidates))
}

#[cfg(test)]
mod test_support;
