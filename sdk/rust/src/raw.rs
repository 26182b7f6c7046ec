//! The five calls with arbitrary arguments, for programs that test what the kernel makes of nonsense.
//!
//! Safe all the same: a range that the kernel would write to lies in an arena that the program lends, or (partly) outside
//! of its memory, where a kernel that keeps its promise writes nothing. Natively addresses are not checked by anybody, so
//! there only handles, tokens, messages and lengths are arbitrary.

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

    /// Makes the call; its packed result. Messages lie in the arena's first half and what is received in its second, or the range becomes
    /// empty: in this address space nobody checks what the two borrow from each other.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn call(&mut self, arguments: &Arguments) -> Option<i64> {
        use hallows_abi::{Event, Transfer};

        use crate::sys::{self, EventForm, TransferForm};

        /// More than a message may have, so that the kernel sees that there are too many.
        const LIST: usize = 2 * hallows_abi::MAX_TRANSFERS as usize;

        let half = self.0.len() / 2;
        let (sent, received) = self.0.split_at_mut(half);
        let range = |offset: u32, length: u32, element_bytes: usize, start: usize, part: usize| {
            let offset = (offset as usize).checked_sub(start)?;
            let end = (length as usize).checked_mul(element_bytes)?.checked_add(offset)?;
            (end <= part).then_some(offset..end)
        };
        let in_sent = |span: Span, bytes: usize| range(span.offset, span.length, bytes, 0, half);
        let in_received =
            |offset: u32, length: u32, bytes: usize| range(offset, length, bytes, half, received.len());
        let buffer = in_received(arguments.buffer.offset, arguments.buffer.length, 1);
        let list = in_received(arguments.handles.offset, arguments.handles.length, size_of::<Handle>());
        let place = in_received(arguments.event, Event::SIZE as u32, 1);

        let bytes = in_sent(arguments.bytes, 1).and_then(|range| sent.get(range)).unwrap_or(&[]);
        let forms =
            in_sent(arguments.transfers, Transfer::SIZE).and_then(|range| sent.get(range)).unwrap_or(&[]);
        let mut transfers = [TransferForm([0; Transfer::SIZE]); LIST];
        let count = (forms.len() / Transfer::SIZE).min(LIST);
        for (transfer, form) in transfers.iter_mut().zip(forms.as_chunks().0) {
            transfer.0 = *form;
        }
        let transfers = transfers.get(..count)?;
        let mut handles = [Handle::NULL; LIST];
        let handles = handles.get_mut(..list.as_ref().map_or(0, |list| (list.len() / 4).min(LIST)))?;
        let mut event = EventForm([0; Event::SIZE]);
        let Arguments { endpoint, token, room, deadline, .. } = *arguments;
        let result = {
            let buffer = received.get_mut(buffer.unwrap_or(0..0))?;
            match arguments.call {
                Call::Send => sys::send(endpoint, bytes, transfers, room),
                Call::Answer => sys::answer(token, bytes, transfers),
                Call::Wait => sys::wait(&mut event, buffer, handles, deadline),
                Call::Call => sys::call(endpoint, bytes, transfers, buffer, handles, deadline),
                Call::AnswerWait => {
                    sys::answer_wait(token, bytes, transfers, &mut event, buffer, handles, deadline)
                }
            }
        };
        if let Some(place) = place.and_then(|range| received.get_mut(range)) {
            place.copy_from_slice(&event.0);
        }
        if let Some(place) = list.and_then(|range| received.get_mut(range)) {
            for (form, handle) in place.as_chunks_mut().0.iter_mut().zip(handles) {
                *form = handle.0.to_le_bytes();
            }
        }
        Some(result)
    }
}
