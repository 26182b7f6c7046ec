//! Cells of others: grant, start, kill, restart. Every operation but [`Cell::inspect`] (SEND) needs MANAGE.

use hallows_abi::{Code, Error, Handle, MAX_START_INFO, Operation, Reply, Transfer};

use crate::call::call_handle;
use crate::operation::{operate, operate_with};
use crate::{Cell, Deadline, Object};

/// Where a cell is in its life, as the kernel numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Made, not started.
    Created = 1,
    /// A passive server whose program makes itself ready.
    Starting = 2,
    /// It runs, or waits for events.
    Running = 3,
    /// It was killed or has faulted, and unwinds.
    Dying = 4,
    /// It is over, and may be started again.
    Dead = 5,
}

impl State {
    /// The state of this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Created, Self::Starting, Self::Running, Self::Dying, Self::Dead]
            .into_iter()
            .find(|state| *state as u8 == number)
    }
}

/// What the kernel says of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Where it is in its life; `None`: a state that this program does not know.
    pub state: Option<State>,
    /// Which life it is in, from 1.
    pub generation: u32,
    /// Bytes of linear memory in use.
    pub memory_bytes: u64,
}

impl Cell {
    /// Puts a capability into the cell's space, before it is started, with this badge if it is not 0. Its handle there, which
    /// belongs into the cell's start information.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] once it is started; [`Error::SpaceFull`]; [`Error::NoRight`] without TRANSFER on what is granted.
    pub fn grant(self, transfer: Transfer, badge: u64) -> Result<Handle, Error> {
        let reply = operate_with(self.handle(), Code::Grant, [badge, 0, 0], &[transfer])?;
        u32::try_from(reply.a).map(Handle).map_err(|_| Error::Unsupported)
    }

    /// Starts it with its start information, made by [`crate::start_info::emit`].
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] if it was started before; [`Error::StartFailed`]; [`Error::BudgetExhausted`]; [`Error::TooLong`] for
    /// start information of more than [`MAX_START_INFO`] bytes.
    pub fn start(self, start_info: &[u8]) -> Result<(), Error> {
        let mut message = [0; Operation::SIZE + MAX_START_INFO as usize];
        let end = Operation::SIZE + start_info.len();
        let message = message.get_mut(..end).ok_or(Error::TooLong)?;
        let (head, tail) = message.split_at_mut(Operation::SIZE);
        head.copy_from_slice(&Operation { code: Code::Start, arguments: [0; 3] }.emit());
        tail.copy_from_slice(start_info);
        let mut reply = [0; Reply::SIZE];
        call_handle(self.handle(), message, &[], &mut reply, &mut [], Deadline::NEVER).map(|_| ())
    }

    /// Kills it. Of a cell that is over already, it does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn kill(self) -> Result<(), Error> {
        operate(self.handle(), Code::Kill, [0; 3]).map(|_| ())
    }

    /// Starts it again after it ended, with the grants and the start information that it first had. Its new generation.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] if it has not ended; [`Error::StartFailed`]; [`Error::BudgetExhausted`].
    pub fn restart(self) -> Result<u32, Error> {
        let reply = operate(self.handle(), Code::Restart, [0; 3])?;
        u32::try_from(reply.a).map_err(|_| Error::Unsupported)
    }

    /// What the kernel says of it.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn inspect(self) -> Result<Inspection, Error> {
        let reply = operate(self.handle(), Code::Inspect, [0; 3])?;
        let generation = u32::try_from(reply.a >> 32).map_err(|_| Error::Unsupported)?;
        let state = u8::try_from(reply.a & u64::from(u32::MAX)).ok().and_then(State::from_number);
        Ok(Inspection { state, generation, memory_bytes: reply.b })
    }
}
