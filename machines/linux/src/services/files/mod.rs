//! `files`: what lies below the granted directories.
//!
//! | file | what it has |
//! |---|---|
//! | `beneath` | opening a path so that it stays below a directory |
//! | `path` | what a client says, checked and taken apart |
//! | `opened` | opening, and what is known of an open file |
//! | `bytes`, `entries`, `names`, `status` | what is done with one |
//! | `devices` | which file systems are kept closed |
//! | `table` | which file a badge stands for |
//! | `frame` | an answer with many bytes, put together where they are read to |
//! | `ahead` | what is read before it is asked for |
//! | `looked` | what was just looked at, and is opened next |

mod ahead;
mod beneath;
mod bytes;
mod devices;
mod entries;
mod frame;
mod looked;
mod names;
mod opened;
mod path;
mod refusal;
mod status;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hallows_sdk::stub::Status::Done;
use hallows_sdk::stub::{Answer, Borrow, Client, Decoder, List, Message, Own, Request, Resource, Value};
use hallows_system::files::{
    self, Advice, Beginning, Entry, File, Kind, Moment, Opened, Opening, Refusal, Service, Status, Target,
};
use rustix::io::Errno;

pub(super) use beneath::open_beneath;

use self::ahead::{Ahead, Part};
use self::devices::Devices;
use self::entries::BATCH_BYTES;
use self::frame::{Frame, tag_of_close, tag_of_read};
use self::looked::Looked;
use self::names::LINK_BYTES;
use self::opened::OpenFile;
use self::table::Table;
use super::own_endpoint::OwnEndpoint;
use super::resources::Installed;

/// The answer of `close`.
const CLOSED: [u8; 1] = [Done as u8];

/// Serves `files`.
#[derive(Debug)]
pub(super) struct Files<E> {
    installed: Arc<Installed>,
    endpoint: E,
    table: Table,
    devices: Devices,
    frame: Frame,
    /// Linux's form of a directory's entries; made when one is read.
    batch: Vec<u8>,
    link: Box<[u8; LINK_BYTES]>,
    ahead: Ahead,
    looked: Looked,
    tag_of_read: [u8; 4],
    tag_of_close: [u8; 4],
}

impl<E: OwnEndpoint> Files<E> {
    /// With the granted directories.
    ///
    /// # Errors
    ///
    /// That one cannot be opened.
    pub fn new(installed: Arc<Installed>, endpoint: E) -> Result<Self, Errno> {
        let granted = installed.directories.iter().map(OpenFile::granted).collect::<Result<_, _>>()?;
        Ok(Self {
            installed,
            endpoint,
            table: Table::new(granted),
            devices: Devices::default(),
            frame: Frame::new(),
            batch: Vec::new(),
            link: Box::new([0; LINK_BYTES]),
            ahead: Ahead::new(),
            looked: Looked::default(),
            tag_of_read: tag_of_read(),
            tag_of_close: tag_of_close(),
        })
    }

    /// Answers a message.
    pub fn message<'m>(&'m mut self, message: Message<'m>) -> Answer<'m> {
        self.looked.turn();
        // Reads go past the stubs: they would copy the bytes once more.
        if message.bytes.starts_with(&self.tag_of_read) {
            return self.answer_read(message);
        }
        // Whatever else is done to a file may change one.
        self.forget();
        if message.bytes.starts_with(&self.tag_of_close) {
            return self.answer_close(message);
        }
        files::serve(self, message)
    }

    /// Closes what was opened: who opened it has ended without.
    pub fn close_all(&mut self) {
        self.forget();
        self.table.close_all();
    }

    /// What was read ahead may not be what the files have now.
    pub fn forget(&mut self) {
        self.ahead.forget();
    }

    fn answer_read<'m>(&'m mut self, message: Message<'m>) -> Answer<'m> {
        let token = message.token;
        let mut request = match Request::open(message) {
            Ok(request) => request,
            Err(answer) => return answer,
        };
        let client = request.client();
        if self.table.get(client.badge).is_none() {
            return request.gone();
        }
        let Some((offset, most)) = request.parameters::<(u64, u32)>() else { return request.malformed() };
        let part = Part { badge: client.badge, offset, length: self.frame.room(most).len() };
        let length = if self.ahead.take(&part) {
            self.frame.exchange(self.ahead.frame());
            part.length
        } else {
            match self.read(client, offset, most) {
                Ok(length) => length,
                Err(refusal) => return request.answer::<0, _>(&Err::<&[u8], _>(refusal)),
            }
        };
        let next = self.endpoint.answers_early().then(|| self.ahead.next(&part, length)).flatten();
        let Some(next) = next else {
            return Answer::bytes(self.frame.answer(length));
        };
        // First the answer: its client works with it while we read.
        self.endpoint.answer(token, self.frame.answer(length));
        if let Some(file) = self.table.get(client.badge) {
            self.ahead.read(file, next);
        }
        Answer::Later
    }

    /// The file is no more when this is answered; Linux closes it while its client goes on, if that has a thread of its own.
    fn answer_close<'m>(&'m mut self, message: Message<'m>) -> Answer<'m> {
        let token = message.token;
        let mut request = match Request::open(message) {
            Ok(request) => request,
            Err(answer) => return answer,
        };
        let client = request.client();
        if self.table.get(client.badge).is_none() {
            return request.gone();
        }
        if request.parameters::<()>().is_none() {
            return request.malformed();
        }
        let closed = self.table.remove(client.badge);
        if !self.endpoint.answers_early() {
            return Answer::bytes(&CLOSED);
        }
        self.endpoint.answer(token, &CLOSED);
        drop(closed);
        Answer::Later
    }

    fn file(&self, client: Client) -> Result<&OpenFile, Refusal> {
        self.table.get(client.badge).ok_or(Refusal::BadDescriptor)
    }

    fn file_mut(&mut self, client: Client) -> Result<&mut OpenFile, Refusal> {
        self.table.get_mut(client.badge).ok_or(Refusal::BadDescriptor)
    }

    /// A file that came as a parameter.
    fn parameter(&self, file: Borrow<File>) -> Result<&OpenFile, Refusal> {
        let badge = self.endpoint.recognise(file.0.capability()).map_err(|_| Refusal::BadDescriptor)?;
        self.file(Client { badge })
    }

    /// Reads into the frame.
    fn read(&mut self, client: Client, offset: u64, most: u32) -> Result<usize, Refusal> {
        let file = self.table.get(client.badge).ok_or(Refusal::BadDescriptor)?;
        file.read(offset, self.frame.room(most))
    }
}

impl<E: OwnEndpoint> Service for Files<E> {
    fn target(&self, badge: u64) -> Option<Target> {
        self.table.get(badge).map(|_| Target::File)
    }

    fn file_status(&mut self, client: Client) -> Result<Status, Refusal> {
        status::of_descriptor(self.file(client)?)
    }

    fn file_read(&mut self, client: Client, offset: u64, most: u32) -> Result<&[u8], Refusal> {
        self.read(client, offset, most).map(|length| self.frame.bytes(length))
    }

    fn file_write(&mut self, client: Client, offset: u64, bytes: &[u8]) -> Result<u32, Refusal> {
        self.file_mut(client)?.write(offset, bytes)
    }

    fn file_append(&mut self, client: Client, bytes: &[u8]) -> Result<u32, Refusal> {
        self.file_mut(client)?.append(bytes)
    }

    fn file_set_size(&mut self, client: Client, size: u64) -> Result<(), Refusal> {
        self.file(client)?.set_size(size)
    }

    fn file_set_times(&mut self, client: Client, accessed: Moment, modified: Moment) -> Result<(), Refusal> {
        self.file(client)?.set_times(accessed, modified)
    }

    fn file_allocate(&mut self, client: Client, offset: u64, length: u64) -> Result<(), Refusal> {
        self.file(client)?.allocate(offset, length)
    }

    fn file_advise(
        &mut self,
        client: Client,
        offset: u64,
        length: u64,
        advice: Advice,
    ) -> Result<(), Refusal> {
        self.file(client)?.advise(offset, length, advice)
    }

    fn file_sync(&mut self, client: Client, data_only: bool) -> Result<(), Refusal> {
        self.file(client)?.sync(data_only)
    }

    fn file_close(&mut self, client: Client) {
        self.table.remove(client.badge);
    }

    fn file_open(
        &mut self,
        client: Client,
        path: &[u8],
        how: Opening,
        most: u32,
    ) -> Result<Opened<'_>, Refusal> {
        let directory = self.table.get(client.badge).ok_or(Refusal::BadDescriptor)?;
        let seen = self.looked.has_seen(client.badge, path);
        let (file, status) =
            directory.open(path, how, seen, &mut self.devices, || self.installed.permit())?;
        let beginning = self.frame.beginning(&file, status.size, most);
        let badge = self.table.insert(file).ok_or(Refusal::TooManyFiles)?;
        let Ok(capability) = self.endpoint.mint(badge) else {
            self.table.remove(badge);
            return Err(Refusal::NoMemory);
        };
        let beginning =
            beginning.map(|(length, is_all)| Beginning { bytes: self.frame.bytes(length), is_all });
        Ok(Opened { file: Own(File::from_capability(capability)), status, beginning })
    }

    fn file_entries(&mut self, client: Client, from: u64) -> Result<List<'_, Entry<'_>>, Refusal> {
        let file = self.table.get_mut(client.badge).ok_or(Refusal::BadDescriptor)?;
        self.batch.reserve(BATCH_BYTES);
        let batch = self.batch.spare_capacity_mut().get_mut(..BATCH_BYTES).unwrap_or_default();
        let length = file.entries(from, batch, self.frame.room(u32::MAX))?.ok_or(Refusal::Overflow)?;
        // Put together here, so it can be taken apart.
        List::take(&mut Decoder::new(self.frame.bytes(length), &[])).ok_or(Refusal::InputOutput)
    }

    fn file_status_of(&mut self, client: Client, path: &[u8], follow: bool) -> Result<Status, Refusal> {
        let status = self.file(client)?.status_of(path, follow)?;
        if matches!(status.kind, Kind::Regular | Kind::Directory) {
            self.looked.note(client.badge, path);
        }
        Ok(status)
    }

    fn file_set_times_of(
        &mut self,
        client: Client,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
    ) -> Result<(), Refusal> {
        self.file(client)?.set_times_of(path, follow, accessed, modified)
    }

    fn file_make_directory(&mut self, client: Client, path: &[u8]) -> Result<(), Refusal> {
        self.file(client)?.make_directory(path)
    }

    fn file_remove_directory(&mut self, client: Client, path: &[u8]) -> Result<(), Refusal> {
        self.file(client)?.remove_directory(path)
    }

    fn file_remove_file(&mut self, client: Client, path: &[u8]) -> Result<(), Refusal> {
        self.file(client)?.remove_file(path)
    }

    fn file_rename(
        &mut self,
        client: Client,
        path: &[u8],
        to: Borrow<File>,
        new_path: &[u8],
    ) -> Result<(), Refusal> {
        self.file(client)?.rename(path, self.parameter(to)?, new_path)
    }

    fn file_link(
        &mut self,
        client: Client,
        path: &[u8],
        follow: bool,
        to: Borrow<File>,
        new_path: &[u8],
    ) -> Result<(), Refusal> {
        self.file(client)?.link(path, follow, self.parameter(to)?, new_path)
    }

    fn file_make_link(&mut self, client: Client, target: &[u8], path: &[u8]) -> Result<(), Refusal> {
        self.file(client)?.make_link(target, path)
    }

    fn file_link_target<'m>(&'m mut self, client: Client, path: &'m [u8]) -> Result<&'m [u8], Refusal> {
        // Apart from `file`, which borrows all.
        let file = self.table.get(client.badge).ok_or(Refusal::BadDescriptor)?;
        file.link_target(path, &mut self.link)
    }
}
