//! Native programs: trusted ones that are linked into the machine, from the same source as WebAssembly ones.
//!
//! They run on the same fibers and make the same kernel calls; only their addresses are the machine's own, and nothing preempts
//! them: between two calls they are as trusted as the kernel. A call finds the cell that made it by a word of the core's own, which
//! points to the innermost native program on the stack ([`Frame`]) and goes along with the fiber.

use hallows_abi::{
    Error, Event, FaultKind, Handle, MAX_MESSAGE, MAX_TRANSFERS, Outcome, Transfer, encode_result,
};
use hallows_kernel::{
    Context, Ended, HandleList, Kernel, Machine, Outgoing, Patience, Stop, Style, TransferList,
};
use hallows_sdk::native::{NativeAnswer, NativeInbox, NativeProgram, NativeReactor, NativeStyle};

use crate::WasmEngine;
use crate::body::Mailbox;
use crate::bytes::Bytes;
use crate::calls::{HANDLE_BYTES, deadline, deliver, parse_transfers, write_handles};
use crate::cells::Plan;
use crate::ended::{because, orderly};
use crate::family::ThreadStart;
use crate::native_threads::{Kept, NativeFunction, NativeThread, is_there};
use crate::platform::local::{self, Word};
use crate::run::{Answer, Arguments};

pub(crate) fn style(program: &NativeProgram) -> Style {
    match program.style {
        NativeStyle::Main(_) => Style::Main,
        NativeStyle::Reactor(_) => Style::Reactor,
    }
}

/// Bytes that its state takes.
pub(crate) fn initial_memory(program: &NativeProgram) -> u64 {
    match program.style {
        NativeStyle::Main(_) => 0,
        NativeStyle::Reactor(reactor) => reactor.state_bytes as u64,
    }
}

/// A native program in a cell.
pub(crate) enum NativeBody {
    Main { main: fn(), kept: Kept },
    Reactor { reactor: NativeReactor, state: State, mailbox: Option<Mailbox>, kept: Kept },
    Thread(NativeThread),
}

/// A reactor's state; released with the cell's body.
pub(crate) struct State {
    pointer: *mut (),
    release: unsafe fn(*mut ()),
}

impl Drop for State {
    fn drop(&mut self) {
        if !self.pointer.is_null() {
            // SAFETY: the pointer came from the reactor's `init`, and nobody is inside of the cell whose body is dropped.
            unsafe { (self.release)(self.pointer) };
        }
    }
}

impl NativeBody {
    /// Gets a body ready; what may call comes in `begin`.
    pub fn start(program: &NativeProgram) -> Self {
        match program.style {
            NativeStyle::Main(main) => Self::Main { main, kept: Kept::default() },
            NativeStyle::Reactor(reactor) => Self::Reactor {
                reactor,
                state: State { pointer: core::ptr::null_mut(), release: reactor.release },
                mailbox: None,
                kept: Kept::default(),
            },
        }
    }

    /// Runs a main program, or makes a reactor's state. `None`: a reactor that can be served now.
    pub fn begin<M: Machine>(
        &mut self,
        kernel: &Kernel<WasmEngine<M>>,
        context: &mut Context,
    ) -> Result<Option<Stop>, Ended> {
        match self {
            Self::Main { main, kept } => {
                let main = *main;
                enter(kernel, context, kept, main)?;
                Ok(Some(Stop::Finished(orderly(FaultKind::Returned))))
            }
            Self::Thread(thread) => {
                thread.run(kernel, context)?;
                Ok(Some(Stop::Finished(orderly(FaultKind::Returned))))
            }
            Self::Reactor { reactor, state, mailbox, kept } => {
                state.pointer = enter(kernel, context, kept, reactor.init)?;
                if state.pointer.is_null() {
                    return Err(because(FaultKind::BadProgram, &"its init function made no state"));
                }
                // SAFETY: the state was made just now and is used by nobody else.
                let inbox = unsafe { (reactor.inbox)(state.pointer) };
                *mailbox = Some(checked(&inbox));
                Ok(None)
            }
        }
    }

    /// A reactor's inbox.
    #[inline]
    pub fn mailbox(&self) -> Option<Mailbox> {
        match self {
            Self::Main { .. } | Self::Thread(_) => None,
            Self::Reactor { mailbox, .. } => *mailbox,
        }
    }

    /// Calls a reactor's handler. `None`: it answers later.
    pub fn handle<M: Machine>(
        &mut self,
        kernel: &Kernel<WasmEngine<M>>,
        context: &mut Context,
        arguments: &Arguments,
    ) -> Result<Option<Answer>, Ended> {
        let Self::Reactor { reactor, state, kept, .. } = self else {
            return Err(orderly(FaultKind::BadProgram));
        };
        let Arguments { kind, badge, token, length, handles } = *arguments;
        // SAFETY: the state is alive and this thread alone is inside of the cell; the engine has put what it says into the
        // inbox.
        let answer = enter(kernel, context, kept, || unsafe {
            (reactor.handle)(state.pointer, kind, badge, token, length, handles)
        })?;
        let NativeAnswer::Now { bytes, length, transfers } = answer else { return Ok(None) };
        if length > MAX_MESSAGE as usize || transfers > MAX_TRANSFERS as usize {
            return Err(orderly(FaultKind::BadReturn));
        }
        // SAFETY: the program promises that the bytes stay until it is used again, which the kernel does not do before the
        // answer is copied.
        let bytes = unsafe { Bytes::native(bytes.cast_mut(), length) };
        Ok(Some(Answer { bytes, count: transfers }))
    }
}

fn checked(inbox: &NativeInbox) -> Mailbox {
    let count = inbox.handles_length.min(MAX_TRANSFERS as usize);
    let list = inbox.handles.cast::<u8>();
    // SAFETY: the program promises that both stay valid until its state is released, and that the list has room for all
    // transfers.
    unsafe {
        Mailbox {
            buffer: Bytes::native(inbox.buffer, inbox.buffer_length),
            handles: Bytes::native(list, count * size_of::<u32>()),
            transfers: Bytes::native(list, MAX_TRANSFERS as usize * Transfer::SIZE),
        }
    }
}

/// A native program that runs on this stack.
struct Frame<'a> {
    caller: &'a mut dyn Calls,
}

/// Runs native code as a cell: its calls are made by this thread.
///
/// # Errors
///
/// That it was killed: a call told it so, and it has returned.
#[inline]
pub(crate) fn enter<M: Machine, R>(
    kernel: &Kernel<WasmEngine<M>>,
    context: &mut Context,
    kept: &mut Kept,
    code: impl FnOnce() -> R,
) -> Result<R, Ended> {
    let mut caller = Caller { kernel, context, kept, killed: false };
    let mut frame = Frame { caller: &mut caller };
    let outside = local::get::<{ Word::Native as usize }>();
    local::set::<{ Word::Native as usize }>((&raw mut frame).cast());
    let result = code();
    local::set::<{ Word::Native as usize }>(outside);
    if caller.killed {
        // What it returned is not used: its state, if that is what it was, is leaked with a program that was killed while it made it.
        return Err(orderly(FaultKind::Killed));
    }
    Ok(result)
}

/// The calls, without the machine's type: the exported functions have none.
pub(crate) trait Calls {
    fn send(&mut self, endpoint: Handle, message: Source, room: u32) -> Result<i64, Error>;
    fn answer(&mut self, token: u64, message: Source) -> Result<i64, Error>;
    fn wait(&mut self, event: *mut u8, target: Target, until: i64) -> Result<i64, Error>;
    fn call(&mut self, endpoint: Handle, message: Source, target: Target, until: i64) -> Result<i64, Error>;
    fn answer_wait(
        &mut self,
        token: u64,
        message: Source,
        event: *mut u8,
        target: Target,
        until: i64,
    ) -> Result<i64, Error>;
    fn now(&self) -> Result<i64, Error>;
    fn start_thread(&mut self, function: NativeFunction, block: *const ()) -> Result<i64, Error>;
    fn kept(&mut self) -> &mut Kept;
    fn wait_by(
        &mut self,
        word: *const u32,
        expected: u32,
        patience: Patience,
        until: i64,
    ) -> Result<i64, Error>;
    fn notify(&mut self, word: *const u32, most: u32) -> Result<i64, Error>;
    /// Notes that the program was told to end.
    fn kill(&mut self);
}

/// A message that goes out.
pub(crate) struct Source {
    bytes: Bytes,
    transfers: TransferList,
}

impl Source {
    /// # Safety
    ///
    /// Both ranges can be read.
    unsafe fn new(
        bytes: *const u8,
        length: usize,
        transfers: *const u8,
        count: usize,
    ) -> Result<Self, Error> {
        if length > MAX_MESSAGE as usize || count > MAX_TRANSFERS as usize {
            return Err(Error::TooLong);
        }
        let mut list = TransferList::EMPTY;
        if count > 0 {
            // SAFETY: the caller's promise.
            let forms = unsafe { Bytes::native(transfers.cast_mut(), count * Transfer::SIZE) };
            parse_transfers(forms, &mut list)?;
        }
        // SAFETY: as above.
        Ok(Self { bytes: unsafe { Bytes::native(bytes.cast_mut(), length) }, transfers: list })
    }
}

/// Where what comes in goes.
pub(crate) struct Target {
    bytes: Bytes,
    handles: Bytes,
}

impl Target {
    /// # Safety
    ///
    /// Both ranges can be written.
    unsafe fn new(bytes: *mut u8, length: usize, handles: *mut u32, count: usize) -> Result<Self, Error> {
        if count > MAX_TRANSFERS as usize {
            return Err(Error::TooLong);
        }
        // SAFETY: the caller's promise.
        unsafe {
            Ok(Self {
                bytes: Bytes::native(bytes, length),
                handles: Bytes::native(handles.cast(), count * size_of::<u32>()),
            })
        }
    }
}

struct Caller<'a, M: Machine> {
    kernel: &'a Kernel<WasmEngine<M>>,
    context: &'a mut Context,
    kept: &'a mut Kept,
    killed: bool,
}

fn event(place: *mut u8) -> Bytes {
    // SAFETY: `hallows_native_wait`'s caller promised room for an event.
    unsafe { Bytes::native(place, Event::SIZE) }
}

impl<M: Machine> Calls for Caller<'_, M> {
    fn send(&mut self, endpoint: Handle, message: Source, room: u32) -> Result<i64, Error> {
        let outgoing = Outgoing { bytes: message.bytes, transfers: message.transfers.as_slice() };
        self.kernel.send(self.context, endpoint, outgoing, room.min(MAX_MESSAGE)).map(u64::cast_signed)
    }

    fn answer(&mut self, token: u64, message: Source) -> Result<i64, Error> {
        let outgoing = Outgoing { bytes: message.bytes, transfers: message.transfers.as_slice() };
        self.kernel.answer(self.context, token, outgoing).map(|()| 0)
    }

    fn wait(&mut self, place: *mut u8, target: Target, until: i64) -> Result<i64, Error> {
        let mut handles = HandleList::with_room(target.handles.length() / HANDLE_BYTES);
        let happened = self.kernel.wait(self.context, target.bytes, &mut handles, deadline(until))?;
        deliver(event(place), target.handles, happened, &handles);
        Ok(0)
    }

    fn call(&mut self, endpoint: Handle, message: Source, target: Target, until: i64) -> Result<i64, Error> {
        let outgoing = Outgoing { bytes: message.bytes, transfers: message.transfers.as_slice() };
        let mut received = HandleList::with_room(target.handles.length() / HANDLE_BYTES);
        let length = self.kernel.call(
            self.context,
            endpoint,
            outgoing,
            target.bytes,
            &mut received,
            deadline(until),
        )?;
        Ok(Outcome { length, handles: write_handles(target.handles, &received) }.pack())
    }

    fn answer_wait(
        &mut self,
        token: u64,
        message: Source,
        place: *mut u8,
        target: Target,
        until: i64,
    ) -> Result<i64, Error> {
        let outgoing = Outgoing { bytes: message.bytes, transfers: message.transfers.as_slice() };
        let mut received = HandleList::with_room(target.handles.length() / HANDLE_BYTES);
        let happened = self.kernel.answer_wait(
            self.context,
            token,
            outgoing,
            target.bytes,
            &mut received,
            deadline(until),
        )?;
        deliver(event(place), target.handles, happened, &received);
        Ok(0)
    }

    fn now(&self) -> Result<i64, Error> {
        self.kernel.now(self.context).map(|now| now.0.cast_signed())
    }

    fn start_thread(&mut self, function: NativeFunction, block: *const ()) -> Result<i64, Error> {
        let kernel = self.kernel;
        let started = kernel.start_thread(self.context, crate::stacks::POPULATED_BYTES as u64, |thread| {
            let start = ThreadStart::Native { function, block: block.expose_provenance() };
            kernel.engine.cells.entry(thread).prepare(Plan::Thread(start));
        });
        started.map(|thread| i64::from(thread.0))
    }

    fn kept(&mut self) -> &mut Kept {
        self.kept
    }

    fn wait_by(
        &mut self,
        word: *const u32,
        expected: u32,
        patience: Patience,
        until: i64,
    ) -> Result<i64, Error> {
        // SAFETY: `hallows_native_wait_by`'s caller promised it.
        let is_expected = || unsafe { is_there(word, expected) };
        let sleepers = &self.kernel.engine.native_sleepers;
        let patience = (patience, deadline(until));
        let woken = sleepers.wait(self.kernel, self.context, word.addr(), is_expected, patience)?;
        Ok(woken as i64)
    }

    fn notify(&mut self, word: *const u32, most: u32) -> Result<i64, Error> {
        let sleepers = &self.kernel.engine.native_sleepers;
        Ok(i64::from(sleepers.notify(self.kernel, self.context, word.addr(), most)))
    }

    fn kill(&mut self) {
        self.killed = true;
    }
}

/// Makes a call for the innermost native program on this stack. Outside of any, calls are refused.
pub(crate) fn calling(call: impl FnOnce(&mut dyn Calls) -> Result<i64, Error>) -> i64 {
    let frame = local::get::<{ Word::Native as usize }>().cast::<Frame<'_>>();
    // SAFETY: `enter` set the word to its frame, which lies below on this stack until the native code has returned; the word is
    // exchanged with the fiber. Code of that frame waits for this call, so nothing else uses it.
    let Some(frame) = (unsafe { frame.as_mut() }) else { return encode_result(Err(Error::BadState)) };
    let result = call(frame.caller);
    if result == Err(Error::Killed) {
        frame.caller.kill();
    }
    encode_result(result)
}

/// `send` of a native program.
///
/// # Safety
///
/// `length` bytes at `bytes` and `transfer_count` transfers at `transfers` can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_send(
    endpoint: u32,
    bytes: *const u8,
    length: usize,
    transfers: *const u8,
    transfer_count: usize,
    room: u32,
) -> i64 {
    // SAFETY: the caller's promise.
    let message = unsafe { Source::new(bytes, length, transfers, transfer_count) };
    calling(|calls| calls.send(Handle(endpoint), message?, room))
}

/// `answer` of a native program.
///
/// # Safety
///
/// As [`hallows_native_send`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_answer(
    token: u64,
    bytes: *const u8,
    length: usize,
    transfers: *const u8,
    transfer_count: usize,
) -> i64 {
    // SAFETY: the caller's promise.
    let message = unsafe { Source::new(bytes, length, transfers, transfer_count) };
    calling(|calls| calls.answer(token, message?))
}

/// `wait` of a native program.
///
/// # Safety
///
/// An event (48 bytes) can be written at `event`, `buffer_length` bytes at `buffer`, `handles_length` handles at `handles`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_wait(
    event: *mut u8,
    buffer: *mut u8,
    buffer_length: usize,
    handles: *mut u32,
    handles_length: usize,
    deadline: i64,
) -> i64 {
    // SAFETY: the caller's promise.
    let target = unsafe { Target::new(buffer, buffer_length, handles, handles_length) };
    calling(|calls| calls.wait(event, target?, deadline))
}

/// `call` of a native program.
///
/// # Safety
///
/// As [`hallows_native_send`] for what goes out, and as [`hallows_native_wait`] for what comes in.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_call(
    endpoint: u32,
    bytes: *const u8,
    length: usize,
    transfers: *const u8,
    transfer_count: usize,
    reply: *mut u8,
    reply_length: usize,
    handles: *mut u32,
    handles_length: usize,
    deadline: i64,
) -> i64 {
    // SAFETY: the caller's promise.
    let (message, target) = unsafe {
        (
            Source::new(bytes, length, transfers, transfer_count),
            Target::new(reply, reply_length, handles, handles_length),
        )
    };
    calling(|calls| calls.call(Handle(endpoint), message?, target?, deadline))
}

/// `answer_wait` of a native program.
///
/// # Safety
///
/// As [`hallows_native_answer`] and [`hallows_native_wait`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_answer_wait(
    token: u64,
    bytes: *const u8,
    length: usize,
    transfers: *const u8,
    transfer_count: usize,
    event: *mut u8,
    buffer: *mut u8,
    buffer_length: usize,
    handles: *mut u32,
    handles_length: usize,
    deadline: i64,
) -> i64 {
    // SAFETY: the caller's promise.
    let (message, target) = unsafe {
        (
            Source::new(bytes, length, transfers, transfer_count),
            Target::new(buffer, buffer_length, handles, handles_length),
        )
    };
    calling(|calls| calls.answer_wait(token, message?, event, target?, deadline))
}

/// The time for a native program: the operation `Now` on `SELF`, without the message. Programs ask for it often.
#[unsafe(no_mangle)]
pub extern "C" fn hallows_native_now() -> i64 {
    calling(|calls| calls.now())
}

/// Tells of a native program's window: where regions can be shown from then on.
///
/// # Safety
///
/// `bytes` bytes at `start` are whole pages of a static that holds atomic words only, of any values: other pages may stand there at any
/// time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_window(start: *const u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { crate::windows::tell(start.expose_provenance(), bytes) };
}
