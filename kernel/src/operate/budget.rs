//! Budgets: everything that is made.

use hallows_abi::{Account, Error, NewCell, ObjectKind, OnBudget, Reply, Rights, Running, Serving};

use super::Request;
use crate::class::Class;
use crate::make::{CellSpecification, Service};
use crate::slot::Found;
use crate::sync::Ordering;
use crate::{Context, Engine, HandleList, Kernel};

impl<E: Engine> Kernel<E> {
    pub(super) fn operate_budget(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: OnBudget,
        handles: &mut HandleList,
    ) -> Result<Reply, Error> {
        let (cell, budget) = (request.cell, request.name());
        let record = self.budgets.at(budget.index);
        if operation == OnBudget::Query {
            request.needs(Rights::SEND)?;
            let (total_bytes, used_bytes) =
                (record.limit.load(Ordering::Relaxed), record.used.load(Ordering::Relaxed));
            return Ok(Reply::Account(Account { total_bytes, used_bytes }));
        }
        request.needs(Rights::MANAGE)?;
        let token = &mut context.token;
        let made = match operation {
            OnBudget::CreateEndpoint { serving, of_another } => {
                let server = self.served_by(request, of_another)?;
                let service = match serving {
                    Serving::Active { queue } => Service::Active { limit: queue.into() },
                    // Nothing could be done in no time.
                    Serving::Passive { handler_budget_ns: Some(0) } => return Err(Error::BadArgument),
                    Serving::Passive { handler_budget_ns } => {
                        Service::Passive { handler_budget_ns: handler_budget_ns.unwrap_or(0) }
                    }
                };
                self.make_endpoint(token, cell, budget, server, service)?
            }
            OnBudget::CreateNotification => self.make_notification(token, cell, budget)?,
            OnBudget::CreateTimer { bits } => {
                let target = self.argument_with(request, 0, ObjectKind::Notification, Rights::SEND)?;
                self.make_timer(token, cell, budget, &target, bits)?
            }
            OnBudget::CreateRegion { bytes } => self.make_region(token, cell, budget, bytes)?,
            OnBudget::CreateCell { with_faults, new } => {
                self.create_cell(context, request, with_faults, &new)?
            }
            OnBudget::Split { bytes } => self.make_budget(token, cell, budget, bytes)?,
            OnBudget::Query => return Err(Error::WrongObject),
        };
        let handle = {
            let (mut tree, _) = self.capabilities.lock(&mut context.token);
            tree.handle(cell, &made)
        };
        // There is room: it was looked at before anything was done.
        let _ = handles.push(handle);
        Ok(Reply::Done)
    }

    fn create_cell(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        with_faults: bool,
        new: &NewCell,
    ) -> Result<Found, Error> {
        let program = self.argument(request, 0, ObjectKind::Program)?;
        let faults = if with_faults {
            Some(self.argument_with(request, 1, ObjectKind::Endpoint, Rights::SEND)?)
        } else {
            None
        };
        let (passive, time) = match new.running {
            Running::Passive => (true, None),
            Running::Active(time) => (false, time),
        };
        let caller = self.threads.at(request.cell);
        let own_rank = caller.rank.load(Ordering::Relaxed);
        let class = Class::of(own_rank).of_child();
        let specification = CellSpecification {
            name: "",
            memory_bytes: new.memory_bytes,
            // 0 is the default here, and nobody asks for none.
            slots: match new.slots {
                Some(0) => return Err(Error::BadArgument),
                slots => slots.unwrap_or(0),
            },
            class,
            priority: new.priority,
            passive,
            pinned: None,
            pool: self.threads.at(context.thread.0).pool.load(Ordering::Relaxed),
            time,
        };
        if class.rank(new.priority) > own_rank {
            return Err(Error::NoRight);
        }
        if let Some(own) = caller.meter.lock(&mut context.token).0.budget()
            && specification.time.is_none_or(|time| time.is_more_than(own))
        {
            return Err(Error::NoRight);
        }
        let (program, token) = (program.capability.name(), &mut context.token);
        let made =
            self.make_cell(token, request.cell, request.name(), program, faults.as_ref(), &specification)?;
        Ok(made.1)
    }
}
