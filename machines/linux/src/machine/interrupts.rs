//! The thread that waits for the host's network: it tells the cell that drives an interface, or has its ports, by a message of the kernel's, as a
//! processor's interrupt would.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use hallows_kernel::{CoreId, Rooted};

use super::boot::Booted;
use super::plan::{PlacePlan, Plan};
use super::running::Running;
use crate::services::interrupts::{INTERRUPT_BADGE, await_interrupts};

/// Who is told: the endpoint of a cell, and the core that it runs on if that is one of Linux's.
struct Driver {
    core: Option<CoreId>,
    endpoint: Rooted,
}

/// The thread, which does not know yet whom to tell.
pub(super) struct Interrupts {
    /// Where service cores begin.
    first_core: u32,
    /// None where there is nothing to wait for.
    drivers: Option<Sender<Vec<Option<Driver>>>>,
}

/// Starts the thread, if there is anything to wait for: before the jail is sealed, which lets no thread start.
///
/// # Errors
/// When Linux refuses the thread.
pub(super) fn start_interrupts(running: &Arc<Running>, plan: &Plan) -> io::Result<Interrupts> {
    let first_core = running.kernel().configuration().general_cores();
    if plan.told_of_network().next().is_none() {
        return Ok(Interrupts { first_core, drivers: None });
    }
    let (drivers, known) = channel::<Vec<Option<Driver>>>();
    let (ready, started) = channel();
    let running = running.clone();
    std::thread::Builder::new().name("network".to_owned()).spawn(move || {
        let _ = ready.send(());
        // Without an answer nothing was booted.
        let Ok(drivers) = known.recv() else { return };
        let kernel = running.kernel();
        let waited = await_interrupts(|number| {
            let Some(Some(Driver { core, endpoint })) = drivers.get(number) else { return };
            // A cell that does not run now asks to be told in its next life.
            let _ = match core {
                Some(core) => kernel.boot_send_on(running.right(), *core, endpoint, INTERRUPT_BADGE, b""),
                None => kernel.boot_send(running.right(), endpoint, INTERRUPT_BADGE, b""),
            };
        });
        if let Err(error) = waited {
            let line = format!("hallows: cannot wait for the host's network any more: {error}");
            kernel.machine.console().line(line.as_bytes());
        }
    })?;
    let _ = started.recv();
    Ok(Interrupts { first_core, drivers: Some(drivers) })
}

impl Interrupts {
    /// Whom to tell of what: from now on they are told.
    pub(super) fn tell(self, plan: &Plan, booted: &[Booted]) {
        let Some(drivers) = self.drivers else { return };
        let driver = |cell: usize| {
            let planned = plan.cells.get(cell)?;
            let core = match planned.place {
                PlacePlan::ServiceCore(core) => Some(CoreId(self.first_core + core)),
                PlacePlan::Anywhere | PlacePlan::Core(_) | PlacePlan::Pool(_) => None,
            };
            let (_, endpoint) =
                booted.iter().find(|booted| booted.name == planned.name)?.endpoints.first()?;
            Some(Driver { core, endpoint: *endpoint })
        };
        // The thread waits for this, as long as the process runs.
        let _ = drivers.send(plan.told_of_network().map(driver).collect());
    }
}
