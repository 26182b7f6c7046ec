//! The operator: does in the machine what a person asks for from outside, by `hallows kill`, `restart`, and the monitor's commands.
//!
//! It holds the right that boot has, and a list of what boot made. Nothing of it is on a program's way: it asks the kernel, as any
//! thread of the machine may. What can take time runs in two threads of its own, started before the jail closes: one that changes
//! cells, and one that waits for answers.

mod inspect;
mod messenger;
mod registry;
mod starting;
mod unix;

use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hallows_kernel::{CellId, CellPicture, CellSpecification, CellState, CoreId, Rooted};
use hallows_sdk::native::NativeProgram;
use hallows_supervisor::{OPERATOR, Wish};

use self::registry::{Known, Origin, Registry};
use super::boot::{Booted, Grant, give};
use super::running::Running;
use super::status::Surroundings;
use crate::host::control::protocol::{CellSelector, Request, Response};
use crate::host::link::{FromMachine, LinkSender};
use crate::host::near_miss::near_miss;

/// Requests that may wait for a thread: more than there are connections, each of which has one at most. Those of clients that have gone
/// stay until their turn, so it may be full.
const QUEUE: usize = 64;
/// What waited longer is not done: as long as a client waits for an answer that is not to be waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a cell may take to end or to run again: its handlers' budgets, a compiled program's start, a supervisor that is busy.
const LONGEST_CHANGE: Duration = Duration::from_secs(5);
/// How often one looks whether it has.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// How long the answer to a message may take, and the longest that can be asked for.
const USUAL_PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_PATIENCE: Duration = Duration::from_secs(60);
/// The longest message.
const MESSAGE_BYTES: usize = 4_096;
/// Memory of the cell that delivers one, in bytes: it has no linear memory.
const MESSENGER_BYTES: u64 = 64 << 10;
/// An operator's message is not held up by programs.
const MESSENGER_PRIORITY: u8 = 7;

/// A request that waits for a thread.
struct Job {
    /// Its number.
    id: u64,
    request: Request,
    /// The open files that came with it.
    files: Vec<OwnedFd>,
    /// Since when it waits.
    asked: Instant,
}

/// What has become of a request that was offered to the threads.
pub enum Taken {
    /// One of them will answer it.
    Later,
    /// It is answered at once: none is for it.
    Now(Request, Vec<OwnedFd>),
    /// So many wait that it is not done.
    Refused(Response),
}

/// What an operator can do.
pub struct Operator {
    running: Arc<Running>,
    surroundings: Arc<Surroundings>,
    natives: &'static [&'static NativeProgram],
    registry: Mutex<Registry>,
    /// The service core for files of programs that it starts, if the machine reaches any.
    lending: Option<CoreId>,
}

/// The threads that do what takes time.
pub struct Workers {
    changes: SyncSender<Job>,
    messages: SyncSender<Job>,
}

/// Keeps requests waiting: they may come as soon as there is somebody to hear them, which is before there are cells.
#[derive(Debug)]
pub struct Learning<'a>(MutexGuard<'a, Registry>);

impl Learning<'_> {
    /// Boot has made these.
    pub fn learn(mut self, booted: Vec<Booted>) {
        *self.0 = Registry::new(booted);
    }
}

impl Operator {
    /// Of a machine that has not booted yet.
    #[must_use]
    pub fn new(
        running: Arc<Running>,
        surroundings: Arc<Surroundings>,
        natives: &'static [&'static NativeProgram],
        lending: Option<CoreId>,
    ) -> Self {
        Self { running, surroundings, natives, registry: Mutex::default(), lending }
    }

    /// Until boot says what it has made, requests for that wait.
    pub fn learning(&self) -> Learning<'_> {
        Learning(self.registry())
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts its threads.
    ///
    /// # Errors
    /// When Linux refuses one.
    pub fn start_workers(self: &Arc<Self>, sender: &LinkSender) -> std::io::Result<Workers> {
        let start = |name: &str| {
            let (jobs, queue) = sync_channel(QUEUE);
            let (ready, started) = sync_channel(1);
            let (operator, sender) = (self.clone(), sender.clone());
            std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                let _ = ready.send(());
                operator.work(&queue, &sender);
            })?;
            // The jail lets no thread start: it must have.
            let _ = started.recv();
            Ok::<_, std::io::Error>(jobs)
        };
        Ok(Workers { changes: start("operator")?, messages: start("messages")? })
    }

    fn work(&self, queue: &Receiver<Job>, sender: &LinkSender) {
        while let Ok(Job { id, request, files, asked }) = queue.recv() {
            let response = match too_late(asked.elapsed()) {
                // Its client has given up, or is about to: what it wanted must not happen behind its back.
                Some(refusal) => refusal,
                None => self.answer(&request, files),
            };
            if sender.send(FromMachine::Reply { id, response }).is_err() {
                return self.end_machine();
            }
        }
    }

    /// Lets the machine end, with code 0 if nothing said another before.
    pub fn end_machine(&self) {
        self.running.kernel().machine.end(0);
    }

    /// Does what is asked, once the machine has booted: before, there is nothing to see.
    pub fn answer(&self, request: &Request, files: Vec<OwnedFd>) -> Response {
        drop(self.registry());
        let done = match request {
            Request::Ps => return Response::Machine(self.surroundings.status(&self.running)),
            Request::Paths => return Response::Paths { paths: self.surroundings.paths().list() },
            Request::Statistics => return Response::Statistics(Box::new(self.statistics())),
            Request::Faults { after } => return self.faults(*after),
            Request::Kill { cell } => self.kill(cell).map(|()| Response::Done),
            Request::Inspect { cell } => self.inspect(cell).map(|cell| Response::Cell(Box::new(cell))),
            Request::Restart { cell } => self.restart(cell).map(|()| Response::Done),
            Request::End { cell } => self.end(cell).map(|()| Response::Done),
            Request::Start(start) => self.start(start, files),
            Request::Send { endpoint, hex, patience_ns } => self.send(endpoint, hex, *patience_ns),
            Request::Tier
            | Request::Stop { .. }
            | Request::Version
            | Request::Log { .. }
            | Request::Attach { .. }
            | Request::AwaitDetach
            | Request::Detach { .. } => Err("that is the parent process's to answer".to_owned()),
        };
        done.unwrap_or_else(|error| Response::Failed { error })
    }

    /// The cell that is meant.
    fn select(&self, selector: &CellSelector) -> Result<CellPicture, String> {
        let mut cells = self.running.kernel().picture_cells();
        let place = cells.iter().position(|cell| match selector {
            CellSelector::Number(number) => u64::from(cell.cell.0) == *number,
            CellSelector::Name(name) => *cell.name == **name,
        });
        if let Some(place) = place {
            return Ok(cells.swap_remove(place));
        }
        Err(match selector {
            CellSelector::Number(number) => {
                format!("there is no such cell as number {number}; `hallows ps` lists them")
            }
            CellSelector::Name(name) => {
                let near = near_miss(name, cells.iter().map(|cell| &*cell.name));
                let near = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
                format!("there is no such cell as {name}{near}; `hallows ps` lists them")
            }
        })
    }

    fn origin(&self, cell: CellId) -> Option<Origin> {
        self.registry().find(cell).map(|known| known.origin.clone())
    }

    /// The cell that is meant, if it may be ended alone.
    fn select_to_end(&self, selector: &CellSelector) -> Result<CellPicture, String> {
        let cell = self.select(selector)?;
        match self.origin(cell.cell) {
            Some(Origin::System) => Err(format!(
                "{} is a part of the system, which cannot go on without it; `hallows stop` ends the whole machine",
                cell.name
            )),
            _ => Ok(cell),
        }
    }

    fn kill(&self, selector: &CellSelector) -> Result<(), String> {
        let cell = self.select_to_end(selector)?;
        if self.running.kernel().boot_kill(self.running.right(), cell.cell) {
            Ok(())
        } else {
            Err(format!("{} is over already", cell.name))
        }
    }

    fn restart(&self, selector: &CellSelector) -> Result<(), String> {
        let cell = self.select_to_end(selector)?;
        let origin = self.origin(cell.cell);
        match &origin {
            Some(Origin::Supervised) => self.wish(Wish::Restart, &cell)?,
            Some(_) => {
                // Over already, if not.
                self.running.kernel().boot_kill(self.running.right(), cell.cell);
                self.await_state(&cell, "end", |state| state == CellState::Dead)?;
                if let Some(Origin::Started { attendance: Some(attendance), .. }) = &origin {
                    self.close_files(attendance)?;
                }
                let started = self.running.kernel().boot_restart(self.running.right(), cell.cell);
                started.map_err(|error| format!("{} does not start again: {error}", cell.name))?;
            }
            None => {
                return Err(format!(
                    "{} was made by a program, which alone can start it again; `hallows kill` ends it",
                    cell.name
                ));
            }
        }
        let began = Instant::now();
        while began.elapsed() < LONGEST_CHANGE {
            let now = self.select(&CellSelector::Number(u64::from(cell.cell.0)))?;
            if now.life > cell.life && now.state != CellState::Starting {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(format!(
            "{} has not begun another life within {LONGEST_CHANGE:?}; the log may say why",
            cell.name
        ))
    }

    fn end(&self, selector: &CellSelector) -> Result<(), String> {
        let cell = self.select_to_end(selector)?;
        if matches!(self.origin(cell.cell), Some(Origin::Supervised)) {
            self.wish(Wish::Stop, &cell)?;
        } else {
            self.running.kernel().boot_kill(self.running.right(), cell.cell);
        }
        self.await_state(&cell, "end", |state| matches!(state, CellState::Dead | CellState::Free))?;
        let gone = self.registry().remove_started(cell.cell);
        if let Some(Known {
            endpoints, origin: Origin::Started { capability, program, attendance }, ..
        }) = gone
        {
            let endpoints = endpoints.iter().map(|(_, endpoint)| endpoint);
            self.destroy(endpoints.chain([&capability, &program]));
            if let Some(attendance) = attendance {
                self.end_attendance(cell.cell, &attendance);
            }
        }
        Ok(())
    }

    /// Ends objects of the root for good.
    fn destroy<'a>(&self, objects: impl IntoIterator<Item = &'a Rooted>) {
        for object in objects {
            self.running.kernel().boot_destroy(self.running.right(), object);
        }
    }

    /// Tells the supervisor what is wanted of a cell.
    fn wish(&self, wish: Wish, cell: &CellPicture) -> Result<(), String> {
        let supervisor = self.registry().supervisor.ok_or("there is no supervisor")?;
        let message = wish.message(u64::from(cell.cell.0));
        let sent =
            self.running.kernel().boot_send(self.running.right(), &supervisor, OPERATOR, message.as_bytes());
        sent.map_err(|error| format!("the supervisor does not listen: {error}"))
    }

    fn await_state(
        &self,
        cell: &CellPicture,
        what: &str,
        is_there: impl Fn(CellState) -> bool,
    ) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < LONGEST_CHANGE {
            if is_there(self.running.kernel().state(cell.cell)) {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(format!("{} did not {what} within {LONGEST_CHANGE:?}", cell.name))
    }

    fn send(&self, endpoint: &str, hex: &str, patience_ns: Option<u64>) -> Result<Response, String> {
        let to = self.registry().endpoint(endpoint)?;
        let bytes = bytes_of(hex).ok_or("a message is two hexadecimal digits a byte")?;
        if bytes.len() > MESSAGE_BYTES {
            return Err(format!("the message has {} bytes; at most {MESSAGE_BYTES} are sent", bytes.len()));
        }
        let patience = patience_ns.map_or(USUAL_PATIENCE, Duration::from_nanos).min(LONGEST_PATIENCE);
        let letter = messenger::Letter::post(bytes, patience);
        let delivered = self.with_messenger(&to, &letter, || {
            // The deadline is the kernel's to keep; if the cell never came so far, somebody must.
            letter.answer.recv_timeout(patience + LONGEST_CHANGE).ok()
        })?;
        match delivered {
            Some(Ok((bytes, took_ns))) => Ok(Response::Answered { hex: hex_of(&bytes), took_ns }),
            Some(Err(error)) => Err(format!("the call of {endpoint} ended with an error: {error}")),
            None => Err("the message was not delivered: no core had time for it".to_owned()),
        }
    }

    /// Makes a cell that delivers a message, and ends it after `wait`.
    fn with_messenger<T>(
        &self,
        to: &Rooted,
        letter: &messenger::Letter,
        wait: impl FnOnce() -> T,
    ) -> Result<T, String> {
        let (kernel, right) = (self.running.kernel(), self.running.right());
        let refused = |error| format!("the machine has no room for a messenger: {error}");
        let program = hallows_engine::Program::native(&messenger::MESSENGER);
        let program = kernel.boot_program(right, program).map_err(refused)?;
        let specification = CellSpecification {
            name: "messenger",
            memory_bytes: MESSENGER_BYTES,
            slots: 0,
            class: Default::default(),
            priority: MESSENGER_PRIORITY,
            passive: false,
            pinned: None,
            pool: 0,
            time: None,
        };
        let made = kernel.boot_cell(right, &program, None, &specification).map_err(refused);
        let waited = made.and_then(|(cell, capability)| {
            let started =
                give(kernel, right, cell, &[letter.argument()], &[Grant::to_call(messenger::TO, *to)])
                    .and_then(|info| {
                        kernel.boot_start(right, cell, &info).map_err(|error| error.to_string())
                    });
            let waited = started.map(|_| wait());
            kernel.boot_destroy(right, &capability);
            waited
        });
        kernel.boot_destroy(right, &program);
        waited
    }
}

impl Workers {
    /// Leaves a request to the thread that it is for, which answers by itself.
    pub fn take(&self, id: u64, request: Request, files: Vec<OwnedFd>) -> Taken {
        if !request.takes_time() {
            return Taken::Now(request, files);
        }
        let worker = if matches!(request, Request::Send { .. }) { &self.messages } else { &self.changes };
        match worker.try_send(Job { id, request, files, asked: Instant::now() }) {
            Ok(()) => Taken::Later,
            // Never answered here: whoever is waited for could hold up all that is asked then.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                let error = format!("too many requests wait: {QUEUE} are before this one; it was not done");
                Taken::Refused(Response::Failed { error })
            }
        }
    }
}

/// The answer to what has waited for its turn so long that it is not done.
fn too_late(waited: Duration) -> Option<Response> {
    (waited > LONGEST_WAIT).then(|| Response::Failed {
        error: format!("not done: others were before it for more than {LONGEST_WAIT:?}"),
    })
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_WAIT, QUEUE, Request, Response, Taken, Workers, bytes_of, hex_of, too_late};
    use crate::host::control::protocol::CellSelector;
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    fn send() -> Request {
        Request::Send { endpoint: "a.b".into(), hex: String::new(), patience_ns: None }
    }

    #[test]
    fn what_takes_time_is_never_done_where_others_are_answered() {
        let (changes, changed) = sync_channel(QUEUE);
        let (messages, sent) = sync_channel(QUEUE);
        let workers = Workers { changes, messages };
        for id in 0..QUEUE as u64 {
            assert!(matches!(workers.take(id, send(), Vec::new()), Taken::Later));
        }
        let Taken::Refused(Response::Failed { error }) = workers.take(64, send(), Vec::new()) else {
            panic!("no room, and nobody to wait for")
        };
        assert!(error.contains("too many requests wait"), "{error}");
        // The others have room of their own, and what is quick needs none.
        let end = Request::End { cell: CellSelector::Number(1) };
        assert!(matches!(workers.take(65, end, Vec::new()), Taken::Later));
        assert!(matches!(workers.take(66, Request::Ps, Vec::new()), Taken::Now(Request::Ps, _)));
        assert_eq!((sent.try_iter().count(), changed.try_iter().count()), (QUEUE, 1));
    }

    #[test]
    fn what_has_waited_too_long_is_not_done() {
        assert_eq!(too_late(LONGEST_WAIT), None);
        let Some(Response::Failed { error }) = too_late(LONGEST_WAIT + Duration::from_nanos(1)) else {
            panic!("its client has gone")
        };
        assert!(error.contains("not done"), "{error}");
    }

    #[test]
    fn bytes_survive_their_digits() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes_of(&hex_of(&all)), Some(all));
        assert_eq!(bytes_of("0aFf"), Some(vec![10, 255]));
        for wrong in ["0", "0g", "+1", "é"] {
            assert_eq!(bytes_of(wrong), None, "{wrong}");
        }
    }
}
