//! The null console: what takes everything and gives nothing, as Linux's `/dev/null`. It needs nothing of Linux and keeps nothing, so it serves
//! passively: a write is a call on its caller's thread, and no thread waits for another.

use hallows_abi::MAX_MESSAGE;
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::stub::Client;
use hallows_sdk::{Answer, Error, Message, Server, Start};
use hallows_system::console::{self, Refusal, Service};

/// The null console as a native program.
pub static NULL: NativeProgram = NativeProgram {
    name: "hallows-null",
    style: NativeStyle::Reactor(NativeReactor::of::<
        NullConsole,
        { NullConsole::INBOX_BYTES },
        { NullConsole::REPLY_BYTES },
    >()),
};

/// A cell of it, which has no state.
#[derive(Debug)]
pub struct NullConsole;

impl Server for NullConsole {
    const INBOX_BYTES: usize = MAX_MESSAGE as usize;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        console::serve(self, message)
    }
}

impl Service for NullConsole {
    fn write(&mut self, _: Client, bytes: &[u8]) -> Result<u32, Refusal> {
        // No more than a message has.
        Ok(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }

    fn read(&mut self, _: Client, _: u32) -> Result<&[u8], Refusal> {
        Ok(&[])
    }

    fn await_input(&mut self, _: Client, _: u64) -> Result<bool, Refusal> {
        // Its end is there at once.
        Ok(true)
    }

    fn is_terminal(&mut self, _: Client) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_everything_and_is_at_its_end() {
        let (mut null, client) = (NullConsole, Client { badge: 0 });
        for bytes in [&b""[..], b"x", &[7; 65_000]] {
            assert_eq!(null.write(client, bytes), Ok(bytes.len() as u32));
        }
        assert_eq!(null.read(client, u32::MAX), Ok(&b""[..]));
        assert_eq!(null.await_input(client, u64::MAX), Ok(true));
        assert!(!null.is_terminal(client));
    }
}
