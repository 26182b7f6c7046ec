//! The desk: serves a Unix program that an operator has started in a machine that runs. Its output becomes lines of the machine's console, its
//! input is at its end, and it has arguments, variables, clocks and random numbers.
//!
//! It makes no system call that the jail does not leave to every machine, and needs no thread of Linux: it serves passively, on the program's own
//! thread. So it is there in machines whose jail was closed when nobody thought of Unix.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallows_abi::MAX_MESSAGE;
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::stub::Client;
use hallows_sdk::{Answer, Error, Message, Server, Start};
use hallows_system::console::{Refusal, Service};
use hallows_system::{clock, console, invocation, random};

use super::badge::Badge;
use super::clock::Clock;
use super::invocation::Invocation;
use super::random::Random;
use super::resources::{InstallError, Invoked};
use crate::machine::outlet::{Outlet, Way};

/// The desk as a native program. A cell's argument is the number of its [`Seat`].
pub static DESK: NativeProgram = NativeProgram {
    name: "hallows-desk",
    style: NativeStyle::Reactor(NativeReactor::of::<Desk, { Desk::INBOX_BYTES }, { Desk::REPLY_BYTES }>()),
};

/// What one program has at its desk.
#[derive(Clone, Debug)]
struct Served {
    outlet: Arc<Outlet>,
    invoked: Arc<Invoked>,
}

/// By the numbers of their seats; and the last number that was given.
static SERVED: Mutex<(u64, BTreeMap<u64, Served>)> = Mutex::new((0, BTreeMap::new()));

fn served() -> MutexGuard<'static, (u64, BTreeMap<u64, Served>)> {
    SERVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program's place at a desk, until it is dropped.
#[derive(Debug)]
pub struct Seat(u64);

impl Seat {
    /// For a program with this output, these arguments (its name first), and these variables (`NAME=value`).
    ///
    /// # Errors
    /// When one of them is none.
    pub fn take(
        outlet: Arc<Outlet>,
        arguments: &[Vec<u8>],
        variables: &[Vec<u8>],
    ) -> Result<Self, InstallError> {
        let invoked = Arc::new(Invoked::new(arguments, variables)?);
        let (last, all) = &mut *served();
        *last += 1;
        all.insert(*last, Served { outlet, invoked });
        Ok(Self(*last))
    }

    /// The argument of the desk's cell.
    #[must_use]
    pub fn argument(&self) -> String {
        self.0.to_string()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        served().1.remove(&self.0);
    }
}

/// A cell of it.
#[derive(Debug)]
pub struct Desk {
    streams: Streams,
    invocation: Invocation,
    clock: Clock,
    random: Random,
}

impl Server for Desk {
    const INBOX_BYTES: usize = MAX_MESSAGE as usize;
    const REPLY_BYTES: usize = MAX_MESSAGE as usize;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let number = start.info().arguments().next().and_then(|number| number.parse().ok());
        let known = number.and_then(|number: u64| served().1.get(&number).cloned());
        known.map(Self::of).ok_or(Error::BadArgument)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        match Badge::from_number(message.badge) {
            Some(Badge::Invocation) => invocation::serve(&mut self.invocation, message),
            Some(Badge::Clock) => clock::serve(&mut self.clock, message),
            Some(Badge::Random) => random::serve(&mut self.random, message),
            // Of a badge that is no stream's there is none: it answers so.
            _ => console::serve(&mut self.streams, message),
        }
    }
}

impl Desk {
    fn of(Served { outlet, invoked }: Served) -> Self {
        Self {
            streams: Streams(outlet),
            invocation: Invocation(invoked),
            clock: Clock,
            random: Random::default(),
        }
    }
}

/// The three streams: the input, which is at its end, and the two ways out.
#[derive(Debug)]
struct Streams(Arc<Outlet>);

impl Streams {
    fn way(client: Client) -> Result<Way, Refusal> {
        match Badge::from_number(client.badge) {
            Some(Badge::Stream(1)) => Ok(Way::Output),
            Some(Badge::Stream(2)) => Ok(Way::Errors),
            _ => Err(Refusal::NotPermitted),
        }
    }

    fn is_input(client: Client) -> Result<(), Refusal> {
        let is_input = Badge::from_number(client.badge) == Some(Badge::Stream(0));
        is_input.then_some(()).ok_or(Refusal::NotPermitted)
    }
}

impl Service for Streams {
    fn write(&mut self, client: Client, bytes: &[u8]) -> Result<u32, Refusal> {
        self.0.write(Self::way(client)?, bytes);
        // No more than a message has.
        Ok(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }

    fn read(&mut self, client: Client, _: u32) -> Result<&[u8], Refusal> {
        Self::is_input(client).map(|()| &[][..])
    }

    fn await_input(&mut self, client: Client, _: u64) -> Result<bool, Refusal> {
        // Its end is there at once.
        Self::is_input(client).map(|()| true)
    }

    fn is_terminal(&mut self, _: Client) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::timer::clock::Calibration;
    use crate::machine::{Console, LinuxMachine};

    fn machine() -> LinuxMachine {
        LinuxMachine::new(1, Calibration::begin().finish(), Console::new())
    }

    fn client(badge: Badge) -> Client {
        Client { badge: badge.number() }
    }

    #[test]
    fn each_stream_has_its_direction_and_other_badges_reach_none() {
        let machine = machine();
        let mut streams = Streams(machine.outlet("tool"));
        let [input, output, errors] = [0, 1, 2].map(|number| client(Badge::Stream(number)));
        assert_eq!(streams.write(output, b"out\n"), Ok(4));
        assert_eq!(streams.write(errors, b"err\n"), Ok(4));
        assert_eq!(machine.console().take(), "tool: out\ntool: err\n");
        assert_eq!(streams.read(input, 9), Ok(&b""[..]));
        assert_eq!(streams.await_input(input, u64::MAX), Ok(true));
        for other in [input, client(Badge::Clock), client(Badge::Directory(1)), Client { badge: 0 }] {
            assert_eq!(streams.write(other, b"x\n"), Err(Refusal::NotPermitted));
        }
        for other in [output, errors, client(Badge::Invocation)] {
            assert_eq!(streams.read(other, 1), Err(Refusal::NotPermitted));
            assert_eq!(streams.await_input(other, 1), Err(Refusal::NotPermitted));
        }
        assert!(!streams.is_terminal(output));
        assert_eq!(machine.console().take(), "");
    }

    #[test]
    fn a_seat_is_given_back() {
        let machine = machine();
        let seat = Seat::take(machine.outlet("tool"), &[b"tool".to_vec()], &[]).expect("is good");
        let number = seat.0;
        assert!(served().1.contains_key(&number));
        drop(seat);
        assert!(!served().1.contains_key(&number));
        let wrong = Seat::take(machine.outlet("tool"), &[b"a\0b".to_vec()], &[]);
        assert!(matches!(wrong, Err(InstallError::ZeroByte { number: 0 })));
    }
}
