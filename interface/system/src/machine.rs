// Stubs of the interface `machine`, made by `hallows interface stubs`: change that, not this.
//! What the machine does: its memory, its cores, its cells. Who holds it sees the names of all cells, and changes nothing.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "machine";
/// The interface's identity: `cb74ae545128481f5732604f94ec7f0cb60c2616c349fa93bbc00e6b190311f5`.
pub const HASH: [u8; 32] = [
    0xcb, 0x74, 0xae, 0x54, 0x51, 0x28, 0x48, 0x1f, 0x57, 0x32, 0x60, 0x4f, 0x94, 0xec,
    0x7f, 0x0c, 0xb6, 0x0c, 0x26, 0x16, 0xc3, 0x49, 0xfa, 0x93, 0xbb, 0xc0, 0x0e, 0x6b,
    0x19, 0x03, 0x11, 0xf5,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 8;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const SUMMARISE: u32 = 0x60923287;
    pub(crate) const CELL: u32 = 0x1c3bce98;
}
/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen<'m> {
    /// It has the same as long as it is there.
    pub number: u32,
    /// What the system calls it.
    pub name: &'m str,
    /// The field `state`.
    pub state: State,
    /// Which life it is in, from 1.
    pub life: u32,
    /// How many of its lives ended otherwise than in an orderly way.
    pub faults: u32,
    /// Processor time that it was seen to use, in nanoseconds.
    pub used: u64,
    /// Linear memory in use, in bytes.
    pub memory: u64,
    /// What it and its objects may have, in bytes, and have.
    pub budget: u64,
    /// The field `budget-used`.
    pub budget_used: u64,
    /// Calls that it has made, and answered.
    pub calls_made: u64,
    /// The field `calls-answered`.
    pub calls_answered: u64,
}
impl<'m> stub::Value<'m> for Seen<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.number, encoder)?;
        stub::Value::put(&self.name, encoder)?;
        stub::Value::put(&self.state, encoder)?;
        stub::Value::put(&self.life, encoder)?;
        stub::Value::put(&self.faults, encoder)?;
        stub::Value::put(&self.used, encoder)?;
        stub::Value::put(&self.memory, encoder)?;
        stub::Value::put(&self.budget, encoder)?;
        stub::Value::put(&self.budget_used, encoder)?;
        stub::Value::put(&self.calls_made, encoder)?;
        stub::Value::put(&self.calls_answered, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            number: stub::Value::take(decoder)?,
            name: stub::Value::take(decoder)?,
            state: stub::Value::take(decoder)?,
            life: stub::Value::take(decoder)?,
            faults: stub::Value::take(decoder)?,
            used: stub::Value::take(decoder)?,
            memory: stub::Value::take(decoder)?,
            budget: stub::Value::take(decoder)?,
            budget_used: stub::Value::take(decoder)?,
            calls_made: stub::Value::take(decoder)?,
            calls_answered: stub::Value::take(decoder)?,
        })
    }
}
/// Where a cell is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// Made, not started.
    Created = 0,
    /// Passive, and makes itself ready.
    Starting = 1,
    /// It runs, or waits.
    Running = 2,
    /// It has ended, and unwinds.
    Dying = 3,
    /// It is over, and may be started again.
    Dead = 4,
}
impl State {
    /// Every case, in order.
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Starting,
        Self::Running,
        Self::Dying,
        Self::Dead,
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
/// The machine as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Cores that programs run on.
    pub cores: u32,
    /// Switches to a thread, on all of them, since it started.
    pub switches: u64,
    /// Memory of all cells, in bytes.
    pub memory: u64,
    /// How much of it is in use.
    pub memory_used: u64,
}
impl<'m> stub::Value<'m> for Summary {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.cores, encoder)?;
        stub::Value::put(&self.switches, encoder)?;
        stub::Value::put(&self.memory, encoder)?;
        stub::Value::put(&self.memory_used, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            cores: stub::Value::take(decoder)?,
            switches: stub::Value::take(decoder)?,
            memory: stub::Value::take(decoder)?,
            memory_used: stub::Value::take(decoder)?,
        })
    }
}
/// A client of `machine`.
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
    /// Calls `summarise`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn summarise(&self, deadline: stub::Deadline) -> Result<Summary, stub::Error> {
        stub::Call::<0, 0>::new(tag::SUMMARISE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 29])
    }
    /// The cell with the least number that is not below this one; nothing if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn cell<'m>(
        &self,
        from: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Option<Seen<'m>>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL, deadline).within(&self.0, &(from,), room)
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Calls `summarise`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn summarise_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Summary, stub::Error> {
        stub::Call::<0, 0>::new(tag::SUMMARISE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 29])
            .await
    }
    /// The cell with the least number that is not below this one; nothing if there is none.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn cell_async<'m>(
        &self,
        from: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Option<Seen<'m>>, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL, deadline)
            .within_async(&self.0, &(from,), room)
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `summarise`; its answer comes as an event, for `summarise_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn summarise_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::SUMMARISE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 29)
    }
    /// Sends a call of `cell`; its answer comes as an event, for `cell_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn cell_send(
        &self,
        from: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL, stub::Deadline::NEVER)
            .send(&self.0, &(from,), &mut [0; 8], answer_most)
    }
}
impl Client {
    /// The answer to `summarise_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn summarise_answer(
        received: stub::Received<'_>,
    ) -> Result<Summary, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `cell_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn cell_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Option<Seen<'m>>, stub::Error> {
        stub::answered(received)
    }
}
/// A server of `machine`.
pub trait Service {
    /// Answers `summarise`.
    fn summarise(&mut self, client: stub::Client) -> Summary;
    /// The cell with the least number that is not below this one; nothing if there is none.
    fn cell(&mut self, client: stub::Client, from: u32) -> Option<Seen<'_>>;
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
        tag::SUMMARISE => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.summarise(request.client());
            request.answer::<0, _>(&result)
        }
        tag::CELL => {
            let Some((from,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.cell(request.client(), from);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `summarise`
    #[derive(Clone, Copy, Debug)]
    pub enum Summarise {}
    /// `cell`
    #[derive(Clone, Copy, Debug)]
    pub enum Cell {}
}
impl stub::Function for later::Summarise {
    type Answer<'m> = Summary;
}
impl stub::Function for later::Cell {
    type Answer<'m> = Option<Seen<'m>>;
}
/// An active server of `machine` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Answers `summarise`.
    fn summarise(&mut self, later: stub::Later<later::Summarise>, client: stub::Client);
    /// The cell with the least number that is not below this one; nothing if there is none.
    fn cell(&mut self, later: stub::Later<later::Cell>, client: stub::Client, from: u32);
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
        tag::SUMMARISE => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.summarise(request.later(token), request.client());
            request.deferred()
        }
        tag::CELL => {
            let Some((from,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.cell(request.later(token), request.client(), from);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
