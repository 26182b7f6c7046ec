//! The service's own endpoint: capabilities of opened files are made from it and recognised by it, and its messages can be answered before
//! their handler returns.

use hallows_sdk::stub::{Error, Handle};
use hallows_sdk::{Endpoint, Object, Rights, Token, space};

/// Makes and recognises capabilities of the service, and answers its messages. A trait, so that tests do without a kernel.
pub(super) trait OwnEndpoint {
    /// A new capability of this service with this badge.
    fn mint(&self, badge: u64) -> Result<Handle, Error>;

    /// The badge of a capability, if it is of this service.
    fn recognise(&self, capability: Handle) -> Result<u64, Error>;

    /// Whether a message can be answered before its handler returns: a client that is served on its own thread goes on only then.
    fn answers_early(&self) -> bool;

    /// Answers a message now, where that can be; its handler goes on, and gives back `Answer::Later`.
    fn answer(&self, token: Token, bytes: &[u8]);
}

/// The endpoint that the kernel knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted {
    /// `None`: the cell was granted none, and gives no capabilities.
    pub endpoint: Option<Endpoint>,
    /// It is served on its clients' threads.
    pub is_passive: bool,
}

/// What the holder of a file may do with its capability: call it, and pass it on (also as a parameter).
const FILE_RIGHTS: Rights = Rights(Rights::SEND.0 | Rights::TRANSFER.0);

impl OwnEndpoint for Granted {
    fn mint(&self, badge: u64) -> Result<Handle, Error> {
        let endpoint = self.endpoint.ok_or(Error::NoRight)?;
        space::mint(endpoint, FILE_RIGHTS, badge).map(Object::handle)
    }

    fn recognise(&self, capability: Handle) -> Result<u64, Error> {
        Endpoint::from_handle(capability).recognise()
    }

    fn answers_early(&self) -> bool {
        !self.is_passive
    }

    fn answer(&self, token: Token, bytes: &[u8]) {
        // Whoever does not wait any more, or has no room, has been told so. Who is killed learns it at the next event.
        let _ = hallows_sdk::answer(token, bytes, &[]);
    }
}
