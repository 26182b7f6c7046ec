//! Cells of others: grant, start, kill, restart, inspect.

use alloc::sync::Arc;
use alloc::vec;

use hallows_abi::{Error, FaultKind, Inspection, MAX_START_INFO, OnCell, Operation, Reply, Rights};

use super::Request;
use crate::cell::CellState;
use crate::sync::Ordering;
use crate::tree::Diminish;
use crate::{CellId, Context, Engine, Kernel};

impl<E: Engine> Kernel<E> {
    pub(super) fn operate_cell(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: OnCell,
    ) -> Result<Reply, Error> {
        let index = request.index();
        let record = self.cells.at(index);
        let core = context.core.0;
        if operation == OnCell::Inspect {
            request.needs(Rights::SEND)?;
            // A cell that nobody holds is free: its record goes to the next one.
            let state = record.state().of_interface().ok_or(Error::Gone)?;
            return Ok(Reply::Inspection(Inspection {
                state,
                generation: record.life.load(Ordering::Relaxed),
                memory_bytes: self.engine.memory_in_use(CellId(index)),
            }));
        }
        request.needs(Rights::MANAGE)?;
        match operation {
            OnCell::Grant { rights, badge } => self.grant_named(context, request, Diminish { rights, badge }),
            OnCell::Start { length } => {
                if length > MAX_START_INFO {
                    return Err(Error::TooLong);
                }
                // The operation, and what stands behind it.
                let mut bytes = vec![0; self.engine.length(request.message.bytes)];
                self.engine.read(request.message.bytes, &mut bytes);
                let info: Arc<[u8]> = Arc::from(bytes.get(Operation::TEXT_START..).unwrap_or_default());
                {
                    let (mut control, _) = record.control.lock(&mut context.token);
                    if record.generation.is(request.generation()) && record.state() == CellState::Created {
                        control.start_info = info;
                    }
                }
                self.start(&mut context.token, core, request.name(), CellState::Created).map(Reply::Life)
            }
            OnCell::Restart => {
                self.start(&mut context.token, core, request.name(), CellState::Dead).map(Reply::Life)
            }
            OnCell::Kill => {
                let (named, nothing) = (request.name(), Default::default());
                self.begin_end(&mut context.token, core, named, FaultKind::Killed, 0, nothing);
                Ok(Reply::Done)
            }
            OnCell::Inspect => Err(Error::WrongObject),
        }
    }

    fn grant_named(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        difference: Diminish,
    ) -> Result<Reply, Error> {
        let transfer = request.message.transfers.first().ok_or(Error::BadArgument)?;
        let found = self.named(request, transfer.handle)?;
        let is_own_self = self.is_self(request.cell, &found);
        if is_own_self || !found.capability.rights.contains(Rights::TRANSFER) {
            return Err(Error::NoRight);
        }
        self.grant(&mut context.token, request.name(), &found, difference).map(Reply::Handle)
    }
}
