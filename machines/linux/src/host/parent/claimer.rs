//! A thread of the parent that changes the host, so that console and control socket are served meanwhile.
//!
//! It begins when the machine has reported its threads. Moving other processes off a core waits for the kernel for some
//! 15 ms and holds up forks on the whole host, so before that it would only be in the way of the boot.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc;
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, eventfd};

use super::Launch;
use crate::host::cores::{CoreChoice, Topology};
use crate::host::facts::KernelVersion;
use crate::host::runtime_dir::RuntimeDir;
use crate::host::threads::ThreadInfo;
use crate::host::tier::{HostClaim, RestoreReport, Step, TierLimit, TierReport};

/// What the thread is asked to do.
#[derive(Debug)]
enum Order {
    /// Place a machine's threads.
    Place { machine: i32, threads: Vec<ThreadInfo> },
    /// Record a step that the machine has taken.
    Step(Step),
    /// Another process takes the machine's place.
    Adopt { machine: i32 },
}

/// What is to be claimed.
#[derive(Debug)]
struct Target {
    directory: RuntimeDir,
    cores: CoreChoice,
    topology: Topology,
    kernel: KernelVersion,
    limit: TierLimit,
}

/// Follows orders until there are no more, then gives everything back.
fn work(target: &Target, orders: &mpsc::Receiver<Order>, tell: &dyn Fn(&TierReport)) -> RestoreReport {
    let mut steps = Vec::new();
    let mut claim: Option<HostClaim> = None;
    for order in orders {
        match order {
            Order::Place { machine, threads } => {
                let claim = claim.get_or_insert_with(|| {
                    let Target { directory, cores, topology, kernel, limit } = target;
                    HostClaim::take(directory, cores, topology, *kernel, *limit, machine)
                });
                steps.drain(..).for_each(|Step { name, outcome }| claim.set_step(name, outcome));
                claim.place(machine, &threads);
                tell(claim.report());
            }
            Order::Step(step) => steps.push(step),
            Order::Adopt { machine } => {
                if let Some(claim) = &mut claim {
                    claim.adopt(machine);
                }
            }
        }
    }
    claim.map(HostClaim::release).unwrap_or_default()
}

/// The thread. Dropping it gives the host back.
#[derive(Debug)]
pub(super) struct Claimer {
    orders: Option<mpsc::Sender<Order>>,
    reports: mpsc::Receiver<TierReport>,
    /// Readable when there is a report.
    wakeup: OwnedFd,
    thread: Option<JoinHandle<RestoreReport>>,
}

impl Claimer {
    /// Starts the thread.
    pub(super) fn start(launch: &Launch) -> io::Result<Self> {
        let (orders, incoming) = mpsc::channel();
        let (outgoing, reports) = mpsc::channel();
        let wakeup = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let waker = wakeup.try_clone()?;
        let target = Target {
            directory: launch.directory.clone(),
            cores: launch.cores.clone(),
            topology: launch.topology.clone(),
            kernel: launch.kernel,
            limit: launch.limit,
        };
        let thread = std::thread::Builder::new().name("claim".to_owned()).spawn(move || {
            let tell = |report: &TierReport| {
                // The other end is only gone when nobody wants to know.
                let _ = outgoing.send(report.clone());
                let _ = rustix::io::write(&waker, &1u64.to_ne_bytes());
            };
            work(&target, &incoming, &tell)
        })?;
        Ok(Self { orders: Some(orders), reports, wakeup, thread: Some(thread) })
    }

    pub(super) fn place(&self, machine: i32, threads: Vec<ThreadInfo>) {
        self.order(Order::Place { machine, threads });
    }

    pub(super) fn record(&self, step: Step) {
        self.order(Order::Step(step));
    }

    pub(super) fn adopt(&self, machine: i32) {
        self.order(Order::Adopt { machine });
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread only ends when the orders do.
            let _ = orders.send(order);
        }
    }

    /// The next report, if there is one.
    pub(super) fn next(&self) -> Option<TierReport> {
        let mut count = [0; 8];
        // Nothing to read: a report was taken together with the one before.
        let _ = rustix::io::read(&self.wakeup, &mut count);
        self.reports.try_recv().ok()
    }

    /// Gives the host back.
    pub(super) fn release(mut self) -> RestoreReport {
        self.finish()
    }

    fn finish(&mut self) -> RestoreReport {
        self.orders = None;
        let Some(thread) = self.thread.take() else { return RestoreReport::default() };
        thread.join().unwrap_or_else(|_| RestoreReport {
            failures: vec!["the thread that changes the host has crashed; run `hallows restore`".to_owned()],
            ..RestoreReport::default()
        })
    }
}

impl AsFd for Claimer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wakeup.as_fd()
    }
}

impl Drop for Claimer {
    fn drop(&mut self) {
        self.finish();
    }
}
