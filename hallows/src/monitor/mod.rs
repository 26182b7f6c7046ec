//! The monitor: commands by which a person, or a script, looks into a machine that runs and changes what runs there.
//!
//! It is a client of the control socket and nothing more: what it can do, any program of the same user can do in JSON. On a terminal it has a
//! line editor, shows the machine's log above the line that is being edited, and ends when it is detached or the machine is over. Elsewhere
//! it reads commands line by line.
//!
//! | file | what it has |
//! |---|---|
//! | `command` | the commands, as a line says them |
//! | `act` | what each does |
//! | `start` | a program's way into the machine |
//! | `show` | tables |
//! | `editor` | the line editor and its completions |
//! | `script` | commands from elsewhere |
//! | `interrupt` | Ctrl-C while a command works |
//! | `session` | attaching, and who ends when |
//! | `follow` | what goes on until a key |

mod act;
mod command;
mod editor;
mod follow;
mod interrupt;
mod script;
mod session;
mod show;
mod start;

use std::io::{IsTerminal, Write};

use hallows_linux::host::control::client::RunningMachine;

use self::act::{Actor, Next};
use self::editor::{Editor, Line};
use self::interrupt::Interrupts;
use self::script::Script;
use self::session::Session;
use crate::failure::{Failure, SOFTWARE};

/// Whose machine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This monitor's: the machine ends with it, if it does not leave it to itself.
    Owner,
    /// Somebody else's.
    Guest,
}

/// Runs the monitor of a machine until it is told to quit; the exit code. From `attached` on the machine knows whose it is.
///
/// # Errors
/// When the machine no longer answers.
pub fn run(machine: &RunningMachine, ownership: Ownership, attached: impl FnOnce()) -> Result<u8, Failure> {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let session = Session::attach(machine, ownership)?;
    attached();
    if is_terminal {
        let interrupts = Interrupts::take().map_err(|error| Failure::other(SOFTWARE, error))?;
        on_terminal(Actor::new(machine.clone(), Some(interrupts))?, session)
    } else {
        from_stream(Actor::new(machine.clone(), None)?, session)
    }
}

/// Reads commands as a person edits them.
fn on_terminal(mut actor: Actor, session: Session) -> Result<u8, Failure> {
    let mut editor = Editor::new(actor.machine()).map_err(|error| Failure::other(SOFTWARE, error))?;
    session.watch(&mut editor)?;
    let _ = writeln!(
        std::io::stdout(),
        "machine {}: {} (`help` lists the commands)",
        actor.machine().pid,
        session.farewell()
    );
    loop {
        actor.forget_interrupts();
        let next = match editor.read() {
            Line::Text(line) => {
                let mut output = std::io::stdout();
                let next = actor.act(&line, &mut output);
                let _ = output.flush();
                next.unwrap_or_else(|failure| {
                    failure.print();
                    Next::GoOn
                })
            }
            Line::Abandoned => Next::GoOn,
            Line::End => Next::Quit,
        };
        match next {
            Next::GoOn => {}
            Next::Quit => return session.quit().map(|()| 0),
            Next::Detach => return session.leave().map(|()| 0),
            Next::MachineEnds => return session.stop().map(|()| 0),
        }
    }
}

/// Reads commands from a pipe or a file; the code of the last one that failed.
fn from_stream(mut actor: Actor, session: Session) -> Result<u8, Failure> {
    let mut code = 0;
    let mut script = Script::new(session.listen()?);
    loop {
        let line = match script.next()? {
            script::Line::Text(line) => line,
            script::Line::End => break,
            script::Line::Detached => {
                let _ = writeln!(std::io::stderr(), "{}", session.detached());
                return Ok(code);
            }
        };
        let mut output = std::io::stdout().lock();
        let done = actor.act(&line, &mut output);
        output.flush().map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))?;
        drop(output);
        match done {
            Ok(Next::GoOn) => {}
            Ok(Next::Quit) => break,
            Ok(Next::Detach) => return session.leave().map(|()| code),
            Ok(Next::MachineEnds) => return session.stop().map(|()| code),
            Err(failure) => {
                failure.print();
                code = failure.code;
            }
        }
    }
    session.quit().map(|()| code)
}
