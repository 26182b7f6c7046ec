//! The calls of WebAssembly programs: `import "hallows"`. Arguments are checked here, then the kernel is called.

use hallows_abi::{
    Error, Event, Handle, IMPORT_MODULE, MAX_MESSAGE, MAX_TRANSFERS, Outcome, Span, Transfer, encode_result,
};
use hallows_kernel::{Context, HandleList, Kernel, Machine, Nanos, Outgoing, TransferList};
use wasmtime::{Caller, Extern, Linker};

use crate::WasmEngine;
use crate::bytes::{Bytes, ReadOnly};
use crate::ended::Unwind;
use crate::program::MEMORY_EXPORT;
use crate::resident::Resident;

/// Bytes of a handle in a program's list.
pub(crate) const HANDLE_BYTES: usize = size_of::<Handle>();

/// Defines the five imports.
///
/// # Errors
///
/// None that can happen: each name is defined once.
pub(crate) fn define<M: Machine>(linker: &mut Linker<Resident<M>>) -> wasmtime::Result<()> {
    linker.func_wrap(
        IMPORT_MODULE,
        "send",
        |mut caller: Caller<'_, Resident<M>>, endpoint: u32, bytes: i64, transfers: i64, room: u32| {
            finish(Guest::of(&mut caller).and_then(|guest| guest.send(endpoint, bytes, transfers, room)))
        },
    )?;
    linker.func_wrap(
        IMPORT_MODULE,
        "answer",
        |mut caller: Caller<'_, Resident<M>>, token: u64, bytes: i64, transfers: i64| {
            finish(Guest::of(&mut caller).and_then(|guest| guest.answer(token, bytes, transfers)))
        },
    )?;
    linker.func_wrap(
        IMPORT_MODULE,
        "wait",
        |mut caller: Caller<'_, Resident<M>>, event: u32, buffer: i64, handles: i64, deadline: i64| {
            finish(Guest::of(&mut caller).and_then(|guest| guest.wait(event, buffer, handles, deadline)))
        },
    )?;
    linker.func_wrap(
        IMPORT_MODULE,
        "call",
        |mut caller: Caller<'_, Resident<M>>,
         endpoint: u32,
         bytes: i64,
         transfers: i64,
         reply: i64,
         handles: i64,
         deadline: i64| {
            let guest = Guest::of(&mut caller);
            finish(guest.and_then(|guest| guest.call(endpoint, bytes, transfers, reply, handles, deadline)))
        },
    )?;
    linker.func_wrap(
        IMPORT_MODULE,
        "answer_wait",
        |mut caller: Caller<'_, Resident<M>>,
         token: u64,
         bytes: i64,
         transfers: i64,
         event: u32,
         buffer: i64,
         handles: i64,
         deadline: i64| {
            let guest = Guest::of(&mut caller);
            finish(guest.and_then(|guest| {
                guest.answer_wait(token, (bytes, transfers), event, buffer, handles, deadline)
            }))
        },
    )?;
    Ok(())
}

/// A result as the program sees it; one that the program must not see ends it.
#[inline(always)]
fn finish(result: Result<i64, Error>) -> wasmtime::Result<i64> {
    match result {
        Err(Error::Killed) => Err(wasmtime::Error::new(Unwind)),
        result => Ok(encode_result(result)),
    }
}

/// A deadline as programs give it; one before the clock's start has come.
#[inline(always)]
pub(crate) fn deadline(absolute: i64) -> Nanos {
    Nanos(u64::try_from(absolute).unwrap_or(0))
}

/// No memory.
const NOWHERE: (*mut u8, usize) = (core::ptr::dangling_mut(), 0);

/// The memory of a program whose start function calls, before the engine has looked at the instance.
#[cold]
fn early_memory<M: Machine>(caller: &mut Caller<'_, Resident<M>>) -> (*mut u8, usize) {
    match caller.get_export(MEMORY_EXPORT) {
        Some(Extern::Memory(memory)) => (memory.data_ptr(&*caller), memory.data_size(&*caller)),
        _ => NOWHERE,
    }
}

/// A program inside of a call.
pub(crate) struct Guest<'a, M: Machine> {
    pub kernel: &'a Kernel<WasmEngine<M>>,
    context: *mut Context,
    /// Where its memory starts, and how long it is.
    pub base: *mut u8,
    pub length: usize,
    pub read_only: *const ReadOnly,
}

impl<'a, M: Machine> Guest<'a, M> {
    #[inline(always)]
    pub fn of(caller: &'a mut Caller<'_, Resident<M>>) -> Result<Self, Error> {
        let early = if caller.data().memory.is_null() { early_memory(caller) } else { NOWHERE };
        let resident = caller.data();
        // SAFETY: whoever entered the program set the kernel and stays below on this stack until it has left; the memory's
        // definition is null, until it was found, or lives as long as the store.
        let (kernel, memory) = unsafe { (&*resident.kernel, resident.memory.as_ref()) };
        let (base, length) = memory.map_or(early, |memory| (memory.base, memory.length()));
        Ok(Self { kernel, context: resident.context, base, length, read_only: resident.read_only })
    }

    /// Who calls.
    #[inline(always)]
    pub fn context(&self) -> &'a mut Context {
        // SAFETY: as in `of`. It is borrowed by one call at a time: nested entries into programs use it while the outer call, which
        // lent it to the kernel, waits for them.
        unsafe { &mut *self.context }
    }

    /// The start of a range of so many elements, if it lies inside of the memory.
    #[inline(always)]
    fn range(&self, span: Span, element_bytes: usize) -> Result<(*mut u8, usize), Error> {
        let (offset, bytes) = (span.offset as usize, span.length as usize * element_bytes);
        // Both have 32 bits and elements at most 8 bytes: no sum wraps.
        if offset + bytes > self.length {
            return Err(Error::BadSpan);
        }
        Ok((self.base.wrapping_add(offset), bytes))
    }

    /// A range that is only read.
    #[inline(always)]
    fn source(&self, packed: i64, most: u32) -> Result<Bytes, Error> {
        let span = Span::unpack(packed);
        if span.length > most {
            return Err(Error::TooLong);
        }
        let (start, bytes) = self.range(span, 1)?;
        // SAFETY: inside of the memory, whose pages stay mapped while the program is inside of a call.
        Ok(unsafe { Bytes::new(start, bytes, self.read_only) })
    }

    /// A range that is written. Longer than any message is no error: it is not all used.
    #[inline(always)]
    fn target(&self, span: Span, element_bytes: usize) -> Result<Bytes, Error> {
        let (start, bytes) = self.range(span, element_bytes)?;
        // SAFETY: as in `source`.
        let target = unsafe { Bytes::new(start, bytes, self.read_only) };
        if target.is_read_only() {
            return Err(Error::BadSpan);
        }
        Ok(target)
    }

    /// The capabilities that a message sends along.
    #[inline(always)]
    fn transfers(&self, packed: i64, list: &mut TransferList) -> Result<(), Error> {
        let span = Span::unpack(packed);
        if span.length == 0 { Ok(()) } else { self.read_transfers(span, list) }
    }

    #[cold]
    fn read_transfers(&self, span: Span, list: &mut TransferList) -> Result<(), Error> {
        if span.length > MAX_TRANSFERS {
            return Err(Error::TooLong);
        }
        let (start, bytes) = self.range(span, Transfer::SIZE)?;
        // SAFETY: as in `source`.
        let source = unsafe { Bytes::new(start, bytes, self.read_only) };
        parse_transfers(source, list)
    }

    /// Where handles go.
    #[inline(always)]
    fn handles(&self, packed: i64) -> Result<Bytes, Error> {
        let span = Span::unpack(packed);
        if span.length > MAX_TRANSFERS {
            return Err(Error::TooLong);
        }
        self.target(span, HANDLE_BYTES)
    }

    #[inline(always)]
    fn send(self, endpoint: u32, bytes: i64, transfers: i64, room: u32) -> Result<i64, Error> {
        let mut list = TransferList::EMPTY;
        self.transfers(transfers, &mut list)?;
        let message = Outgoing { bytes: self.source(bytes, MAX_MESSAGE)?, transfers: list.as_slice() };
        let token = self.kernel.send(self.context(), Handle(endpoint), message, room.min(MAX_MESSAGE))?;
        Ok(token.cast_signed())
    }

    #[inline(always)]
    fn answer(self, token: u64, bytes: i64, transfers: i64) -> Result<i64, Error> {
        let mut list = TransferList::EMPTY;
        self.transfers(transfers, &mut list)?;
        let message = Outgoing { bytes: self.source(bytes, MAX_MESSAGE)?, transfers: list.as_slice() };
        self.kernel.answer(self.context(), token, message).map(|()| 0)
    }

    #[inline(always)]
    fn wait(self, event: u32, buffer: i64, handles: i64, until: i64) -> Result<i64, Error> {
        let event = self.target(Span { offset: event, length: Event::SIZE as u32 }, 1)?;
        let buffer = self.target(Span::unpack(buffer), 1)?;
        let target = self.handles(handles)?;
        let mut list = HandleList::with_room(target.length() / HANDLE_BYTES);
        let happened = self.kernel.wait(self.context(), buffer, &mut list, deadline(until))?;
        deliver(event, target, happened, &list);
        Ok(0)
    }

    #[inline(always)]
    fn call(
        self,
        endpoint: u32,
        bytes: i64,
        transfers: i64,
        reply: i64,
        handles: i64,
        until: i64,
    ) -> Result<i64, Error> {
        let mut list = TransferList::EMPTY;
        self.transfers(transfers, &mut list)?;
        let message = Outgoing { bytes: self.source(bytes, MAX_MESSAGE)?, transfers: list.as_slice() };
        let reply = self.target(Span::unpack(reply), 1)?;
        let target = self.handles(handles)?;
        let mut received = HandleList::with_room(target.length() / HANDLE_BYTES);
        let length = self.kernel.call(
            self.context(),
            Handle(endpoint),
            message,
            reply,
            &mut received,
            deadline(until),
        )?;
        Ok(Outcome { length, handles: write_handles(target, &received) }.pack())
    }

    #[inline(always)]
    fn answer_wait(
        self,
        token: u64,
        (bytes, transfers): (i64, i64),
        event: u32,
        buffer: i64,
        handles: i64,
        until: i64,
    ) -> Result<i64, Error> {
        let mut list = TransferList::EMPTY;
        self.transfers(transfers, &mut list)?;
        let message = Outgoing { bytes: self.source(bytes, MAX_MESSAGE)?, transfers: list.as_slice() };
        let event = self.target(Span { offset: event, length: Event::SIZE as u32 }, 1)?;
        let buffer = self.target(Span::unpack(buffer), 1)?;
        let target = self.handles(handles)?;
        let mut received = HandleList::with_room(target.length() / HANDLE_BYTES);
        let happened = self.kernel.answer_wait(
            self.context(),
            token,
            message,
            buffer,
            &mut received,
            deadline(until),
        )?;
        deliver(event, target, happened, &received);
        Ok(0)
    }
}

/// Puts an event and its handles where the program wants them. Of handles, `event.handles` says how many it got.
#[inline(always)]
pub(crate) fn deliver(place: Bytes, target: Bytes, event: Event, handles: &HandleList) {
    let handles = write_handles(target, handles);
    place.write(&Event { handles, ..event }.emit());
}

/// Writes as many handles as the program has room for; how many.
#[inline(always)]
pub(crate) fn write_handles(target: Bytes, handles: &HandleList) -> u32 {
    if handles.as_slice().is_empty() {
        return 0;
    }
    let mut bytes = [0; MAX_TRANSFERS as usize * HANDLE_BYTES];
    let mut count = 0;
    for (place, handle) in bytes.chunks_exact_mut(HANDLE_BYTES).zip(handles.as_slice()) {
        place.copy_from_slice(&handle.0.to_le_bytes());
        count += 1;
    }
    count = count.min(target.length() / HANDLE_BYTES);
    target.write(bytes.get(..count * HANDLE_BYTES).unwrap_or_default());
    count as u32
}

/// Reads transfers in their form in memory.
pub(crate) fn parse_transfers(source: Bytes, list: &mut TransferList) -> Result<(), Error> {
    let mut bytes = [0; MAX_TRANSFERS as usize * Transfer::SIZE];
    let bytes = bytes.get_mut(..source.length()).ok_or(Error::TooLong)?;
    source.read(bytes);
    for form in bytes.chunks_exact(Transfer::SIZE) {
        let transfer = Transfer::parse(form).ok_or(Error::BadArgument)?;
        list.push(transfer).map_err(|_| Error::TooLong)?;
    }
    Ok(())
}
