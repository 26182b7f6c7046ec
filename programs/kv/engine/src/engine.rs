//! The engine: requests in, answers out, work in pieces between them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::Bytes;
use crate::call::{Call, Logged, Long, apply, owned};
use crate::command::{self, Command, Commands};
use crate::config::Config;
use crate::output::Output;
use crate::pattern;
use crate::refusal::Refusal;
use crate::request::Read;
use crate::seed::Seed;
use crate::server::{Finished, Job, Server, Task};
use crate::session::{Client, Info, Queue, Session};
use crate::store::{Entry, Store};

/// Commands of one client that are done before others have their turn.
const COMMANDS_AT_ONCE: usize = 32;
/// Bytes of answers from which on a client's next commands wait until some were sent.
const MUCH: usize = 64 << 10;
/// Arguments for which there is room without the heap.
const FEW: usize = 16;

/// What a client's turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All that came is answered; there is more to do when more comes.
    Idle,
    /// There is more to do: send what there is, let others have their turns, and call again.
    More,
    /// Work of its is under way, or it waits for somebody's: [`Engine::woken`] says when to call again.
    Waiting,
    /// The connection ends when what there is was sent.
    Leaving,
}

/// A key-value store.
pub struct Engine {
    /// The databases.
    pub store: Store,
    /// Everything else.
    pub server: Server,
    commands: Commands,
}

impl Engine {
    /// An empty one. Nobody outside may know the seed; time is in milliseconds since 1970.
    pub fn new(config: Config, seed: Seed, now: u64) -> Self {
        let mut store = Store::new(config, seed);
        store.now = now;
        let server = Server { since: now, run: seed.0 ^ seed.1, ..Server::default() };
        Self { store, server, commands: Commands::new() }
    }

    /// A new client, from this address. `None` if there are as many as there may be: then it is told so, and closed.
    pub fn connect(&mut self, peer: String) -> Option<Session> {
        self.store.counts.connections += 1;
        if self.server.clients.len() >= self.store.config.max_clients {
            return None;
        }
        self.server.last_client += 1;
        let id = self.server.last_client;
        let info = Info { peer, protocol: 2, since: self.store.now, ..Info::default() };
        self.server.clients.insert(id, info);
        Some(Session { client: Client { id, ..Client::default() }, ..Session::default() })
    }

    /// What a client is told for which there is no room.
    pub const FULL: &'static [u8] = b"-ERR max number of clients reached\r\n";

    /// A client is gone.
    pub fn disconnect(&mut self, mut session: Session) {
        unwatch(&mut self.store, &mut session.client);
        let id = session.id();
        self.server.clients.remove(&id);
        self.server.finished.remove(&id);
        self.server.waiting.retain(|other| *other != id);
        self.server.killed.retain(|other| *other != id);
    }

    /// Does what a client has asked for, as much as its turn allows.
    pub fn run(&mut self, session: &mut Session, now: u64) -> Progress {
        self.store.now = now;
        if session.waits {
            let Some(Finished { output, position }) = self.server.finished.remove(&session.id()) else {
                return Progress::Waiting;
            };
            session.waits = false;
            session.output.append(output);
            session.position = session.position.max(position);
        }
        if !self.server.killed.is_empty() && self.server.killed.contains(&session.id()) {
            session.client.is_leaving = true;
        }
        for _ in 0..COMMANDS_AT_ONCE {
            if session.client.is_leaving {
                return Progress::Leaving;
            }
            if session.output.len() >= MUCH {
                return Progress::More;
            }
            let bytes = session.input.get(session.done..).unwrap_or_default();
            match session.reader.read(bytes, self.store.config.longest) {
                Ok(Read::More(expects)) => {
                    session.expects = expects;
                    session.trim();
                    return Progress::Idle;
                }
                Ok(Read::Request(length)) => match self.request(session) {
                    Next::Done => {
                        session.done += length;
                        session.reader.next();
                        if session.waits {
                            return Progress::Waiting;
                        }
                    }
                    Next::Held => {
                        self.server.waiting.push(session.id());
                        return Progress::Waiting;
                    }
                },
                Err(malformed) => {
                    session.output.error(&format!("ERR {malformed}"));
                    session.client.is_leaving = true;
                }
            }
        }
        Progress::More
    }

    /// Does the request that was read.
    fn request(&mut self, session: &mut Session) -> Next {
        let Session { client, input, done, reader, output, waits, position, .. } = session;
        let source = match &reader.rewritten {
            Some(rewritten) => rewritten,
            None => input.get(*done..).unwrap_or_default(),
        };
        let ranges = reader.ranges();
        let mut few: [&[u8]; FEW] = [&[]; FEW];
        let many: Vec<&[u8]>;
        let words = if let Some(few) = few.get_mut(..ranges.len()) {
            for (word, range) in few.iter_mut().zip(ranges) {
                *word = source.get(range.clone()).unwrap_or_default();
            }
            &*few
        } else {
            many = ranges.iter().map(|range| source.get(range.clone()).unwrap_or_default()).collect();
            &many
        };
        if words.is_empty() {
            return Next::Done;
        }
        let before = self.store.log.position();
        let next = self.execute(client, output, words, waits);
        let after = self.store.log.position();
        if after != before {
            *position = after;
        }
        next
    }

    /// Does one request.
    fn execute(
        &mut self,
        client: &mut Client,
        output: &mut Output,
        words: &[&[u8]],
        waits: &mut bool,
    ) -> Next {
        let command = match self.check(words) {
            Ok(command) => command,
            Err(refusal) => {
                if let Some(queue) = &mut client.queue {
                    queue.is_spoilt = true;
                }
                output.error(&refusal.0);
                return Next::Done;
            }
        };
        if let Some(queue) = &mut client.queue
            && !command.is(command::CONTROL)
        {
            queue.commands.push((command, owned(words)));
            output.raw(b"+QUEUED\r\n");
            return Next::Done;
        }
        if !self.store.held.is_empty() && self.needs_held(client, command, words) {
            return Next::Held;
        }
        if core::ptr::fn_addr_eq(command.run, command::EXEC) {
            self.transaction(client, output);
            return Next::Done;
        }
        let Done { long, changes, logged } = self.call(client, output, command, words, false);
        match long {
            None => self.write_down(client.database, changes, &logged, words.iter().copied()),
            Some(long) => {
                *waits = true;
                self.begin(client, output, command, words, long);
            }
        }
        Next::Done
    }

    /// Which command it is, if it can be done now.
    fn check(&mut self, words: &[&[u8]]) -> Result<&'static Command, Refusal> {
        let name = words.first().copied().unwrap_or_default();
        let Some(command) = self.commands.find(name) else { return Err(command::unknown(words)) };
        let count = i32::try_from(words.len()).unwrap_or(i32::MAX);
        if (command.arity > 0 && count != command.arity) || count < -command.arity {
            return Err(command::wrong_count(command.name));
        }
        if command.is(command::NEEDS_MEMORY) && !self.store.make_room() {
            return Err(Refusal::NO_MEMORY);
        }
        Ok(command)
    }

    fn call(
        &mut self,
        client: &mut Client,
        output: &mut Output,
        command: &'static Command,
        words: &[&[u8]],
        in_one_piece: bool,
    ) -> Done {
        self.store.counts.commands += 1;
        let mut call = Call {
            store: &mut self.store,
            server: &mut self.server,
            client,
            out: output,
            words,
            command,
            in_one_piece,
            changes: 0,
            logged: Logged::default(),
            long: None,
        };
        let answered = (command.run)(&mut call);
        let Call { changes, logged, long, .. } = call;
        if let Err(refusal) = answered {
            output.error(&refusal.0);
        }
        Done { long, changes, logged }
    }

    /// Writes a command down that changed something.
    fn write_down<'a>(
        &mut self,
        database: usize,
        changes: usize,
        logged: &Logged,
        words: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        if changes == 0 {
            return;
        }
        self.store.counts.changes += changes as u64;
        match logged {
            Logged::Words => self.store.log.append(database, words),
            Logged::Instead(words) => self.store.log.append(database, words.iter().map(|word| &**word)),
        }
    }

    /// `EXEC`: all commands of a queue, and nobody else's in between.
    fn transaction(&mut self, client: &mut Client, output: &mut Output) {
        let Some(Queue { commands, is_spoilt }) = client.queue.take() else {
            return output.error("ERR EXEC without MULTI");
        };
        let watched = core::mem::take(&mut client.watched);
        let is_unchanged =
            watched.iter().all(|(database, key, version)| self.store.is_unchanged(*database, key, *version));
        watched.iter().for_each(|(database, key, _)| self.store.unwatch(*database, key));
        if is_spoilt {
            return output.error("EXECABORT Transaction discarded because of previous errors.");
        }
        if !is_unchanged {
            return output.null_array();
        }
        output.array(commands.len());
        self.store.log.begin();
        for (command, words) in &commands {
            let words: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
            let Done { changes, logged, .. } = self.call(client, output, command, &words, true);
            self.write_down(client.database, changes, &logged, words.into_iter());
        }
        self.store.log.end();
    }

    /// Whether a command needs keys that work has.
    fn needs_held(&self, client: &Client, command: &Command, words: &[&[u8]]) -> bool {
        let needs = |command: &Command, words: &[&[u8]]| {
            if command.is(command::EVERYTHING) {
                return true;
            }
            let keys = command.keys(words);
            keys.iter().any(|place| {
                let key = words.get(*place).copied().unwrap_or_default();
                // Whatever database a command names beside its client's: a key of this name is held somewhere.
                self.store.held.iter().any(|(_, held)| **held == *key)
            })
        };
        if core::ptr::fn_addr_eq(command.run, command::EXEC) {
            return client.queue.iter().flat_map(|queue| &queue.commands).any(|(command, words)| {
                needs(command, &words.iter().map(|word| &**word).collect::<Vec<_>>())
            });
        }
        needs(command, words)
    }

    /// Begins work that is done in pieces.
    fn begin(&mut self, client: &Client, output: &Output, command: &Command, words: &[&[u8]], long: Long) {
        let (task, inputs) = match long {
            Long::Own(work, inputs) => (Task::Own(work), inputs),
            Long::Keys(pattern) => {
                (Task::Keys { pattern, page: 0, found: Output::new(output.version), count: 0 }, Vec::new())
            }
        };
        let keys = command.keys(words);
        // `SORT` changes something only where it stores.
        let is_write = command.is(command::WRITE) && (command.name != "sort" || keys.len() > 1);
        if is_write {
            for place in keys {
                let key = words.get(place).copied().unwrap_or_default();
                self.store.hold(client.database, Bytes::from(key));
            }
        }
        self.server.jobs.push_back(Job {
            client: client.id,
            database: client.database,
            task,
            inputs,
            words: is_write.then(|| owned(words)),
        });
    }

    /// A piece of work under way, and of what is to be tidied up: some 20 µs in all. Whether there is more to do now.
    pub fn work(&mut self, now: u64) -> bool {
        self.store.now = now;
        if let Some(mut job) = self.server.jobs.pop_front() {
            match piece(&mut self.store, &mut job) {
                None => self.server.jobs.push_back(job),
                Some(output) => self.finish(job, output),
            }
        }
        self.store.tidy() || !self.server.jobs.is_empty()
    }

    fn finish(&mut self, job: Job, (output, changes): (Output, usize)) {
        if let Some(words) = &job.words {
            self.store.held.retain(|(_, key)| !words.contains(key));
            self.write_down(job.database, changes, &Logged::Words, words.iter().map(|word| &**word));
            let waiting = core::mem::take(&mut self.server.waiting);
            self.server.wake.extend(waiting);
        }
        job.inputs.into_iter().for_each(|value| self.store.bury(value));
        if self.server.clients.contains_key(&job.client) {
            let position = self.store.log.position();
            let position = if changes > 0 { position } else { 0 };
            self.server.finished.insert(job.client, Finished { output, position });
            self.server.wake.push(job.client);
        }
    }

    /// Whether there is anything for [`work`](Self::work) now.
    pub fn has_work(&self) -> bool {
        !self.server.jobs.is_empty() || self.store.has_untidy()
    }

    /// Whether a client has asked the server to end.
    pub const fn is_ending(&self) -> bool {
        self.server.is_ending
    }

    /// Clients that can go on.
    pub fn woken(&mut self) -> impl Iterator<Item = u64> {
        self.server.wake.drain(..)
    }

    /// When there is something to do even if nobody asks: the next key that expires, in milliseconds since 1970.
    pub fn next_expiry(&self) -> Option<u64> {
        self.store.next_expiry()
    }

    /// A request of the log, done as it was then.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn replay(&mut self, client: &mut Client, words: &[&[u8]]) -> Result<(), String> {
        let name = words.first().copied().unwrap_or_default();
        let command = self
            .commands
            .find(name)
            .filter(|command| command.is(command::WRITE | command::CONTROL) || command.name == "select");
        let Some(command) = command else { return Err(format!("{} is no change", name.escape_ascii())) };
        let count = i32::try_from(words.len()).unwrap_or(i32::MAX);
        if (command.arity > 0 && count != command.arity) || count < -command.arity {
            return Err(command::wrong_count(command.name).0.into_owned());
        }
        if command.is(command::CONTROL) {
            // What stands between them was found to be whole.
            return Ok(());
        }
        let mut output = Output::default();
        self.call(client, &mut output, command, words, true);
        match output.whole() {
            Some([b'-', error @ ..]) => Err(String::from_utf8_lossy(error.trim_ascii_end()).into_owned()),
            _ => Ok(()),
        }
    }
}

enum Next {
    Done,
    Held,
}

struct Done {
    long: Option<Long>,
    changes: usize,
    logged: Logged,
}

/// A piece of work; what it answers and how much it changed, when it is done.
fn piece(store: &mut Store, job: &mut Job) -> Option<(Output, usize)> {
    match &mut job.task {
        Task::Own(work) => {
            let Poll::Ready(outcome) = Pin::new(work).poll(&mut Context::from_waker(Waker::noop())) else {
                return None;
            };
            let changes = outcome.changes.into_iter().map(|change| apply(store, job.database, change)).sum();
            Some((outcome.output, changes))
        }
        Task::Keys { pattern, page, found, count } => {
            let keys = store.entries(job.database).and_then(|entries| entries.page(*page));
            let Some(keys) = keys else {
                let mut output = Output::new(found.version);
                output.array(*count);
                output.append(core::mem::take(found));
                return Some((output, 0));
            };
            *page += 1;
            for entry in keys.filter(|entry| matches(store, job.database, pattern, entry)) {
                found.bulk(&entry.key);
                *count += 1;
            }
            None
        }
    }
}

/// Whether an entry's key is one of those asked for, and has not expired.
fn matches(store: &Store, database: usize, pattern: &[u8], entry: &Entry) -> bool {
    (pattern == b"*" || pattern::matches(pattern, &entry.key)) && store.is_live(database, entry)
}

/// Keys of one bucket that match, from a cursor on; the next cursor.
pub fn scan_keys(
    store: &Store,
    database: usize,
    cursor: u64,
    pattern: &[u8],
    found: &mut impl FnMut(&[u8]),
) -> u64 {
    let Some(entries) = store.entries(database) else { return 0 };
    entries.scan(cursor, |_, entry| {
        if matches(store, database, pattern, entry) {
            found(&entry.key);
        }
    })
}

/// Watches nothing more.
pub fn unwatch(store: &mut Store, client: &mut Client) {
    for (database, key, _) in client.watched.drain(..) {
        store.unwatch(database, &key);
    }
}
