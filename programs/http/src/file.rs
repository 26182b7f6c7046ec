//! A file of the host's that is open.

use alloc::vec;
use alloc::vec::Vec;

use hallows::stub::List;
use hallows::task::{Events, Through};
use hallows::{Deadline, Error, space};
use hallows_system::files::{Entry, File, Refusal, Status};

/// A file that is closed when it is dropped.
#[derive(Debug)]
pub struct OpenFile {
    file: Option<File>,
    /// What was known of it when it was opened.
    pub status: Status,
}

/// What stands in a message beside the bytes that are read.
pub const HEAD_BYTES: usize = 256;

impl OpenFile {
    /// One that was just opened.
    pub const fn new(file: File, status: Status) -> Self {
        Self { file: Some(file), status }
    }

    fn stub<'e>(&self, events: &'e Events) -> Result<File<Through<'e>>, Error> {
        self.file.map(|file| File(events.through(file.0))).ok_or(Error::Gone)
    }

    /// Reads from a place on, so much as there is of it, and at most so many bytes.
    pub async fn read(
        &self,
        events: &Events,
        offset: u64,
        most: usize,
    ) -> Result<Result<Vec<u8>, Refusal>, Error> {
        let mut room = vec![0; most + HEAD_BYTES];
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let read = self.stub(events)?.read_async(offset, most, &mut room, Deadline::NEVER).await?;
        Ok(read.map(<[u8]>::to_vec))
    }

    /// The names in a directory from a place on.
    pub async fn entries<'r>(
        &self,
        events: &Events,
        from: u64,
        room: &'r mut [u8],
    ) -> Result<Result<List<'r, Entry<'r>>, Refusal>, Error> {
        self.stub(events)?.entries_async(from, room, Deadline::NEVER).await
    }

    /// Closes it, while others go on.
    pub async fn close(mut self, events: &Events) {
        if let Some(file) = self.file.take() {
            // A service that is gone has closed it.
            let _ = File(events.through(file.0)).close_async(Deadline::NEVER).await;
            delete(file);
        }
    }
}

impl Drop for OpenFile {
    /// Of who did not come to close it: the connection was lost meanwhile.
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let _ = file.close(Deadline::NEVER);
            delete(file);
        }
    }
}

fn delete(file: File) {
    // If there is none, there is nothing to delete.
    let _ = space::delete(file.0);
}
