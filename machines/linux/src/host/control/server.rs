//! The parent's side: takes connections and requests, keeps track of who waits for which answer.
//!
//! It never blocks and bounds what a client can make it hold: connections, length of a request, open files, unread answers.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use rustix::event::PollFlags;

use super::client::pid_of_socket;
use super::protocol::{MOST_DIRECTORIES, Request, Response};
use crate::host::files::FileError;
use crate::host::line_socket::{Descriptors, Filled, LineSocket, REQUEST_LIMIT_BYTES};
use crate::host::process_id::ProcessId;
use crate::host::runtime_dir::RuntimeDir;

/// Connections at one time. More wait in the listener's queue: a client that keeps one open is a monitor or a mistake.
const MAX_CONNECTIONS: usize = 32;
/// Answers that a client may leave unread before it is cut off: two statuses of 10,000 cells.
const MAX_UNREAD_BYTES: usize = 8 << 20;

/// Open files that a client may have sent and that belong to no request yet: one that starts a program has that, and directories.
const MAX_OPEN_FILES: usize = 1 + MOST_DIRECTORIES;

/// Names a connection for as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(u64);

#[cfg(test)]
impl ConnectionId {
    /// For tests of what goes by connection.
    pub(crate) const fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// The listening socket and its connections.
#[derive(Debug)]
pub(crate) struct ControlServer {
    path: PathBuf,
    listener: UnixListener,
    connections: BTreeMap<ConnectionId, Connection>,
    next_id: u64,
}

#[derive(Debug)]
struct Connection {
    lines: LineSocket,
    /// It asked something and has no answer yet; its next request waits, so answers keep the order.
    waits_for_answer: bool,
    /// The client sends no more; it is dropped once it has its answers.
    is_closed: bool,
}

impl ControlServer {
    /// Listens on `machine-PID.sock` in the runtime directory.
    ///
    /// # Errors
    /// When the socket cannot be made there.
    pub(crate) fn bind(directory: &RuntimeDir, pid: i32) -> Result<Self, FileError> {
        let path = directory.path().join(format!("machine-{pid}.sock"));
        remove_stale(directory);
        let failed = |error| FileError::new("listen on", &path, error);
        let listener = UnixListener::bind(&path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { path, listener, connections: BTreeMap::new(), next_id: 0 })
    }

    /// What to wait for: the listener (unless full), and each connection with whether it wants to write.
    pub(crate) fn interests(&self) -> impl Iterator<Item = (Option<ConnectionId>, &dyn AsFd, PollFlags)> {
        let accepts = self.connections.len() < MAX_CONNECTIONS;
        let listener = accepts.then_some((None, &self.listener as &dyn AsFd, PollFlags::IN));
        let connections = self.connections.iter().map(|(id, connection)| {
            let reads = !connection.is_closed && !connection.waits_for_answer;
            let mut interest = PollFlags::empty();
            interest.set(PollFlags::IN, reads);
            interest.set(PollFlags::OUT, connection.lines.has_output());
            // Also without an interest: a client that gave up waiting must not hold its place.
            (Some(*id), &connection.lines as &dyn AsFd, interest)
        });
        listener.into_iter().chain(connections)
    }

    /// Takes a waiting connection, if there is one.
    pub(crate) fn accept(&mut self) {
        // Errors (a client that gave up, no descriptors left) concern that client only; it sees its connection close.
        let Ok((stream, _)) = self.listener.accept() else { return };
        let lines = LineSocket::new(OwnedFd::from(stream), Descriptors::Accept, REQUEST_LIMIT_BYTES);
        self.connections.insert(
            ConnectionId(self.next_id),
            Connection { lines, waits_for_answer: false, is_closed: false },
        );
        self.next_id += 1;
    }

    /// Reads from and writes to a connection for which `poll` gave `events`; gives the request that came in, if any.
    pub(crate) fn serve(&mut self, id: ConnectionId, events: PollFlags) -> Option<Request> {
        let connection = self.connections.get_mut(&id)?;
        let gave_up = connection.waits_for_answer && events.intersects(PollFlags::HUP | PollFlags::ERR);
        if gave_up || connection.lines.flush().and_then(|()| connection.read()).is_err() {
            self.connections.remove(&id);
            return None;
        }
        let request = connection.next_request();
        self.drop_if_done(id);
        request
    }

    /// Answers a connection's request; nothing happens when the client is gone. Gives the client's next request, if
    /// it has sent one already.
    pub(crate) fn answer(&mut self, id: ConnectionId, response: &Response) -> Option<Request> {
        let connection = self.connections.get_mut(&id)?;
        connection.waits_for_answer = false;
        let sent = connection.lines.queue(response, Vec::new()).and_then(|()| connection.lines.flush());
        if sent.is_err() || connection.lines.output_bytes() > MAX_UNREAD_BYTES {
            self.connections.remove(&id);
            return None;
        }
        let next = connection.next_request();
        self.drop_if_done(id);
        next
    }

    /// The open files that came with the request that a connection waits for an answer to: so many, or those that there are.
    pub(crate) fn take_files(&mut self, id: ConnectionId, count: usize) -> Vec<OwnedFd> {
        let Some(Connection { lines, .. }) = self.connections.get_mut(&id) else { return Vec::new() };
        let files = lines.take_descriptors(count.min(lines.untaken_descriptors())).unwrap_or_default();
        // More than were announced are nobody's; or the next request's, if that was read, too.
        if !lines.has_input() {
            lines.forget_descriptors();
        }
        files
    }

    /// Whether the client is still there.
    pub(crate) fn is_connected(&self, id: ConnectionId) -> bool {
        self.connections.contains_key(&id)
    }

    fn drop_if_done(&mut self, id: ConnectionId) {
        if self.connections.get(&id).is_some_and(Connection::is_done) {
            self.connections.remove(&id);
        }
    }
}

/// Removes the sockets of processes that are gone (killed before they could do it), and of a former one with our pid.
fn remove_stale(directory: &RuntimeDir) {
    for entry in std::fs::read_dir(directory.path()).into_iter().flatten().flatten() {
        let Some(pid) = pid_of_socket(&entry.path()) else { continue };
        if ProcessId::of(pid).is_none() || pid == ProcessId::own().pid {
            // Another start may have been quicker.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

impl Connection {
    fn read(&mut self) -> io::Result<()> {
        if !self.is_closed && !self.waits_for_answer {
            self.is_closed = self.lines.fill()? == Filled::Closed;
            if self.lines.untaken_descriptors() > MAX_OPEN_FILES {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    }

    /// The next request that has been read, unless an answer is still due. Rubbish ends the connection with an answer.
    fn next_request(&mut self) -> Option<Request> {
        if self.waits_for_answer {
            return None;
        }
        match self.lines.next::<Request>() {
            Ok(request) => {
                self.waits_for_answer = request.is_some();
                let has_no_use =
                    request.as_ref().is_some_and(|request| !matches!(request, Request::Start(_)));
                // A read may have brought the next request, too, and then the file is perhaps its.
                if has_no_use && !self.lines.has_input() {
                    self.lines.forget_descriptors();
                }
                request
            }
            Err(error) => {
                let response = Response::Failed { error: format!("not a request: {error}") };
                self.is_closed = true;
                let _ = self.lines.queue(&response, Vec::new()).and_then(|()| self.lines.flush());
                None
            }
        }
    }

    fn is_done(&self) -> bool {
        self.is_closed && !self.waits_for_answer && !self.lines.has_output()
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::{ControlError, RunningMachine, ask, choose, list};
    use super::super::protocol::{StartProgram, StartRequest};
    use super::*;
    use crate::host::test_support::Scratch;
    use rustix::event::{PollFd, poll};
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    fn directory(name: &str) -> (Scratch, RuntimeDir) {
        let scratch = Scratch::new(name);
        let directory = RuntimeDir::at(scratch.path().join("runtime")).unwrap();
        (scratch, directory)
    }

    /// Serves until `requests` requests have been answered, each by its own text.
    fn serve(server: &mut ControlServer, mut requests: usize) {
        while requests > 0 {
            let ready: Vec<(Option<ConnectionId>, PollFlags)> = {
                let interests: Vec<_> = server.interests().collect();
                let mut descriptors: Vec<_> = interests
                    .iter()
                    .map(|(_, descriptor, interest)| PollFd::from_borrowed_fd(descriptor.as_fd(), *interest))
                    .collect();
                poll(&mut descriptors, None).unwrap();
                let events = descriptors.iter().map(PollFd::revents);
                let ready = interests.iter().map(|(id, ..)| *id).zip(events);
                ready.filter(|(_, events)| !events.is_empty()).collect()
            };
            for (id, events) in ready {
                let Some(id) = id else {
                    server.accept();
                    continue;
                };
                let mut request = server.serve(id, events);
                while let Some(asked) = request {
                    requests -= 1;
                    request = server.answer(id, &Response::Failed { error: format!("{asked:?}") });
                }
            }
        }
    }

    #[test]
    fn a_client_finds_the_machine_and_gets_its_answer() {
        let (_scratch, directory) = directory("control-ask");
        let mut server = ControlServer::bind(&directory, 42).unwrap();
        std::thread::scope(|scope| {
            let client = scope.spawn(|| {
                let machine = RunningMachine { pid: 42, socket: directory.path().join("machine-42.sock") };
                ask(&machine, &Request::Ps).unwrap()
            });
            serve(&mut server, 1);
            assert_eq!(client.join().unwrap(), Response::Failed { error: "Ps".into() });
        });
        assert_eq!(list(&directory).unwrap().len(), 1);
        drop(server);
        assert!(matches!(choose(&directory, None), Err(ControlError::NoMachine)));
    }

    #[test]
    fn requests_in_one_breath_are_answered_in_order() {
        let (_scratch, directory) = directory("control-order");
        let mut server = ControlServer::bind(&directory, 1).unwrap();
        let mut client = UnixStream::connect(directory.path().join("machine-1.sock")).unwrap();
        client.write_all(b"{\"op\":\"ps\"}\n{\"op\":\"tier\"}\n{\"op\":\"kill\",\"cell\":1}\n").unwrap();
        serve(&mut server, 3);
        drop(server);
        let mut answers = String::new();
        client.read_to_string(&mut answers).unwrap();
        let order: Vec<_> = ["Ps", "Tier", "Kill"].iter().map(|word| answers.find(word).unwrap()).collect();
        assert!(order.is_sorted(), "{answers}");
    }

    #[test]
    fn rubbish_gets_an_answer_and_ends_the_connection() {
        let (_scratch, directory) = directory("control-rubbish");
        let mut server = ControlServer::bind(&directory, 1).unwrap();
        for rubbish in [b"{\"op\":\"fly\"}\n".to_vec(), vec![b'x'; REQUEST_LIMIT_BYTES + 1]] {
            let mut client = UnixStream::connect(directory.path().join("machine-1.sock")).unwrap();
            std::thread::scope(|scope| {
                let reader = scope.spawn(move || {
                    client.write_all(&rubbish).unwrap();
                    let mut answer = String::new();
                    client.read_to_string(&mut answer).map(|_| answer)
                });
                server.accept();
                let id = *server.connections.keys().next().unwrap();
                while server.connections.contains_key(&id) {
                    assert_eq!(server.serve(id, PollFlags::IN), None);
                }
                // The kernel may report the connection as reset when unread bytes are left.
                if let Ok(answer) = reader.join().unwrap() {
                    assert!(answer.contains("not a request"), "{answer}");
                }
            });
        }
    }

    fn start() -> Request {
        Request::Start(Box::new(StartRequest {
            program: StartProgram::Artifact { program: String::new() },
            name: "one".into(),
            arguments: Vec::new(),
            uses: Vec::new(),
            serves: Vec::new(),
            memory_bytes: 1,
            unix: None,
        }))
    }

    #[test]
    fn an_open_file_comes_with_a_start_and_more_end_the_connection() {
        let (_scratch, directory) = directory("control-files");
        let mut server = ControlServer::bind(&directory, 1).unwrap();
        let start = start();
        for (request, files, taken, lives) in [
            (&start, 1, true, true),
            (&start, 0, false, true),
            (&Request::Ps, 1, false, true),
            (&start, 2, true, true),
            (&start, MAX_OPEN_FILES + 1, false, false),
        ] {
            let client = UnixStream::connect(directory.path().join("machine-1.sock")).unwrap();
            let mut client = LineSocket::new(client.into(), Descriptors::Refuse, REQUEST_LIMIT_BYTES);
            let file = || rustix::fs::memfd_create(c"program", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
            client.queue(request, (0..files).map(|_| file()).collect()).unwrap();
            client.flush().unwrap();
            server.accept();
            let id = *server.connections.keys().last().unwrap();
            assert_eq!(server.serve(id, PollFlags::IN), lives.then(|| request.clone()));
            assert_eq!(server.is_connected(id), lives, "{request:?} with {files}");
            let count = usize::from(taken);
            assert_eq!(server.take_files(id, request.files()).len(), count, "{request:?} with {files}");
            assert!(server.take_files(id, 9).is_empty(), "what was not announced is not kept");
        }
    }

    #[test]
    fn a_file_goes_with_its_request_although_another_came_before_it_in_one_breath() {
        let (_scratch, directory) = directory("control-behind");
        let mut server = ControlServer::bind(&directory, 1).unwrap();
        let start = start();
        let mut client = UnixStream::connect(directory.path().join("machine-1.sock")).unwrap();
        client.write_all(b"{\"op\":\"ps\"}\n").unwrap();
        let mut client = LineSocket::new(client.into(), Descriptors::Refuse, REQUEST_LIMIT_BYTES);
        let file = || rustix::fs::memfd_create(c"program", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        client.queue(&start, vec![file()]).unwrap();
        client.flush().unwrap();
        server.accept();
        let id = *server.connections.keys().next().unwrap();
        assert_eq!(server.serve(id, PollFlags::IN), Some(Request::Ps));
        assert_eq!(server.answer(id, &Response::Done), Some(start.clone()));
        assert_eq!(server.take_files(id, 1).len(), 1);
        // One that nobody takes is not kept.
        client.queue(&Request::Ps, vec![file()]).unwrap();
        client.flush().unwrap();
        assert_eq!(server.answer(id, &Response::Done), None);
        assert_eq!(server.serve(id, PollFlags::IN), Some(Request::Ps));
        assert!(server.take_files(id, 1).is_empty());
    }

    #[test]
    fn a_client_that_gives_up_waiting_loses_its_place() {
        let (_scratch, directory) = directory("control-gave-up");
        let mut server = ControlServer::bind(&directory, 1).unwrap();
        let mut client = UnixStream::connect(directory.path().join("machine-1.sock")).unwrap();
        client.write_all(b"{\"op\":\"ps\"}\n").unwrap();
        server.accept();
        let id = *server.connections.keys().next().unwrap();
        assert_eq!(server.serve(id, PollFlags::IN), Some(Request::Ps));
        drop(client);
        assert_eq!(server.serve(id, PollFlags::HUP), None);
        assert!(server.connections.is_empty());
        assert_eq!(server.answer(id, &Response::Done), None);
    }

    #[test]
    fn sockets_of_dead_machines_are_removed() {
        let (_scratch, directory) = directory("control-stale");
        let stale = directory.path().join(format!("machine-{}.sock", i32::MAX));
        drop(UnixListener::bind(&stale).unwrap());
        assert!(stale.exists());
        assert_eq!(list(&directory).unwrap(), []);
        assert!(!stale.exists());
        drop(UnixListener::bind(&stale).unwrap());
        let _server = ControlServer::bind(&directory, 1).unwrap();
        assert!(!stale.exists());
    }

    #[test]
    fn the_socket_of_a_machine_that_does_not_listen_yet_is_left_alone() {
        let (_scratch, directory) = directory("control-early");
        let socket = directory.path().join(format!("machine-{}.sock", ProcessId::own().pid));
        // Bound, as between its two system calls.
        drop(UnixListener::bind(&socket).unwrap());
        assert_eq!(list(&directory).unwrap(), []);
        assert!(socket.exists());
    }

    #[test]
    fn one_of_several_machines_must_be_named() {
        let (_scratch, directory) = directory("control-several");
        // Any two processes that exist.
        let parent = std::os::unix::process::parent_id().cast_signed();
        let _servers = [1, parent].map(|pid| ControlServer::bind(&directory, pid).unwrap());
        let error = choose(&directory, None).unwrap_err();
        assert!(error.to_string().contains(&format!("(1, {parent})")), "{error}");
        assert_eq!(choose(&directory, Some(1)).unwrap().pid, 1);
        assert!(matches!(choose(&directory, Some(-8)), Err(ControlError::NoSuchMachine { .. })));
    }
}
