//! What the kernel and the processor say when they are asked by calls and instructions. Nothing of it changes the host, and nothing needs
//! a privilege: what is refused is an answer, too.

use hallows_artifact::CpuFeatures;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{ClockId, current_timer_slack, sched_getaffinity};

use crate::host::core_set::CoreSet;
use crate::host::facts::HostFacts;
use crate::host::jail::JailMeans;
use crate::host::quantity::ByteSize;
use crate::host::tier::Rights;
use crate::host::timer::sleep::monotonic_ns;

/// The answers.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Kernel release and processor.
    pub(super) host: HostFacts,
    /// What programs would be compiled for.
    pub(super) features: CpuFeatures,
    /// The budget of a machine that is not told otherwise.
    pub(super) budget: ByteSize,
    /// Cores that this process may run on; an error on hosts with too many.
    pub(super) affinity: Result<CoreSet, Errno>,
    /// What it may do for a machine.
    pub(super) rights: Rights,
    /// RLIMIT_RTPRIO.
    pub(super) priority_limit: Option<u64>,
    /// RLIMIT_AS.
    pub(super) address_space: Option<ByteSize>,
    /// What one reading of the clock costs, in nanoseconds.
    pub(super) clock_cost_ns: u64,
    /// Resolution of timers, in nanoseconds.
    pub(super) resolution_ns: u64,
    /// How late threads may be woken, in nanoseconds.
    pub(super) slack_ns: Option<u64>,
    /// The walls of a jail.
    pub(super) jail: JailMeans,
    /// Whether a socket of AF_XDP can be made.
    pub(super) xdp: Result<(), Errno>,
    /// Whether io_uring may be used.
    pub(super) io_uring: Result<(), Errno>,
}

impl Asked {
    /// Asks. Takes under a millisecond, most of it to measure the clock.
    pub(super) fn ask(features: CpuFeatures, budget: ByteSize) -> Self {
        Self {
            host: HostFacts::read(),
            features,
            budget,
            affinity: sched_getaffinity(None).map(|affinity| CoreSet::from_cpu_set(&affinity)),
            rights: Rights::own(),
            priority_limit: getrlimit(Resource::Rtprio).current,
            address_space: getrlimit(Resource::As).current.map(ByteSize),
            clock_cost_ns: clock_cost_ns(),
            resolution_ns: resolution_ns(),
            slack_ns: current_timer_slack().ok(),
            jail: JailMeans::own(),
            xdp: xdp(),
            io_uring: io_uring(),
        }
    }
}

/// Readings in a row, timed together: one alone is about as long as what times it.
const READINGS: u64 = 200;
/// Rows, of which the quickest counts: an interrupt spoils one.
const ROWS: usize = 5;

fn clock_cost_ns() -> u64 {
    let row = || {
        let begin = monotonic_ns();
        (0..READINGS).for_each(|_| {
            std::hint::black_box(monotonic_ns());
        });
        (monotonic_ns() - begin) / READINGS
    };
    (0..ROWS).map(|_| row()).min().unwrap_or_default()
}

/// The kernel answers with 1 ns where timers have high resolution, else with the length of its tick (clock_getres(2)).
fn resolution_ns() -> u64 {
    let resolution = rustix::time::clock_getres(ClockId::Monotonic);
    // Never negative, and far below a second.
    resolution.tv_sec as u64 * 1_000_000_000 + resolution.tv_nsec as u64
}

/// Makes a socket, and closes it: it has no memory and no interface yet, so nobody notices.
fn xdp() -> Result<(), Errno> {
    socket_with(AddressFamily::XDP, SocketType::RAW, SocketFlags::CLOEXEC, None).map(drop)
}

/// Asks for a ring with no place for its parameters: who may have one is told that the place is bad, others that they may not.
fn io_uring() -> Result<(), Errno> {
    // SAFETY: the kernel reads and writes the parameters only where it can, and answers with an error for this place.
    let answer = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, std::ptr::null_mut::<libc::c_void>()) };
    if answer >= 0 {
        return Ok(());
    }
    match Errno::from_io_error(&std::io::Error::last_os_error()) {
        Some(Errno::FAULT | Errno::INVAL) => Ok(()),
        other => Err(other.unwrap_or(Errno::NOSYS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_leaves_no_descriptor_and_no_thread() {
        let count = |listing| std::fs::read_dir(listing).unwrap().count();
        // Other tests of this process open descriptors, too: a child has none but its own.
        assert!(crate::host::test_support::in_child(|| {
            let before = (count("/proc/self/fd"), count("/proc/self/task"));
            let _ = Asked::ask(CpuFeatures::BASELINE, ByteSize(1 << 28));
            before == (count("/proc/self/fd"), count("/proc/self/task"))
        }));
    }

    #[test]
    fn the_clock_has_a_cost_and_a_resolution() {
        let asked = Asked::ask(CpuFeatures::BASELINE, ByteSize(1 << 28));
        assert!((1..1_000_000).contains(&asked.clock_cost_ns), "{asked:?}");
        assert!((1..=10_000_000).contains(&asked.resolution_ns), "{asked:?}");
    }
}
