// Stubs of the interface `invocation`, made by `hallows interface stubs`: change that, not this.
//! How a program was started by a person: its arguments and its environment. Both can be longer than one message, so they are read in pieces of
//! what they are together: texts, each with a zero byte behind it.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "invocation";
/// The interface's identity: `6a97eafb3c7bda3d2de0d206f9975f001976b16821318b271d98cb40d0c7f81f`.
pub const HASH: [u8; 32] = [
    0x6a, 0x97, 0xea, 0xfb, 0x3c, 0x7b, 0xda, 0x3d, 0x2d, 0xe0, 0xd2, 0x06, 0xf9, 0x97,
    0x5f, 0x00, 0x19, 0x76, 0xb1, 0x68, 0x21, 0x31, 0x8b, 0x27, 0x1d, 0x98, 0xcb, 0x40,
    0xd0, 0xc7, 0xf8, 0x1f,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 8;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const MEASURE: u32 = 0xa7cab6e2;
    pub(crate) const ARGUMENTS: u32 = 0xce31bd10;
    pub(crate) const VARIABLES: u32 = 0xeafc599a;
}
/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// The field `arguments`.
    pub arguments: u32,
    /// The field `argument-bytes`.
    pub argument_bytes: u32,
    /// The field `variables`.
    pub variables: u32,
    /// The field `variable-bytes`.
    pub variable_bytes: u32,
}
impl<'m> stub::Value<'m> for Sizes {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.arguments, encoder)?;
        stub::Value::put(&self.argument_bytes, encoder)?;
        stub::Value::put(&self.variables, encoder)?;
        stub::Value::put(&self.variable_bytes, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            arguments: stub::Value::take(decoder)?,
            argument_bytes: stub::Value::take(decoder)?,
            variables: stub::Value::take(decoder)?,
            variable_bytes: stub::Value::take(decoder)?,
        })
    }
}
/// A client of `invocation`.
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
    /// Calls `measure`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn measure(&self, deadline: stub::Deadline) -> Result<Sizes, stub::Error> {
        stub::Call::<0, 0>::new(tag::MEASURE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 17])
    }
    /// Arguments, from a byte on; the first one is the program's name.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn arguments<'m>(
        &self,
        from: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::ARGUMENTS, deadline).within(&self.0, &(from,), room)
    }
    /// Variables of the environment, `NAME=value`, from a byte on.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn variables<'m>(
        &self,
        from: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::VARIABLES, deadline).within(&self.0, &(from,), room)
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Calls `measure`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn measure_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Sizes, stub::Error> {
        stub::Call::<0, 0>::new(tag::MEASURE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 17])
            .await
    }
    /// Arguments, from a byte on; the first one is the program's name.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn arguments_async<'m>(
        &self,
        from: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::ARGUMENTS, deadline)
            .within_async(&self.0, &(from,), room)
            .await
    }
    /// Variables of the environment, `NAME=value`, from a byte on.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn variables_async<'m>(
        &self,
        from: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::VARIABLES, deadline)
            .within_async(&self.0, &(from,), room)
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `measure`; its answer comes as an event, for `measure_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn measure_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::MEASURE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 17)
    }
    /// Sends a call of `arguments`; its answer comes as an event, for `arguments_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn arguments_send(
        &self,
        from: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::ARGUMENTS, stub::Deadline::NEVER)
            .send(&self.0, &(from,), &mut [0; 8], answer_most)
    }
    /// Sends a call of `variables`; its answer comes as an event, for `variables_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn variables_send(
        &self,
        from: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::VARIABLES, stub::Deadline::NEVER)
            .send(&self.0, &(from,), &mut [0; 8], answer_most)
    }
}
impl Client {
    /// The answer to `measure_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn measure_answer(received: stub::Received<'_>) -> Result<Sizes, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `arguments_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn arguments_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<&'m [u8], stub::Error> {
        stub::answered(received)
    }
    /// The answer to `variables_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn variables_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<&'m [u8], stub::Error> {
        stub::answered(received)
    }
}
/// A server of `invocation`.
pub trait Service {
    /// Answers `measure`.
    fn measure(&mut self, client: stub::Client) -> Sizes;
    /// Arguments, from a byte on; the first one is the program's name.
    fn arguments(&mut self, client: stub::Client, from: u32) -> &[u8];
    /// Variables of the environment, `NAME=value`, from a byte on.
    fn variables(&mut self, client: stub::Client, from: u32) -> &[u8];
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
        tag::MEASURE => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.measure(request.client());
            request.answer::<0, _>(&result)
        }
        tag::ARGUMENTS => {
            let Some((from,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.arguments(request.client(), from);
            request.answer::<0, _>(&result)
        }
        tag::VARIABLES => {
            let Some((from,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.variables(request.client(), from);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `measure`
    #[derive(Clone, Copy, Debug)]
    pub enum Measure {}
    /// `arguments`
    #[derive(Clone, Copy, Debug)]
    pub enum Arguments {}
    /// `variables`
    #[derive(Clone, Copy, Debug)]
    pub enum Variables {}
}
impl stub::Function for later::Measure {
    type Answer<'m> = Sizes;
}
impl stub::Function for later::Arguments {
    type Answer<'m> = &'m [u8];
}
impl stub::Function for later::Variables {
    type Answer<'m> = &'m [u8];
}
/// An active server of `invocation` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Answers `measure`.
    fn measure(&mut self, later: stub::Later<later::Measure>, client: stub::Client);
    /// Arguments, from a byte on; the first one is the program's name.
    fn arguments(
        &mut self,
        later: stub::Later<later::Arguments>,
        client: stub::Client,
        from: u32,
    );
    /// Variables of the environment, `NAME=value`, from a byte on.
    fn variables(
        &mut self,
        later: stub::Later<later::Variables>,
        client: stub::Client,
        from: u32,
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
        tag::MEASURE => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.measure(request.later(token), request.client());
            request.deferred()
        }
        tag::ARGUMENTS => {
            let Some((from,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.arguments(request.later(token), request.client(), from);
            request.deferred()
        }
        tag::VARIABLES => {
            let Some((from,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.variables(request.later(token), request.client(), from);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
