// Stubs of the interface `program`, made by `hallows interface stubs`: change that, not this.
//! Programs: they can be named and ended, and answer nothing else.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "program";
/// The interface's identity: `116d68828552eaf13c1460aca12871074bccfbe907132077ca6f2e6b17e920db`.
pub const HASH: [u8; 32] = [
    0x11, 0x6d, 0x68, 0x82, 0x85, 0x52, 0xea, 0xf1, 0x3c, 0x14, 0x60, 0xac, 0xa1, 0x28,
    0x71, 0x07, 0x4b, 0xcc, 0xfb, 0xe9, 0x07, 0x13, 0x20, 0x77, 0xca, 0x6f, 0x2e, 0x6b,
    0x17, 0xe9, 0x20, 0xdb,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 0;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 0;
pub(crate) mod tag {
    //! What requests call the functions.
}
/// A program that cells can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Program {
    const KIND: u8 = Target::Program as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A client of `program`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<C = stub::Endpoint>(
    /// What it calls through.
    pub C,
);
impl stub::Interface for Client {
    const NAME: &'static str = NAME;
    const HASH: [u8; 32] = HASH;
    fn through(endpoint: stub::Endpoint) -> Self {
        Self(endpoint)
    }
}
/// What a message is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Target {
    /// The interface itself.
    Interface,
    /// A `program`.
    Program,
}
/// A server of `program`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
}
/// Hands a message to a server, and makes its answer.
#[inline]
pub fn serve<'m>(
    server: &'m mut impl Service,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    if server.target(request.client().badge).is_none() {
        return request.gone();
    }
    request.unknown()
}
