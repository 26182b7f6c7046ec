//! The capabilities of messages: what may be sent along, how they come into the receiver's space, and where they go when a message fails.

use alloc::vec::Vec;

use hallows_abi::{Error, Handle, Transfer, TransferMode};

use crate::capabilities::{Carried, InFlight};
use crate::slot::Via;
use crate::{Context, Engine, HandleList, Kernel, TransferList};

/// The list that the engine gives, as the kernel keeps it.
pub(crate) fn transfer_list(transfers: &[Transfer]) -> Result<TransferList, Error> {
    let mut list = TransferList::EMPTY;
    transfers.iter().try_for_each(|transfer| list.push(*transfer)).map_err(|_| Error::TooLong)?;
    Ok(list)
}

impl<E: Engine> Kernel<E> {
    /// What a program asks to send along, if it can be asked for.
    pub(crate) fn sendable(transfers: &[Transfer]) -> Result<TransferList, Error> {
        let list = transfer_list(transfers)?;
        for transfer in transfers {
            // What a cell is cannot be given away, nor its budget moved out of its space.
            if transfer.handle.index() < Handle::FIRST_GRANT
                && (transfer.mode == TransferMode::Move || transfer.handle == Handle::SELF)
            {
                return Err(Error::NoRight);
            }
        }
        Ok(list)
    }

    pub(crate) fn arrive(
        &self,
        context: &mut Context,
        cell: u32,
        flight: &InFlight,
        handles: &mut HandleList,
    ) -> Result<(), Error> {
        if flight.is_empty() {
            return Ok(());
        }
        let mut orphans = Vec::new();
        let result = self.change(&mut context.token, |tree, _| {
            tree.arrive(flight, cell, handles, |orphan| orphans.push(orphan))
        });
        self.end_orphans(&mut context.token, context.core.0, &orphans);
        result
    }

    /// The same for an answer that is lost unless all of it arrives.
    #[inline(never)]
    pub(crate) fn arrive_whole(
        &self,
        context: &mut Context,
        cell: u32,
        flight: &InFlight,
        handles: &mut HandleList,
    ) -> Result<(), Error> {
        let fits = flight.len() <= handles.room()
            && self.capabilities.lock(&mut context.token).0.has_room(flight, cell);
        if !fits {
            self.drop_flight(&mut context.token, context.core.0, flight);
            return Err(Error::AnswerTooLong);
        }
        // Only the calling thread fills this space, and it is here.
        self.arrive(context, cell, flight, handles)
    }

    /// Gives the capabilities of a protected call from the caller's space into the server's. Not inlined, nor are the two below: calls
    /// without any stay short.
    #[inline(never)]
    pub(crate) fn carry(
        &self,
        context: &mut Context,
        way: (u32, u32),
        through: Via,
        transfers: &[Transfer],
        handles: &mut HandleList,
    ) -> Result<Carried, Error> {
        let list = Self::sendable(transfers)?;
        let find = |handle| self.capabilities.find(way.0, handle);
        self.change(&mut context.token, |tree, _| {
            tree.check(find, &list, through)?;
            tree.carry(find, &list, way, handles)
        })
    }

    /// The handler has run: what went with the call is the server's.
    #[inline(never)]
    pub(crate) fn settle_call(&self, context: &mut Context, carried: &Carried) {
        self.change(&mut context.token, |tree, _| tree.settle(carried));
    }

    /// The handler has not run: what went with the call is its caller's again.
    #[inline(never)]
    pub(crate) fn take_back(&self, context: &mut Context, carried: &Carried) {
        let mut orphans = Vec::new();
        self.change(&mut context.token, |tree, _| tree.take_back(carried, |orphan| orphans.push(orphan)));
        self.end_orphans(&mut context.token, context.core.0, &orphans);
    }

    /// Gives the capabilities of a handler's answer to its caller. An answer that the caller has no room for is lost with its
    /// capabilities: the handler that would have to know of them is over.
    #[inline(never)]
    pub(crate) fn give(
        &self,
        context: &mut Context,
        way: (u32, u32),
        transfers: &[Transfer],
        handles: &mut HandleList,
    ) -> Result<(), Error> {
        let carried = if transfers.len() > handles.room() {
            Err(Error::SpaceFull)
        } else {
            self.carry(context, way, Via::KERNEL, transfers, handles)
        };
        match carried {
            Ok(carried) => {
                self.settle_call(context, &carried);
                Ok(())
            }
            Err(Error::SpaceFull) => {
                self.lose(context, way.0, transfers);
                Err(Error::AnswerTooLong)
            }
            Err(error) => Err(error),
        }
    }

    /// Drops the capabilities that would have gone with an answer that is lost.
    #[inline(never)]
    pub(crate) fn lose(&self, context: &mut Context, from: u32, transfers: &[Transfer]) {
        let Ok(list) = Self::sendable(transfers) else { return };
        let find = |handle| self.capabilities.find(from, handle);
        let mut orphans = Vec::new();
        self.change(&mut context.token, |tree, _| {
            if tree.check(find, &list, Via::KERNEL).is_err() {
                return;
            }
            // A copy that does not arrive was never made.
            for transfer in list.as_slice().iter().filter(|transfer| transfer.mode == TransferMode::Move) {
                if let Ok(found) = find(transfer.handle) {
                    orphans.extend(tree.delete(found.via.slot));
                }
            }
        });
        self.end_orphans(&mut context.token, context.core.0, &orphans);
    }
}
