//! Budgets: memory that objects and cells are made from. Every operation but [`Budget::query`] (SEND) needs MANAGE.

use core::time::Duration;

use hallows_abi::{Code, Error, Handle, Operation, TimeBudget, Transfer};

use crate::operation::{operate, operate_for};
use crate::{Budget, Cell, Endpoint, Notification, Object, Program, Region, Timer};

/// How an endpoint's messages are served. A cell that was made passive serves passive endpoints only, any other active ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// On its callers' time: a protected procedure call.
    Passive {
        /// The longest that its handler may run for one message; `None`: the machine's default.
        budget: Option<Duration>,
    },
    /// By a thread of its own.
    Active {
        /// How many messages may wait, 1 to 4,096.
        queue: u16,
    },
}

impl Service {
    fn arguments(self) -> [u64; 3] {
        match self {
            Self::Active { queue } => [0, u64::from(queue), 0],
            Self::Passive { budget } => {
                let nanoseconds =
                    budget.map_or(0, |budget| u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX));
                [1, 0, nanoseconds]
            }
        }
    }
}

/// A cell to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewCell {
    /// What it runs.
    pub program: Program,
    /// Who is told of its end; the badge of the endpoint's capability tells cells apart.
    pub faults: Option<Endpoint>,
    /// The most linear memory that it may have, in bytes.
    pub memory_limit: u64,
    /// Slots of its capability space; `None`: the machine's default.
    pub slots: Option<u32>,
    /// 0 the lowest, 7 the highest; not above the maker's own.
    pub priority: u8,
    /// Whether it runs by itself, or only when it is called.
    pub serving: Serving,
    /// The most processor time that it may use, in whole microseconds; `None`: all that nobody else wants. Not a larger share than the maker's
    /// own, if that has one; for passive cells there is none.
    pub time: Option<TimeBudget>,
}

/// On whose time a cell runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// On its own: mains, and servers with a thread of their own.
    Active,
    /// On its callers', after it has started.
    Passive,
}

/// How much of a budget there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Bytes in all.
    pub total_bytes: u64,
    /// Bytes in use.
    pub used_bytes: u64,
}

impl Budget {
    fn create(self, code: Code, arguments: [u64; 3], transfers: &[Transfer]) -> Result<Handle, Error> {
        operate_for(self.handle(), &Operation { code, arguments }.emit(), transfers)
    }

    /// Makes an endpoint that the calling cell serves.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::BadArgument`] for a queue that there is not;
    /// [`Error::BadState`] if this cell serves in the other way.
    pub fn create_endpoint(self, service: Service) -> Result<Endpoint, Error> {
        self.create(Code::CreateEndpoint, service.arguments(), &[]).map(Endpoint::from_handle)
    }

    /// Makes an endpoint that another cell serves (MANAGE on the cell).
    ///
    /// # Errors
    ///
    /// As [`Self::create_endpoint`]; [`Error::BadState`] if it serves in the other way.
    pub fn create_endpoint_of(self, service: Service, server: Cell) -> Result<Endpoint, Error> {
        self.create(Code::CreateEndpoint, service.arguments(), &[server.share()]).map(Endpoint::from_handle)
    }

    /// Makes a notification.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`].
    pub fn create_notification(self) -> Result<Notification, Error> {
        self.create(Code::CreateNotification, [0; 3], &[]).map(Notification::from_handle)
    }

    /// Makes a timer that signals these bits of a notification (SEND), when it is armed.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`], [`Error::NoRight`].
    pub fn create_timer(self, notification: Notification, bits: u64) -> Result<Timer, Error> {
        self.create(Code::CreateTimer, [bits, 0, 0], &[notification.share()]).map(Timer::from_handle)
    }

    /// Makes a region of so many bytes, rounded up to pages; it holds zeroes.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::Unsupported`] where the machine has none.
    pub fn create_region(self, bytes: u64) -> Result<Region, Error> {
        self.create(Code::CreateRegion, [bytes, 0, 0], &[]).map(Region::from_handle)
    }

    /// Makes a cell. It holds nothing but itself and its budget until it is granted more, and does not run before
    /// [`Cell::start`].
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::NoRight`] for a priority above the
    /// caller's, or a larger share of the time; [`Error::BadArgument`] for another priority, number of slots or time budget that there is
    /// not, or that the machine is too coarse for.
    pub fn create_cell(self, cell: &NewCell) -> Result<Cell, Error> {
        let slots_and_priority = u64::from(cell.slots.unwrap_or(0)) | u64::from(cell.priority) << 32;
        let passive = u64::from(cell.serving == Serving::Passive);
        let time = match cell.time {
            None => 0,
            Some(time) => time.to_argument().ok_or(Error::BadArgument)?,
        };
        let arguments = [cell.memory_limit, slots_and_priority, passive | time];
        let program = cell.program.share();
        match cell.faults {
            Some(faults) => self.create(Code::CreateCell, arguments, &[program, faults.share()]),
            None => self.create(Code::CreateCell, arguments, &[program]),
        }
        .map(Cell::from_handle)
    }

    /// Makes a child budget of so many bytes out of this one.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`].
    pub fn split(self, bytes: u64) -> Result<Self, Error> {
        self.create(Code::Split, [bytes, 0, 0], &[]).map(Self::from_handle)
    }

    /// How much there is and how much of it is in use.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], [`Error::NoRight`].
    pub fn query(self) -> Result<Account, Error> {
        let reply = operate(self.handle(), Code::Query, [0; 3])?;
        Ok(Account { total_bytes: reply.a, used_bytes: reply.b })
    }
}
