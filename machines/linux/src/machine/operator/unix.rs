//! What a Unix program has that an operator starts: a [desk](services::DESK) of its own and, if it is given directories, a cell of the
//! [host service](services::HOST). They are made with it and ended with it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use hallows_engine::Program;
use hallows_kernel::{CellId, CellSpecification, CellState, CoreId, Rooted, Service};
use hallows_sdk::native::NativeProgram;

use super::registry::{Known, Origin};
use super::{LONGEST_CHANGE, LOOK_EVERY, Operator};
use crate::host::control::protocol::UnixStart;
use crate::machine::boot::{Grant, give};
use crate::services::{
    self, Badge, DESK, ENDPOINT_GRANT, ENDPOINT_RIGHTS, GRANT_RIGHTS, GRANTS, GrantedDirectory, HOST, Lent,
    Seat,
};

/// Memory of a cell that serves one, in bytes: as it has that serves programs which a system begins with. So for the rest.
const SERVER_BYTES: u64 = 2 << 20;
/// It answers before anything else runs.
const SERVER_PRIORITY: u8 = 7;
/// Messages that may wait for it: each program asks for one thing at a time.
const SERVER_QUEUE: u32 = 64;
/// Capabilities of a program's space that has directories: one for each file that it may have open, and some.
pub(super) const PROGRAM_SLOTS: u32 = 4_096;

/// Why nothing is given of a machine that reaches nothing.
const NO_DIRECTORIES: &str = "this machine lends no directories: start it with --dir and those that its programs may be given (`hallows --dir \
                              …`, `hallows run SYSTEM --dir …`), or run the program by itself, `hallows run PROGRAM --dir …`";

/// What is there for one program, and goes with it.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    cells: Vec<CellId>,
    /// The root's capabilities of all of it, in the order in which they are made.
    objects: Vec<Rooted>,
    /// The endpoint of the cell that has its files.
    host: Option<Rooted>,
    _seat: Option<Seat>,
    _lent: Option<Lent>,
}

/// A cell that serves a program.
struct Server {
    program: &'static NativeProgram,
    /// What it is called, behind its program's name.
    what: &'static str,
    /// Its only argument.
    argument: String,
    /// The service core that it is on; it serves passively, without.
    core: Option<CoreId>,
}

impl Operator {
    /// Makes and starts what serves a program, whose cell was made and has not started, and grants it that; the cell's start information.
    pub(super) fn attend(
        &self,
        cell: CellId,
        name: &str,
        arguments: &[String],
        unix: &UnixStart,
        directories: Vec<OwnedFd>,
    ) -> Result<(Attendance, Vec<u8>), String> {
        let mut attendance = Attendance::default();
        let info = self.serve(cell, name, arguments, unix, directories, &mut attendance);
        let info = info.inspect_err(|_| self.end_attendance(cell, &attendance))?;
        Ok((attendance, info))
    }

    /// The same. What was made is in the attendance, also where not all could be.
    fn serve(
        &self,
        cell: CellId,
        name: &str,
        arguments: &[String],
        unix: &UnixStart,
        directories: Vec<OwnedFd>,
        attendance: &mut Attendance,
    ) -> Result<Vec<u8>, String> {
        let machine = &self.running.kernel().machine;
        let outlet = machine.outlet(name);
        let bytes = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| text.clone().into_bytes()).collect::<Vec<_>>()
        };
        let arguments = bytes(&mut std::iter::once(&unix.program).chain(arguments));
        let variables = bytes(&mut unix.variables.iter());
        let seat = Seat::take(Arc::clone(&outlet), &arguments, &variables);
        let seat = seat.map_err(|error| error.to_string())?;
        let server = Server { program: &DESK, what: "desk", argument: seat.argument(), core: None };
        attendance._seat = Some(seat);
        let desk = self.make_server(name, server, attendance)?;
        let names: Vec<_> =
            unix.directories.iter().map(|directory| services::directory_grant(&directory.name)).collect();
        let grant = |name, endpoint, badge: Badge| Grant {
            name,
            endpoint,
            rights: GRANT_RIGHTS,
            badge: badge.number(),
        };
        let mut grants: Vec<_> = GRANTS.iter().map(|(name, badge)| grant(name, desk, *badge)).collect();
        if !names.is_empty() {
            let host = self.lend(name, unix, directories, attendance)?;
            grants.extend((0..).zip(&names).map(|(place, name)| grant(name, host, Badge::Directory(place))));
        }
        let info = give(self.running.kernel(), self.running.right(), cell, &[], &grants)?;
        machine.let_out(cell, Some(outlet));
        Ok(info)
    }

    /// Takes the directories that came with a request, and makes who serves them: the endpoint.
    fn lend(
        &self,
        name: &str,
        unix: &UnixStart,
        directories: Vec<OwnedFd>,
        attendance: &mut Attendance,
    ) -> Result<Rooted, String> {
        let core = self.lending.ok_or(NO_DIRECTORIES)?;
        if directories.len() != unix.directories.len() {
            return Err("the directories did not come with the request".to_owned());
        }
        let granted = unix.directories.iter().zip(directories).map(|(directory, descriptor)| {
            let (name, read_only) = (directory.name.clone(), directory.read_only);
            GrantedDirectory { descriptor, read_only, name }
        });
        let lent = Lent::take(granted.collect()).map_err(|error| error.to_string())?;
        let server = Server { program: &HOST, what: "host", argument: lent.argument(), core: Some(core) };
        attendance._lent = Some(lent);
        let endpoint = self.make_server(name, server, attendance)?;
        attendance.host = Some(endpoint);
        Ok(endpoint)
    }

    fn make_server(&self, name: &str, server: Server, attendance: &mut Attendance) -> Result<Rooted, String> {
        let Server { program, what, argument, core } = server;
        let (kernel, right) = (self.running.kernel(), self.running.right());
        let refused = |error| format!("the machine has no room for what serves it: {error}");
        let program = kernel.boot_program(right, Program::native(program)).map_err(refused)?;
        attendance.objects.push(program);
        let name = format!("{name}.{what}");
        let specification = CellSpecification {
            name: &name,
            memory_bytes: SERVER_BYTES,
            slots: core.map_or(0, |_| PROGRAM_SLOTS),
            class: Default::default(),
            priority: SERVER_PRIORITY,
            passive: core.is_none(),
            pinned: core,
            pool: 0,
            time: None,
        };
        let (cell, capability) = kernel.boot_cell(right, &program, None, &specification).map_err(refused)?;
        attendance.objects.push(capability);
        attendance.cells.push(cell);
        let service = match core {
            Some(_) => Service::Active { limit: SERVER_QUEUE },
            None => Service::Passive { handler_budget_ns: 0 },
        };
        let endpoint = kernel.boot_endpoint(right, cell, service).map_err(refused)?;
        attendance.objects.push(endpoint);
        // It makes capabilities of its own endpoint: the files that it has opened.
        let own = [Grant { name: ENDPOINT_GRANT, endpoint, rights: ENDPOINT_RIGHTS, badge: 0 }];
        let grants: &[_] = if core.is_some() { &own } else { &[] };
        let info = give(kernel, right, cell, &[argument], grants)?;
        kernel.machine.let_out(cell, None);
        kernel.boot_start(right, cell, &info).map_err(refused)?;
        self.registry().add(Known {
            cell,
            name,
            endpoints: vec![(what.to_owned(), endpoint)],
            origin: Origin::System,
        });
        Ok(endpoint)
    }

    /// Closes the files that a life of a program, which is over, had open: before anything that the next one asks for.
    pub(super) fn close_files(&self, attendance: &Attendance) -> Result<(), String> {
        let Some(host) = &attendance.host else { return Ok(()) };
        let told =
            self.running.kernel().boot_send(self.running.right(), host, Badge::Ended.number(), b"ended");
        told.map_err(|error| format!("what serves its files does not listen: {error}"))
    }

    /// Ends what served a program, which is over.
    pub(super) fn end_attendance(&self, cell: CellId, attendance: &Attendance) {
        let machine = &self.running.kernel().machine;
        machine.shut_out(cell);
        for server in &attendance.cells {
            self.registry().remove(*server);
        }
        self.destroy(attendance.objects.iter().rev());
        let began = Instant::now();
        for server in &attendance.cells {
            // One that has a core of its own ends there, and only then is its end not said.
            while self.running.kernel().state(*server) != CellState::Free && began.elapsed() < LONGEST_CHANGE
            {
                std::thread::sleep(LOOK_EVERY);
            }
            machine.shut_out(*server);
        }
    }
}
