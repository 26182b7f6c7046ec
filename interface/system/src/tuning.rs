// Stubs of the interface `tuning`, made by `hallows interface stubs`: change that, not this.
//! The scheduler's times, seen and changed while it works, and what comes of them. Who holds it can slow down everybody: it is for a machine's
//! tuner.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "tuning";
/// The interface's identity: `6b608a45e433dcbdb76b134ae6d687b8c1cd60a655b4ee7b0b45de4674e88fca`.
pub const HASH: [u8; 32] = [
    0x6b, 0x60, 0x8a, 0x45, 0xe4, 0x33, 0xdc, 0xbd, 0xb7, 0x6b, 0x13, 0x4a, 0xe6, 0xd6,
    0x87, 0xb8, 0xc1, 0xcd, 0x60, 0xa6, 0x55, 0xb4, 0xee, 0x7b, 0x0b, 0x45, 0xde, 0x46,
    0x74, 0xe8, 0x8f, 0xca,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const CURRENT: u32 = 0x99e0eb91;
    pub(crate) const SHORTEST_QUANTUM: u32 = 0xd04b5bb8;
    pub(crate) const POOLS: u32 = 0x3004d816;
    pub(crate) const CHANGE: u32 = 0xb1ddd4ee;
    pub(crate) const OBSERVE: u32 = 0x291a864e;
}
/// Calls that took about as long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The longest that any of them took, in nanoseconds.
    pub most: u64,
    /// How many, estimated from samples.
    pub calls: u64,
}
impl<'m> stub::Value<'m> for Bucket {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.most, encoder)?;
        stub::Value::put(&self.calls, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            most: stub::Value::take(decoder)?,
            calls: stub::Value::take(decoder)?,
        })
    }
}
/// What a cell that answers calls has done by a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation<'m> {
    /// That moment, of the monotonic clock, in nanoseconds.
    pub at: u64,
    /// Calls that it has answered since it was made.
    pub answered: u64,
    /// How long they took, as their callers saw it, the shortest first.
    pub latencies: stub::List<'m, Bucket>,
}
impl<'m> stub::Value<'m> for Observation<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.at, encoder)?;
        stub::Value::put(&self.answered, encoder)?;
        stub::Value::put(&self.latencies, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            at: stub::Value::take(decoder)?,
            answered: stub::Value::take(decoder)?,
            latencies: stub::Value::take(decoder)?,
        })
    }
}
/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// No cell has this name.
    NoCell = 0,
    /// A quantum is shorter than this machine can keep.
    QuantumTooShort = 1,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 2] = [Self::NoCell, Self::QuantumTooShort];
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
/// Times, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// How long a thread of the latency class runs while another of its priority waits; all ones: until it waits by itself.
    pub quantum: u64,
    /// The same in the batch class.
    pub batch_quantum: u64,
    /// How long the threads of a pool wait for a core before one of another pool is lent to it.
    pub lend_after: u64,
}
impl<'m> stub::Value<'m> for Times {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.quantum, encoder)?;
        stub::Value::put(&self.batch_quantum, encoder)?;
        stub::Value::put(&self.lend_after, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            quantum: stub::Value::take(decoder)?,
            batch_quantum: stub::Value::take(decoder)?,
            lend_after: stub::Value::take(decoder)?,
        })
    }
}
/// A client of `tuning`.
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
    /// The times at work.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn current(&self, deadline: stub::Deadline) -> Result<Times, stub::Error> {
        stub::Call::<0, 0>::new(tag::CURRENT, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 25])
    }
    /// The shortest quantum that this machine can keep, in nanoseconds.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn shortest_quantum(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::SHORTEST_QUANTUM, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
    /// How many pools the machine's cores are in: with one, nothing is lent.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn pools(&self, deadline: stub::Deadline) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::POOLS, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 5])
    }
    /// Puts others in their place, all of them or none.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn change(
        &self,
        times: Times,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CHANGE, deadline)
            .between(&self.0, &(times,), &mut [0; 28], &mut [0; 3])
    }
    /// What has become of the calls that the first cell of a name answers.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn observe<'m>(
        &self,
        cell: &str,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Observation<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBSERVE, deadline).within(&self.0, &(cell,), room)
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// The times at work.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn current_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Times, stub::Error> {
        stub::Call::<0, 0>::new(tag::CURRENT, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 25])
            .await
    }
    /// The shortest quantum that this machine can keep, in nanoseconds.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn shortest_quantum_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::SHORTEST_QUANTUM, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
    /// How many pools the machine's cores are in: with one, nothing is lent.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn pools_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::POOLS, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 5])
            .await
    }
    /// Puts others in their place, all of them or none.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn change_async(
        &self,
        times: Times,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CHANGE, deadline)
            .between_async(&self.0, &(times,), &mut [0; 28], &mut [0; 3])
            .await
    }
    /// What has become of the calls that the first cell of a name answers.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn observe_async<'m>(
        &self,
        cell: &str,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Observation<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBSERVE, deadline)
            .within_async(&self.0, &(cell,), room)
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `current`; its answer comes as an event, for `current_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn current_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CURRENT, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 25)
    }
    /// Sends a call of `shortest-quantum`; its answer comes as an event, for `shortest_quantum_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn shortest_quantum_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::SHORTEST_QUANTUM, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
    /// Sends a call of `pools`; its answer comes as an event, for `pools_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn pools_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::POOLS, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 5)
    }
    /// Sends a call of `change`; its answer comes as an event, for `change_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn change_send(&self, times: Times) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CHANGE, stub::Deadline::NEVER)
            .send(&self.0, &(times,), &mut [0; 28], 3)
    }
    /// Sends a call of `observe`; its answer comes as an event, for `observe_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn observe_send(
        &self,
        cell: &str,
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBSERVE, stub::Deadline::NEVER)
            .send(&self.0, &(cell,), request, answer_most)
    }
}
impl Client {
    /// The answer to `current_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn current_answer(received: stub::Received<'_>) -> Result<Times, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `shortest_quantum_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn shortest_quantum_answer(
        received: stub::Received<'_>,
    ) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `pools_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn pools_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `change_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn change_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `observe_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn observe_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<Observation<'m>, Refusal>, stub::Error> {
        stub::answered(received)
    }
}
/// A server of `tuning`.
pub trait Service {
    /// The times at work.
    fn current(&mut self, client: stub::Client) -> Times;
    /// The shortest quantum that this machine can keep, in nanoseconds.
    fn shortest_quantum(&mut self, client: stub::Client) -> u64;
    /// How many pools the machine's cores are in: with one, nothing is lent.
    fn pools(&mut self, client: stub::Client) -> u32;
    /// Puts others in their place, all of them or none.
    fn change(&mut self, client: stub::Client, times: Times) -> Result<(), Refusal>;
    /// What has become of the calls that the first cell of a name answers.
    fn observe<'m>(
        &'m mut self,
        client: stub::Client,
        cell: &'m str,
    ) -> Result<Observation<'m>, Refusal>;
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
        tag::CURRENT => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.current(request.client());
            request.answer::<0, _>(&result)
        }
        tag::SHORTEST_QUANTUM => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.shortest_quantum(request.client());
            request.answer::<0, _>(&result)
        }
        tag::POOLS => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.pools(request.client());
            request.answer::<0, _>(&result)
        }
        tag::CHANGE => {
            let Some((times,)) = request.parameters::<(Times,)>() else {
                return request.malformed()
            };
            let result = server.change(request.client(), times);
            request.answer::<0, _>(&result)
        }
        tag::OBSERVE => {
            let Some((cell,)) = request.parameters::<(&str,)>() else {
                return request.malformed()
            };
            let result = server.observe(request.client(), cell);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `current`
    #[derive(Clone, Copy, Debug)]
    pub enum Current {}
    /// `shortest-quantum`
    #[derive(Clone, Copy, Debug)]
    pub enum ShortestQuantum {}
    /// `pools`
    #[derive(Clone, Copy, Debug)]
    pub enum Pools {}
    /// `change`
    #[derive(Clone, Copy, Debug)]
    pub enum Change {}
    /// `observe`
    #[derive(Clone, Copy, Debug)]
    pub enum Observe {}
}
impl stub::Function for later::Current {
    type Answer<'m> = Times;
}
impl stub::Function for later::ShortestQuantum {
    type Answer<'m> = u64;
}
impl stub::Function for later::Pools {
    type Answer<'m> = u32;
}
impl stub::Function for later::Change {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::Observe {
    type Answer<'m> = Result<Observation<'m>, Refusal>;
}
/// An active server of `tuning` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// The times at work.
    fn current(&mut self, later: stub::Later<later::Current>, client: stub::Client);
    /// The shortest quantum that this machine can keep, in nanoseconds.
    fn shortest_quantum(
        &mut self,
        later: stub::Later<later::ShortestQuantum>,
        client: stub::Client,
    );
    /// How many pools the machine's cores are in: with one, nothing is lent.
    fn pools(&mut self, later: stub::Later<later::Pools>, client: stub::Client);
    /// Puts others in their place, all of them or none.
    fn change(
        &mut self,
        later: stub::Later<later::Change>,
        client: stub::Client,
        times: Times,
    );
    /// What has become of the calls that the first cell of a name answers.
    fn observe(
        &mut self,
        later: stub::Later<later::Observe>,
        client: stub::Client,
        cell: &str,
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
        tag::CURRENT => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.current(request.later(token), request.client());
            request.deferred()
        }
        tag::SHORTEST_QUANTUM => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.shortest_quantum(request.later(token), request.client());
            request.deferred()
        }
        tag::POOLS => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.pools(request.later(token), request.client());
            request.deferred()
        }
        tag::CHANGE => {
            let Some((times,)) = request.parameters::<(Times,)>() else {
                return request.malformed()
            };
            server.change(request.later(token), request.client(), times);
            request.deferred()
        }
        tag::OBSERVE => {
            let Some((cell,)) = request.parameters::<(&str,)>() else {
                return request.malformed()
            };
            server.observe(request.later(token), request.client(), cell);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
