// Stubs of the interface `calc`, made by `hallows interface stubs`: change that, not this.
//! A calculator: two numbers and an operation, one number or a reason.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "calc";
/// The interface's identity: `f5e322b13b893b809951f470d1644ae4b18166f2bc6b8c6f5ec46bc980d838cc`.
pub const HASH: [u8; 32] = [
    0xf5, 0xe3, 0x22, 0xb1, 0x3b, 0x89, 0x3b, 0x80, 0x99, 0x51, 0xf4, 0x70, 0xd1, 0x64,
    0x4a, 0xe4, 0xb1, 0x81, 0x66, 0xf2, 0xbc, 0x6b, 0x8c, 0x6f, 0x5e, 0xc4, 0x6b, 0xc9,
    0x80, 0xd8, 0x38, 0xcc,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 21;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 10;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const CALCULATE: u32 = 0xb902113d;
}
/// What to calculate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Operation {
    /// `a + b`
    Add = 0,
    /// `a - b`
    Subtract = 1,
    /// `a * b`
    Multiply = 2,
    /// `a / b`, cut towards zero
    Divide = 3,
}
impl Operation {
    /// Every case, in order.
    pub const ALL: [Self; 4] = [Self::Add, Self::Subtract, Self::Multiply, Self::Divide];
}
impl<'m> stub::Value<'m> for Operation {
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
/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// Division by zero.
    DivisionByZero = 0,
    /// The result has more than 64 bits.
    Overflow = 1,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 2] = [Self::DivisionByZero, Self::Overflow];
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
/// A client of `calc`.
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
    /// Calculates.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn calculate(
        &self,
        operation: Operation,
        a: i64,
        b: i64,
        deadline: stub::Deadline,
    ) -> Result<Result<i64, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CALCULATE, deadline)
            .between(&self.0, &(operation, a, b), &mut [0; 21], &mut [0; 10])
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Calculates.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn calculate_async(
        &self,
        operation: Operation,
        a: i64,
        b: i64,
        deadline: stub::Deadline,
    ) -> Result<Result<i64, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CALCULATE, deadline)
            .between_async(&self.0, &(operation, a, b), &mut [0; 21], &mut [0; 10])
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `calculate`; its answer comes as an event, for `calculate_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn calculate_send(
        &self,
        operation: Operation,
        a: i64,
        b: i64,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CALCULATE, stub::Deadline::NEVER)
            .send(&self.0, &(operation, a, b), &mut [0; 21], 10)
    }
}
impl Client {
    /// The answer to `calculate_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn calculate_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<i64, Refusal>, stub::Error> {
        stub::answered(received)
    }
}
/// A server of `calc`.
pub trait Service {
    /// Calculates.
    fn calculate(
        &mut self,
        client: stub::Client,
        operation: Operation,
        a: i64,
        b: i64,
    ) -> Result<i64, Refusal>;
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
        tag::CALCULATE => {
            let Some((operation, a, b)) = request.parameters::<(Operation, i64, i64)>()
            else { return request.malformed() };
            let result = server.calculate(request.client(), operation, a, b);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `calculate`
    #[derive(Clone, Copy, Debug)]
    pub enum Calculate {}
}
impl stub::Function for later::Calculate {
    type Answer<'m> = Result<i64, Refusal>;
}
/// An active server of `calc` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Calculates.
    fn calculate(
        &mut self,
        later: stub::Later<later::Calculate>,
        client: stub::Client,
        operation: Operation,
        a: i64,
        b: i64,
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
        tag::CALCULATE => {
            let Some((operation, a, b)) = request.parameters::<(Operation, i64, i64)>()
            else { return request.malformed() };
            server.calculate(request.later(token), request.client(), operation, a, b);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
