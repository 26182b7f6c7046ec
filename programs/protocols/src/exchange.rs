// Stubs of the interface `exchange`, made by `hallows interface stubs`: change that, not this.
//! Messages of 64 bytes: what the bench of stubs calls with.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "exchange";
/// The interface's identity: `a116173025b7bfa2eb35d1a9f53189a190085c51c9c16b11e9b659278e043420`.
pub const HASH: [u8; 32] = [
    0xa1, 0x16, 0x17, 0x30, 0x25, 0xb7, 0xbf, 0xa2, 0xeb, 0x35, 0xd1, 0xa9, 0xf5, 0x31,
    0x89, 0xa1, 0x90, 0x08, 0x5c, 0x51, 0xc9, 0xc1, 0x6b, 0x11, 0xe9, 0xb6, 0x59, 0x27,
    0x8e, 0x04, 0x34, 0x20,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const CONFIRM: u32 = 0xbb174fde;
    pub(crate) const ECHO: u32 = 0xab783de7;
}
/// 60 bytes in a message, as orders at an exchange have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Which order.
    pub id: u64,
    /// Whose.
    pub account: u64,
    /// Of what.
    pub instrument: u64,
    /// At which price.
    pub price: i64,
    /// How many.
    pub quantity: u64,
    /// When it was placed, in nanoseconds.
    pub placed_ns: u64,
    /// Until when it stands, in nanoseconds.
    pub expires_ns: u64,
    /// Which way.
    pub side: Side,
    /// Whether others see it.
    pub is_hidden: bool,
    /// Where it came from.
    pub gateway: u16,
}
impl<'m> stub::Value<'m> for Order {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.id, encoder)?;
        stub::Value::put(&self.account, encoder)?;
        stub::Value::put(&self.instrument, encoder)?;
        stub::Value::put(&self.price, encoder)?;
        stub::Value::put(&self.quantity, encoder)?;
        stub::Value::put(&self.placed_ns, encoder)?;
        stub::Value::put(&self.expires_ns, encoder)?;
        stub::Value::put(&self.side, encoder)?;
        stub::Value::put(&self.is_hidden, encoder)?;
        stub::Value::put(&self.gateway, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            id: stub::Value::take(decoder)?,
            account: stub::Value::take(decoder)?,
            instrument: stub::Value::take(decoder)?,
            price: stub::Value::take(decoder)?,
            quantity: stub::Value::take(decoder)?,
            placed_ns: stub::Value::take(decoder)?,
            expires_ns: stub::Value::take(decoder)?,
            side: stub::Value::take(decoder)?,
            is_hidden: stub::Value::take(decoder)?,
            gateway: stub::Value::take(decoder)?,
        })
    }
}
/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Side {
    /// In.
    Buy = 0,
    /// Out.
    Sell = 1,
}
impl Side {
    /// Every case, in order.
    pub const ALL: [Self; 2] = [Self::Buy, Self::Sell];
}
impl<'m> stub::Value<'m> for Side {
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
/// A client of `exchange`.
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
impl<C: stub::Caller> Client<C> {
    /// Says an order back.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn confirm(
        &self,
        order: Order,
        deadline: stub::Deadline,
    ) -> Result<Order, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONFIRM, deadline)
            .between(&self.0, &(order,), &mut [0; 64], &mut [0; 61])
    }
    /// Says bytes back.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn echo<'m>(
        &self,
        bytes: &[u8],
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHO, deadline).within(&self.0, &(bytes,), room)
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Says an order back.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn confirm_async(
        &self,
        order: Order,
        deadline: stub::Deadline,
    ) -> Result<Order, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONFIRM, deadline)
            .between_async(&self.0, &(order,), &mut [0; 64], &mut [0; 61])
            .await
    }
    /// Says bytes back.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn echo_async<'m>(
        &self,
        bytes: &[u8],
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHO, deadline)
            .within_async(&self.0, &(bytes,), room)
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `confirm`; its answer comes as an event, for `confirm_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn confirm_send(&self, order: Order) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CONFIRM, stub::Deadline::NEVER)
            .send(&self.0, &(order,), &mut [0; 64], 61)
    }
    /// Sends a call of `echo`; its answer comes as an event, for `echo_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn echo_send(
        &self,
        bytes: &[u8],
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::ECHO, stub::Deadline::NEVER)
            .send(&self.0, &(bytes,), request, answer_most)
    }
}
impl Client {
    /// The answer to `confirm_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn confirm_answer(received: stub::Received<'_>) -> Result<Order, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `echo_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn echo_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<&'m [u8], stub::Error> {
        stub::answered(received)
    }
}
/// A server of `exchange`.
pub trait Service {
    /// Says an order back.
    fn confirm(&mut self, client: stub::Client, order: Order) -> Order;
    /// Says bytes back.
    fn echo<'m>(&'m mut self, client: stub::Client, bytes: &'m [u8]) -> &'m [u8];
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
    match request.tag() {
        tag::CONFIRM => {
            let Some((order,)) = request.parameters::<(Order,)>() else {
                return request.malformed()
            };
            let result = server.confirm(request.client(), order);
            request.answer::<0, _>(&result)
        }
        tag::ECHO => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.echo(request.client(), bytes);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `confirm`
    #[derive(Clone, Copy, Debug)]
    pub enum Confirm {}
    /// `echo`
    #[derive(Clone, Copy, Debug)]
    pub enum Echo {}
}
impl stub::Function for later::Confirm {
    type Answer<'m> = Order;
}
impl stub::Function for later::Echo {
    type Answer<'m> = &'m [u8];
}
/// An active server of `exchange` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Says an order back.
    fn confirm(
        &mut self,
        later: stub::Later<later::Confirm>,
        client: stub::Client,
        order: Order,
    );
    /// Says bytes back.
    fn echo(
        &mut self,
        later: stub::Later<later::Echo>,
        client: stub::Client,
        bytes: &[u8],
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
    match request.tag() {
        tag::CONFIRM => {
            let Some((order,)) = request.parameters::<(Order,)>() else {
                return request.malformed()
            };
            server.confirm(request.later(token), request.client(), order);
            request.deferred()
        }
        tag::ECHO => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.echo(request.later(token), request.client(), bytes);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
