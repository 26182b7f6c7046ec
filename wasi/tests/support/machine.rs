//! The system of a process, in memory.

use std::collections::{BTreeMap, VecDeque};

use hallows_sdk::stub::List;
use hallows_system::files::{Advice, Entry, Kind, Moment, Opening, Status};
use hallows_wasi::{BYTES_MOST, Errno, Result, Sizes, System};

use super::Network;
use super::disk::{Content, Disk, Place};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    Input,
    Output,
    Error,
}

/// Names in one answer of a directory at most.
const ENTRIES_MOST: usize = 3;

/// Everything that a process can ask.
#[derive(Debug)]
pub struct Machine {
    pub disk: Disk,
    /// What each open file is.
    pub open: BTreeMap<u32, usize>,
    next: u32,
    /// Files that may be open at once.
    pub open_most: usize,
    /// Bytes that a write takes at most.
    pub write_most: u32,
    pub output: Vec<u8>,
    pub error: Vec<u8>,
    pub input: VecDeque<u8>,
    /// Nothing will come any more.
    pub input_ended: bool,
    /// What comes, and when.
    pub input_later: Option<(u64, Vec<u8>)>,
    pub is_terminal: bool,
    /// The machine's clock, which goes on by a nanosecond with every look, and by as much as is slept.
    pub time: u64,
    /// By how much the wall's clock is ahead; none: there is none.
    pub ahead: Option<u64>,
    /// How often that was asked.
    pub asked: u32,
    pub turns: u32,
    /// How it was exited.
    pub exited: Option<u32>,
    pub arguments: Vec<u8>,
    pub variables: Vec<u8>,
    /// Bytes of arguments in one answer.
    pub piece: usize,
    /// What was done that leaves no other trace.
    pub journal: Vec<String>,
    /// A port, if it is listened on.
    pub network: Network,
    answer: Vec<u8>,
    names: Vec<(u64, u64, Kind, Vec<u8>)>,
    random: u8,
    random_bytes: Vec<u8>,
    /// How many random bytes are given at once.
    pub random_most: usize,
}

impl Machine {
    pub fn new() -> Self {
        Self {
            disk: Disk::new(),
            open: BTreeMap::new(),
            next: 100,
            open_most: 1_000_000,
            write_most: u32::MAX,
            output: Vec::new(),
            error: Vec::new(),
            input: VecDeque::new(),
            input_ended: true,
            input_later: None,
            is_terminal: false,
            time: 1_000,
            ahead: Some(1_600_000_000_000_000_000),
            asked: 0,
            turns: 0,
            exited: None,
            arguments: b"program\0--flag\0".to_vec(),
            variables: b"HOME=/\0".to_vec(),
            piece: 5,
            journal: Vec::new(),
            network: Network::default(),
            answer: Vec::new(),
            names: Vec::new(),
            random: 0,
            random_bytes: Vec::new(),
            random_most: 16,
        }
    }

    /// A directory that the process is given.
    pub fn preopened(&mut self, path: &str) -> u32 {
        let node = self.disk.find(0, path.as_bytes(), true).unwrap().node.unwrap();
        self.add(node)
    }

    fn add(&mut self, node: usize) -> u32 {
        self.next += 1;
        self.open.insert(self.next, node);
        self.next
    }

    fn node(&self, file: u32) -> Result<usize> {
        self.open.get(&file).copied().ok_or(Errno::Stale)
    }

    fn status_of_node(&self, number: usize) -> Status {
        let node = &self.disk.nodes[number];
        let size = match &node.content {
            Content::Regular(bytes) | Content::Link(bytes) => bytes.len(),
            _ => 0,
        };
        Status {
            device: 1,
            inode: number as u64,
            kind: self.disk.kind(number),
            links: node.links,
            size: size as u64,
            accessed: node.accessed,
            modified: node.modified,
            changed: 7,
        }
    }

    fn contents(&mut self, file: u32) -> Result<&mut Vec<u8>> {
        let node = self.node(file)?;
        match &mut self.disk.nodes[node].content {
            Content::Regular(bytes) => Ok(bytes),
            _ => Err(Errno::Isdir),
        }
    }

    fn put_at(&mut self, file: u32, offset: Option<u64>, bytes: &[u8]) -> Result<u32> {
        assert!(bytes.len() <= BYTES_MOST as usize && !bytes.is_empty());
        let count = bytes.len().min(self.write_most as usize).min(self.disk.room as usize);
        if count == 0 {
            return Err(Errno::Nospc);
        }
        self.disk.room -= count as u64;
        let contents = self.contents(file)?;
        let offset = offset.map_or(contents.len(), |offset| offset as usize);
        if offset > 1 << 24 {
            return Err(Errno::Fbig);
        }
        if contents.len() < offset + count {
            contents.resize(offset + count, 0);
        }
        contents[offset..offset + count].copy_from_slice(&bytes[..count]);
        Ok(count as u32)
    }

    fn set(&mut self, node: usize, accessed: Moment, modified: Moment) {
        let time = self.time;
        let node = &mut self.disk.nodes[node];
        for (place, moment) in [(&mut node.accessed, accessed), (&mut node.modified, modified)] {
            match moment {
                Moment::Kept => {}
                Moment::Now => *place = time,
                Moment::At(time) => *place = time,
            }
        }
    }

    fn find(&mut self, directory: u32, path: &[u8], follow: bool) -> Result<Place> {
        assert!(std::str::from_utf8(path).is_ok() && !path.is_empty() && !path.contains(&0), "{path:?}");
        let directory = self.node(directory)?;
        self.disk.find(directory, path, follow)
    }

    fn existing(&mut self, directory: u32, path: &[u8], follow: bool) -> Result<usize> {
        self.find(directory, path, follow)?.node.ok_or(Errno::Noent)
    }

    fn arrive(&mut self) {
        if let Some((_, bytes)) = self.input_later.take_if(|(when, _)| *when <= self.time) {
            self.input.extend(bytes);
        }
    }
}

impl System for Machine {
    type File = u32;
    type Console = Console;
    type Socket = u32;

    fn now(&mut self) -> Result<u64> {
        self.time = self.time.saturating_add(1);
        Ok(self.time)
    }

    fn realtime(&mut self) -> Result<u64> {
        self.asked += 1;
        self.ahead.map(|ahead| self.time.wrapping_add(ahead)).ok_or(Errno::Inval)
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(5)
    }

    fn random(&mut self, most: u32) -> Result<&[u8]> {
        self.random = self.random.wrapping_add(1);
        self.random_bytes = vec![self.random; (most as usize).min(self.random_most)];
        Ok(&self.random_bytes)
    }

    fn give_way(&mut self) -> Result {
        self.turns += 1;
        Ok(())
    }

    fn sleep(&mut self, until: u64) -> Result {
        assert!(until > self.time);
        self.journal.push(format!("sleeps {}", until - self.time));
        self.time = until;
        Ok(())
    }

    fn exit(&mut self, status: u32) {
        self.exited = Some(status);
    }

    fn measure(&mut self) -> Result<Sizes> {
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == 0).count() as u32;
        Ok(Sizes {
            arguments: count(&self.arguments),
            argument_bytes: self.arguments.len() as u32,
            variables: count(&self.variables),
            variable_bytes: self.variables.len() as u32,
        })
    }

    fn arguments(&mut self, from: u32) -> Result<&[u8]> {
        let rest = &self.arguments[from as usize..];
        Ok(&rest[..rest.len().min(self.piece)])
    }

    fn variables(&mut self, from: u32) -> Result<&[u8]> {
        let rest = &self.variables[from as usize..];
        Ok(&rest[..rest.len().min(self.piece)])
    }

    fn put(&mut self, console: Console, bytes: &[u8]) -> Result<u32> {
        assert!(bytes.len() <= BYTES_MOST as usize && !bytes.is_empty());
        let bytes = &bytes[..bytes.len().min(self.write_most as usize)];
        match console {
            Console::Input => return Err(Errno::Badf),
            Console::Output => self.output.extend(bytes),
            Console::Error => self.error.extend(bytes),
        }
        Ok(bytes.len() as u32)
    }

    fn get(&mut self, console: Console, most: u32) -> Result<&[u8]> {
        assert_eq!(console, Console::Input);
        if self.input.is_empty()
            && let Some((when, _)) = self.input_later
        {
            self.time = self.time.max(when);
        }
        self.arrive();
        let count = self.input.len().min(most as usize);
        self.answer = self.input.drain(..count).collect();
        Ok(&self.answer)
    }

    fn await_input(&mut self, _: Console, most: u64) -> Result<bool> {
        let is_there = |machine: &Self| {
            !machine.input.is_empty() || machine.input_ended && machine.input_later.is_none()
        };
        self.arrive();
        if most > 0 && !is_there(self) {
            self.journal.push(format!("awaits input for {most}"));
            let until = self.time.saturating_add(most);
            self.time = self.input_later.as_ref().map_or(until, |(when, _)| until.min(*when));
            assert!(self.time < u64::MAX, "it waits for ever");
            self.arrive();
        }
        Ok(is_there(self))
    }

    fn is_terminal(&mut self, console: Console) -> Result<bool> {
        self.journal.push(format!("is {console:?} a terminal"));
        Ok(self.is_terminal)
    }

    fn status(&mut self, file: u32) -> Result<Status> {
        Ok(self.status_of_node(self.node(file)?))
    }

    fn read(&mut self, file: u32, offset: u64, most: u32) -> Result<&[u8]> {
        assert!(most <= BYTES_MOST);
        let contents = self.contents(file)?;
        let start = contents.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let end = contents.len().min(start + most as usize);
        self.answer = contents[start..end].to_vec();
        Ok(&self.answer)
    }

    fn write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<u32> {
        self.put_at(file, Some(offset), bytes)
    }

    fn append(&mut self, file: u32, bytes: &[u8]) -> Result<u32> {
        self.put_at(file, None, bytes)
    }

    fn set_size(&mut self, file: u32, size: u64) -> Result {
        if size > 1 << 24 {
            return Err(Errno::Fbig);
        }
        self.contents(file)?.resize(size as usize, 0);
        Ok(())
    }

    fn set_times(&mut self, file: u32, accessed: Moment, modified: Moment) -> Result {
        let node = self.node(file)?;
        self.set(node, accessed, modified);
        Ok(())
    }

    fn allocate(&mut self, file: u32, offset: u64, length: u64) -> Result {
        let end = offset + length;
        if self.contents(file)?.len() as u64 >= end { Ok(()) } else { self.set_size(file, end) }
    }

    fn advise(&mut self, file: u32, offset: u64, length: u64, advice: Advice) -> Result {
        self.node(file)?;
        self.journal.push(format!("advice {advice:?} for {length} from {offset}"));
        Ok(())
    }

    fn sync(&mut self, file: u32, data_only: bool) -> Result {
        self.node(file)?;
        self.journal.push(format!("syncs {}", if data_only { "data" } else { "all" }));
        Ok(())
    }

    fn close(&mut self, file: u32) {
        assert!(self.open.remove(&file).is_some(), "closed once");
    }

    fn open(&mut self, directory: u32, path: &[u8], how: Opening) -> Result<(u32, Status)> {
        if self.open.len() >= self.open_most {
            return Err(Errno::Nfile);
        }
        let place = self.find(directory, path, how.contains(Opening::FOLLOW))?;
        let node = match place.node {
            Some(_) if how.contains(Opening::CREATE | Opening::EXCLUSIVE) => return Err(Errno::Exist),
            Some(node) => node,
            None if how.contains(Opening::CREATE) => self.disk.make(&place, Content::Regular(Vec::new()))?,
            None => return Err(Errno::Noent),
        };
        match self.disk.kind(node) {
            Kind::Directory if how.contains(Opening::WRITE) => return Err(Errno::Isdir),
            Kind::Directory => {}
            _ if how.contains(Opening::DIRECTORY) => return Err(Errno::Notdir),
            Kind::SymbolicLink => return Err(Errno::Loop),
            _ => {}
        }
        self.journal.push(format!("opens {how:?}"));
        let file = self.add(node);
        if how.contains(Opening::TRUNCATE) {
            self.contents(file)?.clear();
        }
        Ok((file, self.status_of_node(node)))
    }

    fn entries(&mut self, directory: u32, from: u64) -> Result<List<'_, Entry<'_>>> {
        self.journal.push("lists".to_owned());
        // Leaked, as lists are views of messages and there is none.
        let node = self.node(directory)?;
        let names = self.disk.names(node)?.clone();
        let entries: Vec<Entry<'static>> = names
            .iter()
            .zip(1..)
            .skip(usize::try_from(from).unwrap_or(usize::MAX))
            .take(ENTRIES_MOST)
            .map(|((name, node), next)| Entry {
                next,
                inode: *node as u64,
                kind: self.disk.kind(*node),
                name: name.clone().leak(),
            })
            .collect();
        Ok(List::from(&*entries.leak()))
    }

    fn status_of(&mut self, directory: u32, path: &[u8], follow: bool) -> Result<Status> {
        let node = self.existing(directory, path, follow)?;
        Ok(self.status_of_node(node))
    }

    fn set_times_of(
        &mut self,
        directory: u32,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
    ) -> Result {
        let node = self.existing(directory, path, follow)?;
        self.set(node, accessed, modified);
        Ok(())
    }

    fn make_directory(&mut self, directory: u32, path: &[u8]) -> Result {
        let place = self.find(directory, path, false)?;
        self.disk.make(&place, Content::Directory(BTreeMap::new())).map(|_| ())
    }

    fn remove_directory(&mut self, directory: u32, path: &[u8]) -> Result {
        let place = self.find(directory, path, false)?;
        let node = place.node.ok_or(Errno::Noent)?;
        if place.name == b"." {
            return Err(Errno::Inval);
        }
        if !self.disk.names(node)?.is_empty() {
            return Err(Errno::Notempty);
        }
        self.disk.names(place.directory)?.remove(&place.name);
        Ok(())
    }

    fn remove_file(&mut self, directory: u32, path: &[u8]) -> Result {
        let place = self.find(directory, path, false)?;
        let node = place.node.ok_or(Errno::Noent)?;
        if self.disk.kind(node) == Kind::Directory {
            return Err(Errno::Isdir);
        }
        self.disk.nodes[node].links -= 1;
        self.disk.names(place.directory)?.remove(&place.name);
        Ok(())
    }

    fn rename(&mut self, directory: u32, path: &[u8], to: u32, new_path: &[u8]) -> Result {
        let from = self.find(directory, path, false)?;
        let to = self.find(to, new_path, false)?;
        let node = from.node.ok_or(Errno::Noent)?;
        if from.name == b"."
            || to.name == b"."
            || to.node.is_some_and(|node| self.disk.kind(node) == Kind::Directory)
        {
            return Err(Errno::Busy);
        }
        self.disk.names(from.directory)?.remove(&from.name);
        self.disk.names(to.directory)?.insert(to.name, node);
        Ok(())
    }

    fn link(&mut self, directory: u32, path: &[u8], follow: bool, to: u32, new_path: &[u8]) -> Result {
        let node = self.existing(directory, path, follow)?;
        let to = self.find(to, new_path, false)?;
        if to.node.is_some() {
            return Err(Errno::Exist);
        }
        if self.disk.kind(node) == Kind::Directory {
            return Err(Errno::Perm);
        }
        self.disk.nodes[node].links += 1;
        self.disk.names(to.directory)?.insert(to.name, node);
        Ok(())
    }

    fn make_link(&mut self, directory: u32, target: &[u8], path: &[u8]) -> Result {
        let place = self.find(directory, path, false)?;
        self.disk.make(&place, Content::Link(target.to_vec())).map(|_| ())
    }

    fn link_target(&mut self, directory: u32, path: &[u8]) -> Result<&[u8]> {
        let node = self.existing(directory, path, false)?;
        match &self.disk.nodes[node].content {
            Content::Link(target) => Ok(target),
            _ => Err(Errno::Inval),
        }
    }

    fn accept(&mut self, port: u32) -> Result<u32> {
        self.network.accept(port)
    }

    fn receive(&mut self, connection: u32, most: u32) -> Result<&[u8]> {
        self.answer = self.network.receive(connection, most)?;
        Ok(&self.answer)
    }

    fn send(&mut self, connection: u32, bytes: &[u8]) -> Result<u32> {
        assert!(bytes.len() <= BYTES_MOST as usize && !bytes.is_empty());
        self.network.send(connection, bytes)
    }

    fn finish(&mut self, connection: u32) -> Result {
        self.network.finish(connection)
    }

    fn leave(&mut self, socket: u32) {
        self.network.leave(socket);
    }

    fn await_sockets(&mut self, until: u64) -> Result {
        self.time = self.network.wait(self.time, until);
        Ok(())
    }
}
