//! Cells of others: grant, start, kill, restart. Every operation needs MANAGE.

use hallows_abi::{Code, Error, Handle, Transfer};

use crate::operation::{operate, operate_with};
use crate::{Cell, Object};

/// What the kernel says of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The number of its state, as the kernel's documentation lists them.
    pub state: u32,
    /// Which life it is in, from 1.
    pub generation: u32,
    /// Bytes of memory in use.
    pub memory_bytes: u64,
}

impl Cell {
    /// Puts a capability into the cell's space, before it is started. Its handle there, which the cell's start information
    /// names; the first grant is [`crate::start_info::grant_handle`]`(0)`, and so on.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] once it is started; [`Error::SpaceFull`]; [`Error::NoRight`] without TRANSFER on what is granted.
    pub fn grant(self, transfer: Transfer) -> Result<Handle, Error> {
        let reply = operate_with(self.handle(), Code::Grant, [0; 3], &[transfer])?;
        u32::try_from(reply.a).map(Handle).map_err(|_| Error::Unsupported)
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] if it was started before; [`Error::StartFailed`]; [`Error::BudgetExhausted`].
    pub fn start(self) -> Result<(), Error> {
        operate(self.handle(), Code::Start, [0; 3]).map(|_| ())
    }

    /// Kills it.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] if it does not run.
    pub fn kill(self) -> Result<(), Error> {
        operate(self.handle(), Code::Kill, [0; 3]).map(|_| ())
    }

    /// Starts it again after it ended, with the grants that it first had. Its new generation.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] if it has not ended; [`Error::StartFailed`]; [`Error::BudgetExhausted`].
    pub fn restart(self) -> Result<u64, Error> {
        operate(self.handle(), Code::Restart, [0; 3]).map(|reply| reply.a)
    }

    /// What the kernel says of it.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn inspect(self) -> Result<Inspection, Error> {
        let reply = operate(self.handle(), Code::Inspect, [0; 3])?;
        let [low, high] = [reply.a & u64::from(u32::MAX), reply.a >> 32];
        Ok(Inspection {
            state: u32::try_from(low).unwrap_or(u32::MAX),
            generation: u32::try_from(high).unwrap_or(u32::MAX),
            memory_bytes: reply.b,
        })
    }
}
