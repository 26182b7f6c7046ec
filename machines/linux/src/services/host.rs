//! The program: one endpoint for all interfaces; the badge says which one a message is for.

use std::sync::Arc;

use hallows_abi::MAX_MESSAGE;
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::{Answer, Error, Message, Rights, Server, Start};
use hallows_system::{clock, console, invocation, random};

use super::badge::Badge;
use super::clock::Clock;
use super::console::Console;
use super::files::Files;
use super::invocation::Invocation;
use super::own_endpoint::{Granted, OwnEndpoint};
use super::random::Random;
use super::resources::{Installed, installed};

/// The name under which a cell of the service is granted its own endpoint, without a badge. A cell without it (one that only reads input) serves
/// all but `file.open`.
pub const ENDPOINT_GRANT: &str = "endpoint";

/// The rights that this grant needs: capabilities of files are minted from it, and their holders call them and pass them on.
pub const ENDPOINT_RIGHTS: Rights = Rights(Rights::SEND.0 | Rights::TRANSFER.0);

/// What a cell of the service is told behind the number of its program if it serves passively.
pub const PASSIVELY: &str = "passively";

/// The host service as a native program. Its calls of Linux may wait, so it serves actively, on a core of its own, whoever shares the program's core
/// with others; and passively, on the program's own thread, one that is alone there.
pub static HOST: NativeProgram = NativeProgram {
    name: "hallows-host",
    style: NativeStyle::Reactor(NativeReactor::of::<
        HostService,
        { HostService::INBOX_BYTES },
        { HostService::REPLY_BYTES },
    >()),
};

/// The state of a cell of the service.
#[derive(Debug)]
pub struct HostService(Host<Granted>);

impl Server for HostService {
    const INBOX_BYTES: usize = MAX_MESSAGE as usize;
    const REPLY_BYTES: usize = MAX_MESSAGE as usize;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let mut arguments = start.info().arguments();
        // The first program, where only one is served.
        let program = arguments.next().map_or(Ok(0), str::parse);
        let is_passive = arguments.next() == Some(PASSIVELY);
        let program = program.map_err(|_| Error::BadArgument)?;
        let Some(installed) = installed(program) else {
            hallows_sdk::log!(
                "there are no resources of the host for program {program}: `services::install` them before the machine starts"
            );
            return Err(Error::BadState);
        };
        Host::new(installed, Granted { endpoint: start.optional(ENDPOINT_GRANT), is_passive }).map(Self)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        self.0.message(message)
    }
}

/// The interfaces of one cell.
#[derive(Debug)]
pub(super) struct Host<E> {
    files: Files<E>,
    console: Console,
    invocation: Invocation,
    clock: Clock,
    random: Random,
    installed: Arc<Installed>,
}

impl<E: OwnEndpoint> Host<E> {
    pub fn new(installed: Arc<Installed>, endpoint: E) -> Result<Self, Error> {
        let files = Files::new(Arc::clone(&installed), endpoint).map_err(|error| {
            hallows_sdk::log!("cannot open a granted directory: {error}");
            Error::BadState
        })?;
        Ok(Self {
            files,
            console: Console::new(Arc::clone(&installed)),
            invocation: Invocation(Arc::clone(&installed.invoked)),
            clock: Clock,
            random: Random::default(),
            installed,
        })
    }

    /// Answers a message. What comes through a badge of one interface reaches no function of another.
    pub fn message<'m>(&'m mut self, message: Message<'m>) -> Answer<'m> {
        let badge = Badge::from_number(message.badge);
        if !self.leaves_files_alone(badge) {
            self.files.forget();
        }
        match badge {
            Some(Badge::Stream(_)) => console::serve(&mut self.console, message),
            Some(Badge::Invocation) => invocation::serve(&mut self.invocation, message),
            Some(Badge::Clock) => clock::serve(&mut self.clock, message),
            Some(Badge::Ended) => {
                self.files.close_all();
                Answer::EMPTY
            }
            Some(Badge::Random) => random::serve(&mut self.random, message),
            // Of a badge that is none there is no file: it answers so.
            Some(Badge::Directory(_) | Badge::Opened(_)) | None => self.files.message(message),
        }
    }

    /// Whether a message through this badge neither changes a file nor tells its sender that somebody else may have: random numbers, and output that
    /// does not go into one. What `files` does itself, it knows.
    fn leaves_files_alone(&self, badge: Option<Badge>) -> bool {
        match badge {
            Some(Badge::Stream(0) | Badge::Invocation | Badge::Clock | Badge::Ended) => false,
            Some(Badge::Stream(number)) => {
                self.installed.streams.get(usize::from(number)).is_some_and(|stream| !stream.may_be_file)
            }
            Some(Badge::Random | Badge::Directory(_) | Badge::Opened(_)) | None => true,
        }
    }
}
