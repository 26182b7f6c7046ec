//! The five calls as the machine takes them, and the state of reactors: all of the SDK's `unsafe`, in safe functions.
//!
//! Two halves with the same functions: `wasm` passes ranges of linear memory as packed [`hallows_abi::Span`]s to the
//! imports of the module `hallows`; `native` passes pointers to functions that the engine exports. Both return
//! the packed results of `hallows_abi`; the rest of the SDK unpacks them.

#![allow(unsafe_code)]

#[cfg(all(target_arch = "wasm32", feature = "threads"))]
pub mod heap;
#[cfg(feature = "threads")]
pub mod thread;

/// A capability of a message in its form in memory, aligned so that the kernel takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct TransferForm(pub [u8; hallows_abi::Transfer::SIZE]);

/// Room for an event in its form in memory, aligned so that the kernel takes it.
#[repr(C, align(8))]
pub struct EventForm(pub [u8; hallows_abi::Event::SIZE]);

#[cfg(target_arch = "wasm32")]
pub use wasm::*;

#[cfg(not(target_arch = "wasm32"))]
pub use native::*;

#[cfg(target_arch = "wasm32")]
mod wasm {
    use core::cell::UnsafeCell;
    use core::sync::atomic::{AtomicBool, Ordering};

    use hallows_abi::{Error, Handle, OnSpace, Span};

    use super::{EventForm, TransferForm};
    use crate::Window;
    use crate::operation::operate_to_count;

    mod import {
        #[link(wasm_import_module = "hallows")]
        unsafe extern "C" {
            pub fn send(endpoint: u32, bytes: i64, transfers: i64, room: u32) -> i64;
            pub fn answer(token: u64, bytes: i64, transfers: i64) -> i64;
            pub fn wait(event: u32, buffer: i64, handles: i64, deadline: i64) -> i64;
            pub fn call(
                endpoint: u32,
                bytes: i64,
                transfers: i64,
                reply: i64,
                handles: i64,
                deadline: i64,
            ) -> i64;
            pub fn answer_wait(
                token: u64,
                bytes: i64,
                transfers: i64,
                event: u32,
                buffer: i64,
                handles: i64,
                deadline: i64,
            ) -> i64;
        }
    }

    /// The span of a slice that is only read. Addresses and lengths have 32 bits on this target, so nothing is cut.
    #[inline]
    fn span<T>(slice: &[T]) -> i64 {
        Span { offset: slice.as_ptr().expose_provenance() as u32, length: slice.len() as u32 }.pack()
    }

    /// The span of a slice that is written.
    #[inline]
    fn span_mut<T>(slice: &mut [T]) -> i64 {
        Span { offset: slice.as_mut_ptr().expose_provenance() as u32, length: slice.len() as u32 }.pack()
    }

    #[inline]
    fn address(event: &mut EventForm) -> u32 {
        event.0.as_mut_ptr().expose_provenance() as u32
    }

    /// See [`crate::send`].
    #[inline]
    pub fn send(endpoint: Handle, bytes: &[u8], transfers: &[TransferForm], room: u32) -> i64 {
        // SAFETY: the spans are those of live slices, and the kernel only reads them.
        unsafe { import::send(endpoint.0, span(bytes), span(transfers), room) }
    }

    /// See [`crate::answer`].
    #[inline]
    pub fn answer(token: u64, bytes: &[u8], transfers: &[TransferForm]) -> i64 {
        // SAFETY: the spans are those of live slices, and the kernel only reads them.
        unsafe { import::answer(token, span(bytes), span(transfers)) }
    }

    /// See [`crate::wait`].
    #[inline]
    pub fn wait(event: &mut EventForm, buffer: &mut [u8], handles: &mut [Handle], deadline: i64) -> i64 {
        // SAFETY: the kernel writes only inside of the three spans, which are those of exclusively borrowed values; every
        // bit pattern is a valid `u8` and a valid `Handle` (transparent over `u32`). It writes before it returns.
        unsafe { import::wait(address(event), span_mut(buffer), span_mut(handles), deadline) }
    }

    /// See [`crate::call`].
    #[inline]
    pub fn call(
        endpoint: Handle,
        bytes: &[u8],
        transfers: &[TransferForm],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: i64,
    ) -> i64 {
        // SAFETY: as `send` for what is read and as `wait` for what is written.
        unsafe {
            import::call(
                endpoint.0,
                span(bytes),
                span(transfers),
                span_mut(reply),
                span_mut(handles),
                deadline,
            )
        }
    }

    /// See [`crate::answer_wait`].
    #[inline]
    pub fn answer_wait(
        token: u64,
        bytes: &[u8],
        transfers: &[TransferForm],
        event: &mut EventForm,
        buffer: &mut [u8],
        handles: &mut [Handle],
        deadline: i64,
    ) -> i64 {
        // SAFETY: as `answer` for what is read and as `wait` for what is written.
        unsafe {
            import::answer_wait(
                token,
                span(bytes),
                span(transfers),
                address(event),
                span_mut(buffer),
                span_mut(handles),
                deadline,
            )
        }
    }

    /// See [`crate::Window`]: a cell's memory has room for regions anywhere.
    pub fn tell_window<const WORDS: usize>(_: &'static Window<WORDS>) {}

    /// See [`crate::process::now`].
    #[inline]
    pub fn now() -> Result<u64, Error> {
        operate_to_count(Handle::SELF, OnSpace::Now, &[])
    }

    /// A static of a program, borrowed by one function at a time.
    pub struct Exclusive<T> {
        entered: AtomicBool,
        value: UnsafeCell<T>,
    }

    // SAFETY: `entered` lets one borrow at a time be. (The engine enters a program's first thread only.)
    unsafe impl<T> Sync for Exclusive<T> {}

    impl<T> Exclusive<T> {
        /// Holds a value.
        pub const fn new(value: T) -> Self {
            Self { entered: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }

        /// Lends the value to `body`.
        ///
        /// # Panics
        ///
        /// If it is lent already: the engine entered the program while it was inside, which it never does.
        #[inline]
        pub fn enter<R>(&self, body: impl FnOnce(&mut T) -> R) -> R {
            assert!(
                !self.entered.swap(true, Ordering::Acquire),
                "the engine entered a program that was running"
            );
            // SAFETY: `entered` was false, so no other borrow of the value lives; it is true until this one ends.
            let result = body(unsafe { &mut *self.value.get() });
            self.entered.store(false, Ordering::Release);
            result
        }
    }

    /// See [`crate::raw::Arena::call`].
    #[cfg(feature = "raw")]
    pub fn raw(arguments: &crate::raw::Arguments, arena: &mut [u8]) -> Option<i64> {
        use crate::raw::{Arguments, Call};
        let base = arena.as_mut_ptr().expose_provenance() as u32;
        let memory_end = crate::memory::size_bytes() as u64;
        // Whether a range may be offered for writing: all of it is the arena's, or some of it is no memory at all.
        let harmless = |offset: u32, length: u32, element_bytes: usize| {
            let bytes = u64::from(length) * element_bytes as u64;
            let in_arena = u64::from(offset) + bytes <= arena.len() as u64;
            in_arena || u64::from(base.wrapping_add(offset)) + bytes > memory_end
        };
        let Arguments { endpoint, token, room, event, buffer, handles, deadline, .. } = *arguments;
        if !harmless(event, hallows_abi::Event::SIZE as u32, 1)
            || !harmless(buffer.offset, buffer.length, 1)
            || !harmless(handles.offset, handles.length, size_of::<Handle>())
        {
            return None;
        }
        let event = base.wrapping_add(event);
        let [bytes, transfers, buffer, handles] = [arguments.bytes, arguments.transfers, buffer, handles]
            .map(|span| Span { offset: base.wrapping_add(span.offset), ..span }.pack());
        // SAFETY: each range that the kernel may write to is the exclusively borrowed arena's, or reaches beyond the memory, and
        // then the kernel refuses the call. What it reads may lie anywhere.
        Some(unsafe {
            match arguments.call {
                Call::Send => import::send(endpoint.0, bytes, transfers, room),
                Call::Answer => import::answer(token, bytes, transfers),
                Call::Wait => import::wait(event, buffer, handles, deadline),
                Call::Call => import::call(endpoint.0, bytes, transfers, buffer, handles, deadline),
                Call::AnswerWait => {
                    import::answer_wait(token, bytes, transfers, event, buffer, handles, deadline)
                }
            }
        })
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use alloc::alloc::{Layout, alloc_zeroed};
    use alloc::boxed::Box;

    use hallows_abi::{Error, Handle};

    use super::{EventForm, TransferForm};
    use crate::Window;
    use crate::call::decode;
    use crate::native::{NativeAnswer, NativeInbox};
    use crate::server::{Mailbox, Server, dispatch};

    mod import {
        unsafe extern "C" {
            pub fn hallows_native_send(
                endpoint: u32,
                bytes: *const u8,
                length: usize,
                transfers: *const u8,
                transfer_count: usize,
                room: u32,
            ) -> i64;
            pub fn hallows_native_answer(
                token: u64,
                bytes: *const u8,
                length: usize,
                transfers: *const u8,
                transfer_count: usize,
            ) -> i64;
            pub fn hallows_native_wait(
                event: *mut u8,
                buffer: *mut u8,
                buffer_length: usize,
                handles: *mut u32,
                handles_length: usize,
                deadline: i64,
            ) -> i64;
            pub fn hallows_native_call(
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
            ) -> i64;
            pub fn hallows_native_answer_wait(
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
            ) -> i64;
            pub safe fn hallows_native_now() -> i64;
            pub fn hallows_native_window(start: *const u8, bytes: usize);
        }
    }

    /// See [`crate::process::now`]: without a message, as nothing keeps apart who asks and who is asked.
    #[inline]
    pub fn now() -> Result<u64, Error> {
        decode(import::hallows_native_now()).map(i64::cast_unsigned)
    }

    /// See [`crate::Window`]: the engine shows regions only where it was told of one.
    pub fn tell_window<const WORDS: usize>(window: &'static Window<WORDS>) {
        // SAFETY: a window is a static of whole pages, which its type's alignment and assertion say, and holds atomic integers only.
        unsafe { import::hallows_native_window((&raw const *window).cast(), size_of::<Window<WORDS>>()) }
    }

    /// See [`crate::send`].
    #[inline]
    pub fn send(endpoint: Handle, bytes: &[u8], transfers: &[TransferForm], room: u32) -> i64 {
        // SAFETY: pointers and lengths are those of live slices, and the engine only reads them, before it returns.
        unsafe {
            import::hallows_native_send(
                endpoint.0,
                bytes.as_ptr(),
                bytes.len(),
                transfers.as_ptr().cast(),
                transfers.len(),
                room,
            )
        }
    }

    /// See [`crate::answer`].
    #[inline]
    pub fn answer(token: u64, bytes: &[u8], transfers: &[TransferForm]) -> i64 {
        // SAFETY: as `send`.
        unsafe {
            import::hallows_native_answer(
                token,
                bytes.as_ptr(),
                bytes.len(),
                transfers.as_ptr().cast(),
                transfers.len(),
            )
        }
    }

    /// See [`crate::wait`].
    #[inline]
    pub fn wait(event: &mut EventForm, buffer: &mut [u8], handles: &mut [Handle], deadline: i64) -> i64 {
        // SAFETY: pointers and lengths are those of exclusively borrowed slices; the engine writes only inside of them, before
        // it returns; every bit pattern is a valid `u8` and a valid `Handle` (transparent over `u32`).
        unsafe {
            import::hallows_native_wait(
                event.0.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                handles.as_mut_ptr().cast(),
                handles.len(),
                deadline,
            )
        }
    }

    /// See [`crate::call`].
    #[inline]
    pub fn call(
        endpoint: Handle,
        bytes: &[u8],
        transfers: &[TransferForm],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: i64,
    ) -> i64 {
        // SAFETY: as `send` for what is read and as `wait` for what is written.
        unsafe {
            import::hallows_native_call(
                endpoint.0,
                bytes.as_ptr(),
                bytes.len(),
                transfers.as_ptr().cast(),
                transfers.len(),
                reply.as_mut_ptr(),
                reply.len(),
                handles.as_mut_ptr().cast(),
                handles.len(),
                deadline,
            )
        }
    }

    /// See [`crate::answer_wait`].
    #[inline]
    pub fn answer_wait(
        token: u64,
        bytes: &[u8],
        transfers: &[TransferForm],
        event: &mut EventForm,
        buffer: &mut [u8],
        handles: &mut [Handle],
        deadline: i64,
    ) -> i64 {
        // SAFETY: as `answer` for what is read and as `wait` for what is written.
        unsafe {
            import::hallows_native_answer_wait(
                token,
                bytes.as_ptr(),
                bytes.len(),
                transfers.as_ptr().cast(),
                transfers.len(),
                event.0.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                handles.as_mut_ptr().cast(),
                handles.len(),
                deadline,
            )
        }
    }

    /// What a reactor's state pointer points to.
    struct State<S, const INBOX: usize, const REPLY: usize> {
        mailbox: Mailbox<INBOX, REPLY>,
        server: S,
    }

    /// Bytes of a reactor's state.
    pub const fn state_bytes<S, const INBOX: usize, const REPLY: usize>() -> usize {
        size_of::<State<S, INBOX, REPLY>>()
    }

    /// [`crate::native::NativeReactor::init`] of a server.
    pub fn state_init<S: Server, const INBOX: usize, const REPLY: usize>() -> *mut () {
        let Some(server) = crate::program::start(S::new) else { return core::ptr::null_mut() };
        // Made in place: with the longest inbox, a state on the stack would overflow a thread's.
        // SAFETY: the layout is not empty, as a mailbox is not.
        let state =
            unsafe { alloc_zeroed(Layout::new::<State<S, INBOX, REPLY>>()) }.cast::<State<S, INBOX, REPLY>>();
        if state.is_null() {
            crate::log!("the machine has no memory left for this program's state");
            return core::ptr::null_mut();
        }
        // SAFETY: the allocation has room for a state; its mailbox is zeroes, which is a valid mailbox (integers and handles
        // only); so writing the server makes all of it valid.
        unsafe { (&raw mut (*state).server).write(server) };
        state.cast()
    }

    /// [`crate::native::NativeReactor::inbox`] of a server.
    ///
    /// # Safety
    ///
    /// `state` comes from [`state_init`] of the same types and is not released; nothing else runs with it.
    pub unsafe fn state_inbox<S, const INBOX: usize, const REPLY: usize>(state: *mut ()) -> NativeInbox {
        let state = state.cast::<State<S, INBOX, REPLY>>();
        // SAFETY: the state is alive; no reference is made, so the addresses stay good beside later borrows of it.
        unsafe {
            NativeInbox {
                buffer: (&raw mut (*state).mailbox.inbox).cast(),
                buffer_length: INBOX,
                handles: (&raw mut (*state).mailbox.handles).cast(),
                handles_length: hallows_abi::MAX_TRANSFERS as usize,
            }
        }
    }

    /// [`crate::native::NativeReactor::handle`] of a server.
    ///
    /// # Safety
    ///
    /// As [`state_inbox`].
    pub unsafe fn state_handle<S: Server, const INBOX: usize, const REPLY: usize>(
        state: *mut (),
        kind: u32,
        badge: u64,
        token: u64,
        length: u32,
        handles: u32,
    ) -> NativeAnswer {
        // SAFETY: the state is alive and nothing else uses it until this function returns.
        let state = unsafe { &mut *state.cast::<State<S, INBOX, REPLY>>() };
        dispatch(&mut state.server, &mut state.mailbox, kind, badge, token, length, handles)
    }

    /// [`crate::native::NativeReactor::release`] of a server.
    ///
    /// # Safety
    ///
    /// As [`state_inbox`], and `state` is not used any more.
    pub unsafe fn state_release<S, const INBOX: usize, const REPLY: usize>(state: *mut ()) {
        // SAFETY: `state_init` allocated it with the global allocator and this layout, and it is whole.
        drop(unsafe { Box::from_raw(state.cast::<State<S, INBOX, REPLY>>()) });
    }
}

/// The SDK's own tests run outside of a machine.
#[cfg(test)]
mod test_support;
#[cfg(test)]
pub use test_support::FOREIGN;
