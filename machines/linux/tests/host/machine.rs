//! A small machine for the tests: it starts threads and jails itself as a real one does, then does as it is told.

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::Arc;

use hallows_linux::host::child::{ChildError, MachineProcess};
use hallows_linux::host::control::protocol::{MemoryStatus, TimekeeperState, TimekeeperStatus};
use hallows_linux::host::control::{CellSelector, MachineStatus, Request, Response};
use hallows_linux::host::cores::CoreChoice;
use hallows_linux::host::jail::Confined;
use hallows_linux::host::link::{FromMachine, LinkReceiver, LinkSender, TerminalMode, ToMachine};
use hallows_linux::host::memory::{Hold, Locking};
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::host::threads::{PinnedThread, ThreadPlan, ThreadRole, adopt, spawn};
use hallows_linux::host::tier::{Step, StepName, Tier};
use hallows_linux::host::timer::Parker;
use serde::{Deserialize, Serialize};

/// What the machine is to be.
#[derive(Serialize, Deserialize)]
pub struct Config {
    pub cores: CoreChoice,
    pub memory: ByteSize,
    pub manner: Manner,
}

/// How it behaves.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manner {
    /// Stops when asked.
    Polite,
    /// Does not stop when asked.
    Stubborn,
    /// Sends back what it reads from the console, and ends with code 7 at its end.
    Echo,
    /// Wants single keys and says which come, until `q`.
    Keys,
}

struct Machine {
    config: Config,
    console: OwnedFd,
    sender: LinkSender,
    hold: Arc<Hold>,
    tier: Tier,
}

pub fn run(process: Result<MachineProcess, ChildError>) -> ExitCode {
    match process {
        Ok(process) => boot(process),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(64)
        }
    }
}

fn boot(process: MachineProcess) -> ExitCode {
    let config: Config = serde_json::from_slice(&process.config).unwrap();
    let hold = Arc::new(Hold::new().unwrap());
    let outcome = Locking::begin(config.memory.0).outcome();
    process.sender.send(FromMachine::Step(Step { name: StepName::Memory, outcome })).unwrap();
    let confined = Confined::enter().unwrap();
    let booted = Arc::new(Parker::new());
    let threads = start_threads(&config, &hold, &booted);
    let mut infos: Vec<_> = threads.iter().map(|thread| thread.info().unwrap()).collect();
    infos.push(adopt(ThreadRole::Control(config.cores.cleaner_core())));
    process.sender.send(FromMachine::Threads { threads: infos }).unwrap();
    let report = confined.seal().unwrap();
    let tier = Tier::Shared;
    let machine = Machine { config, console: process.console, sender: process.sender, hold, tier };
    machine.say(&format!("jailed {}", serde_json::to_string(&report).unwrap()));
    // The pid is what the kernel says it is, whatever /proc would say.
    machine.say(&format!("machine {}", std::process::id()));
    booted.unpark();
    let mut attached = [0; 100];
    let length = rustix::io::pread(&process.attachments[0], &mut attached, 0).unwrap();
    machine.say(&format!("attached {}", String::from_utf8_lossy(&attached[..length])));
    match machine.config.manner {
        Manner::Echo => machine.echo(),
        Manner::Keys => machine.keys(),
        Manner::Polite | Manner::Stubborn => machine.serve(process.receiver),
    }
}

fn start_threads(config: &Config, hold: &Arc<Hold>, booted: &Arc<Parker>) -> Vec<PinnedThread<()>> {
    let cores = &config.cores;
    let sleep = || {
        Parker::<std::sync::atomic::AtomicU32>::new().park(None);
    };
    let mut threads: Vec<_> =
        cores.programs.iter().map(|core| spawn(ThreadPlan::new(ThreadRole::Programs(core)), sleep)).collect();
    threads.push(spawn(ThreadPlan::new(ThreadRole::Timekeeper(cores.timekeeper_core())), sleep));
    let (hold, booted, bytes) = (hold.clone(), booted.clone(), config.memory.0);
    threads.push(spawn(ThreadPlan::new(ThreadRole::Cleaner(cores.cleaner_core())), move || {
        booted.park(None);
        while hold.settle(bytes).unwrap() {}
    }));
    threads.into_iter().map(Result::unwrap).collect()
}

impl Machine {
    fn say(&self, line: &str) {
        write_all(&self.console, format!("{line}\n").as_bytes());
    }

    fn echo(&self) -> ExitCode {
        let mut buffer = [0; 4096];
        loop {
            match rustix::io::read(&self.console, &mut buffer).unwrap() {
                0 => return ExitCode::from(7),
                bytes => write_all(&self.console, &buffer[..bytes]),
            }
        }
    }

    fn keys(&self) -> ExitCode {
        self.sender.send(FromMachine::Terminal { mode: TerminalMode::Raw }).unwrap();
        self.say("keys wanted");
        let mut key = [0];
        while rustix::io::read(&self.console, &mut key).unwrap() == 1 && key != *b"q" {
            self.say(&format!("key {}", key[0]));
        }
        ExitCode::SUCCESS
    }

    fn serve(mut self, mut receiver: LinkReceiver) -> ExitCode {
        while let Some((message, _)) = receiver.receive().unwrap() {
            match message {
                ToMachine::Tier(report) => {
                    self.tier = report.tier;
                    self.say(&format!("tier {}", serde_json::to_string(&report).unwrap()));
                }
                ToMachine::Request { id, request } => {
                    let response = self.answer(request);
                    self.sender.send(FromMachine::Reply { id, response }).unwrap();
                }
                ToMachine::Stop { grace_ns } => {
                    self.say(&format!("asked to stop within {grace_ns} ns"));
                    if self.config.manner == Manner::Polite {
                        return ExitCode::SUCCESS;
                    }
                }
                ToMachine::WindowSize { columns, rows } => self.say(&format!("window {columns} x {rows}")),
                ToMachine::Wire { .. } => self.say("wire"),
            }
        }
        ExitCode::from(9)
    }

    fn answer(&self, request: Request) -> Response {
        match request {
            Request::Kill { cell: CellSelector::Name(name) } if name == "everything" => std::process::abort(),
            Request::Ps => Response::Machine(self.status()),
            other => Response::Failed { error: format!("this machine has no cells, so no {other:?}") },
        }
    }

    fn status(&self) -> MachineStatus {
        let cores = &self.config.cores;
        MachineStatus {
            tier: self.tier,
            cores: cores.programs.clone(),
            housekeeping: cores.housekeeping.clone(),
            uptime_ns: 1,
            memory: MemoryStatus {
                budget_bytes: self.config.memory.0,
                populated_bytes: self.hold.held_bytes(),
                is_locked: false,
                used_bytes: 0,
            },
            timekeeper: TimekeeperStatus {
                core: cores.timekeeper_core(),
                place: cores.timekeeper,
                state: TimekeeperState::Sleeping,
                percent_now: 0.0,
                percent_since_boot: 0.0,
                wakeups: 0,
            },
            cells: Vec::new(),
        }
    }
}

fn write_all(console: &impl AsFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // Without a parent there is nobody to tell; the kernel's SIGKILL is on its way.
        let Ok(written) = rustix::io::write(console, bytes) else { return };
        bytes = &bytes[written..];
    }
}
