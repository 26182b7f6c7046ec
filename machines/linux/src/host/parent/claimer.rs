//! A thread of the parent that changes the host, so that console and control socket are served meanwhile.
//!
//! Moving other processes off a core waits for the kernel for some 15 ms; the machine boots in that time.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc;
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, eventfd};

use super::Launch;
use crate::host::threads::ThreadInfo;
use crate::host::tier::{HostClaim, RestoreReport, Step, TierReport};

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

/// What the thread has to say.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) report: TierReport,
    /// The machine's threads are in place: the report is complete.
    pub(super) is_complete: bool,
}

/// The thread. Dropping it gives the host back.
#[derive(Debug)]
pub(super) struct Claimer {
    orders: Option<mpsc::Sender<Order>>,
    reports: mpsc::Receiver<Claimed>,
    /// Readable when there is a report.
    wakeup: OwnedFd,
    thread: Option<JoinHandle<RestoreReport>>,
}

impl Claimer {
    /// Starts to claim the cores of a launch for a machine process.
    pub(super) fn start(launch: &Launch, machine: i32) -> io::Result<Self> {
        let (orders, incoming) = mpsc::channel();
        let (outgoing, reports) = mpsc::channel();
        let wakeup = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let waker = wakeup.try_clone()?;
        let (directory, cores, topology) =
            (launch.directory.clone(), launch.cores.clone(), launch.topology.clone());
        let (kernel, limit) = (launch.kernel, launch.limit);
        let thread = std::thread::Builder::new().name("claim".to_owned()).spawn(move || {
            let mut claim = HostClaim::take(&directory, &cores, &topology, kernel, limit, machine);
            let tell = |claim: &HostClaim, is_complete| {
                // The other end is only gone when nobody wants to know.
                let _ = outgoing.send(Claimed { report: claim.report().clone(), is_complete });
                let _ = rustix::io::write(&waker, &1u64.to_ne_bytes());
            };
            tell(&claim, false);
            while let Ok(order) = incoming.recv() {
                match order {
                    Order::Place { machine, threads } => {
                        claim.place(machine, &threads);
                        tell(&claim, true);
                    }
                    Order::Step(step) => claim.set_step(step.name, step.outcome),
                    Order::Adopt { machine } => claim.adopt(machine),
                }
            }
            claim.release()
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
    pub(super) fn next(&self) -> Option<Claimed> {
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
