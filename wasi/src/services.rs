//! The system in a cell: kernel calls, and stubs of the interfaces that the cell was granted capabilities of.

mod room;

use core::time::Duration;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use hallows_sdk::abi::EventKind;
use hallows_sdk::net::protocol;
use hallows_sdk::stub::{Borrow, Caller, List, Own, Resource};
use hallows_sdk::{
    Budget, Deadline, Endpoint, Error, Handle, Notification, Object, Outcome, Rights, Start, Transfer, abi,
    log, process, program, space,
};
use hallows_system::files::{Advice, Beginning, Entry, File, Moment, Opened, Opening, Status};
use hallows_system::{clock, console, invocation, random};

use self::room::Room;

use crate::system::{BYTES_MOST, Sizes, System};
use crate::{Errno, Given, Result};

/// What the names of grants of directories begin with; the path that the program knows it by follows.
const DIRECTORY_PREFIX: &str = "dir:";

/// How long to wait before a server whose queue is full is asked again: about what it takes to answer some.
const FULL: Duration = Duration::from_micros(50);

/// Bytes of a write that a server must take for us to go on with it.
const WRITE_LEAST: usize = 256;

const NEVER: Deadline = Deadline::NEVER;

/// What the names of grants of networks begin with; the TCP port that the program listens on follows.
const PORT_PREFIX: &str = "listen-";

/// Connections that may wait at a port; a service may let fewer.
const BACKLOG: u16 = 128;

/// The badge of the notification that all sockets ring.
const BELL_BADGE: u64 = 1;

/// An endpoint whose server may be busy: then it is asked until it is not.
#[derive(Clone, Copy, Debug)]
pub struct Patient(Endpoint);

impl Caller for Patient {
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> core::result::Result<Outcome, Error> {
        loop {
            match hallows_sdk::call(self.0, bytes, transfers, reply, handles, deadline) {
                Err(Error::Busy) => hallows_sdk::pause(FULL)?,
                result => return result,
            }
        }
    }
}

/// The kernel and the granted services of the cell that runs this code.
#[derive(Debug)]
pub struct Services {
    invocation: Option<invocation::Client<Patient>>,
    clock: Option<clock::Client<Patient>>,
    random: Option<random::Client<Patient>>,
    /// For messages, both ways.
    room: Room,
    /// Bytes that consoles take in one message; less than [`BYTES_MOST`] where one's inbox is short.
    console_most: u32,
    /// Bytes that files take in one message.
    file_most: u32,
    /// What sockets ring, if there are any.
    bell: Option<Notification>,
    /// It has rung since somebody waited for it.
    has_rung: bool,
}

/// A socket.
#[derive(Clone, Copy, Debug)]
pub enum Socket {
    /// A port that is listened on.
    Port(protocol::Listener<Patient>),
    /// A connection.
    Connection(protocol::Connection<Patient>),
}

/// A granted capability by name.
fn grant(start: &Start<'_>, name: &str) -> Option<Patient> {
    start.optional(name).map(Patient)
}

impl Services {
    /// What the cell was started with.
    ///
    /// # Errors
    ///
    /// Those of reading the start information.
    pub fn start() -> core::result::Result<(Self, Given<Self>), Error> {
        let mut room = vec![0; program::MOST_START_BYTES];
        let start = program::read_start(&mut room)?;
        let console = |name| grant(&start, name).map(console::Client);
        let directories = start.info().grants().filter_map(|(name, handle)| {
            Some((String::from(name.strip_prefix(DIRECTORY_PREFIX)?), Endpoint::from_handle(handle)))
        });
        let mut services = Self {
            invocation: grant(&start, "invocation").map(invocation::Client),
            clock: grant(&start, "clock").map(clock::Client),
            random: grant(&start, "random").map(random::Client),
            room: Room::default(),
            console_most: BYTES_MOST,
            file_most: BYTES_MOST,
            bell: None,
            has_rung: false,
        };
        let mut ports = Vec::new();
        for (name, handle) in start.info().grants() {
            // With a dot in it, it is told of those who serve it.
            if let Some(port) = name.strip_prefix(PORT_PREFIX).filter(|port| !port.contains('.')) {
                ports.push(services.listen(port, Endpoint::from_handle(handle))?);
            }
        }
        let given = Given {
            input: console("console.in"),
            output: console("console.out"),
            error: console("console.err"),
            directories: directories.map(|(name, directory)| (name, File(directory))).collect(),
            ports,
        };
        Ok((services, given))
    }

    /// Listens on a port of a network. Without it the program is not what its system wants: it ends.
    fn listen(&mut self, port: &str, network: Endpoint) -> core::result::Result<Socket, Error> {
        self.try_listen(port, network).inspect_err(|error| {
            log!("cannot listen on the port {port}: {}", error.message());
            let _ = process::exit(1);
        })
    }

    fn try_listen(&mut self, port: &str, network: Endpoint) -> core::result::Result<Socket, Error> {
        let number = port.parse().map_err(|_| Error::BadArgument)?;
        let bell = match self.bell {
            Some(bell) => bell,
            None => {
                let bell: Notification = Budget::OWN.create_notification()?;
                bell.bind(BELL_BADGE)?;
                *self.bell.insert(bell)
            }
        };
        // A service that has ended rings it, too.
        network.watch(bell)?;
        let listening = protocol::Network(Patient(network)).listen(number, BACKLOG, NEVER)?;
        let Own(protocol::Listener(listener)) = listening.map_err(|refusal| match refusal {
            protocol::Refusal::NotPermitted => Error::NoRight,
            protocol::Refusal::InUse => Error::Busy,
            _ => Error::Refused,
        })?;
        let listener = protocol::Listener(Patient(listener));
        listener.tell(self.bell()?, NEVER)?;
        Ok(Socket::Port(listener))
    }

    /// A capability that rings the bell and does nothing else.
    fn bell(&self) -> core::result::Result<Own<protocol::Bell>, Error> {
        let bell = self.bell.ok_or(Error::BadState)?;
        let given = space::mint(bell, Rights::SEND | Rights::TRANSFER, 0)?;
        Ok(Own(protocol::Bell::from_capability(given.handle())))
    }
}

/// Writes bytes, or as many from the front as a server's inbox has room for, which is kept in mind.
fn write<R: Into<Errno>>(
    most: &mut u32,
    bytes: &[u8],
    mut put: impl FnMut(&[u8]) -> core::result::Result<core::result::Result<u32, R>, Error>,
) -> Result<u32> {
    loop {
        let front = bytes.get(..*most as usize).unwrap_or(bytes);
        match put(front) {
            Err(Error::TooLong) if front.len() > WRITE_LEAST => *most = front.len() as u32 / 2,
            result => return answer(result),
        }
    }
}

/// A file that can be called with patience.
fn patient(file: File) -> File<Patient> {
    File(Patient(file.0))
}

/// That the cell's space has a slot for one more capability, tried with one that it has.
fn has_slot(of: Endpoint) -> Result {
    match space::copy(of) {
        Ok(probe) => Ok(space::delete(probe)?),
        Err(Error::SpaceFull) => Err(Errno::Nfile),
        Err(Error::Killed) => Err(Errno::Intr),
        // Whatever keeps a copy from being made keeps no slot from being free.
        Err(_) => Ok(()),
    }
}

/// An answer about a socket, which is lost with its service.
fn about_socket<T>(
    answer: core::result::Result<core::result::Result<T, protocol::Refusal>, Error>,
) -> Result<T> {
    match answer {
        Ok(answer) => answer.map_err(Into::into),
        Err(Error::Killed) => Err(Errno::Intr),
        Err(Error::SpaceFull | Error::TableFull) => Err(Errno::Nfile),
        Err(_) => Err(Errno::Connreset),
    }
}

/// An answer that says yes or no, with a service's refusal as an error of WASI.
fn answer<T, R: Into<Errno>>(answer: core::result::Result<core::result::Result<T, R>, Error>) -> Result<T> {
    answer?.map_err(Into::into)
}

impl System for Services {
    type File = File;
    type Console = console::Client<Patient>;
    type Socket = Socket;

    #[inline]
    fn now(&mut self) -> Result<u64> {
        Ok(process::now()?)
    }

    fn realtime(&mut self) -> Result<u64> {
        let clock::Instant { seconds, nanoseconds } = self.clock.ok_or(Errno::Inval)?.realtime(NEVER)?;
        let seconds = u64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000_000));
        seconds.and_then(|whole| whole.checked_add(u64::from(nanoseconds))).ok_or(Errno::Overflow)
    }

    fn resolution(&mut self) -> Result<u64> {
        match self.clock {
            Some(clock) => Ok(clock.resolution(NEVER)?),
            None => Ok(1),
        }
    }

    fn random(&mut self, most: u32) -> Result<&[u8]> {
        if let Some(random) = self.random {
            let most = most.min(BYTES_MOST);
            return Ok(random.bytes(most, self.room.of(most as usize), NEVER)?);
        }
        // Every cell may ask the kernel, but for little at a time.
        let bytes = process::random()?;
        let (room, _) = self.room.of(bytes.len()).split_at_mut(bytes.len());
        room.copy_from_slice(&bytes);
        Ok(room)
    }

    fn give_way(&mut self) -> Result {
        self.room.forget();
        Ok(process::yield_now()?)
    }

    fn sleep(&mut self, until: u64) -> Result {
        self.room.forget();
        // A wait without an end, and with nothing that it could be for, is refused.
        let until = until.min(abi::NO_DEADLINE - 1);
        // What else could end a wait comes to no program of WASI; if it did, the clock says whether it is time.
        while process::now()? < until {
            let event = hallows_sdk::wait(&mut [], &mut [], Deadline::at(until))?;
            self.has_rung |= event.kind == EventKind::Notification;
        }
        Ok(())
    }

    fn exit(&mut self, status: u32) {
        let _ = process::exit(status);
    }

    fn measure(&mut self) -> Result<Sizes> {
        match self.invocation {
            Some(invocation) => Ok(invocation.measure(NEVER)?),
            None => Ok(Sizes { arguments: 0, argument_bytes: 0, variables: 0, variable_bytes: 0 }),
        }
    }

    fn arguments(&mut self, from: u32) -> Result<&[u8]> {
        Ok(self.invocation.ok_or(Errno::Io)?.arguments(from, self.room.all(), NEVER)?)
    }

    fn variables(&mut self, from: u32) -> Result<&[u8]> {
        Ok(self.invocation.ok_or(Errno::Io)?.variables(from, self.room.all(), NEVER)?)
    }

    fn put(&mut self, console: Self::Console, bytes: &[u8]) -> Result<u32> {
        let room = self.room.of(bytes.len());
        write(&mut self.console_most, bytes, |bytes| console.write(bytes, room, NEVER))
    }

    fn get(&mut self, console: Self::Console, most: u32) -> Result<&[u8]> {
        let most = most.min(BYTES_MOST);
        answer(console.read(most, self.room.of(most as usize), NEVER))
    }

    fn await_input(&mut self, console: Self::Console, most: u64) -> Result<bool> {
        self.room.forget();
        answer(console.await_input(most, NEVER))
    }

    fn is_terminal(&mut self, console: Self::Console) -> Result<bool> {
        Ok(console.is_terminal(NEVER)?)
    }

    fn status(&mut self, file: File) -> Result<Status> {
        match self.room.status(file, process::now()?) {
            Some(status) => Ok(status),
            None => answer(patient(file).status(NEVER)),
        }
    }

    fn read(&mut self, file: File, offset: u64, most: u32) -> Result<&[u8]> {
        let most = most.min(BYTES_MOST);
        if let Some(place) = self.room.known(file, offset, most, process::now()?) {
            return Ok(self.room.part(place));
        }
        answer(patient(file).read(offset, most, self.room.of(most as usize), NEVER))
    }

    fn write(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<u32> {
        let room = self.room.of(bytes.len());
        let file = patient(file);
        write(&mut self.file_most, bytes, |bytes| file.write(offset, bytes, room, NEVER))
    }

    fn append(&mut self, file: File, bytes: &[u8]) -> Result<u32> {
        let room = self.room.of(bytes.len());
        let file = patient(file);
        write(&mut self.file_most, bytes, |bytes| file.append(bytes, room, NEVER))
    }

    fn set_size(&mut self, file: File, size: u64) -> Result {
        self.room.forget();
        answer(patient(file).set_size(size, NEVER))
    }

    fn set_times(&mut self, file: File, accessed: Moment, modified: Moment) -> Result {
        self.room.forget();
        answer(patient(file).set_times(accessed, modified, NEVER))
    }

    fn allocate(&mut self, file: File, offset: u64, length: u64) -> Result {
        self.room.forget();
        answer(patient(file).allocate(offset, length, NEVER))
    }

    fn advise(&mut self, file: File, offset: u64, length: u64, advice: Advice) -> Result {
        self.room.forget();
        answer(patient(file).advise(offset, length, advice, NEVER))
    }

    fn sync(&mut self, file: File, data_only: bool) -> Result {
        self.room.forget();
        answer(patient(file).sync(data_only, NEVER))
    }

    fn close(&mut self, file: File) {
        self.room.closed(file);
        // A server that has started anew has not the file any more; the capability is ours to delete in any case.
        let _ = patient(file).close(NEVER);
        let _ = space::delete(file.0);
    }

    fn open(&mut self, directory: File, path: &[u8], how: Opening) -> Result<(File, Status)> {
        // An answer whose capability finds no slot is lost, and what the server has opened would stay open.
        has_slot(directory.0)?;
        let (since, most) = (process::now()?, self.room.worth(how));
        let room = self.room.of(path.len().max(most as usize));
        let start = room.as_ptr().addr();
        let Opened { file: Own(file), status, beginning } =
            answer(patient(directory).open(path, how, most, room, NEVER))?;
        let beginning = beginning.map(|Beginning { bytes, is_all }| {
            // It lies in the room.
            let start = bytes.as_ptr().addr() - start;
            (start..start + bytes.len(), is_all)
        });
        self.room.keep(file, status, beginning, since);
        Ok((file, status))
    }

    fn entries(&mut self, directory: File, from: u64) -> Result<List<'_, Entry<'_>>> {
        answer(patient(directory).entries(from, self.room.all(), NEVER))
    }

    fn status_of(&mut self, directory: File, path: &[u8], follow: bool) -> Result<Status> {
        answer(patient(directory).status_of(path, follow, self.room.of(path.len()), NEVER))
    }

    fn set_times_of(
        &mut self,
        directory: File,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
    ) -> Result {
        let room = self.room.of(path.len());
        answer(patient(directory).set_times_of(path, follow, accessed, modified, room, NEVER))
    }

    fn make_directory(&mut self, directory: File, path: &[u8]) -> Result {
        answer(patient(directory).make_directory(path, self.room.of(path.len()), NEVER))
    }

    fn remove_directory(&mut self, directory: File, path: &[u8]) -> Result {
        answer(patient(directory).remove_directory(path, self.room.of(path.len()), NEVER))
    }

    fn remove_file(&mut self, directory: File, path: &[u8]) -> Result {
        answer(patient(directory).remove_file(path, self.room.of(path.len()), NEVER))
    }

    fn rename(&mut self, directory: File, path: &[u8], to: File, new_path: &[u8]) -> Result {
        let room = self.room.of(path.len() + new_path.len());
        answer(patient(directory).rename(path, Borrow(to), new_path, room, NEVER))
    }

    fn link(&mut self, directory: File, path: &[u8], follow: bool, to: File, new_path: &[u8]) -> Result {
        let room = self.room.of(path.len() + new_path.len());
        answer(patient(directory).link(path, follow, Borrow(to), new_path, room, NEVER))
    }

    fn make_link(&mut self, directory: File, target: &[u8], path: &[u8]) -> Result {
        let room = self.room.of(target.len() + path.len());
        answer(patient(directory).make_link(target, path, room, NEVER))
    }

    fn link_target(&mut self, directory: File, path: &[u8]) -> Result<&[u8]> {
        answer(patient(directory).link_target(path, self.room.all(), NEVER))
    }

    fn accept(&mut self, port: Socket) -> Result<Socket> {
        let Socket::Port(port) = port else { return Err(Errno::Inval) };
        // An answer whose capability finds no slot is lost, and the connection with it.
        let bell = self.bell()?;
        has_slot(bell.0.0)?;
        let accepted = about_socket(port.accept(NEVER));
        let Ok(protocol::Accepted { stream: Own(protocol::Connection(connection)), .. }) = accepted else {
            let _ = space::delete(bell.0.0);
            return accepted.map(|_| Socket::Port(port));
        };
        let connection = protocol::Connection(Patient(connection));
        let told = connection.tell(bell, NEVER);
        if let Err(error) = told {
            self.leave(Socket::Connection(connection));
            return Err(error.into());
        }
        Ok(Socket::Connection(connection))
    }

    fn receive(&mut self, connection: Socket, most: u32) -> Result<&[u8]> {
        let Socket::Connection(connection) = connection else { return Err(Errno::Inval) };
        let most = most.min(BYTES_MOST);
        about_socket(connection.read(most, self.room.of(most as usize), NEVER))
    }

    fn send(&mut self, connection: Socket, bytes: &[u8]) -> Result<u32> {
        let Socket::Connection(connection) = connection else { return Err(Errno::Inval) };
        about_socket(connection.write(bytes, self.room.of(bytes.len()), NEVER))
    }

    fn finish(&mut self, connection: Socket) -> Result {
        let Socket::Connection(connection) = connection else { return Err(Errno::Inval) };
        about_socket(connection.finish(NEVER))
    }

    fn leave(&mut self, socket: Socket) {
        // A service that has ended has closed it; the capability is ours to delete in any case.
        let endpoint = match socket {
            Socket::Port(port) => {
                let _ = port.close(NEVER);
                port.0.0
            }
            Socket::Connection(connection) => {
                let _ = connection.close(NEVER);
                connection.0.0
            }
        };
        let _ = space::delete(endpoint);
    }

    fn await_sockets(&mut self, until: u64) -> Result {
        self.room.forget();
        if !core::mem::take(&mut self.has_rung) {
            hallows_sdk::wait(&mut [], &mut [], Deadline::at(until.min(abi::NO_DEADLINE)))?;
        }
        Ok(())
    }
}
