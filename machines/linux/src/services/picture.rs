//! `machine`: what the machine does, for a cell that tells it to others. It asks the kernel that it runs on and needs nothing of Linux, so it serves passively.

use std::sync::{Arc, Weak};

use hallows_abi::MAX_MESSAGE;
use hallows_kernel::{CellPicture, CellState};
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::stub::Client;
use hallows_sdk::{Answer, Error, Message, Server, Start};
use hallows_system::machine::{self, Seen, Service, State, Summary};

use super::kernel::running;
use crate::machine::Kernel;

/// The service as a native program.
pub static PICTURE: NativeProgram = NativeProgram {
    name: "hallows-machine",
    style: NativeStyle::Reactor(NativeReactor::of::<
        PictureService,
        { PictureService::INBOX_BYTES },
        { PictureService::REPLY_BYTES },
    >()),
};

/// A cell of it.
#[derive(Debug)]
pub struct PictureService {
    kernel: Weak<Kernel>,
    /// What was last seen: where the name lies until it is sent.
    seen: Option<CellPicture>,
}

impl Server for PictureService {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = MAX_MESSAGE as usize;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        let kernel = running();
        // Whoever runs this cell has one.
        if kernel.strong_count() == 0 { Err(Error::BadState) } else { Ok(Self { kernel, seen: None }) }
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        machine::serve(self, message)
    }
}

impl Service for PictureService {
    fn summarise(&mut self, _: Client) -> Summary {
        let summary = |kernel: Arc<Kernel>| {
            let (memory_used, memory) = kernel.memory();
            let cores = kernel.configuration().general_cores();
            let of_programs = kernel.picture_cores().into_iter().filter(|seen| seen.core.0 < cores);
            let switches = of_programs.map(|seen| seen.switches).sum();
            Summary { cores, switches, memory, memory_used }
        };
        // Without a kernel nobody hears this.
        self.kernel.upgrade().map_or(Summary { cores: 0, switches: 0, memory: 0, memory_used: 0 }, summary)
    }

    fn cell<'m>(&'m mut self, _: Client, from: u32) -> Option<Seen<'m>> {
        let kernel = self.kernel.upgrade()?;
        let cells = kernel.picture_cells().into_iter().filter(|cell| cell.cell.0 >= from);
        self.seen = cells.min_by_key(|cell| cell.cell.0);
        let seen = self.seen.as_ref()?;
        let calls = kernel.picture_calls(seen.cell);
        let (budget, budget_used) = seen.budget_bytes;
        Some(Seen {
            number: seen.cell.0,
            name: &seen.name,
            state: match seen.state {
                CellState::Created => State::Created,
                CellState::Starting => State::Starting,
                CellState::Running => State::Running,
                CellState::Dying => State::Dying,
                CellState::Free | CellState::Dead => State::Dead,
            },
            life: seen.life,
            faults: seen.faults,
            used: seen.used_ns,
            memory: seen.memory_bytes,
            budget,
            budget_used,
            calls_made: calls.made,
            calls_answered: calls.answered,
        })
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
    fn a_machine_without_cells_is_told_and_one_that_has_ended_is_nothing() {
        let choice = CoreChoice {
            programs: "0".parse().expect("a core"),
            housekeeping: "1".parse().expect("a core"),
            timekeeper: TimekeeperPlace::OwnCore,
            linux: "1".parse().expect("a core"),
        };
        let key = SealKey::from_bytes([7; 32]);
        let made = make_kernel(&choice, Configuration::tiny(1), Clock::by_kernel(), key);
        let (kernel, _right) = made.expect("a kernel");
        let mut service = PictureService { kernel: Arc::downgrade(&kernel), seen: None };
        let (used, all) = kernel.memory();
        let summary = service.summarise(CLIENT);
        assert_eq!((summary.cores, summary.memory, summary.memory_used), (1, all, used));
        assert_eq!(service.cell(CLIENT, 0), None);
        drop(kernel);
        assert_eq!(service.summarise(CLIENT).cores, 0);
        assert_eq!(service.cell(CLIENT, 0), None);
    }
}
