//! Policies: in which order the threads of one class and priority run on a core, and for how long each in its turn.
//!
//! A policy decides with numbers. The *order* of a thread is asked for when it is put into a core's queue: a smaller one goes first, equals as they come, new
//! work before work that was preempted. The *quantum* is asked for while somebody waits behind a running thread: whose order is no greater gets its turn
//! when the quantum is over; whose order is smaller does not wait for that. Ranks are above policies: whatever a policy says, a thread of a lower
//! priority or class does not run before one of a higher.
//!
//! A policy cannot break more than the turns of its own class. Quanta below [`MIN_QUANTUM_NS`] are taken as that and told of; nobody is overtaken for
//! ever ([`RunQueue`](crate::runqueue::RunQueue)); a thread whose rank is lent goes first. It is called from everywhere and at the same time, with no
//! lock held but its caller's time, so it has to be quick: some nanoseconds.
//!
//! Sources: processor sharing with a quantum and two queues is Shinjuku's (Kaffes et al., NSDI 2019); shortest remaining processing time first is optimal
//! for mean latency (Schrage, "A proof of the optimality of the shortest remaining processing time discipline", Operations Research 16(3), 1968), in classes
//! of service by DARC (Demoulin et al., "When idling is ideal", SOSP 2021); that a kernel survives its policies is `sched_ext`'s demand.

use alloc::sync::Arc;
use core::fmt;

use crate::class::{Class, is_real_time};
use crate::configuration::Configuration;
use crate::runqueue::Arrival;
use crate::sync::{AtomicU8, Ordering};
use crate::thread::{NEVER, Thread};
use crate::tuning::Tuned;
use crate::{CellId, Nanos};

/// The shortest quantum, in ns: below it a core does little else than to switch.
pub const MIN_QUANTUM_NS: u64 = 1_000;

/// A thread that waits for a core, or runs there, as a policy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'k> {
    thread: &'k Thread,
    cell: CellId,
    arrival: Arrival,
    stint_ns: u64,
}

impl<'k> Candidate<'k> {
    pub(crate) const fn new(thread: &'k Thread, cell: u32, arrival: Arrival, stint_ns: u64) -> Self {
        Self { thread, cell: CellId(cell), arrival, stint_ns }
    }

    /// Its cell.
    #[must_use]
    pub const fn cell(&self) -> CellId {
        self.cell
    }

    /// Whether it was woken or started, and not preempted: its work is new.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.arrival == Arrival::Fresh
    }

    /// How long it has said that its present work takes, in ns ([`hallows_abi::OnSpace::Expect`]); nothing if it has not.
    #[must_use]
    pub fn expected_ns(&self) -> Option<u64> {
        let expected = self.thread.expected_ns.load(Ordering::Relaxed);
        (expected != 0).then_some(expected)
    }

    /// How long its present work was seen to run, in ns: whole quanta, as others waited.
    #[must_use]
    pub fn ran_ns(&self) -> u64 {
        self.thread.word.ran_ns().saturating_add(self.stint_ns)
    }

    /// By when it must be done, in the real-time class.
    #[must_use]
    pub fn deadline(&self) -> Nanos {
        Nanos(self.thread.reserved_until_ns.load(Ordering::Relaxed))
    }
}

/// See the module's description. The least that one has to say is its name: its threads run as they come, in turns of the class's quantum.
pub trait Policy: fmt::Debug + Send + Sync {
    /// What it is called, where it is chosen and where it is told of.
    fn name(&self) -> &str;

    /// Where a thread is put: before those of a greater order.
    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        let _ = candidate;
        0
    }

    /// For how long a thread runs, in ns, while one of no greater order waits. `usual_ns` is the class's quantum; [`u64::MAX`] is until it
    /// waits by itself.
    fn quantum_ns(&self, running: &Candidate<'_>, usual_ns: u64) -> u64 {
        let _ = running;
        usual_ns
    }

    /// What it could not say since this was asked last, to be told of. Asked after each quantum.
    fn trouble(&self) -> Option<PolicyError> {
        None
    }
}

impl<P: Policy + ?Sized> Policy for &P {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        (**self).order(candidate)
    }

    fn quantum_ns(&self, running: &Candidate<'_>, usual_ns: u64) -> u64 {
        (**self).quantum_ns(running, usual_ns)
    }

    fn trouble(&self) -> Option<PolicyError> {
        (**self).trouble()
    }
}

/// Earliest deadline first, without turns (Liu and Layland 1973): the real-time class's, and no other class's.
#[derive(Clone, Copy, Debug)]
struct Deadlines;

impl Policy for Deadlines {
    fn name(&self) -> &str {
        "deadlines"
    }

    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        // Who was preempted goes before who has the same deadline: it began first.
        candidate.deadline().0.saturating_mul(2).saturating_add(candidate.is_fresh().into())
    }

    fn quantum_ns(&self, _: &Candidate<'_>, _: u64) -> u64 {
        NEVER
    }
}

/// Processor sharing: as they come, in turns. Among those that say how long their work takes, the shorter first, in classes of service that
/// differ by a factor of two; who says nothing is taken for short. Work that takes longer than was said sinks to where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Turns;

impl Policy for Turns {
    fn name(&self) -> &str {
        "turns"
    }

    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        let service_ns = candidate.expected_ns().map_or(0, |expected| expected.max(candidate.ran_ns()));
        u64::from(u64::BITS - service_ns.leading_zeros())
    }
}

/// First come, first served: each runs until it waits by itself.
#[derive(Clone, Copy, Debug)]
pub struct FirstCome;

impl Policy for FirstCome {
    fn name(&self) -> &str {
        "first-come"
    }

    fn quantum_ns(&self, _: &Candidate<'_>, _: u64) -> u64 {
        NEVER
    }
}

/// The policies of the classes that may have another than their own.
#[derive(Clone, Debug)]
pub struct Policies {
    /// The latency class's.
    pub latency: Arc<dyn Policy>,
    /// The batch class's.
    pub batch: Arc<dyn Policy>,
}

impl Default for Policies {
    fn default() -> Self {
        Self { latency: Arc::new(Turns), batch: Arc::new(Turns) }
    }
}

/// The policies that every kernel has.
pub const BUILT_IN: [&(dyn Policy + 'static); 2] = [&Turns, &FirstCome];

/// What a policy says that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// A quantum below [`MIN_QUANTUM_NS`]: that is taken.
    QuantumTooShort {
        /// What it said, in ns.
        quantum_ns: u64,
    },
    /// It had no answer: an order of 0 is taken, and the class's quantum.
    NoAnswer {
        /// To which question.
        question: &'static str,
        /// Why.
        why: &'static str,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuantumTooShort { quantum_ns } => {
                write!(f, "a quantum of {quantum_ns} ns: the least is {MIN_QUANTUM_NS} ns, and is taken")
            }
            Self::NoAnswer { question, why } => {
                write!(f, "`{question}` had no answer: {why}; it counts as if the policy had no `{question}`")
            }
        }
    }
}

impl core::error::Error for PolicyError {}

/// The policies at work.
#[derive(Debug)]
pub struct Judges {
    /// By class.
    classes: [Judge; 3],
    /// Behind which nobody is stopped for one of its own rank, in ns.
    least_ns: u64,
}

#[derive(Debug)]
struct Judge {
    policy: Arc<dyn Policy>,
    /// Not 0: it was told of.
    strays: AtomicU8,
}

impl Judges {
    /// Of a machine.
    pub fn new(configuration: &Configuration) -> Self {
        let judge = |policy| Judge { policy, strays: AtomicU8::new(0) };
        let Configuration { policies, .. } = configuration;
        let classes =
            [judge(policies.batch.clone()), judge(policies.latency.clone()), judge(Arc::new(Deadlines))];
        Self { classes, least_ns: configuration.least_quantum_ns.max(MIN_QUANTUM_NS) }
    }

    fn of(&self, rank: u8) -> &Judge {
        let [batch, latency, real_time] = &self.classes;
        match Class::of(rank) {
            Class::Batch => batch,
            Class::Latency => latency,
            Class::RealTime => real_time,
        }
    }

    /// Where a thread is put among those of its rank. Who was lent that rank stands in somebody's way, whose order may be any: it goes first,
    /// until it is out of the way.
    pub fn order(&self, candidate: &Candidate<'_>) -> u64 {
        let (own, lent) = (candidate.thread.rank.load(Ordering::Relaxed), candidate.thread.standing.lent());
        if lent != 0 && lent >= own {
            return 0;
        }
        self.of(own).policy.order(candidate)
    }

    /// For how long it runs while one of no greater order waits, in ns; and what is new to tell of that.
    pub fn quantum_ns(&self, running: &Candidate<'_>, tuned: &Tuned) -> (u64, Option<(&str, PolicyError)>) {
        let rank = running.thread.effective_rank();
        let judge = self.of(rank);
        let usual_ns =
            if Class::of(rank) == Class::Batch { tuned.batch_quantum_ns() } else { tuned.quantum_ns() };
        let quantum_ns = judge.policy.quantum_ns(running, usual_ns);
        let strays = quantum_ns < MIN_QUANTUM_NS && judge.strays.swap(1, Ordering::Relaxed) == 0;
        let short = strays.then_some(PolicyError::QuantumTooShort { quantum_ns });
        let told = short.or_else(|| judge.policy.trouble()).map(|error| (judge.policy.name(), error));
        (quantum_ns.max(self.least_ns), told)
    }

    /// For how long a thread runs at least before one of its rank that came before it by its order alone takes its place, in ns. Deadlines do not wait.
    pub fn least_stint_ns(&self, rank: u8) -> u64 {
        if is_real_time(rank) { 0 } else { self.least_ns }
    }
}
