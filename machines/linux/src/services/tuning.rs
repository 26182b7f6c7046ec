//! `tuning`: the scheduler's times, and what comes of them. It asks the kernel that it runs on and needs nothing of Linux, so it serves passively, on its
//! caller's thread.

use std::sync::{Arc, Weak};

use hallows_abi::MAX_MESSAGE;
use hallows_kernel::{Machine, Tuning};
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::stub::Client;
use hallows_sdk::{Answer, Error, Message, Server, Start};
use hallows_system::tuning::{self, Bucket, Observation, Refusal, Service, Times};

use super::kernel::running;
use crate::machine::Kernel;

/// The service as a native program.
pub static TUNING: NativeProgram = NativeProgram {
    name: "hallows-tuning",
    style: NativeStyle::Reactor(NativeReactor::of::<
        TuningService,
        { TuningService::INBOX_BYTES },
        { TuningService::REPLY_BYTES },
    >()),
};

/// A cell of it.
#[derive(Debug)]
pub struct TuningService {
    kernel: Weak<Kernel>,
    /// What was last seen of it: where an answer lies until it is sent.
    seen: Vec<Bucket>,
}

impl Server for TuningService {
    const INBOX_BYTES: usize = 1_024;
    const REPLY_BYTES: usize = MAX_MESSAGE as usize;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        let kernel = running();
        // Whoever runs this cell has one.
        if kernel.strong_count() == 0 { Err(Error::BadState) } else { Ok(Self::of(kernel)) }
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        tuning::serve(self, message)
    }
}

impl TuningService {
    fn of(kernel: Weak<Kernel>) -> Self {
        Self { kernel, seen: Vec::new() }
    }
}

impl Service for TuningService {
    fn current(&mut self, _: Client) -> Times {
        let times = |kernel: Arc<Kernel>| {
            let Tuning { quantum_ns, batch_quantum_ns, lend_after_ns } = kernel.tuning();
            Times { quantum: quantum_ns, batch_quantum: batch_quantum_ns, lend_after: lend_after_ns }
        };
        // Without a kernel nobody hears this.
        self.kernel.upgrade().map_or(Times { quantum: 0, batch_quantum: 0, lend_after: 0 }, times)
    }

    fn shortest_quantum(&mut self, _: Client) -> u64 {
        self.kernel.upgrade().map_or(0, |kernel| kernel.least_quantum_ns())
    }

    fn pools(&mut self, _: Client) -> u32 {
        let pools = self.kernel.upgrade().map_or(0, |kernel| kernel.configuration().pools.len());
        u32::try_from(pools).unwrap_or(u32::MAX).max(1)
    }

    fn change(&mut self, _: Client, times: Times) -> Result<(), Refusal> {
        let tuning = Tuning {
            quantum_ns: times.quantum,
            batch_quantum_ns: times.batch_quantum,
            lend_after_ns: times.lend_after,
        };
        let changed = self.kernel.upgrade().map(|kernel| kernel.tune(tuning));
        changed.is_none_or(|changed| changed.is_ok()).then_some(()).ok_or(Refusal::QuantumTooShort)
    }

    fn observe<'m>(&'m mut self, _: Client, cell: &'m str) -> Result<Observation<'m>, Refusal> {
        let kernel = self.kernel.upgrade().ok_or(Refusal::NoCell)?;
        // Each time: what had its place may have ended.
        let found = kernel.picture_cells().into_iter().find(|found| *found.name == *cell);
        let calls = kernel.picture_calls(found.ok_or(Refusal::NoCell)?.cell);
        let at = kernel.machine.now().0;
        self.seen.clear();
        self.seen.extend(calls.answered_ns.into_iter().map(|(most, calls)| Bucket { most, calls }));
        Ok(Observation { at, answered: calls.answered, latencies: self.seen.as_slice().into() })
    }
}

#[cfg(test)]
mod tests {
    use hallows_engine::SealKey;
    use hallows_kernel::Configuration;

    use super::*;
    use crate::host::cores::{CoreChoice, TimekeeperPlace};
    use crate::host::timer::Clock;
    use crate::machine::make_kernel;

    const CLIENT: Client = Client { badge: 0 };

    #[test]
    fn times_change_all_or_none_and_cells_are_found_by_name() {
        let choice = CoreChoice {
            programs: "0".parse().expect("a core"),
            housekeeping: "1".parse().expect("a core"),
            timekeeper: TimekeeperPlace::OwnCore,
            linux: "1".parse().expect("a core"),
        };
        let key = SealKey::from_bytes([7; 32]);
        let made = make_kernel(&choice, Configuration::tiny(1), Clock::by_kernel(), key);
        let (kernel, _right) = made.expect("a kernel");
        let mut service = TuningService::of(Arc::downgrade(&kernel));
        let times = service.current(CLIENT);
        assert_eq!(times.quantum, kernel.configuration().quantum_ns);
        let longer = Times { quantum: 70_000, batch_quantum: 1_000_000, lend_after: 9 };
        assert_eq!(service.change(CLIENT, longer), Ok(()));
        assert_eq!(service.current(CLIENT), longer);
        let least = service.shortest_quantum(CLIENT);
        for short in [Times { quantum: least - 1, ..times }, Times { batch_quantum: 0, ..times }] {
            assert_eq!(service.change(CLIENT, short), Err(Refusal::QuantumTooShort));
            assert_eq!(service.current(CLIENT), longer, "all or none");
        }
        assert_eq!(service.pools(CLIENT), 1);
        assert!(matches!(service.observe(CLIENT, "nobody"), Err(Refusal::NoCell)));
        // What is left of one whose machine has ended.
        drop(kernel);
        assert!(matches!(service.observe(CLIENT, "nobody"), Err(Refusal::NoCell)));
    }
}
