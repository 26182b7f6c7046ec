//! Starting a program in a machine that runs.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hallows_engine::Program;
use hallows_kernel::{CellId, CellSpecification, Rooted, Service};
use hallows_sdk::net::rules::STARTED_BADGE;

use super::registry::{Known, Origin};
use super::unix::{Attendance, PROGRAM_SLOTS};
use super::{Operator, bytes_of};
use crate::host::control::protocol::{
    MOST_DIRECTORIES, Response, StartProgram, StartRequest, StartService, UnixStart,
};
use crate::host::memory::Sealed;
use crate::host::near_miss::near_miss;
use crate::machine::boot::{Grant, give};
use crate::machine::linux_machine::LinuxMachine;
use crate::services;

/// Cells that may be there by an operator's wish at one time, with those that are over and were not removed.
const MOST_STARTED: usize = 64;
/// Arguments, uses, endpoints of one.
const MOST_ARGUMENTS: usize = 64;
/// Arguments and variables of a Unix program: as many as fit into a request.
const MOST_UNIX_TEXTS: usize = 4_096;
const MOST_USES: usize = 32;
const MOST_ENDPOINTS: usize = 32;
/// Bytes of a name.
const NAME_BYTES: usize = 64;
/// Bytes of an artefact: ten times a large interpreter's.
const ARTIFACT_BYTES: usize = 256 << 20;
/// The middle: as a system's cells have it that do not say another.
const PRIORITY: u8 = 3;
/// Messages that may wait for an active server, as a system's have it that do not say another number.
const QUEUE: u32 = 16;

/// A cell that was made.
struct Made {
    cell: CellId,
    capability: Rooted,
    endpoints: Vec<(String, Rooted)>,
    /// What serves it, if it is a Unix program's.
    attendance: Option<Arc<Attendance>>,
}

impl Operator {
    pub(super) fn start(&self, request: &StartRequest, files: Vec<OwnedFd>) -> Result<Response, String> {
        check(request)?;
        let mut files = files.into_iter();
        let file = if request.program.is_in_a_file() { files.next() } else { None };
        let directories: Vec<_> = files.collect();
        let uses = {
            let registry = self.registry();
            if registry.started() >= MOST_STARTED {
                return Err(format!("{MOST_STARTED} cells were started here already; stop one that is over"));
            }
            let found =
                request.uses.iter().map(|(name, endpoint)| Ok((name.clone(), registry.endpoint(endpoint)?)));
            found.collect::<Result<Vec<_>, String>>()?
        };
        let name = self.free_name(&request.name)?;
        let program = self.load(request, file)?;
        let (kernel, right) = (self.running.kernel(), self.running.right());
        let refused = |error| format!("the machine has no room for it: {error}");
        let program = kernel.boot_program(right, program).map_err(refused)?;
        let made = self.make(&name, request, &program, &uses, directories);
        let Made { cell, capability, endpoints, attendance } =
            made.inspect_err(|_| kernel.boot_destroy(right, &program))?;
        let origin = Origin::Started { capability, program, attendance };
        self.registry().add(Known { cell, name: name.clone(), endpoints, origin });
        Ok(Response::Started { cell: u64::from(cell.0), name })
    }

    /// Makes the cell and starts it; undoes it if it does not start.
    fn make(
        &self,
        name: &str,
        request: &StartRequest,
        program: &Rooted,
        uses: &[(String, Rooted)],
        directories: Vec<OwnedFd>,
    ) -> Result<Made, String> {
        let (kernel, right) = (self.running.kernel(), self.running.right());
        let passive = request.serves.iter().any(|(_, service)| *service == StartService::Passive);
        let specification = CellSpecification {
            name,
            memory_bytes: request.memory_bytes,
            slots: if directories.is_empty() { 0 } else { PROGRAM_SLOTS },
            class: Default::default(),
            priority: PRIORITY,
            passive,
            pinned: None,
            pool: 0,
            time: None,
        };
        let (cell, capability) = kernel.boot_cell(right, program, None, &specification).map_err(|error| {
            format!("the machine has no room for a cell with {} bytes: {error}", request.memory_bytes)
        })?;
        let mut endpoints = Vec::with_capacity(request.serves.len());
        let started = match &request.unix {
            Some(unix) => self.furnish_unix(cell, name, request, unix, directories).map(Some),
            None => self.furnish(cell, request, uses, &mut endpoints).map(|()| None),
        };
        if started.is_err() {
            self.destroy(endpoints.iter().map(|(_, endpoint)| endpoint).chain([&capability]));
        }
        started.map(|attendance| Made { cell, capability, endpoints, attendance })
    }

    /// Gives a Unix program what it has, and starts it.
    fn furnish_unix(
        &self,
        cell: CellId,
        name: &str,
        request: &StartRequest,
        unix: &UnixStart,
        directories: Vec<OwnedFd>,
    ) -> Result<Arc<Attendance>, String> {
        let (attendance, info) = self.attend(cell, name, &request.arguments, unix, directories)?;
        let started = self.running.kernel().boot_start(self.running.right(), cell, &info);
        match started {
            Ok(_) => Ok(Arc::new(attendance)),
            Err(error) => {
                self.end_attendance(cell, &attendance);
                Err(format!("it does not start: {error}"))
            }
        }
    }

    /// Makes a cell's endpoints, gives it what it may use, and starts it.
    fn furnish(
        &self,
        cell: CellId,
        request: &StartRequest,
        uses: &[(String, Rooted)],
        endpoints: &mut Vec<(String, Rooted)>,
    ) -> Result<(), String> {
        let (kernel, right) = (self.running.kernel(), self.running.right());
        for (name, service) in &request.serves {
            let service = match service {
                StartService::Passive => Service::Passive { handler_budget_ns: 0 },
                StartService::Active => Service::Active { limit: QUEUE },
            };
            let endpoint = kernel.boot_endpoint(right, cell, service);
            let endpoint = endpoint.map_err(|error| format!("cannot make the endpoint {name}: {error}"))?;
            endpoints.push((name.clone(), endpoint));
        }
        // A number that no other cell has, and no server hands out: without one it could take any.
        let badge = STARTED_BADGE | u64::from(cell.0);
        let grant = |(name, endpoint)| Grant { badge, ..Grant::to_call(name, endpoint) };
        let grants: Vec<_> = uses.iter().map(|(name, endpoint)| grant((name.as_str(), *endpoint))).collect();
        let info = give(kernel, right, cell, &request.arguments, &grants)?;
        kernel.boot_start(right, cell, &info).map_err(|error| format!("it does not start: {error}"))?;
        Ok(())
    }

    /// The name, with a number behind it if it is taken.
    fn free_name(&self, wanted: &str) -> Result<String, String> {
        let cells = self.running.kernel().picture_cells();
        let is_free = |name: &String| cells.iter().all(|cell| *cell.name != **name);
        let numbered = (2..=MOST_STARTED + 2).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        names.find(is_free).ok_or_else(|| format!("too many cells are called {wanted}; give another name"))
    }

    fn load(
        &self,
        request: &StartRequest,
        file: Option<OwnedFd>,
    ) -> Result<Arc<Program<LinuxMachine>>, String> {
        match &request.program {
            StartProgram::Native { name } => {
                let ours = [
                    services::HOST.name,
                    services::NULL.name,
                    services::TUNING.name,
                    services::PICTURE.name,
                    services::packets::PACKETS.name,
                    services::sockets::SOCKETS.name,
                    hallows_supervisor::PROGRAM.name,
                ];
                let known: Vec<&str> = self
                    .natives
                    .iter()
                    .map(|native| native.name)
                    .filter(|name| !ours.contains(name))
                    .collect();
                let found =
                    self.natives.iter().find(|native| native.name == name && known.contains(&native.name));
                found.map(|native| Program::native(native)).ok_or_else(|| {
                    match near_miss(name, known.iter().copied()) {
                        Some(near) => format!("no program {name} is linked in; did you mean {near}?"),
                        None => format!("no program {name} is linked in; there are {}", known.join(", ")),
                    }
                })
            }
            StartProgram::Artifact { program } => {
                let digest: [u8; 32] = bytes_of(program)
                    .and_then(|bytes| bytes.try_into().ok())
                    .ok_or("a program's hash has 64 hexadecimal digits")?;
                let file = file.ok_or("the compiled program did not come with the request")?;
                let artifact = Sealed::map_up_to(&file, ARTIFACT_BYTES)
                    .map_err(|error| format!("cannot take the compiled program: {error}"))?;
                let stack_bytes = request.unix.as_ref().map_or(0, |unix| unix.stack_bytes);
                let stack_bytes = usize::try_from(stack_bytes).unwrap_or(usize::MAX);
                let engine = &self.running.kernel().engine;
                let loaded = engine.load_with_stack(&artifact, digest.into(), stack_bytes);
                loaded.map_err(|error| format!("cannot load the program: {error}"))
            }
        }
    }
}

/// What is wrong with a request, whatever the machine has.
fn check(request: &StartRequest) -> Result<(), String> {
    let names = request.uses.iter().map(|(name, _)| name);
    let names =
        std::iter::once(&request.name).chain(names).chain(request.serves.iter().map(|(name, _)| name));
    for name in names {
        let is_good = |character: char| character.is_alphanumeric() || "-_.".contains(character);
        if name.is_empty() || name.len() > NAME_BYTES || !name.chars().all(is_good) {
            return Err(format!(
                "{name:?} is no name: those have 1 to {NAME_BYTES} letters, digits, dots, dashes and underlines"
            ));
        }
    }
    if request.name.contains('.') {
        return Err(format!(
            "{} is no name of a cell: the dot is between a cell's name and its endpoint's",
            request.name
        ));
    }
    let (most_arguments, variables) = match &request.unix {
        Some(unix) => (MOST_UNIX_TEXTS, unix.variables.len()),
        None => (MOST_ARGUMENTS, 0),
    };
    let directories = request.unix.as_ref().map_or(0, |unix| unix.directories.len());
    if request.unix.is_some() && !(request.uses.is_empty() && request.serves.is_empty()) {
        return Err(
            "a program of Unix calls no endpoint and serves none: leave --use and --serve out".to_owned()
        );
    }
    for (what, count, most) in [
        ("arguments", request.arguments.len(), most_arguments),
        ("variables", variables, MOST_UNIX_TEXTS),
        ("directories", directories, MOST_DIRECTORIES),
        ("uses", request.uses.len(), MOST_USES),
        ("endpoints", request.serves.len(), MOST_ENDPOINTS),
    ] {
        if count > most {
            return Err(format!("{count} {what} are more than the {most} that a cell is started with here"));
        }
    }
    let is_passive = |(_, service): &(String, StartService)| *service == StartService::Passive;
    let passive = request.serves.iter().filter(|endpoint| is_passive(endpoint)).count();
    if passive != 0 && passive != request.serves.len() {
        return Err("a cell serves all its endpoints passively, or all actively".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> StartRequest {
        StartRequest {
            program: StartProgram::Native { name: "spin".to_owned() },
            name: "one".to_owned(),
            arguments: Vec::new(),
            uses: Vec::new(),
            serves: Vec::new(),
            memory_bytes: 1,
            unix: None,
        }
    }

    fn refusal(change: impl FnOnce(&mut StartRequest)) -> String {
        let mut request = request();
        change(&mut request);
        check(&request).unwrap_err()
    }

    #[test]
    fn hostile_requests_are_refused_before_anything_is_made() {
        assert_eq!(check(&request()), Ok(()));
        for name in ["", "a b", "a\n", "\u{1b}[2J", &"x".repeat(65)] {
            assert!(refusal(|request| request.name = name.to_owned()).contains("is no name"), "{name:?}");
            let use_of = (name.to_owned(), "a.b".to_owned());
            assert!(refusal(|request| request.uses.push(use_of)).contains("is no name"), "{name:?}");
        }
        assert!(refusal(|request| request.name = "a.b".to_owned()).contains("the dot"));
        assert!(refusal(|request| request.arguments = vec![String::new(); 65]).contains("65 arguments"));
        let passive = |name: &str| (name.to_owned(), StartService::Passive);
        let unix = || Some(UnixStart { program: "tool.wasm".to_owned(), ..UnixStart::default() });
        let serves =
            |request: &mut StartRequest| (request.unix, request.serves) = (unix(), vec![passive("x")]);
        assert!(refusal(serves).contains("serves none"));
        let many = |request: &mut StartRequest| {
            (request.unix, request.arguments) = (unix(), vec![String::new(); 5_000]);
        };
        assert!(refusal(many).contains("5000 arguments"));
        assert!(refusal(|request| request.serves = vec![passive("x"); 33]).contains("33 endpoints"));
        let active = ("y".to_owned(), StartService::Active);
        assert!(refusal(|request| request.serves = vec![passive("x"), active]).contains("all actively"));
    }
}
