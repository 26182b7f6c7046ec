//! The log is rewritten: a file with what the store has at one moment, and behind that what has changed since, takes the place of the old one.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use hallows::stub::Borrow;
use hallows::{Deadline, Error, log};
use hallows_kv_engine::{Picture, Store};
use hallows_system::files::{File, Opening, Refusal};

use crate::file::{PIECE, ROOM, append, close};
use crate::server::Server;

/// A file that is to take the log's place.
pub struct Rewriting {
    file: File,
    phase: Phase,
    room: Vec<u8>,
    /// How long it is.
    pub bytes: u64,
}

/// Bytes of the old file that are copied in a turn, at least.
const LEAST: u64 = 4 * PIECE as u64;

/// How far it is.
enum Phase {
    /// The file is empty.
    Opened,
    /// What the store had is written. The old file was so long at that moment.
    Picture(Box<Picture>, u64),
    /// All that was in so many bytes of the old file is in it, which was so long when that was looked at.
    Copying(u64, u64),
}

/// Its name until then.
pub fn new_name(name: &str) -> String {
    format!("{name}.rewrite")
}

impl Rewriting {
    /// Makes the file.
    ///
    /// # Errors
    ///
    /// Those of a call.
    pub async fn begin(
        server: &Server<'_>,
        directory: File,
        name: &str,
    ) -> Result<Result<Self, Refusal>, Error> {
        let mut room = vec![0; ROOM];
        let how = Opening::READ | Opening::WRITE | Opening::CREATE | Opening::TRUNCATE;
        let directory = File(server.events.through(directory.0));
        let name = new_name(name);
        let opened = directory.open_async(name.as_bytes(), how, 0, &mut room, Deadline::NEVER).await?;
        let file = opened.map(|opened| opened.file.0);
        Ok(file.map(|file| Self { file, phase: Phase::Opened, room, bytes: 0 }))
    }

    /// The store has what the old file has as soon as that is so long.
    pub fn look(&mut self, store: &Store, old_bytes: u64) {
        if matches!(self.phase, Phase::Opened) {
            self.phase = Phase::Picture(Box::new(store.picture()), old_bytes);
        }
    }

    /// Writes some more. The file, when it has taken the place of the old one, which is so long.
    ///
    /// # Errors
    ///
    /// Those of a call.
    pub async fn go_on(
        &mut self,
        server: &Server<'_>,
        directory: File,
        name: &str,
        old: File,
        old_bytes: u64,
    ) -> Result<Result<Option<File>, Refusal>, Error> {
        let Self { file, phase, room, bytes } = self;
        let through = File(server.events.through(file.0));
        match phase {
            Phase::Opened => return Ok(Ok(None)),
            Phase::Picture(picture, copied) => {
                let piece = server.engine.borrow_mut().store.write_down(picture);
                let Some(piece) = piece else {
                    // Most of it is on the disk before others wait for the rest.
                    *phase = Phase::Copying(*copied, *copied);
                    return Ok(through.sync_async(true, Deadline::NEVER).await?.map(|()| None));
                };
                server.give_way().await;
                *bytes += piece.len() as u64;
                return Ok(append(server, *file, &piece, room)
                    .await?
                    .map(|()| None)
                    .map_err(|(refusal, _)| refusal));
            }
            Phase::Copying(copied, looked) => {
                // More than comes meanwhile, so that it ends.
                let until = (*copied + LEAST.max(2 * (old_bytes - *looked))).min(old_bytes);
                *looked = old_bytes;
                while *copied < until {
                    let most = u32::try_from(PIECE).unwrap_or(u32::MAX);
                    let old = File(server.events.through(old.0));
                    let piece = match old.read_async(*copied, most, room, Deadline::NEVER).await? {
                        // Somebody else has made it shorter.
                        Ok([]) => return Ok(Err(Refusal::InputOutput)),
                        Ok(read) => read.to_vec(),
                        Err(refusal) => return Ok(Err(refusal)),
                    };
                    if let Err((refusal, _)) = append(server, *file, &piece, room).await? {
                        return Ok(Err(refusal));
                    }
                    *copied += piece.len() as u64;
                    *bytes += piece.len() as u64;
                }
                if *copied < old_bytes {
                    return Ok(Ok(None));
                }
            }
        }
        // Nothing that was acknowledged is in one file only: this one is on the disk before it has the name.
        if let Err(refusal) = through.sync_async(false, Deadline::NEVER).await? {
            return Ok(Err(refusal));
        }
        let parent = File(server.events.through(directory.0));
        let to = Borrow(directory);
        let renamed = parent
            .rename_async(new_name(name).as_bytes(), to, name.as_bytes(), room, Deadline::NEVER)
            .await?;
        if let Err(refusal) = renamed {
            return Ok(Err(refusal));
        }
        // What is acknowledged from now on is in this file only: a crash of the host must not bring the old one back.
        if let Err(refusal) = parent.sync_async(false, Deadline::NEVER).await? {
            log!("cannot put on the disk the folder of {name}: {refusal:?}");
            return Err(Error::Refused);
        }
        Ok(Ok(Some(*file)))
    }

    /// It will not be needed.
    ///
    /// # Errors
    ///
    /// Those of a call.
    pub async fn give_up(mut self, server: &Server<'_>, directory: File, name: &str) -> Result<(), Error> {
        close(server, self.file).await?;
        if let Phase::Picture(picture, _) = self.phase {
            server.engine.borrow_mut().store.forget(*picture);
        }
        let directory = File(server.events.through(directory.0));
        let name = new_name(name);
        // What is left of it is overwritten the next time.
        let _ = directory.remove_file_async(name.as_bytes(), &mut self.room, Deadline::NEVER).await?;
        Ok(())
    }
}
