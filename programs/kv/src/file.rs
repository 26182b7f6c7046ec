//! The log's file: read at the start, appended to from then on.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use hallows::task::{Either, race};
use hallows::{Deadline, Endpoint, Error, Start, log, println, space};
use hallows_kv_engine::{LogFile, Replay, Sync};
use hallows_system::files::{File, Opening, Refusal};

use crate::rewrite::{Rewriting, new_name};
use crate::server::Server;

/// Bytes that are read or written with one message.
pub const PIECE: usize = 60 << 10;
/// Room for a message of so many, and what stands beside them.
pub const ROOM: usize = PIECE + 4_096;
/// How often the file is put on the disk with `appendfsync everysec`.
const SECOND: Duration = Duration::from_secs(1);

/// The file.
pub struct Log {
    directory: File,
    file: File,
    name: String,
    /// What is to take its place.
    rewriting: Option<Rewriting>,
}

impl Log {
    /// Opens the file, and does again what stands in it. What was torn off at its end is cut off.
    ///
    /// # Errors
    ///
    /// Those of calls; [`Error::BadArgument`] if there is no directory, or the file cannot be opened or is damaged: the log explains it.
    pub fn open(start: &Start<'_>, server: &Server<'_>) -> Result<Self, Error> {
        let directory = start.info().grants().find(|(name, _)| name.starts_with("dir:"));
        let Some((_, handle)) = directory else {
            log!(
                "appendonly=yes needs a directory: say `dirs = [\"FOLDER:/data\"]` in the system's description"
            );
            return Err(Error::BadArgument);
        };
        let name = server.engine.borrow().store.config.append_file.clone();
        let how = Opening::READ | Opening::WRITE | Opening::CREATE;
        let directory = File(Endpoint::from_handle(handle));
        let mut room = vec![0; ROOM];
        let opened = directory.open(name.as_bytes(), how, 0, &mut room, Deadline::NEVER)?;
        let file = match opened {
            Ok(opened) => opened.file.0,
            Err(refusal) => return Err(refused("cannot open", &name, refusal)),
        };
        // The name is on the disk as well before anything is acknowledged.
        if let Err(refusal) = directory.sync(false, Deadline::NEVER)? {
            return Err(refused("cannot put on the disk the folder of", &name, refusal));
        }
        // One that was being written when the last life ended. Mostly there is none.
        let _ = directory.remove_file(new_name(&name).as_bytes(), &mut room, Deadline::NEVER)?;
        let log = Self { directory, file, name, rewriting: None };
        log.read(server, &mut room)?;
        server.engine.borrow_mut().store.log.is_on = true;
        Ok(log)
    }

    fn read(&self, server: &Server<'_>, room: &mut [u8]) -> Result<(), Error> {
        let engine = &mut *server.engine.borrow_mut();
        let (mut replay, mut offset) = (Replay::default(), 0);
        let damaged = |corrupt: hallows_kv_engine::Corrupt| {
            log!("{}: {corrupt}", self.name);
            Error::BadArgument
        };
        loop {
            let most = u32::try_from(PIECE).unwrap_or(u32::MAX);
            let bytes = match self.file.read(offset, most, room, Deadline::NEVER)? {
                Ok(bytes) => bytes,
                Err(refusal) => return Err(refused("cannot read", &self.name, refusal)),
            };
            if bytes.is_empty() {
                break;
            }
            offset += bytes.len() as u64;
            replay.feed(engine, bytes).map_err(damaged)?;
        }
        let ended = replay.finish(engine).map_err(damaged)?;
        if ended.torn > 0 {
            log!(
                "{}: the last {} bytes were torn off while they were written, and nobody was told that they are kept: they are cut off",
                self.name,
                ended.torn
            );
            if let Err(refusal) = self.file.set_size(ended.valid, Deadline::NEVER)? {
                return Err(refused("cannot cut off the end of", &self.name, refusal));
            }
            if let Err(refusal) = self.file.sync(false, Deadline::NEVER)? {
                return Err(refused("cannot put on the disk", &self.name, refusal));
            }
        }
        let file = &mut engine.store.log.file;
        (file.bytes, file.base_bytes) = (ended.valid, ended.valid);
        println!("{}: {} changes read back", self.name, ended.requests);
        Ok(())
    }

    /// Appends changes as they come. It ends only with an error: who cannot write them down acknowledges nothing more.
    ///
    /// # Errors
    ///
    /// Those of calls; [`Error::Refused`] if the file service refuses something, which the log explains.
    pub async fn write(mut self, server: &Server<'_>) -> Result<(), Error> {
        let mut room = vec![0; ROOM];
        let mut is_on_disk = true;
        let mut next_sync = Deadline::after(SECOND)?;
        loop {
            let (batch, position, sync) = {
                let mut engine = server.engine.borrow_mut();
                let store = &mut engine.store;
                let batch = store.log.take();
                store.log.file.bytes += batch.as_ref().map_or(0, Vec::len) as u64;
                if let Some(rewriting) = &mut self.rewriting {
                    rewriting.look(store, store.log.file.bytes);
                }
                (batch, store.log.position(), store.config.sync)
            };
            if let Some(batch) = &batch {
                self.append(server, batch, &mut room).await?;
                is_on_disk = false;
            }
            let is_due = match sync {
                Sync::Always => true,
                Sync::EverySecond => next_sync <= Deadline::after(Duration::ZERO)?,
                Sync::Never => false,
            };
            if is_due && !is_on_disk {
                let file = File(server.events.through(self.file.0));
                if let Err(refusal) = file.sync_async(true, Deadline::NEVER).await? {
                    return Err(refused("cannot put on the disk", &self.name, refusal));
                }
                is_on_disk = true;
                next_sync = Deadline::after(SECOND)?;
            }
            server.set_synced(position);
            if self.rewrite(server).await? {
                // All that is in the new file is on the disk.
                is_on_disk = true;
            }
            if batch.is_some() || self.rewriting.is_some() {
                continue;
            }
            if is_on_disk || sync == Sync::Never {
                server.changes.taken().await;
            } else {
                match race(server.changes.taken(), server.events.sleep_until(next_sync)).await {
                    Either::First(()) | Either::Second(()) => {}
                }
            }
        }
    }

    /// Appends a batch. A file that is being written gives its room on the disk up for that.
    async fn append(&mut self, server: &Server<'_>, batch: &[u8], room: &mut [u8]) -> Result<(), Error> {
        let Err((refusal, rest)) = append(server, self.file, batch, room).await? else { return Ok(()) };
        let again = match self.rewriting.take() {
            Some(rewriting) => {
                rewriting.give_up(server, self.directory, &self.name).await?;
                self.cannot(&mut server.engine.borrow_mut().store.log.file, refusal);
                append(server, self.file, rest, room).await?
            }
            None => Err((refusal, rest)),
        };
        again.map_err(|(refusal, _)| refused("cannot write to", &self.name, refusal))
    }

    /// Begins to rewrite the file if that is wanted, or goes on with it. Whether another one has taken its place. If that cannot be, it stays as it is.
    async fn rewrite(&mut self, server: &Server<'_>) -> Result<bool, Error> {
        let Some(mut rewriting) = self.rewriting.take() else {
            if !server.engine.borrow().store.wants_rewrite() {
                return Ok(false);
            }
            let begun = Rewriting::begin(server, self.directory, &self.name).await?;
            let file = &mut server.engine.borrow_mut().store.log.file;
            file.asked_to_rewrite = false;
            match begun {
                Ok(begun) => (self.rewriting, file.is_being_rewritten) = (Some(begun), true),
                Err(refusal) => self.cannot(file, refusal),
            }
            return Ok(false);
        };
        let old_bytes = server.engine.borrow().store.log.file.bytes;
        let gone_on = rewriting.go_on(server, self.directory, &self.name, self.file, old_bytes).await?;
        match gone_on {
            Ok(None) => {
                self.rewriting = Some(rewriting);
                Ok(false)
            }
            Ok(Some(new)) => {
                close(server, core::mem::replace(&mut self.file, new)).await?;
                let file = &mut server.engine.borrow_mut().store.log.file;
                *file = LogFile {
                    bytes: rewriting.bytes,
                    base_bytes: rewriting.bytes,
                    asked_to_rewrite: file.asked_to_rewrite,
                    ..LogFile::default()
                };
                println!("{}: rewritten, {old_bytes} bytes are {} now", self.name, rewriting.bytes);
                Ok(true)
            }
            Err(refusal) => {
                rewriting.give_up(server, self.directory, &self.name).await?;
                self.cannot(&mut server.engine.borrow_mut().store.log.file, refusal);
                Ok(false)
            }
        }
    }

    fn cannot(&self, file: &mut LogFile, refusal: Refusal) {
        log!("cannot rewrite {}: {refusal:?}; it goes on as it is", self.name);
        // It is tried again when it has grown again.
        (file.is_being_rewritten, file.failed_to_rewrite, file.base_bytes) = (false, true, file.bytes);
    }
}

/// Closes a file, and gives its capability up.
///
/// # Errors
///
/// Those of a call.
pub async fn close(server: &Server<'_>, file: File) -> Result<(), Error> {
    File(server.events.through(file.0)).close_async(Deadline::NEVER).await?;
    space::delete(file.0)
}

/// Appends all of it; or why not, and what is left.
///
/// # Errors
///
/// Those of calls.
pub async fn append<'b>(
    server: &Server<'_>,
    file: File,
    mut bytes: &'b [u8],
    room: &mut [u8],
) -> Result<Result<(), (Refusal, &'b [u8])>, Error> {
    let file = File(server.events.through(file.0));
    while !bytes.is_empty() {
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        match file.append_async(piece, room, Deadline::NEVER).await? {
            Ok(written) => {
                bytes = bytes.get(usize::try_from(written).unwrap_or(usize::MAX)..).unwrap_or_default();
            }
            Err(refusal) => return Ok(Err((refusal, bytes))),
        }
    }
    Ok(Ok(()))
}

fn refused(what: &str, name: &str, refusal: Refusal) -> Error {
    log!("{what} {}: {refusal:?}", name.to_string());
    Error::Refused
}
