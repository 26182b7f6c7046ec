// Stubs of the interface `region`, made by `hallows interface stubs`: change that, not this.
//! Memory that cells share.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "region";
/// The interface's identity: `3cd10a61a19ad7043cac403af6590afd4dcfbda9c02d543da0e790fb99164e81`.
pub const HASH: [u8; 32] = [
    0x3c, 0xd1, 0x0a, 0x61, 0xa1, 0x9a, 0xd7, 0x04, 0x3c, 0xac, 0x40, 0x3a, 0xf6, 0x59,
    0x0a, 0xfd, 0x4d, 0xcf, 0xbd, 0xa9, 0xc0, 0x2d, 0x54, 0x3d, 0xa0, 0xe7, 0x90, 0xfb,
    0x99, 0x16, 0x4e, 0x81,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 13;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 9;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const REGION_MAP: u32 = 0x872ae147;
    pub(crate) const REGION_UNMAP: u32 = 0xdded020c;
    pub(crate) const REGION_SIZE: u32 = 0x43943f73;
}
/// What a cell may do with what it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Access {
    /// READ.
    Read = 0,
    /// READ and WRITE.
    ReadWrite = 1,
}
impl Access {
    /// Every case, in order.
    pub const ALL: [Self; 2] = [Self::Read, Self::ReadWrite];
}
impl<'m> stub::Value<'m> for Access {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&(*self as u8), encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        <u8 as stub::Value>::take(decoder)
            .and_then(|number| Self::ALL.get(usize::from(number)).copied())
    }
}
/// Pages of 4,096 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Region {
    const KIND: u8 = Target::Region as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Region<C> {
    /// Shows them in the caller's memory, from an address on that is a page's.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn map(
        &self,
        address: u64,
        access: Access,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_MAP, deadline)
            .between(&self.0, &(address, access), &mut [0; 13], &mut [0; 1])
    }
    /// Takes them out of the caller's memory again; zeroes stand there then.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn unmap(
        &self,
        address: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_UNMAP, deadline)
            .between(&self.0, &(address,), &mut [0; 12], &mut [0; 1])
    }
    /// Bytes, in whole pages.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn size(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_SIZE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> Region<C> {
    /// Shows them in the caller's memory, from an address on that is a page's.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn map_async(
        &self,
        address: u64,
        access: Access,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_MAP, deadline)
            .between_async(&self.0, &(address, access), &mut [0; 13], &mut [0; 1])
            .await
    }
    /// Takes them out of the caller's memory again; zeroes stand there then.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn unmap_async(
        &self,
        address: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_UNMAP, deadline)
            .between_async(&self.0, &(address,), &mut [0; 12], &mut [0; 1])
            .await
    }
    /// Bytes, in whole pages.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn size_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_SIZE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> Region<C> {
    /// Sends a call of `region.map`; its answer comes as an event, for `map_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn map_send(
        &self,
        address: u64,
        access: Access,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_MAP, stub::Deadline::NEVER)
            .send(&self.0, &(address, access), &mut [0; 13], 1)
    }
    /// Sends a call of `region.unmap`; its answer comes as an event, for `unmap_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn unmap_send(&self, address: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_UNMAP, stub::Deadline::NEVER)
            .send(&self.0, &(address,), &mut [0; 12], 1)
    }
    /// Sends a call of `region.size`; its answer comes as an event, for `size_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn size_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::REGION_SIZE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
}
impl Region {
    /// The answer to `map_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn map_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `unmap_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn unmap_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `size_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn size_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// A client of `region`.
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
    /// A `region`.
    Region,
}
/// A server of `region`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Shows them in the caller's memory, from an address on that is a page's.
    fn region_map(&mut self, client: stub::Client, address: u64, access: Access);
    /// Takes them out of the caller's memory again; zeroes stand there then.
    fn region_unmap(&mut self, client: stub::Client, address: u64);
    /// Bytes, in whole pages.
    fn region_size(&mut self, client: stub::Client) -> u64;
}
/// Hands a message to a server, and makes its answer.
#[inline]
pub fn serve<'m>(
    server: &'m mut impl Service,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Region, tag::REGION_MAP) => {
            let Some((address, access)) = request.parameters::<(u64, Access)>() else {
                return request.malformed()
            };
            server.region_map(request.client(), address, access);
            request.answer::<0, _>(&())
        }
        (Target::Region, tag::REGION_UNMAP) => {
            let Some((address,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.region_unmap(request.client(), address);
            request.answer::<0, _>(&())
        }
        (Target::Region, tag::REGION_SIZE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.region_size(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `region.map`
    #[derive(Clone, Copy, Debug)]
    pub enum RegionMap {}
    /// `region.unmap`
    #[derive(Clone, Copy, Debug)]
    pub enum RegionUnmap {}
    /// `region.size`
    #[derive(Clone, Copy, Debug)]
    pub enum RegionSize {}
}
impl stub::Function for later::RegionMap {
    type Answer<'m> = ();
}
impl stub::Function for later::RegionUnmap {
    type Answer<'m> = ();
}
impl stub::Function for later::RegionSize {
    type Answer<'m> = u64;
}
/// An active server of `region` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Shows them in the caller's memory, from an address on that is a page's.
    fn region_map(
        &mut self,
        later: stub::Later<later::RegionMap>,
        client: stub::Client,
        address: u64,
        access: Access,
    );
    /// Takes them out of the caller's memory again; zeroes stand there then.
    fn region_unmap(
        &mut self,
        later: stub::Later<later::RegionUnmap>,
        client: stub::Client,
        address: u64,
    );
    /// Bytes, in whole pages.
    fn region_size(
        &mut self,
        later: stub::Later<later::RegionSize>,
        client: stub::Client,
    );
}
/// Hands a message to a server that answers when it can.
pub fn serve_later<'m>(
    server: &mut impl LaterService,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let token = message.token;
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Region, tag::REGION_MAP) => {
            let Some((address, access)) = request.parameters::<(u64, Access)>() else {
                return request.malformed()
            };
            server.region_map(request.later(token), request.client(), address, access);
            request.deferred()
        }
        (Target::Region, tag::REGION_UNMAP) => {
            let Some((address,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.region_unmap(request.later(token), request.client(), address);
            request.deferred()
        }
        (Target::Region, tag::REGION_SIZE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.region_size(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
