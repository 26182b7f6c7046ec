//! The five calls with arbitrary arguments, for programs that test what the kernel makes of nonsense.
//!
//! Safe all the same: a range that the kernel would write to lies in an arena that the program lends, or (partly) outside
//! of its memory, where a kernel that keeps its promise writes nothing. Natively, where an address is not
//! checked by anybody, ranges outside of the arena become empty.

use hallows_abi::{Handle, Span};

/// Which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `send`
    Send,
    /// `answer`
    Answer,
    /// `wait`
    Wait,
    /// `call`
    Call,
    /// `answer_wait`
    AnswerWait,
}

/// The arguments of a call; each call takes those that it has. Ranges count from the start of the arena, and wrap around.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    /// Which call.
    pub call: Call,
    /// `send`, `call`.
    pub endpoint: Handle,
    /// `answer`, `answer_wait`.
    pub token: u64,
    /// `send`.
    pub room: u32,
    /// The message: all but `wait`.
    pub bytes: Span,
    /// The list of transfers (its length in elements): all but `wait`.
    pub transfers: Span,
    /// Where the event goes: `wait`, `answer_wait`.
    pub event: u32,
    /// Where what is received goes: `wait`, `call`, `answer_wait`.
    pub buffer: Span,
    /// Where received handles go (its length in elements): `wait`, `call`, `answer_wait`.
    pub handles: Span,
    /// `wait`, `call`, `answer_wait`.
    pub deadline: i64,
}

/// Memory that the kernel may write to.
#[derive(Debug)]
pub struct Arena<'a>(&'a mut [u8]);

impl<'a> Arena<'a> {
    /// Lends memory. Align it to 8 bytes to reach what lies behind the alignment checks.
    pub fn new(memory: &'a mut [u8]) -> Self {
        Self(memory)
    }

    /// The memory.
    pub fn bytes(&mut self) -> &mut [u8] {
        self.0
    }

    /// Where the arena starts in this program's memory.
    #[must_use]
    pub fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Makes the call; its packed result. `None`, and no call is made, if the kernel would write to memory of this program outside of the
    /// arena.
    #[cfg(target_arch = "wasm32")]
    pub fn call(&mut self, arguments: &Arguments) -> Option<i64> {
        crate::sys::raw(arguments, self.0)
    }

    /// Makes the call; its packed result. What it receives goes into the arena's second half, and handles are dropped.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn call(&mut self, arguments: &Arguments) -> Option<i64> {
        use crate::sys::{self, EventForm, TransferForm};

        let half = self.0.len() / 2;
        let (read, write) = self.0.split_at_mut(half);
        let inside = |span: Span, size: usize, length: usize| {
            let bytes = (span.length as usize).checked_mul(size)?;
            let end = (span.offset as usize).checked_add(bytes)?;
            (end <= length).then_some(span.offset as usize..end)
        };
        let bytes = inside(arguments.bytes, 1, read.len()).and_then(|range| read.get(range)).unwrap_or(&[]);
        let list = inside(arguments.transfers, hallows_abi::Transfer::SIZE, read.len());
        let mut transfers =
            [TransferForm([0; hallows_abi::Transfer::SIZE]); 2 * hallows_abi::MAX_TRANSFERS as usize];
        let mut count = 0;
        let (forms, _) = list.and_then(|range| read.get(range)).unwrap_or(&[]).as_chunks();
        for (transfer, form) in transfers.iter_mut().zip(forms) {
            transfer.0 = *form;
            count += 1;
        }
        let transfers = transfers.get(..count)?;
        let range = inside(arguments.buffer, 1, write.len()).unwrap_or(0..0);
        let buffer = write.get_mut(range)?;
        let mut handles = [Handle::NULL; 2 * hallows_abi::MAX_TRANSFERS as usize];
        let handles = handles.get_mut(..(arguments.handles.length as usize).min(16))?;
        let mut event = EventForm([0; hallows_abi::Event::SIZE]);
        let Arguments { endpoint, token, room, deadline, .. } = *arguments;
        Some(match arguments.call {
            Call::Send => sys::send(endpoint, bytes, transfers, room),
            Call::Answer => sys::answer(token, bytes, transfers),
            Call::Wait => sys::wait(&mut event, buffer, handles, deadline),
            Call::Call => sys::call(endpoint, bytes, transfers, buffer, handles, deadline),
            Call::AnswerWait => {
                sys::answer_wait(token, bytes, transfers, &mut event, buffer, handles, deadline)
            }
        })
    }
}
