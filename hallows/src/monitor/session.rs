//! A monitor's hold of its machine: attached, perhaps as its owner; and what happens when one of the two goes away.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallows_linux::host::control::client::{self, Connection, RunningMachine};
use hallows_linux::host::control::protocol::{Request, Response};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::Ownership;
use super::editor::{Editor, Printer};
use crate::commands::show::plain;
use crate::commands::stop::{done, refused};
use crate::failure::{Failure, SOFTWARE};

/// See the module.
pub struct Session {
    machine: RunningMachine,
    ownership: Ownership,
    monitor: u64,
    /// Who closes it lets the machine know that this monitor is gone. Whoever takes it waits to be told of a detachment by it.
    held: std::cell::Cell<Option<Connection>>,
    /// The monitor is about to go by itself.
    leaves: Arc<AtomicBool>,
}

impl Session {
    /// Attaches.
    ///
    /// # Errors
    /// When the machine does not answer.
    pub fn attach(machine: &RunningMachine, ownership: Ownership) -> Result<Self, Failure> {
        let mut held = Connection::open(machine).map_err(refused)?;
        let owns = ownership == Ownership::Owner;
        match held.ask(&Request::Attach { owns }).map_err(refused)? {
            Response::Attached { monitor } => Ok(Self {
                machine: machine.clone(),
                ownership,
                monitor,
                held: std::cell::Cell::new(Some(held)),
                leaves: Arc::default(),
            }),
            Response::Failed { error } => Err(Failure::other(
                SOFTWARE,
                format!("machine {} is of another version of hallows: {error}", machine.pid),
            )),
            other => Err(Failure::other(SOFTWARE, format!("the machine answered {other:?}"))),
        }
    }

    /// What becomes of the machine when the monitor quits.
    pub const fn farewell(&self) -> &'static str {
        match self.ownership {
            Ownership::Owner => "it ends with this monitor; `detach` leaves it running",
            Ownership::Guest => "it goes on when this monitor quits",
        }
    }

    /// What a monitor elsewhere looks at beside its commands: a connection by which it is told that it is detached.
    ///
    /// # Errors
    /// When the machine does not answer.
    pub fn listen(&self) -> Result<Connection, Failure> {
        let held = self.held.take().map_or_else(|| Connection::open(&self.machine), Ok);
        let mut held = held.map_err(refused)?;
        held.ask_later(&Request::AwaitDetach).map_err(refused)?;
        Ok(held)
    }

    /// What is said to who was detached by somebody else.
    pub fn detached(&self) -> String {
        format!("machine {}: detached; it goes on", self.machine.pid)
    }

    /// Starts what a monitor on a terminal has beside: one thread that shows the log as it comes, and one that ends the process when this
    /// monitor is detached or the machine is over.
    ///
    /// # Errors
    /// When the machine does not answer.
    pub fn watch(&self, editor: &mut Editor) -> Result<(), Failure> {
        let log = Connection::open(&self.machine).map_err(refused)?;
        if let Some(printer) = editor.printer() {
            std::thread::spawn(move || show_log(log, printer));
        }
        let Some(mut held) = self.held.take() else { return Ok(()) };
        // Before there is a prompt: who detaches this monitor from then on finds that it waits for that.
        held.ask_later(&Request::AwaitDetach).map_err(refused)?;
        let leaves = self.leaves.clone();
        let usual = tcgetattr(std::io::stdin()).ok();
        let pid = self.machine.pid;
        std::thread::spawn(move || {
            let told = held.await_answer();
            if leaves.load(Ordering::SeqCst) {
                // The connection stays until the process ends.
                std::mem::forget(held);
                return;
            }
            // The line editor waits for a key, and nothing interrupts it.
            if let Some(usual) = &usual {
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, usual);
            }
            let what = match told {
                // Or it was detached before it could wait for that.
                Ok(Response::Detached { .. } | Response::Failed { .. }) => "detached; it goes on",
                _ => "it has ended",
            };
            let _ = writeln!(std::io::stdout(), "\nmachine {pid}: {what}");
            end();
        });
        Ok(())
    }

    /// Ends the machine, if it is this monitor's.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn quit(self) -> Result<(), Failure> {
        self.leaves.store(true, Ordering::SeqCst);
        if self.ownership == Ownership::Guest {
            return Ok(());
        }
        let detached = Request::Detach { monitor: Some(self.monitor) };
        match client::ask(&self.machine, &detached).map_err(refused)? {
            // Somebody has done so before: it is nobody's, and goes on.
            Response::Detached { monitors: 0 } => {
                let _ = writeln!(std::io::stderr(), "{}", self.detached());
                Ok(())
            }
            _ => self.stop(),
        }
    }

    /// Ends the machine, and waits until the host is as it was.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn stop(self) -> Result<(), Failure> {
        self.leaves.store(true, Ordering::SeqCst);
        client::stop(&self.machine, None).map_err(refused).and_then(done)
    }

    /// Leaves the machine to itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn leave(self) -> Result<(), Failure> {
        self.leaves.store(true, Ordering::SeqCst);
        client::ask(&self.machine, &Request::Detach { monitor: Some(self.monitor) })
            .map_err(refused)
            .and_then(done)?;
        let _ = writeln!(
            std::io::stdout(),
            "machine {} goes on; `hallows attach` opens its monitor, `hallows stop` ends it",
            self.machine.pid
        );
        Ok(())
    }
}

#[expect(
    clippy::exit,
    reason = "a monitor has nothing to put back but the terminal's mode, and its main thread waits for a key"
)]
fn end() -> ! {
    std::process::exit(0)
}

/// Shows what the machine says from now on.
fn show_log(mut log: Connection, mut printer: Printer) {
    let mut after = u64::MAX;
    loop {
        let waits = after != u64::MAX;
        match log.ask_for(&Request::Log { after, waits }, &[], None) {
            Ok(Response::Log { next, missed, text }) => {
                after = next;
                if missed > 0 {
                    printer.print(format!("({missed} bytes of the log were lost)\n"));
                }
                if !text.is_empty() {
                    printer.print(plain(&text));
                }
            }
            // It is over, and the other thread says so.
            _ => return,
        }
    }
}
