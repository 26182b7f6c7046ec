// Stubs of the interface `net`, made by `hallows interface stubs`: change that, not this.
//! TCP, UDP and echoes of ICMP over IP, and the addresses of names. What a system grants of it is a network, whose badge says which ports its holder may listen on and
//! which destinations it may reach. Nothing here waits: what cannot be done now is `not-now`, and the socket's bell rings when it can. Its bits: 8 there is
//! something to read or to accept, or nothing more will come; 16 bytes are taken again, or never will be.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "net";
/// The interface's identity: `3e70b393f21b4a0f9b216bff6e15849b698e0d308ea24630c80c908bb09e8d3a`.
pub const HASH: [u8; 32] = [
    0x3e, 0x70, 0xb3, 0x93, 0xf2, 0x1b, 0x4a, 0x0f, 0x9b, 0x21, 0x6b, 0xff, 0x6e, 0x15,
    0x84, 0x9b, 0x69, 0x8e, 0x0d, 0x30, 0x8e, 0xa2, 0x46, 0x30, 0xc8, 0x0c, 0x90, 0x8b,
    0xb0, 0x9e, 0x8d, 0x3a,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const NETWORK_LISTEN: u32 = 0x140f2a75;
    pub(crate) const NETWORK_CONNECT: u32 = 0xd53e6bed;
    pub(crate) const NETWORK_BIND: u32 = 0x0428bf55;
    pub(crate) const NETWORK_RESOLVE: u32 = 0x71388e04;
    pub(crate) const NETWORK_PING: u32 = 0xe6b02f6b;
    pub(crate) const NETWORK_TRAFFIC: u32 = 0xfe08c227;
    pub(crate) const NETWORK_USAGE: u32 = 0x4d4afb1a;
    pub(crate) const NETWORK_FLUSH: u32 = 0x456f6558;
    pub(crate) const LISTENER_TELL: u32 = 0x00981873;
    pub(crate) const LISTENER_ACCEPT: u32 = 0xe2c4cfbb;
    pub(crate) const LISTENER_CLOSE: u32 = 0x73436a77;
    pub(crate) const CONNECTION_TELL: u32 = 0x57a9e367;
    pub(crate) const CONNECTION_READ: u32 = 0x607beca8;
    pub(crate) const CONNECTION_WRITE: u32 = 0x66634e31;
    pub(crate) const CONNECTION_FINISH: u32 = 0x93be26f5;
    pub(crate) const CONNECTION_PEER: u32 = 0x8c37a546;
    pub(crate) const CONNECTION_CLOSE: u32 = 0x955cc9b9;
    pub(crate) const DATAGRAMS_TELL: u32 = 0xf136a258;
    pub(crate) const DATAGRAMS_PORT: u32 = 0x5a6da7aa;
    pub(crate) const DATAGRAMS_SEND: u32 = 0x43756fec;
    pub(crate) const DATAGRAMS_RECEIVE: u32 = 0x359aac70;
    pub(crate) const DATAGRAMS_CLOSE: u32 = 0x4a9107ad;
    pub(crate) const LOOKUP_TELL: u32 = 0x45759488;
    pub(crate) const LOOKUP_ADDRESSES: u32 = 0xedf33877;
    pub(crate) const LOOKUP_CLOSE: u32 = 0x3b563851;
    pub(crate) const ECHOES_TELL: u32 = 0xbbcb8a30;
    pub(crate) const ECHOES_SEND: u32 = 0x13279f2f;
    pub(crate) const ECHOES_RECEIVE: u32 = 0x2419f633;
    pub(crate) const ECHOES_CLOSE: u32 = 0xe12d3fad;
}
/// A connection that was accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accepted {
    /// The field `stream`.
    pub stream: stub::Own<Connection>,
    /// The field `peer`.
    pub peer: Place,
}
impl<'m> stub::Value<'m> for Accepted {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.stream, encoder)?;
        stub::Value::put(&self.peer, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            stream: stub::Value::take(decoder)?,
            peer: stub::Value::take(decoder)?,
        })
    }
}
/// An address of IP: its bits, the first ones highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Address {
    /// The case `v4`.
    V4(u32),
    /// The case `v6`.
    V6(V6),
}
impl<'m> stub::Value<'m> for Address {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        match self {
            Self::V4(value) => {
                stub::Value::put(&0u8, encoder)?;
                stub::Value::put(value, encoder)
            }
            Self::V6(value) => {
                stub::Value::put(&1u8, encoder)?;
                stub::Value::put(value, encoder)
            }
        }
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        match <u8 as stub::Value>::take(decoder)? {
            0 => stub::Value::take(decoder).map(Self::V4),
            1 => stub::Value::take(decoder).map(Self::V6),
            _ => None,
        }
    }
}
/// The resource `bell` of the interface `43cda134aed4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bell<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Bell {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Connection {
    const KIND: u8 = Target::Connection as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Connection<C> {
    /// This bell rings from now on.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn tell(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::CONNECTION_TELL, deadline)
            .between(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
    }
    /// Bytes that have come, at most so many and as many as one answer holds; none means that no more will come. If they are fewer than so many, the bell
    /// rings when there are others, as if `not-now` had been said.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn read<'m>(
        &self,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_READ, deadline)
            .within(&self.0, &(most,), room)
    }
    /// Gives how many bytes were taken from the front, at least one of those that there were. Without any it says whether the connection is there.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn write(
        &self,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_WRITE, deadline)
            .within(&self.0, &(bytes,), room)
    }
    /// No more will be written; what was written is sent, and the other end may go on.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn finish(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_FINISH, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 3])
    }
    /// The other end.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn peer(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<Place, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_PEER, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 21])
    }
    /// Nobody will use it any more: what was written is still sent; if there is something that nobody has read, the connection is reset.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_CLOSE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Connection<C> {
    /// This bell rings from now on.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn tell_async(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::CONNECTION_TELL, deadline)
            .between_async(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Bytes that have come, at most so many and as many as one answer holds; none means that no more will come. If they are fewer than so many, the bell
    /// rings when there are others, as if `not-now` had been said.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn read_async<'m>(
        &self,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_READ, deadline)
            .within_async(&self.0, &(most,), room)
            .await
    }
    /// Gives how many bytes were taken from the front, at least one of those that there were. Without any it says whether the connection is there.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn write_async(
        &self,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_WRITE, deadline)
            .within_async(&self.0, &(bytes,), room)
            .await
    }
    /// No more will be written; what was written is sent, and the other end may go on.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn finish_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_FINISH, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 3])
            .await
    }
    /// The other end.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn peer_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<Place, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_PEER, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 21])
            .await
    }
    /// Nobody will use it any more: what was written is still sent; if there is something that nobody has read, the connection is reset.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn close_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_CLOSE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Connection<C> {
    /// Sends a call of `connection.tell`; its answer comes as an event, for `tell_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn tell_send(&self, by: stub::Own<Bell>) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::CONNECTION_TELL, stub::Deadline::NEVER)
            .send(&self.0, &(by,), &mut [0; 4], 1)
    }
    /// Sends a call of `connection.read`; its answer comes as an event, for `read_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn read_send(
        &self,
        most: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_READ, stub::Deadline::NEVER)
            .send(&self.0, &(most,), &mut [0; 8], answer_most)
    }
    /// Sends a call of `connection.write`; its answer comes as an event, for `write_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn write_send(
        &self,
        bytes: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_WRITE, stub::Deadline::NEVER)
            .send(&self.0, &(bytes,), request, 6)
    }
    /// Sends a call of `connection.finish`; its answer comes as an event, for `finish_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn finish_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_FINISH, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 3)
    }
    /// Sends a call of `connection.peer`; its answer comes as an event, for `peer_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn peer_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_PEER, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 21)
    }
    /// Sends a call of `connection.close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONNECTION_CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Connection {
    /// The answer to `tell_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn tell_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `read_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn read_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `write_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn write_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `finish_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn finish_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `peer_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn peer_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<Place, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `close_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn close_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// Bytes that came by themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Datagram<'m> {
    /// The field `peer`.
    pub peer: Place,
    /// The field `bytes`.
    pub bytes: &'m [u8],
}
impl<'m> stub::Value<'m> for Datagram<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.peer, encoder)?;
        stub::Value::put(&self.bytes, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            peer: stub::Value::take(decoder)?,
            bytes: stub::Value::take(decoder)?,
        })
    }
}
/// A UDP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagrams<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Datagrams {
    const KIND: u8 = Target::Datagrams as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Datagrams<C> {
    /// This bell rings from now on.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn tell(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::DATAGRAMS_TELL, deadline)
            .between(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
    }
    /// The port.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn port(&self, deadline: stub::Deadline) -> Result<u16, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_PORT, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 3])
    }
    /// Calls `datagrams.send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn send(
        &self,
        to: Place,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_SEND, deadline)
            .within(&self.0, &(to, bytes), room)
    }
    /// Calls `datagrams.receive`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn receive<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Datagram<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_RECEIVE, deadline)
            .within(&self.0, &(), room)
    }
    /// Nobody will use it any more.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_CLOSE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Datagrams<C> {
    /// This bell rings from now on.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn tell_async(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::DATAGRAMS_TELL, deadline)
            .between_async(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// The port.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn port_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u16, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_PORT, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 3])
            .await
    }
    /// Calls `datagrams.send`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn send_async(
        &self,
        to: Place,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_SEND, deadline)
            .within_async(&self.0, &(to, bytes), room)
            .await
    }
    /// Calls `datagrams.receive`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn receive_async<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Datagram<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_RECEIVE, deadline)
            .within_async(&self.0, &(), room)
            .await
    }
    /// Nobody will use it any more.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn close_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_CLOSE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Datagrams<C> {
    /// Sends a call of `datagrams.tell`; its answer comes as an event, for `tell_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn tell_send(&self, by: stub::Own<Bell>) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::DATAGRAMS_TELL, stub::Deadline::NEVER)
            .send(&self.0, &(by,), &mut [0; 4], 1)
    }
    /// Sends a call of `datagrams.port`; its answer comes as an event, for `port_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn port_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_PORT, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 3)
    }
    /// Sends a call of `datagrams.send`; its answer comes as an event, for `send_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn send_send(
        &self,
        to: Place,
        bytes: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_SEND, stub::Deadline::NEVER)
            .send(&self.0, &(to, bytes), request, 3)
    }
    /// Sends a call of `datagrams.receive`; its answer comes as an event, for `receive_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn receive_send(&self, answer_most: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_RECEIVE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], answer_most)
    }
    /// Sends a call of `datagrams.close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::DATAGRAMS_CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Datagrams {
    /// The answer to `tell_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn tell_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `port_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn port_answer(received: stub::Received<'_>) -> Result<u16, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `send_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn send_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `receive_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn receive_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<Datagram<'m>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `close_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn close_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// An echo that came back: the number and the bytes that it was sent with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Echo<'m> {
    /// The field `number`.
    pub number: u16,
    /// The field `bytes`.
    pub bytes: &'m [u8],
}
impl<'m> stub::Value<'m> for Echo<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.number, encoder)?;
        stub::Value::put(&self.bytes, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            number: stub::Value::take(decoder)?,
            bytes: stub::Value::take(decoder)?,
        })
    }
}
/// Echoes of ICMP from one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echoes<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Echoes {
    const KIND: u8 = Target::Echoes as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Echoes<C> {
    /// This bell rings from now on.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn tell(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::ECHOES_TELL, deadline)
            .between(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
    }
    /// Asks the address to send this back.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn send(
        &self,
        number: u16,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_SEND, deadline)
            .within(&self.0, &(number, bytes), room)
    }
    /// An echo that has come back.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn receive<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Echo<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_RECEIVE, deadline).within(&self.0, &(), room)
    }
    /// Nobody will use it any more.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_CLOSE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Echoes<C> {
    /// This bell rings from now on.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn tell_async(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::ECHOES_TELL, deadline)
            .between_async(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Asks the address to send this back.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn send_async(
        &self,
        number: u16,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_SEND, deadline)
            .within_async(&self.0, &(number, bytes), room)
            .await
    }
    /// An echo that has come back.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn receive_async<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Echo<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_RECEIVE, deadline)
            .within_async(&self.0, &(), room)
            .await
    }
    /// Nobody will use it any more.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn close_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_CLOSE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Echoes<C> {
    /// Sends a call of `echoes.tell`; its answer comes as an event, for `tell_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn tell_send(&self, by: stub::Own<Bell>) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::ECHOES_TELL, stub::Deadline::NEVER)
            .send(&self.0, &(by,), &mut [0; 4], 1)
    }
    /// Sends a call of `echoes.send`; its answer comes as an event, for `send_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn send_send(
        &self,
        number: u16,
        bytes: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_SEND, stub::Deadline::NEVER)
            .send(&self.0, &(number, bytes), request, 3)
    }
    /// Sends a call of `echoes.receive`; its answer comes as an event, for `receive_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn receive_send(&self, answer_most: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_RECEIVE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], answer_most)
    }
    /// Sends a call of `echoes.close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHOES_CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Echoes {
    /// The answer to `tell_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn tell_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `send_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn send_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `receive_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn receive_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<Echo<'m>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `close_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn close_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// What a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The case `listener`.
    Listener = 0,
    /// The case `connection`.
    Connection = 1,
    /// The case `datagrams`.
    Datagrams = 2,
    /// The case `lookup`.
    Lookup = 3,
    /// The case `echoes`.
    Echoes = 4,
}
impl Kind {
    /// Every case, in order.
    pub const ALL: [Self; 5] = [
        Self::Listener,
        Self::Connection,
        Self::Datagrams,
        Self::Lookup,
        Self::Echoes,
    ];
}
impl<'m> stub::Value<'m> for Kind {
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
/// A TCP port that is listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Listener {
    const KIND: u8 = Target::Listener as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Listener<C> {
    /// This bell rings from now on.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn tell(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::LISTENER_TELL, deadline)
            .between(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
    }
    /// Calls `listener.accept`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn accept(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<Accepted, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::LISTENER_ACCEPT, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 21])
    }
    /// Nobody is accepted any more. Who waits to be is reset.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::LISTENER_CLOSE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Listener<C> {
    /// This bell rings from now on.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn tell_async(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::LISTENER_TELL, deadline)
            .between_async(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Calls `listener.accept`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn accept_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<Accepted, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::LISTENER_ACCEPT, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 21])
            .await
    }
    /// Nobody is accepted any more. Who waits to be is reset.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn close_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::LISTENER_CLOSE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Listener<C> {
    /// Sends a call of `listener.tell`; its answer comes as an event, for `tell_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn tell_send(&self, by: stub::Own<Bell>) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::LISTENER_TELL, stub::Deadline::NEVER)
            .send(&self.0, &(by,), &mut [0; 4], 1)
    }
    /// Sends a call of `listener.accept`; its answer comes as an event, for `accept_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn accept_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::LISTENER_ACCEPT, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 21)
    }
    /// Sends a call of `listener.close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::LISTENER_CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Listener {
    /// The answer to `tell_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn tell_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `accept_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn accept_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<Accepted, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `close_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn close_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// A question for the addresses of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Lookup {
    const KIND: u8 = Target::Lookup as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Lookup<C> {
    /// This bell rings from now on.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn tell(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::LOOKUP_TELL, deadline)
            .between(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
    }
    /// The addresses, at least one; those of version 4 first.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn addresses<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::List<'m, Address>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOKUP_ADDRESSES, deadline)
            .within(&self.0, &(), room)
    }
    /// Nobody will use it any more.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOKUP_CLOSE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Lookup<C> {
    /// This bell rings from now on.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn tell_async(
        &self,
        by: stub::Own<Bell>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::LOOKUP_TELL, deadline)
            .between_async(&self.0, &(by,), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// The addresses, at least one; those of version 4 first.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn addresses_async<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::List<'m, Address>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOKUP_ADDRESSES, deadline)
            .within_async(&self.0, &(), room)
            .await
    }
    /// Nobody will use it any more.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn close_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOKUP_CLOSE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Lookup<C> {
    /// Sends a call of `lookup.tell`; its answer comes as an event, for `tell_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn tell_send(&self, by: stub::Own<Bell>) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::LOOKUP_TELL, stub::Deadline::NEVER)
            .send(&self.0, &(by,), &mut [0; 4], 1)
    }
    /// Sends a call of `lookup.addresses`; its answer comes as an event, for `addresses_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn addresses_send(&self, answer_most: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOKUP_ADDRESSES, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], answer_most)
    }
    /// Sends a call of `lookup.close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOKUP_CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Lookup {
    /// The answer to `tell_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn tell_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `addresses_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn addresses_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<stub::List<'m, Address>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `close_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn close_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// What a system grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Network {
    const KIND: u8 = Target::Network as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Network<C> {
    /// Listens on a TCP port of all addresses. So many connections may wait to be accepted, from 1 on; a service may let fewer.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn listen(
        &self,
        port: u16,
        backlog: u16,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Listener>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_LISTEN, deadline)
            .between(&self.0, &(port, backlog), &mut [0; 8], &mut [0; 3])
    }
    /// Begins to connect: what is read or written waits until the connection is there.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn connect(
        &self,
        to: Place,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Connection>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_CONNECT, deadline)
            .between(&self.0, &(to,), &mut [0; 23], &mut [0; 3])
    }
    /// Takes a UDP port of all addresses; 0: any that is free, to send from.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn bind(
        &self,
        port: u16,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Datagrams>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_BIND, deadline)
            .between(&self.0, &(port,), &mut [0; 6], &mut [0; 3])
    }
    /// Begins to ask for the addresses of a name. Who may reach the servers of names may ask.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn resolve(
        &self,
        name: &str,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Lookup>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_RESOLVE, deadline)
            .within(&self.0, &(name,), room)
    }
    /// What an address is asked by whether it is there.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn ping(
        &self,
        to: Address,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Echoes>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_PING, deadline)
            .between(&self.0, &(to,), &mut [0; 21], &mut [0; 3])
    }
    /// What has gone over the link.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn traffic(&self, deadline: stub::Deadline) -> Result<Traffic, stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_TRAFFIC, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 57])
    }
    /// The socket with the least number above this one: of those that who asks has made, or of all if the system says so.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn usage(
        &self,
        above: u64,
        deadline: stub::Deadline,
    ) -> Result<Option<Usage>, stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_USAGE, deadline)
            .between(&self.0, &(above,), &mut [0; 12], &mut [0; 83])
    }
    /// Has what can be done done before the answer: what was written goes out, and what has come is told. For who computes for long on the service's core; it
    /// is done anyway whenever the service has time.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn flush(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_FLUSH, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Network<C> {
    /// Listens on a TCP port of all addresses. So many connections may wait to be accepted, from 1 on; a service may let fewer.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn listen_async(
        &self,
        port: u16,
        backlog: u16,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Listener>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_LISTEN, deadline)
            .between_async(&self.0, &(port, backlog), &mut [0; 8], &mut [0; 3])
            .await
    }
    /// Begins to connect: what is read or written waits until the connection is there.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn connect_async(
        &self,
        to: Place,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Connection>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_CONNECT, deadline)
            .between_async(&self.0, &(to,), &mut [0; 23], &mut [0; 3])
            .await
    }
    /// Takes a UDP port of all addresses; 0: any that is free, to send from.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn bind_async(
        &self,
        port: u16,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Datagrams>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_BIND, deadline)
            .between_async(&self.0, &(port,), &mut [0; 6], &mut [0; 3])
            .await
    }
    /// Begins to ask for the addresses of a name. Who may reach the servers of names may ask.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn resolve_async(
        &self,
        name: &str,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Lookup>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_RESOLVE, deadline)
            .within_async(&self.0, &(name,), room)
            .await
    }
    /// What an address is asked by whether it is there.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn ping_async(
        &self,
        to: Address,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Echoes>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_PING, deadline)
            .between_async(&self.0, &(to,), &mut [0; 21], &mut [0; 3])
            .await
    }
    /// What has gone over the link.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn traffic_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Traffic, stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_TRAFFIC, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 57])
            .await
    }
    /// The socket with the least number above this one: of those that who asks has made, or of all if the system says so.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn usage_async(
        &self,
        above: u64,
        deadline: stub::Deadline,
    ) -> Result<Option<Usage>, stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_USAGE, deadline)
            .between_async(&self.0, &(above,), &mut [0; 12], &mut [0; 83])
            .await
    }
    /// Has what can be done done before the answer: what was written goes out, and what has come is told. For who computes for long on the service's core; it
    /// is done anyway whenever the service has time.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn flush_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_FLUSH, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Network<C> {
    /// Sends a call of `network.listen`; its answer comes as an event, for `listen_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn listen_send(
        &self,
        port: u16,
        backlog: u16,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_LISTEN, stub::Deadline::NEVER)
            .send(&self.0, &(port, backlog), &mut [0; 8], 3)
    }
    /// Sends a call of `network.connect`; its answer comes as an event, for `connect_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn connect_send(&self, to: Place) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_CONNECT, stub::Deadline::NEVER)
            .send(&self.0, &(to,), &mut [0; 23], 3)
    }
    /// Sends a call of `network.bind`; its answer comes as an event, for `bind_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn bind_send(&self, port: u16) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_BIND, stub::Deadline::NEVER)
            .send(&self.0, &(port,), &mut [0; 6], 3)
    }
    /// Sends a call of `network.resolve`; its answer comes as an event, for `resolve_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn resolve_send(
        &self,
        name: &str,
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_RESOLVE, stub::Deadline::NEVER)
            .send(&self.0, &(name,), request, 3)
    }
    /// Sends a call of `network.ping`; its answer comes as an event, for `ping_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn ping_send(&self, to: Address) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NETWORK_PING, stub::Deadline::NEVER)
            .send(&self.0, &(to,), &mut [0; 21], 3)
    }
    /// Sends a call of `network.traffic`; its answer comes as an event, for `traffic_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn traffic_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_TRAFFIC, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 57)
    }
    /// Sends a call of `network.usage`; its answer comes as an event, for `usage_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn usage_send(&self, above: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_USAGE, stub::Deadline::NEVER)
            .send(&self.0, &(above,), &mut [0; 12], 83)
    }
    /// Sends a call of `network.flush`; its answer comes as an event, for `flush_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn flush_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NETWORK_FLUSH, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Network {
    /// The answer to `listen_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn listen_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Listener>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `connect_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn connect_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Connection>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `bind_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn bind_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Datagrams>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `resolve_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn resolve_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Lookup>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `ping_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn ping_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Echoes>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `traffic_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn traffic_answer(received: stub::Received<'_>) -> Result<Traffic, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `usage_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn usage_answer(
        received: stub::Received<'_>,
    ) -> Result<Option<Usage>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `flush_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn flush_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The field `address`.
    pub address: Address,
    /// The field `port`.
    pub port: u16,
}
impl<'m> stub::Value<'m> for Place {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.address, encoder)?;
        stub::Value::put(&self.port, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            address: stub::Value::take(decoder)?,
            port: stub::Value::take(decoder)?,
        })
    }
}
/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// The system does not allow this port, or this destination, to who asks.
    NotPermitted = 0,
    /// Somebody has the port.
    InUse = 1,
    /// The other end refused or reset the connection, or has not been heard of for too long.
    Reset = 2,
    /// There is no way to this address from here.
    Unreachable = 3,
    /// This end of the connection was finished before.
    Finished = 4,
    /// Not now: the bell rings when it can be done, or never will.
    NotNow = 5,
    /// There is no room for one more socket.
    Full = 6,
    /// More bytes than one datagram may have.
    TooLong = 7,
    /// No address, port or name that anything can be sent to.
    Invalid = 8,
    /// No server of names is known.
    NoServer = 9,
    /// The server of names knows no address of this one.
    NoAddress = 10,
    /// No server of names has answered in time.
    NoAnswer = 11,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 12] = [
        Self::NotPermitted,
        Self::InUse,
        Self::Reset,
        Self::Unreachable,
        Self::Finished,
        Self::NotNow,
        Self::Full,
        Self::TooLong,
        Self::Invalid,
        Self::NoServer,
        Self::NoAddress,
        Self::NoAnswer,
    ];
}
impl<'m> stub::Value<'m> for Refusal {
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
/// How far a TCP connection is, in the words of RFC 9293.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// The case `listen`.
    Listen = 0,
    /// The case `syn-sent`.
    SynSent = 1,
    /// The case `syn-received`.
    SynReceived = 2,
    /// The case `established`.
    Established = 3,
    /// The case `fin-wait-one`.
    FinWaitOne = 4,
    /// The case `fin-wait-two`.
    FinWaitTwo = 5,
    /// The case `close-wait`.
    CloseWait = 6,
    /// The case `closing`.
    Closing = 7,
    /// The case `last-ack`.
    LastAck = 8,
    /// The case `time-wait`.
    TimeWait = 9,
    /// The case `closed`.
    Closed = 10,
}
impl State {
    /// Every case, in order.
    pub const ALL: [Self; 11] = [
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::Established,
        Self::FinWaitOne,
        Self::FinWaitTwo,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
        Self::Closed,
    ];
}
impl<'m> stub::Value<'m> for State {
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
/// What has gone over the link, since this life of the service began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// The field `frames-in`.
    pub frames_in: u64,
    /// The field `bytes-in`.
    pub bytes_in: u64,
    /// Frames that came and were lost: longer than the link carries.
    pub lost_in: u64,
    /// The field `frames-out`.
    pub frames_out: u64,
    /// The field `bytes-out`.
    pub bytes_out: u64,
    /// Frames that were not sent: the link's queue was full, or there was no link.
    pub lost_out: u64,
    /// Sockets that somebody holds.
    pub sockets: u32,
    /// Connections that nobody holds any more and that have not ended yet.
    pub leaving: u32,
}
impl<'m> stub::Value<'m> for Traffic {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.frames_in, encoder)?;
        stub::Value::put(&self.bytes_in, encoder)?;
        stub::Value::put(&self.lost_in, encoder)?;
        stub::Value::put(&self.frames_out, encoder)?;
        stub::Value::put(&self.bytes_out, encoder)?;
        stub::Value::put(&self.lost_out, encoder)?;
        stub::Value::put(&self.sockets, encoder)?;
        stub::Value::put(&self.leaving, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            frames_in: stub::Value::take(decoder)?,
            bytes_in: stub::Value::take(decoder)?,
            lost_in: stub::Value::take(decoder)?,
            frames_out: stub::Value::take(decoder)?,
            bytes_out: stub::Value::take(decoder)?,
            lost_out: stub::Value::take(decoder)?,
            sockets: stub::Value::take(decoder)?,
            leaving: stub::Value::take(decoder)?,
        })
    }
}
/// A socket, and what has gone through it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Of all sockets of this life, in the order in which they were made.
    pub number: u64,
    /// The badge by which its maker holds the network.
    pub owner: u64,
    /// The field `kind`.
    pub kind: Kind,
    /// Of a connection.
    pub state: Option<State>,
    /// 0 if it has none.
    pub port: u16,
    /// The other end, if there is one.
    pub peer: Option<Place>,
    /// Bytes, and reads that gave some, datagrams, echoes or connections.
    pub bytes_in: u64,
    /// The field `times-in`.
    pub times_in: u64,
    /// Bytes, and writes that took some, datagrams or echoes.
    pub bytes_out: u64,
    /// The field `times-out`.
    pub times_out: u64,
    /// Bytes that have come and were not read; of a listener, connections.
    pub waiting_in: u32,
    /// Bytes that were taken and are not with the other end yet.
    pub waiting_out: u32,
}
impl<'m> stub::Value<'m> for Usage {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.number, encoder)?;
        stub::Value::put(&self.owner, encoder)?;
        stub::Value::put(&self.kind, encoder)?;
        stub::Value::put(&self.state, encoder)?;
        stub::Value::put(&self.port, encoder)?;
        stub::Value::put(&self.peer, encoder)?;
        stub::Value::put(&self.bytes_in, encoder)?;
        stub::Value::put(&self.times_in, encoder)?;
        stub::Value::put(&self.bytes_out, encoder)?;
        stub::Value::put(&self.times_out, encoder)?;
        stub::Value::put(&self.waiting_in, encoder)?;
        stub::Value::put(&self.waiting_out, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            number: stub::Value::take(decoder)?,
            owner: stub::Value::take(decoder)?,
            kind: stub::Value::take(decoder)?,
            state: stub::Value::take(decoder)?,
            port: stub::Value::take(decoder)?,
            peer: stub::Value::take(decoder)?,
            bytes_in: stub::Value::take(decoder)?,
            times_in: stub::Value::take(decoder)?,
            bytes_out: stub::Value::take(decoder)?,
            times_out: stub::Value::take(decoder)?,
            waiting_in: stub::Value::take(decoder)?,
            waiting_out: stub::Value::take(decoder)?,
        })
    }
}
/// An address of IPv6.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct V6 {
    /// The field `high`.
    pub high: u64,
    /// The field `low`.
    pub low: u64,
}
impl<'m> stub::Value<'m> for V6 {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.high, encoder)?;
        stub::Value::put(&self.low, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            high: stub::Value::take(decoder)?,
            low: stub::Value::take(decoder)?,
        })
    }
}
/// A client of `net`.
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
    /// A `network`.
    Network,
    /// A `listener`.
    Listener,
    /// A `connection`.
    Connection,
    /// A `datagrams`.
    Datagrams,
    /// A `lookup`.
    Lookup,
    /// A `echoes`.
    Echoes,
}
/// A server of `net`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Listens on a TCP port of all addresses. So many connections may wait to be accepted, from 1 on; a service may let fewer.
    fn network_listen(
        &mut self,
        client: stub::Client,
        port: u16,
        backlog: u16,
    ) -> Result<stub::Own<Listener>, Refusal>;
    /// Begins to connect: what is read or written waits until the connection is there.
    fn network_connect(
        &mut self,
        client: stub::Client,
        to: Place,
    ) -> Result<stub::Own<Connection>, Refusal>;
    /// Takes a UDP port of all addresses; 0: any that is free, to send from.
    fn network_bind(
        &mut self,
        client: stub::Client,
        port: u16,
    ) -> Result<stub::Own<Datagrams>, Refusal>;
    /// Begins to ask for the addresses of a name. Who may reach the servers of names may ask.
    fn network_resolve(
        &mut self,
        client: stub::Client,
        name: &str,
    ) -> Result<stub::Own<Lookup>, Refusal>;
    /// What an address is asked by whether it is there.
    fn network_ping(
        &mut self,
        client: stub::Client,
        to: Address,
    ) -> Result<stub::Own<Echoes>, Refusal>;
    /// What has gone over the link.
    fn network_traffic(&mut self, client: stub::Client) -> Traffic;
    /// The socket with the least number above this one: of those that who asks has made, or of all if the system says so.
    fn network_usage(&mut self, client: stub::Client, above: u64) -> Option<Usage>;
    /// Has what can be done done before the answer: what was written goes out, and what has come is told. For who computes for long on the service's core; it
    /// is done anyway whenever the service has time.
    fn network_flush(&mut self, client: stub::Client);
    /// This bell rings from now on.
    fn listener_tell(&mut self, client: stub::Client, by: stub::Own<Bell>);
    /// Answers `listener.accept`.
    fn listener_accept(&mut self, client: stub::Client) -> Result<Accepted, Refusal>;
    /// Nobody is accepted any more. Who waits to be is reset.
    fn listener_close(&mut self, client: stub::Client);
    /// This bell rings from now on.
    fn connection_tell(&mut self, client: stub::Client, by: stub::Own<Bell>);
    /// Bytes that have come, at most so many and as many as one answer holds; none means that no more will come. If they are fewer than so many, the bell
    /// rings when there are others, as if `not-now` had been said.
    fn connection_read(
        &mut self,
        client: stub::Client,
        most: u32,
    ) -> Result<&[u8], Refusal>;
    /// Gives how many bytes were taken from the front, at least one of those that there were. Without any it says whether the connection is there.
    fn connection_write(
        &mut self,
        client: stub::Client,
        bytes: &[u8],
    ) -> Result<u32, Refusal>;
    /// No more will be written; what was written is sent, and the other end may go on.
    fn connection_finish(&mut self, client: stub::Client) -> Result<(), Refusal>;
    /// The other end.
    fn connection_peer(&mut self, client: stub::Client) -> Result<Place, Refusal>;
    /// Nobody will use it any more: what was written is still sent; if there is something that nobody has read, the connection is reset.
    fn connection_close(&mut self, client: stub::Client);
    /// This bell rings from now on.
    fn datagrams_tell(&mut self, client: stub::Client, by: stub::Own<Bell>);
    /// The port.
    fn datagrams_port(&mut self, client: stub::Client) -> u16;
    /// Answers `datagrams.send`.
    fn datagrams_send(
        &mut self,
        client: stub::Client,
        to: Place,
        bytes: &[u8],
    ) -> Result<(), Refusal>;
    /// Answers `datagrams.receive`.
    fn datagrams_receive(
        &mut self,
        client: stub::Client,
    ) -> Result<Datagram<'_>, Refusal>;
    /// Nobody will use it any more.
    fn datagrams_close(&mut self, client: stub::Client);
    /// This bell rings from now on.
    fn lookup_tell(&mut self, client: stub::Client, by: stub::Own<Bell>);
    /// The addresses, at least one; those of version 4 first.
    fn lookup_addresses(
        &mut self,
        client: stub::Client,
    ) -> Result<stub::List<'_, Address>, Refusal>;
    /// Nobody will use it any more.
    fn lookup_close(&mut self, client: stub::Client);
    /// This bell rings from now on.
    fn echoes_tell(&mut self, client: stub::Client, by: stub::Own<Bell>);
    /// Asks the address to send this back.
    fn echoes_send(
        &mut self,
        client: stub::Client,
        number: u16,
        bytes: &[u8],
    ) -> Result<(), Refusal>;
    /// An echo that has come back.
    fn echoes_receive(&mut self, client: stub::Client) -> Result<Echo<'_>, Refusal>;
    /// Nobody will use it any more.
    fn echoes_close(&mut self, client: stub::Client);
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
        (Target::Network, tag::NETWORK_LISTEN) => {
            let Some((port, backlog)) = request.parameters::<(u16, u16)>() else {
                return request.malformed()
            };
            let result = server.network_listen(request.client(), port, backlog);
            request.answer::<1, _>(&result)
        }
        (Target::Network, tag::NETWORK_CONNECT) => {
            let Some((to,)) = request.parameters::<(Place,)>() else {
                return request.malformed()
            };
            let result = server.network_connect(request.client(), to);
            request.answer::<1, _>(&result)
        }
        (Target::Network, tag::NETWORK_BIND) => {
            let Some((port,)) = request.parameters::<(u16,)>() else {
                return request.malformed()
            };
            let result = server.network_bind(request.client(), port);
            request.answer::<1, _>(&result)
        }
        (Target::Network, tag::NETWORK_RESOLVE) => {
            let Some((name,)) = request.parameters::<(&str,)>() else {
                return request.malformed()
            };
            let result = server.network_resolve(request.client(), name);
            request.answer::<1, _>(&result)
        }
        (Target::Network, tag::NETWORK_PING) => {
            let Some((to,)) = request.parameters::<(Address,)>() else {
                return request.malformed()
            };
            let result = server.network_ping(request.client(), to);
            request.answer::<1, _>(&result)
        }
        (Target::Network, tag::NETWORK_TRAFFIC) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.network_traffic(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Network, tag::NETWORK_USAGE) => {
            let Some((above,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.network_usage(request.client(), above);
            request.answer::<0, _>(&result)
        }
        (Target::Network, tag::NETWORK_FLUSH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.network_flush(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Listener, tag::LISTENER_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.listener_tell(request.client(), by);
            request.answer::<0, _>(&())
        }
        (Target::Listener, tag::LISTENER_ACCEPT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.listener_accept(request.client());
            request.answer::<1, _>(&result)
        }
        (Target::Listener, tag::LISTENER_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.listener_close(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Connection, tag::CONNECTION_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.connection_tell(request.client(), by);
            request.answer::<0, _>(&())
        }
        (Target::Connection, tag::CONNECTION_READ) => {
            let Some((most,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.connection_read(request.client(), most);
            request.answer::<0, _>(&result)
        }
        (Target::Connection, tag::CONNECTION_WRITE) => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.connection_write(request.client(), bytes);
            request.answer::<0, _>(&result)
        }
        (Target::Connection, tag::CONNECTION_FINISH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.connection_finish(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Connection, tag::CONNECTION_PEER) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.connection_peer(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Connection, tag::CONNECTION_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.connection_close(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Datagrams, tag::DATAGRAMS_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.datagrams_tell(request.client(), by);
            request.answer::<0, _>(&())
        }
        (Target::Datagrams, tag::DATAGRAMS_PORT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.datagrams_port(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Datagrams, tag::DATAGRAMS_SEND) => {
            let Some((to, bytes)) = request.parameters::<(Place, &[u8])>() else {
                return request.malformed()
            };
            let result = server.datagrams_send(request.client(), to, bytes);
            request.answer::<0, _>(&result)
        }
        (Target::Datagrams, tag::DATAGRAMS_RECEIVE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.datagrams_receive(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Datagrams, tag::DATAGRAMS_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.datagrams_close(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Lookup, tag::LOOKUP_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.lookup_tell(request.client(), by);
            request.answer::<0, _>(&())
        }
        (Target::Lookup, tag::LOOKUP_ADDRESSES) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.lookup_addresses(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Lookup, tag::LOOKUP_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.lookup_close(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Echoes, tag::ECHOES_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.echoes_tell(request.client(), by);
            request.answer::<0, _>(&())
        }
        (Target::Echoes, tag::ECHOES_SEND) => {
            let Some((number, bytes)) = request.parameters::<(u16, &[u8])>() else {
                return request.malformed()
            };
            let result = server.echoes_send(request.client(), number, bytes);
            request.answer::<0, _>(&result)
        }
        (Target::Echoes, tag::ECHOES_RECEIVE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.echoes_receive(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Echoes, tag::ECHOES_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.echoes_close(request.client());
            request.answer::<0, _>(&())
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `network.listen`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkListen {}
    /// `network.connect`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkConnect {}
    /// `network.bind`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkBind {}
    /// `network.resolve`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkResolve {}
    /// `network.ping`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkPing {}
    /// `network.traffic`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkTraffic {}
    /// `network.usage`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkUsage {}
    /// `network.flush`
    #[derive(Clone, Copy, Debug)]
    pub enum NetworkFlush {}
    /// `listener.tell`
    #[derive(Clone, Copy, Debug)]
    pub enum ListenerTell {}
    /// `listener.accept`
    #[derive(Clone, Copy, Debug)]
    pub enum ListenerAccept {}
    /// `listener.close`
    #[derive(Clone, Copy, Debug)]
    pub enum ListenerClose {}
    /// `connection.tell`
    #[derive(Clone, Copy, Debug)]
    pub enum ConnectionTell {}
    /// `connection.read`
    #[derive(Clone, Copy, Debug)]
    pub enum ConnectionRead {}
    /// `connection.write`
    #[derive(Clone, Copy, Debug)]
    pub enum ConnectionWrite {}
    /// `connection.finish`
    #[derive(Clone, Copy, Debug)]
    pub enum ConnectionFinish {}
    /// `connection.peer`
    #[derive(Clone, Copy, Debug)]
    pub enum ConnectionPeer {}
    /// `connection.close`
    #[derive(Clone, Copy, Debug)]
    pub enum ConnectionClose {}
    /// `datagrams.tell`
    #[derive(Clone, Copy, Debug)]
    pub enum DatagramsTell {}
    /// `datagrams.port`
    #[derive(Clone, Copy, Debug)]
    pub enum DatagramsPort {}
    /// `datagrams.send`
    #[derive(Clone, Copy, Debug)]
    pub enum DatagramsSend {}
    /// `datagrams.receive`
    #[derive(Clone, Copy, Debug)]
    pub enum DatagramsReceive {}
    /// `datagrams.close`
    #[derive(Clone, Copy, Debug)]
    pub enum DatagramsClose {}
    /// `lookup.tell`
    #[derive(Clone, Copy, Debug)]
    pub enum LookupTell {}
    /// `lookup.addresses`
    #[derive(Clone, Copy, Debug)]
    pub enum LookupAddresses {}
    /// `lookup.close`
    #[derive(Clone, Copy, Debug)]
    pub enum LookupClose {}
    /// `echoes.tell`
    #[derive(Clone, Copy, Debug)]
    pub enum EchoesTell {}
    /// `echoes.send`
    #[derive(Clone, Copy, Debug)]
    pub enum EchoesSend {}
    /// `echoes.receive`
    #[derive(Clone, Copy, Debug)]
    pub enum EchoesReceive {}
    /// `echoes.close`
    #[derive(Clone, Copy, Debug)]
    pub enum EchoesClose {}
}
impl stub::Function for later::NetworkListen {
    type Answer<'m> = Result<stub::Own<Listener>, Refusal>;
}
impl stub::Function for later::NetworkConnect {
    type Answer<'m> = Result<stub::Own<Connection>, Refusal>;
}
impl stub::Function for later::NetworkBind {
    type Answer<'m> = Result<stub::Own<Datagrams>, Refusal>;
}
impl stub::Function for later::NetworkResolve {
    type Answer<'m> = Result<stub::Own<Lookup>, Refusal>;
}
impl stub::Function for later::NetworkPing {
    type Answer<'m> = Result<stub::Own<Echoes>, Refusal>;
}
impl stub::Function for later::NetworkTraffic {
    type Answer<'m> = Traffic;
}
impl stub::Function for later::NetworkUsage {
    type Answer<'m> = Option<Usage>;
}
impl stub::Function for later::NetworkFlush {
    type Answer<'m> = ();
}
impl stub::Function for later::ListenerTell {
    type Answer<'m> = ();
}
impl stub::Function for later::ListenerAccept {
    type Answer<'m> = Result<Accepted, Refusal>;
}
impl stub::Function for later::ListenerClose {
    type Answer<'m> = ();
}
impl stub::Function for later::ConnectionTell {
    type Answer<'m> = ();
}
impl stub::Function for later::ConnectionRead {
    type Answer<'m> = Result<&'m [u8], Refusal>;
}
impl stub::Function for later::ConnectionWrite {
    type Answer<'m> = Result<u32, Refusal>;
}
impl stub::Function for later::ConnectionFinish {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::ConnectionPeer {
    type Answer<'m> = Result<Place, Refusal>;
}
impl stub::Function for later::ConnectionClose {
    type Answer<'m> = ();
}
impl stub::Function for later::DatagramsTell {
    type Answer<'m> = ();
}
impl stub::Function for later::DatagramsPort {
    type Answer<'m> = u16;
}
impl stub::Function for later::DatagramsSend {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::DatagramsReceive {
    type Answer<'m> = Result<Datagram<'m>, Refusal>;
}
impl stub::Function for later::DatagramsClose {
    type Answer<'m> = ();
}
impl stub::Function for later::LookupTell {
    type Answer<'m> = ();
}
impl stub::Function for later::LookupAddresses {
    type Answer<'m> = Result<stub::List<'m, Address>, Refusal>;
}
impl stub::Function for later::LookupClose {
    type Answer<'m> = ();
}
impl stub::Function for later::EchoesTell {
    type Answer<'m> = ();
}
impl stub::Function for later::EchoesSend {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::EchoesReceive {
    type Answer<'m> = Result<Echo<'m>, Refusal>;
}
impl stub::Function for later::EchoesClose {
    type Answer<'m> = ();
}
/// An active server of `net` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Listens on a TCP port of all addresses. So many connections may wait to be accepted, from 1 on; a service may let fewer.
    fn network_listen(
        &mut self,
        later: stub::Later<later::NetworkListen>,
        client: stub::Client,
        port: u16,
        backlog: u16,
    );
    /// Begins to connect: what is read or written waits until the connection is there.
    fn network_connect(
        &mut self,
        later: stub::Later<later::NetworkConnect>,
        client: stub::Client,
        to: Place,
    );
    /// Takes a UDP port of all addresses; 0: any that is free, to send from.
    fn network_bind(
        &mut self,
        later: stub::Later<later::NetworkBind>,
        client: stub::Client,
        port: u16,
    );
    /// Begins to ask for the addresses of a name. Who may reach the servers of names may ask.
    fn network_resolve(
        &mut self,
        later: stub::Later<later::NetworkResolve>,
        client: stub::Client,
        name: &str,
    );
    /// What an address is asked by whether it is there.
    fn network_ping(
        &mut self,
        later: stub::Later<later::NetworkPing>,
        client: stub::Client,
        to: Address,
    );
    /// What has gone over the link.
    fn network_traffic(
        &mut self,
        later: stub::Later<later::NetworkTraffic>,
        client: stub::Client,
    );
    /// The socket with the least number above this one: of those that who asks has made, or of all if the system says so.
    fn network_usage(
        &mut self,
        later: stub::Later<later::NetworkUsage>,
        client: stub::Client,
        above: u64,
    );
    /// Has what can be done done before the answer: what was written goes out, and what has come is told. For who computes for long on the service's core; it
    /// is done anyway whenever the service has time.
    fn network_flush(
        &mut self,
        later: stub::Later<later::NetworkFlush>,
        client: stub::Client,
    );
    /// This bell rings from now on.
    fn listener_tell(
        &mut self,
        later: stub::Later<later::ListenerTell>,
        client: stub::Client,
        by: stub::Own<Bell>,
    );
    /// Answers `listener.accept`.
    fn listener_accept(
        &mut self,
        later: stub::Later<later::ListenerAccept>,
        client: stub::Client,
    );
    /// Nobody is accepted any more. Who waits to be is reset.
    fn listener_close(
        &mut self,
        later: stub::Later<later::ListenerClose>,
        client: stub::Client,
    );
    /// This bell rings from now on.
    fn connection_tell(
        &mut self,
        later: stub::Later<later::ConnectionTell>,
        client: stub::Client,
        by: stub::Own<Bell>,
    );
    /// Bytes that have come, at most so many and as many as one answer holds; none means that no more will come. If they are fewer than so many, the bell
    /// rings when there are others, as if `not-now` had been said.
    fn connection_read(
        &mut self,
        later: stub::Later<later::ConnectionRead>,
        client: stub::Client,
        most: u32,
    );
    /// Gives how many bytes were taken from the front, at least one of those that there were. Without any it says whether the connection is there.
    fn connection_write(
        &mut self,
        later: stub::Later<later::ConnectionWrite>,
        client: stub::Client,
        bytes: &[u8],
    );
    /// No more will be written; what was written is sent, and the other end may go on.
    fn connection_finish(
        &mut self,
        later: stub::Later<later::ConnectionFinish>,
        client: stub::Client,
    );
    /// The other end.
    fn connection_peer(
        &mut self,
        later: stub::Later<later::ConnectionPeer>,
        client: stub::Client,
    );
    /// Nobody will use it any more: what was written is still sent; if there is something that nobody has read, the connection is reset.
    fn connection_close(
        &mut self,
        later: stub::Later<later::ConnectionClose>,
        client: stub::Client,
    );
    /// This bell rings from now on.
    fn datagrams_tell(
        &mut self,
        later: stub::Later<later::DatagramsTell>,
        client: stub::Client,
        by: stub::Own<Bell>,
    );
    /// The port.
    fn datagrams_port(
        &mut self,
        later: stub::Later<later::DatagramsPort>,
        client: stub::Client,
    );
    /// Answers `datagrams.send`.
    fn datagrams_send(
        &mut self,
        later: stub::Later<later::DatagramsSend>,
        client: stub::Client,
        to: Place,
        bytes: &[u8],
    );
    /// Answers `datagrams.receive`.
    fn datagrams_receive(
        &mut self,
        later: stub::Later<later::DatagramsReceive>,
        client: stub::Client,
    );
    /// Nobody will use it any more.
    fn datagrams_close(
        &mut self,
        later: stub::Later<later::DatagramsClose>,
        client: stub::Client,
    );
    /// This bell rings from now on.
    fn lookup_tell(
        &mut self,
        later: stub::Later<later::LookupTell>,
        client: stub::Client,
        by: stub::Own<Bell>,
    );
    /// The addresses, at least one; those of version 4 first.
    fn lookup_addresses(
        &mut self,
        later: stub::Later<later::LookupAddresses>,
        client: stub::Client,
    );
    /// Nobody will use it any more.
    fn lookup_close(
        &mut self,
        later: stub::Later<later::LookupClose>,
        client: stub::Client,
    );
    /// This bell rings from now on.
    fn echoes_tell(
        &mut self,
        later: stub::Later<later::EchoesTell>,
        client: stub::Client,
        by: stub::Own<Bell>,
    );
    /// Asks the address to send this back.
    fn echoes_send(
        &mut self,
        later: stub::Later<later::EchoesSend>,
        client: stub::Client,
        number: u16,
        bytes: &[u8],
    );
    /// An echo that has come back.
    fn echoes_receive(
        &mut self,
        later: stub::Later<later::EchoesReceive>,
        client: stub::Client,
    );
    /// Nobody will use it any more.
    fn echoes_close(
        &mut self,
        later: stub::Later<later::EchoesClose>,
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
        (Target::Network, tag::NETWORK_LISTEN) => {
            let Some((port, backlog)) = request.parameters::<(u16, u16)>() else {
                return request.malformed()
            };
            server.network_listen(request.later(token), request.client(), port, backlog);
            request.deferred()
        }
        (Target::Network, tag::NETWORK_CONNECT) => {
            let Some((to,)) = request.parameters::<(Place,)>() else {
                return request.malformed()
            };
            server.network_connect(request.later(token), request.client(), to);
            request.deferred()
        }
        (Target::Network, tag::NETWORK_BIND) => {
            let Some((port,)) = request.parameters::<(u16,)>() else {
                return request.malformed()
            };
            server.network_bind(request.later(token), request.client(), port);
            request.deferred()
        }
        (Target::Network, tag::NETWORK_RESOLVE) => {
            let Some((name,)) = request.parameters::<(&str,)>() else {
                return request.malformed()
            };
            server.network_resolve(request.later(token), request.client(), name);
            request.deferred()
        }
        (Target::Network, tag::NETWORK_PING) => {
            let Some((to,)) = request.parameters::<(Address,)>() else {
                return request.malformed()
            };
            server.network_ping(request.later(token), request.client(), to);
            request.deferred()
        }
        (Target::Network, tag::NETWORK_TRAFFIC) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.network_traffic(request.later(token), request.client());
            request.deferred()
        }
        (Target::Network, tag::NETWORK_USAGE) => {
            let Some((above,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.network_usage(request.later(token), request.client(), above);
            request.deferred()
        }
        (Target::Network, tag::NETWORK_FLUSH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.network_flush(request.later(token), request.client());
            request.deferred()
        }
        (Target::Listener, tag::LISTENER_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.listener_tell(request.later(token), request.client(), by);
            request.deferred()
        }
        (Target::Listener, tag::LISTENER_ACCEPT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.listener_accept(request.later(token), request.client());
            request.deferred()
        }
        (Target::Listener, tag::LISTENER_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.listener_close(request.later(token), request.client());
            request.deferred()
        }
        (Target::Connection, tag::CONNECTION_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.connection_tell(request.later(token), request.client(), by);
            request.deferred()
        }
        (Target::Connection, tag::CONNECTION_READ) => {
            let Some((most,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.connection_read(request.later(token), request.client(), most);
            request.deferred()
        }
        (Target::Connection, tag::CONNECTION_WRITE) => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.connection_write(request.later(token), request.client(), bytes);
            request.deferred()
        }
        (Target::Connection, tag::CONNECTION_FINISH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.connection_finish(request.later(token), request.client());
            request.deferred()
        }
        (Target::Connection, tag::CONNECTION_PEER) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.connection_peer(request.later(token), request.client());
            request.deferred()
        }
        (Target::Connection, tag::CONNECTION_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.connection_close(request.later(token), request.client());
            request.deferred()
        }
        (Target::Datagrams, tag::DATAGRAMS_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.datagrams_tell(request.later(token), request.client(), by);
            request.deferred()
        }
        (Target::Datagrams, tag::DATAGRAMS_PORT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.datagrams_port(request.later(token), request.client());
            request.deferred()
        }
        (Target::Datagrams, tag::DATAGRAMS_SEND) => {
            let Some((to, bytes)) = request.parameters::<(Place, &[u8])>() else {
                return request.malformed()
            };
            server.datagrams_send(request.later(token), request.client(), to, bytes);
            request.deferred()
        }
        (Target::Datagrams, tag::DATAGRAMS_RECEIVE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.datagrams_receive(request.later(token), request.client());
            request.deferred()
        }
        (Target::Datagrams, tag::DATAGRAMS_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.datagrams_close(request.later(token), request.client());
            request.deferred()
        }
        (Target::Lookup, tag::LOOKUP_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.lookup_tell(request.later(token), request.client(), by);
            request.deferred()
        }
        (Target::Lookup, tag::LOOKUP_ADDRESSES) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.lookup_addresses(request.later(token), request.client());
            request.deferred()
        }
        (Target::Lookup, tag::LOOKUP_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.lookup_close(request.later(token), request.client());
            request.deferred()
        }
        (Target::Echoes, tag::ECHOES_TELL) => {
            let Some((by,)) = request.parameters::<(stub::Own<Bell>,)>() else {
                return request.malformed()
            };
            server.echoes_tell(request.later(token), request.client(), by);
            request.deferred()
        }
        (Target::Echoes, tag::ECHOES_SEND) => {
            let Some((number, bytes)) = request.parameters::<(u16, &[u8])>() else {
                return request.malformed()
            };
            server.echoes_send(request.later(token), request.client(), number, bytes);
            request.deferred()
        }
        (Target::Echoes, tag::ECHOES_RECEIVE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.echoes_receive(request.later(token), request.client());
            request.deferred()
        }
        (Target::Echoes, tag::ECHOES_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.echoes_close(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
