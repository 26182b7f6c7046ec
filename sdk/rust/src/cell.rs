//! Cells of others: grant, start, kill, restart. Every operation but [`Cell::inspect`] (SEND) needs MANAGE.

use hallows_abi::{Error, Handle, Inspection, MAX_START_INFO, OnCell, Operation, Reply, Transfer};

use crate::call::call_handle;
use crate::operation::{operate, operate_to_name};
use crate::rights::{CanManage, CanSend};
use crate::{Cell, Deadline, Object};

impl<R: CanManage> Cell<R> {
    /// Puts a capability into the cell's space, before it is started, with this badge if it is not 0. Its handle there, which
    /// belongs into the cell's start information.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] once it is started; [`Error::SpaceFull`]; [`Error::NoRight`] without TRANSFER on what is granted.
    pub fn grant(self, transfer: Transfer, badge: u64) -> Result<Handle, Error> {
        operate_to_name(self.handle(), OnCell::Grant { rights: transfer.rights, badge }, &[transfer])
    }

    /// Starts it with its start information, made by [`crate::start_info::emit`].
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] if it was started before; [`Error::StartFailed`]; [`Error::BudgetExhausted`]; [`Error::TooLong`] for
    /// start information of more than [`MAX_START_INFO`] bytes.
    pub fn start(self, start_info: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(start_info.len()).map_err(|_| Error::TooLong)?;
        let mut message = [0; Operation::TEXT_START + MAX_START_INFO as usize];
        let message = message.get_mut(..Operation::TEXT_START + start_info.len()).ok_or(Error::TooLong)?;
        let (head, tail) = message.split_at_mut(Operation::TEXT_START);
        for (place, byte) in head.iter_mut().zip(Operation::from(OnCell::Start { length }).emit().iter()) {
            *place = *byte;
        }
        tail.copy_from_slice(start_info);
        let mut reply = [0; Reply::MOST_BYTES];
        call_handle(self.handle(), message, &[], &mut reply, &mut [], Deadline::NEVER).map(|_| ())
    }

    /// Kills it. Of a cell that is over already, it does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn kill(self) -> Result<(), Error> {
        operate(self.handle(), OnCell::Kill).map(|_| ())
    }

    /// Starts it again after it ended, with the grants and the start information that it first had. Its new generation.
    ///
    /// # Errors
    ///
    /// [`Error::BadState`] if it has not ended; [`Error::StartFailed`]; [`Error::BudgetExhausted`].
    pub fn restart(self) -> Result<u32, Error> {
        operate(self.handle(), OnCell::Restart)?.life().ok_or(Error::Refused)
    }
}

impl<R: CanSend> Cell<R> {
    /// What the kernel says of it.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn inspect(self) -> Result<Inspection, Error> {
        match operate(self.handle(), OnCell::Inspect)? {
            Reply::Inspection(inspection) => Ok(inspection),
            _ => Err(Error::Refused),
        }
    }
}
