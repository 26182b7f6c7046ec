//! The state of a program.

use alloc::string::String;
use alloc::vec::Vec;

use hallows_sdk::Error;

use crate::Rights;
use crate::clocks::Clocks;
use crate::descriptor::{Descriptor, Target};
use crate::listing::Listing;
use crate::services::Services;
use crate::system::System;
use crate::table::Table;

/// What a program is given at its start.
#[derive(Clone, Debug)]
pub struct Given<S: System> {
    /// Descriptor 0, or nothing.
    pub input: Option<S::Console>,
    /// Descriptor 1, or nothing.
    pub output: Option<S::Console>,
    /// Descriptor 2, or nothing.
    pub error: Option<S::Console>,
    /// Descriptors 3 and up: directories, with the paths that the program knows them by.
    pub directories: Vec<(String, S::File)>,
    /// Descriptors behind those: TCP ports that are listened on.
    pub ports: Vec<S::Socket>,
}

/// The state of a program: its descriptors, and what it stands on. Its methods are WASI's functions, with their parameters behind the
/// program's memory; what they give is `errno`.
#[derive(Debug)]
pub struct Process<S: System = Services> {
    pub(crate) system: S,
    pub(crate) table: Table<Descriptor<S::File, S::Console, S::Socket>>,
    pub(crate) clocks: Clocks,
    /// How often sockets were waited for.
    pub(crate) waits: u64,
    /// Bytes on their way into a message.
    pub(crate) buffer: Vec<u8>,
    /// The paths of the call that is under way.
    pub(crate) path: Vec<u8>,
    pub(crate) new_path: Vec<u8>,
    pub(crate) listing: Listing,
}

impl Process {
    /// The state of the program in this cell, with what the cell was granted.
    ///
    /// # Errors
    ///
    /// Those of reading the start information.
    pub fn start() -> Result<Self, Error> {
        let (services, given) = Services::start()?;
        Ok(Self::new(services, given))
    }
}

impl<S: System> Process<S> {
    /// The state of a program that has not begun.
    pub fn new(system: S, given: Given<S>) -> Self {
        let Given { input, output, error, directories, ports } = given;
        let stream =
            |console: Option<S::Console>, rights| console.map(|console| Descriptor::stream(console, rights));
        let streams = [
            stream(input, Rights::FD_READ),
            stream(output, Rights::FD_WRITE),
            stream(error, Rights::FD_WRITE),
        ];
        let directories =
            directories.into_iter().map(|(name, directory)| Some(Descriptor::preopened(directory, name)));
        let ports = ports.into_iter().map(|port| Some(Descriptor::port(port)));
        Self {
            system,
            table: Table::of(streams.into_iter().chain(directories).chain(ports)),
            clocks: Clocks::default(),
            waits: 0,
            buffer: Vec::new(),
            path: Vec::new(),
            new_path: Vec::new(),
            listing: Listing::default(),
        }
    }

    /// What it stands on.
    pub fn system(&mut self) -> &mut S {
        &mut self.system
    }

    /// Gives back what the program has opened and not closed: when it has ended, by itself or by a fault.
    pub fn end(&mut self) {
        let Self { system, table, .. } = self;
        for descriptor in table.drain() {
            release::<S>(system, descriptor);
        }
    }
}

/// Gives back what a descriptor stood for.
pub(crate) fn release<S: System>(system: &mut S, descriptor: Descriptor<S::File, S::Console, S::Socket>) {
    match descriptor.target {
        // What was granted stays granted: the cell may be started once more.
        Target::Stream { .. } | Target::Directory { name: Some(_), .. } => {}
        Target::File { file, .. } | Target::Directory { file, name: None } => system.close(file),
        Target::Port { socket, ahead } => ahead.into_iter().chain([socket]).for_each(|one| system.leave(one)),
        Target::Connection(connection) => system.leave(connection.socket),
    }
}
