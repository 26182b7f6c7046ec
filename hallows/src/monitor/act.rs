//! What each command does.

use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use hallows_linux::host::control::client::{Connection, ControlError, RunningMachine};
use hallows_linux::host::control::inspection::{Inspection, Statistics};
use hallows_linux::host::control::protocol::{Request, Response};

use super::command::{self, Command, Parsed};
use super::interrupt::{INTERRUPTED, Interrupts};
use super::{follow, show, start};
use crate::cli::{SortBy, Which};
use crate::commands::show::plain;
use crate::commands::stop::{self, LONGEST_CHANGE, cell, refused};
use crate::commands::{ps, top};
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::network::Networks;
use crate::unix::Invocation;

/// Beside the time that the answer of a message may take.
const GRACE: Duration = Duration::from_secs(15);

/// What follows a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next one.
    GoOn,
    /// Leaving the monitor.
    Quit,
    /// Leaving the monitor, and the machine to itself.
    Detach,
    /// The end of the machine.
    MachineEnds,
}

/// Does commands in a machine.
pub struct Actor {
    machine: RunningMachine,
    connection: Connection,
    /// On a terminal, Ctrl-C ends what is being done.
    interrupts: Option<Interrupts>,
}

impl Actor {
    /// For a machine.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn new(machine: RunningMachine, interrupts: Option<Interrupts>) -> Result<Self, Failure> {
        let connection = Connection::open(&machine).map_err(refused)?;
        Ok(Self { machine, connection, interrupts })
    }

    /// Which machine.
    pub const fn machine(&self) -> &RunningMachine {
        &self.machine
    }

    /// What was interrupted so far is past.
    pub fn forget_interrupts(&self) {
        if let Some(interrupts) = &self.interrupts {
            interrupts.forget();
        }
    }

    /// Does what a line says.
    ///
    /// # Errors
    /// Why not.
    pub fn act(&mut self, line: &str, output: &mut dyn Write) -> Result<Next, Failure> {
        let command = match command::parse(line)? {
            Parsed::Command(command) => command,
            Parsed::Text(text) => return write(output, &text).map(|()| Next::GoOn),
            Parsed::Nothing => return Ok(Next::GoOn),
        };
        match command {
            Command::Quit => return Ok(Next::Quit),
            Command::Detach => return Ok(Next::Detach),
            Command::Halt => return Ok(Next::MachineEnds),
            Command::Cells { json } => {
                let statistics = self.statistics()?;
                let text = if json { line_of(&statistics.cells)? } else { show::cells(&statistics) };
                write(output, &text)?;
            }
            Command::Endpoints { json } => {
                // Those that `send` takes: the system's own are not to be played with.
                let cells = self.statistics()?.cells.into_iter().filter(|cell| !cell.is_system);
                let endpoints: Vec<String> = cells.flat_map(|cell| cell.serves).collect();
                write(output, &if json { line_of(&endpoints)? } else { show::endpoints(&endpoints) })?;
            }
            Command::Inspect { cell, json } => {
                let inspection = self.inspect(&cell)?;
                write(output, &if json { line_of(&inspection)? } else { show::inspection(&inspection) })?;
            }
            Command::Caps { cell, json } => {
                let inspection = self.inspect(&cell)?;
                let text = if json {
                    let lines = inspection.capabilities.iter().map(line_of);
                    lines.collect::<Result<String, _>>()?
                } else {
                    show::capabilities(&inspection)
                };
                write(output, &text)?;
            }
            Command::Start {
                program,
                arguments,
                name,
                uses,
                serves,
                directories,
                variables,
                stack,
                memory,
                native,
            } => {
                let stack_bytes = stack.map(|stack| stack.0);
                let invocation = Invocation {
                    arguments,
                    variables,
                    directories,
                    stack_bytes,
                    networks: Networks::default(),
                };
                let wanted = start::Wanted { program, invocation, name, uses, serves, memory, native };
                // Before it is compiled in vain.
                let seal = if wanted.native { String::new() } else { self.seal()? };
                let (request, files) = start::request(wanted, &seal)?;
                match self.slow(&request, &files, LONGEST_CHANGE)? {
                    Response::Started { cell, name } => {
                        write(output, &format!("{name} runs as cell {cell}\n"))?
                    }
                    other => return Err(unexpected(other)),
                }
            }
            Command::Stop { cell: which } => self.change(&Request::End { cell: cell(&which) })?,
            Command::Kill { cell: which } => self.change(&Request::Kill { cell: cell(&which) })?,
            Command::Restart { cell: which } => self.change(&Request::Restart { cell: cell(&which) })?,
            Command::Send { endpoint, message, within, json } => {
                self.send(endpoint, &message, within, json, output)?;
            }
            Command::Faults { follow, json } => self.faults(follow, json, output)?,
            Command::Log { lines, follow } => self.log(lines, follow, output)?,
            Command::Top { once } => {
                let which = Which { machine: Some(self.machine.pid) };
                top::top(crate::cli::Top { which, once, json: false, interval: 1.0, sort: SortBy::Cpu })?;
            }
            Command::Machine => match self.ask(&Request::Ps)? {
                Response::Machine(status) => write(output, &ps::heading(&self.machine, &status))?,
                other => return Err(unexpected(other)),
            },
            Command::Sleep { milliseconds } => {
                let duration = Duration::from_millis(milliseconds);
                match &self.interrupts {
                    Some(interrupts) if interrupts.come_within(duration) => {
                        return Err(Failure::other(INTERRUPTED, "interrupted"));
                    }
                    Some(_) => {}
                    None => std::thread::sleep(duration),
                }
            }
        }
        Ok(Next::GoOn)
    }

    fn ask(&mut self, request: &Request) -> Result<Response, Failure> {
        self.slow(request, &[], GRACE)
    }

    /// Asks for what may take so long.
    fn slow(&mut self, request: &Request, files: &[OwnedFd], timeout: Duration) -> Result<Response, Failure> {
        let asked = match &self.interrupts {
            Some(interrupts) => self.connection.ask_unless(request, files, Some(timeout), interrupts.as_fd()),
            None => self.connection.ask_for(request, files, Some(timeout)),
        };
        match asked {
            Ok(Response::Failed { error }) => Err(Failure::other(USAGE, plain(&error))),
            Ok(response) => Ok(response),
            Err(error) => {
                // An answer that comes too late would be taken for the next one's.
                if let Ok(fresh) = Connection::open(&self.machine) {
                    self.connection = fresh;
                }
                Err(match &error {
                    ControlError::NoAnswer { source, .. } if source.kind() == ErrorKind::Interrupted => {
                        Failure::other(INTERRUPTED, "interrupted; what was asked for may still be done")
                    }
                    _ => refused(error),
                })
            }
        }
    }

    fn change(&mut self, request: &Request) -> Result<(), Failure> {
        self.slow(request, &[], LONGEST_CHANGE).and_then(stop::done)
    }

    fn seal(&mut self) -> Result<String, Failure> {
        match self.ask(&Request::Version)? {
            Response::Version { seal, .. } => Ok(seal),
            other => Err(unexpected(other)),
        }
    }

    fn statistics(&mut self) -> Result<Statistics, Failure> {
        match self.ask(&Request::Statistics)? {
            Response::Statistics(statistics) => Ok(*statistics),
            other => Err(unexpected(other)),
        }
    }

    fn inspect(&mut self, which: &str) -> Result<Inspection, Failure> {
        match self.ask(&Request::Inspect { cell: cell(which) })? {
            Response::Cell(inspection) => Ok(*inspection),
            other => Err(unexpected(other)),
        }
    }

    fn send(
        &mut self,
        endpoint: String,
        words: &[String],
        within: u64,
        json: bool,
        output: &mut dyn Write,
    ) -> Result<(), Failure> {
        let hex = start::message(&words.join(" "))?;
        let patience = command::patience(within);
        let patience_ns = u64::try_from(patience.as_nanos()).ok();
        let request = Request::Send { endpoint, hex, patience_ns };
        match self.slow(&request, &[], patience + GRACE)? {
            Response::Answered { hex, took_ns } => {
                let text = if json {
                    line_of(&serde_json::json!({ "hex": hex, "took_ns": took_ns }))?
                } else {
                    show::answer(&hex, took_ns)
                };
                write(output, &text)
            }
            other => Err(unexpected(other)),
        }
    }

    fn faults(&mut self, follows: bool, json: bool, output: &mut dyn Write) -> Result<(), Failure> {
        let mut after = 0;
        let mut next = || match self.ask(&Request::Faults { after })? {
            Response::Faults { last, faults } => {
                after = last;
                if json {
                    faults.iter().map(line_of).collect()
                } else {
                    Ok(faults.iter().map(show::fault).collect::<String>())
                }
            }
            other => Err(unexpected(other)),
        };
        let known = next()?;
        if known.is_empty() && !follows && !json {
            return write(output, "no cell has faulted\n");
        }
        write(output, &known)?;
        if follows { follow::follow(output, next) } else { Ok(()) }
    }

    fn log(&mut self, lines: usize, follows: bool, output: &mut dyn Write) -> Result<(), Failure> {
        let mut after = 0;
        let mut next = || match self.ask(&Request::Log { after, waits: false })? {
            Response::Log { next, text, .. } => {
                after = next;
                Ok(plain(&text))
            }
            other => Err(unexpected(other)),
        };
        let mut known = String::new();
        loop {
            let text = next()?;
            if text.is_empty() {
                break;
            }
            known += &text;
        }
        let all: Vec<&str> = known.lines().collect();
        let last: String =
            all.iter().copied().skip(all.len().saturating_sub(lines)).flat_map(|line| [line, "\n"]).collect();
        write(output, &last)?;
        if follows { follow::follow(output, next) } else { Ok(()) }
    }
}

fn line_of(value: &impl serde::Serialize) -> Result<String, Failure> {
    let line = serde_json::to_string(value).map_err(|error| Failure::other(SOFTWARE, error))?;
    Ok(line + "\n")
}

fn write(output: &mut dyn Write, text: &str) -> Result<(), Failure> {
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))
}

fn unexpected(response: Response) -> Failure {
    match response {
        Response::Failed { error } => Failure::other(USAGE, plain(&error)),
        other => Failure::other(SOFTWARE, format!("the machine answered {other:?}")),
    }
}
