//! Budgets: memory that objects and cells are made from. Every operation but [`Budget::query`] (SEND) needs MANAGE.

use core::time::Duration;

pub use hallows_abi::Account;
use hallows_abi::{Error, Handle, OnBudget, Reply, Running, TimeBudget, Transfer};

use crate::operation::{operate, operate_for};
use crate::rights::{CanManage, CanSend};
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
    /// As the kernel is told.
    fn of_interface(self) -> hallows_abi::Serving {
        match self {
            Self::Active { queue } => hallows_abi::Serving::Active { queue },
            Self::Passive { budget: None } => hallows_abi::Serving::Passive { handler_budget_ns: None },
            Self::Passive { budget: Some(budget) } => {
                let nanoseconds = u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX);
                hallows_abi::Serving::Passive { handler_budget_ns: Some(nanoseconds) }
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
    /// The most processor time that it may use; `None`: all that nobody else wants. Not a larger share than the maker's
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

impl<R: CanManage> Budget<R> {
    fn create(self, operation: OnBudget, transfers: &[Transfer]) -> Result<Handle, Error> {
        operate_for(self.handle(), operation, transfers)
    }

    /// Makes an endpoint that the calling cell serves.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::BadArgument`] for a queue that there is not;
    /// [`Error::BadState`] if this cell serves in the other way.
    pub fn create_endpoint(self, service: Service) -> Result<Endpoint, Error> {
        let operation = OnBudget::CreateEndpoint { serving: service.of_interface(), of_another: false };
        self.create(operation, &[]).map(Endpoint::from_handle)
    }

    /// Makes an endpoint that another cell serves (MANAGE on the cell).
    ///
    /// # Errors
    ///
    /// As [`Self::create_endpoint`]; [`Error::BadState`] if it serves in the other way.
    pub fn create_endpoint_of<C: CanManage>(
        self,
        service: Service,
        server: Cell<C>,
    ) -> Result<Endpoint, Error> {
        let operation = OnBudget::CreateEndpoint { serving: service.of_interface(), of_another: true };
        self.create(operation, &[Transfer::copy(server.handle())]).map(Endpoint::from_handle)
    }

    /// Makes a notification.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`].
    pub fn create_notification(self) -> Result<Notification, Error> {
        self.create(OnBudget::CreateNotification, &[]).map(Notification::from_handle)
    }

    /// Makes a timer that signals these bits of a notification (SEND), when it is armed.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`], [`Error::NoRight`].
    pub fn create_timer<N: CanSend>(self, notification: Notification<N>, bits: u64) -> Result<Timer, Error> {
        self.create(OnBudget::CreateTimer { bits }, &[Transfer::copy(notification.handle())])
            .map(Timer::from_handle)
    }

    /// Makes a region of so many bytes, rounded up to pages; it holds zeroes.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::Unsupported`] where the machine has none.
    pub fn create_region(self, bytes: u64) -> Result<Region, Error> {
        self.create(OnBudget::CreateRegion { bytes }, &[]).map(Region::from_handle)
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
        let running = match (cell.serving, cell.time) {
            (Serving::Active, time) => Running::Active(time),
            (Serving::Passive, None) => Running::Passive,
            // It runs on its callers' time.
            (Serving::Passive, Some(_)) => return Err(Error::BadArgument),
        };
        let new = hallows_abi::NewCell {
            memory_bytes: cell.memory_limit,
            slots: cell.slots,
            priority: cell.priority,
            running,
        };
        let operation = OnBudget::CreateCell { with_faults: cell.faults.is_some(), new };
        let program = cell.program.share();
        match cell.faults {
            Some(faults) => self.create(operation, &[program, faults.share()]),
            None => self.create(operation, &[program]),
        }
        .map(Cell::from_handle)
    }

    /// Makes a child budget of so many bytes out of this one.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`].
    pub fn split(self, bytes: u64) -> Result<Budget, Error> {
        self.create(OnBudget::Split { bytes }, &[]).map(Budget::from_handle)
    }
}

impl<R: CanSend> Budget<R> {
    /// How much there is and how much of it is in use.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], [`Error::NoRight`].
    pub fn query(self) -> Result<Account, Error> {
        match operate(self.handle(), OnBudget::Query)? {
            Reply::Account(account) => Ok(account),
            _ => Err(Error::Refused),
        }
    }
}
