//! Boot: the first objects of a machine, made by who made the kernel.
//!
//! Cell 0, the root, is no program: it is the space that holds the first capability of everything boot makes. What it grants
//! derives from there.

use alloc::sync::Arc;

use hallows_abi::{Error, FaultKind, Handle, ObjectKind, Rights};

use crate::call::from_kernel;
use crate::capabilities::Orphan;
use crate::cell::CellState;
use crate::kernel::BootCapability;
use crate::lock::Token;
use crate::make::{CellSpecification, Service};
use crate::slot::{Capability, Found, Name};
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::tree::Diminish;
use crate::{CellId, CoreId, Engine, Kernel};

/// The root's index among cells and budgets.
const ROOT: u32 = 0;

/// The first budget, which does not end.
const ROOT_BUDGET: Name = Name { index: ROOT, generation: 1 };

/// A capability in the root's space.
#[derive(Clone, Copy, Debug)]
pub struct Rooted(Found);

impl<E: Engine> Kernel<E> {
    /// Makes the root: the budget of all memory, and the space that boot's capabilities are in.
    pub(crate) fn open_root(&self) {
        let mut token = Token::at_entry();
        // Nothing can fail in empty tables that have room for the root; of others, every later call of boot says so.
        let _ = self.cells.take(&mut token);
        let _ = self.budgets.take(&mut token);
        let budget = self.budgets.at(ROOT);
        budget.limit.store(self.configuration.memory_bytes, Ordering::Relaxed);
        budget.parent.store(NOBODY, Ordering::Relaxed);
        budget.generation.begin();
        self.cells.at(ROOT).budget.store(ROOT, Ordering::Relaxed);
        self.cells.at(ROOT).generation.begin();
        let (mut tree, _) = self.capabilities.lock(&mut token);
        let _ = tree.open_space(ROOT, self.configuration.slots / 4);
    }

    fn root(
        &self,
        token: &mut Token<'static, 0>,
        kind: ObjectKind,
        index: u32,
        generation: u32,
    ) -> Result<Rooted, Error> {
        let capability = Capability { kind, index, generation, rights: Rights::ALL, badge: 0 };
        let (mut tree, _) = self.capabilities.lock(token);
        tree.plant(ROOT, &capability).map(Rooted)
    }

    /// Makes a program known.
    ///
    /// # Errors
    /// `TableFull`, `SpaceFull`.
    pub fn boot_program(&self, _: &BootCapability, program: Arc<E::Program>) -> Result<Rooted, Error> {
        let mut token = Token::at_entry();
        let index = self.programs.take(&mut token)?;
        let record = self.programs.at(index);
        *record.program.lock(&mut token).0 = Some(program);
        let generation = record.generation.begin();
        self.root(&mut token, ObjectKind::Program, index, generation)
    }

    /// Makes a cell, not started.
    ///
    /// # Errors
    /// `BudgetExhausted`, `TableFull`, `SpaceFull`, `BadArgument`.
    pub fn boot_cell(
        &self,
        _: &BootCapability,
        program: &Rooted,
        faults: Option<&Rooted>,
        specification: &CellSpecification<'_>,
    ) -> Result<(CellId, Rooted), Error> {
        let mut token = Token::at_entry();
        let program = program.0.capability.name();
        let faults = faults.map(|rooted| rooted.0);
        let (cell, found) =
            self.make_cell(&mut token, ROOT, ROOT_BUDGET, program, faults.as_ref(), specification)?;
        Ok((CellId(cell), Rooted(found)))
    }

    /// Makes an endpoint that a cell serves.
    ///
    /// # Errors
    /// `BudgetExhausted`, `TableFull`, `SpaceFull`, `BadArgument`; `BadState` of a passive endpoint for an active cell, or the other
    /// way round.
    pub fn boot_endpoint(
        &self,
        _: &BootCapability,
        server: CellId,
        service: Service,
    ) -> Result<Rooted, Error> {
        let server = self.present_cell(server.0);
        self.make_endpoint(&mut Token::at_entry(), ROOT, ROOT_BUDGET, server, service).map(Rooted)
    }

    /// Makes a notification.
    ///
    /// # Errors
    /// `BudgetExhausted`, `TableFull`, `SpaceFull`.
    pub fn boot_notification(&self, _: &BootCapability) -> Result<Rooted, Error> {
        self.make_notification(&mut Token::at_entry(), ROOT, ROOT_BUDGET).map(Rooted)
    }

    /// Gives a cell that was not started a capability: with these rights, and this badge if it is not 0.
    ///
    /// # Errors
    /// `SpaceFull`, `TooDeep`, `BadState`.
    pub fn boot_grant(
        &self,
        _: &BootCapability,
        cell: CellId,
        what: &Rooted,
        rights: Rights,
        badge: u64,
    ) -> Result<Handle, Error> {
        self.grant(&mut Token::at_entry(), self.present_cell(cell.0), &what.0, Diminish { rights, badge })
    }

    /// Starts a cell with its start information.
    ///
    /// # Errors
    /// `BadState`, `BudgetExhausted`.
    pub fn boot_start(&self, _: &BootCapability, cell: CellId, start_info: &[u8]) -> Result<u32, Error> {
        let mut token = Token::at_entry();
        self.cells.at(cell.0).control.lock(&mut token).0.start_info = Arc::from(start_info);
        self.start(&mut token, self.configuration.cores, self.present_cell(cell.0), CellState::Created)
    }

    /// Kills a cell: for an operator. False if there is no such cell to kill.
    pub fn boot_kill(&self, _: &BootCapability, cell: CellId) -> bool {
        let mut token = Token::at_entry();
        let record = self.cells.at(cell.0);
        let alive = matches!(record.state(), CellState::Created | CellState::Starting | CellState::Running);
        if alive && cell.0 != ROOT {
            let nothing = Default::default();
            let named = self.present_cell(cell.0);
            self.begin_end(&mut token, self.configuration.cores, named, FaultKind::Killed, 0, nothing);
        }
        alive && cell.0 != ROOT
    }

    /// Starts a dead cell again: for an operator. Its life.
    ///
    /// # Errors
    /// `BadState` of one that is not dead, `BudgetExhausted`.
    pub fn boot_restart(&self, _: &BootCapability, cell: CellId) -> Result<u32, Error> {
        let cell = self.present_cell(cell.0);
        self.start(&mut Token::at_entry(), self.configuration.cores, cell, CellState::Dead)
    }

    /// Puts a message of the kernel itself, which wants no answer, into an active endpoint: for an operator, who sends few.
    /// There is always room for it, as for faults.
    ///
    /// # Errors
    /// `Gone`, `WrongObject` of a passive one, `NotReady` of a server that does not run.
    pub fn boot_send(
        &self,
        right: &BootCapability,
        endpoint: &Rooted,
        badge: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        self.boot_send_on(right, CoreId(self.configuration.cores), endpoint, badge, bytes)
    }

    /// The same from a core, for a device that it looks after: whom the message wakes runs there if no core nearby is idle.
    ///
    /// # Errors
    /// As [`Self::boot_send`].
    pub fn boot_send_on(
        &self,
        _: &BootCapability,
        core: CoreId,
        endpoint: &Rooted,
        badge: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let mut token = Token::at_entry();
        let Capability { index, generation, .. } = endpoint.0.capability;
        let record = self.endpoints.at(index);
        if !record.generation.is(generation) {
            return Err(Error::Gone);
        }
        if record.is_passive() {
            return Err(Error::WrongObject);
        }
        let message = from_kernel(endpoint.0.capability.name(), badge, bytes.into());
        let put = self.with_server(&mut token, endpoint.0.capability.name(), |server, inbox| {
            let accepted = inbox.accept(message, record.limit.load(Ordering::Relaxed));
            (server, accepted, inbox.take_waiter_if_any())
        });
        let (server, accepted, wake) = put.ok_or(Error::Gone)?;
        if wake {
            self.wake(&mut token, core.0, server);
        }
        accepted.map(drop).map_err(|(error, _)| error)
    }

    /// Ends a cell for good and gives its place back.
    pub fn boot_destroy(&self, _: &BootCapability, cell: &Rooted) {
        let mut token = Token::at_entry();
        let Capability { kind, index, generation, .. } = cell.0.capability;
        // Also if others hold capabilities of it: those are stale then.
        self.end_object(&mut token, self.configuration.cores, Orphan { kind, index, generation });
        if self.capabilities.still(cell.0.via) {
            let orphan = self.change(&mut token, |tree, _| tree.delete(cell.0.via.slot));
            self.end_orphans(&mut token, self.configuration.cores, orphan.as_slice());
        }
    }

    /// The cell's budget, to grant to it or to others.
    ///
    /// # Errors
    /// `BudgetExhausted`, `TableFull`, `SpaceFull`.
    pub fn boot_budget(&self, _: &BootCapability, bytes: u64) -> Result<Rooted, Error> {
        self.make_budget(&mut Token::at_entry(), ROOT, ROOT_BUDGET, bytes).map(Rooted)
    }
}
