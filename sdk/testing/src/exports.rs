//! The functions that native programs make their calls through: all of the `unsafe`.

#![allow(unsafe_code)]

use core::slice;
use core::sync::atomic::{AtomicU32, Ordering};

use hallows_sdk::abi::{Transfer, encode_result};
use hallows_sdk::{Error, Event, Handle, Outcome};

use crate::events::Coming;
use crate::{kernel, threads};

/// Where what is received goes.
struct Room<'a> {
    bytes: &'a mut [u8],
    handles: &'a mut [u32],
}

impl Room<'_> {
    fn put(&mut self, bytes: &[u8], handles: &[Handle]) -> Result<Outcome, Error> {
        self.bytes.get_mut(..bytes.len()).ok_or(Error::AnswerTooLong)?.copy_from_slice(bytes);
        let places = self.handles.get_mut(..handles.len()).ok_or(Error::AnswerTooLong)?;
        places.iter_mut().zip(handles).for_each(|(place, handle)| *place = handle.0);
        Ok(Outcome { length: bytes.len() as u32, handles: handles.len() as u32 })
    }
}

/// A deadline as the kernel counts it; programs give none that is negative.
fn until(deadline: i64) -> u64 {
    u64::try_from(deadline).unwrap_or(0)
}

/// # Safety
///
/// `length` bytes from `pointer` can be read until the caller returns, or `length` is 0.
unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: as this function's own; the SDK's slices have pointers that are never null.
    unsafe { slice::from_raw_parts(pointer, length) }
}

/// # Safety
///
/// Both ranges can be written until the caller returns, and nobody else uses them.
unsafe fn room<'a>(buffer: *mut u8, length: usize, handles: *mut u32, count: usize) -> Room<'a> {
    // SAFETY: as this function's own; pointers of slices are never null, and `Handle` is transparent over `u32`.
    unsafe {
        Room {
            bytes: slice::from_raw_parts_mut(buffer, length),
            handles: slice::from_raw_parts_mut(handles, count),
        }
    }
}

fn wait(event: &mut [u8], room: &mut Room<'_>, deadline: i64) -> Result<i64, Error> {
    let (Coming { event: mut came, bytes, .. }, given) = kernel::wait(until(deadline))?;
    let put = room.put(&bytes, &given)?;
    (came.length, came.handles) = (put.length, put.handles);
    event.copy_from_slice(&came.emit());
    Ok(0)
}

/// # Safety
///
/// As the SDK calls it: pointer and length of live slices.
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_send(
    endpoint: u32,
    message: *const u8,
    length: usize,
    _transfers: *const u8,
    _transfer_count: usize,
    room: u32,
) -> i64 {
    // SAFETY: the caller's promise.
    let message = unsafe { bytes(message, length) };
    encode_result(kernel::send(Handle(endpoint), message, room).map(u64::cast_signed))
}

/// # Safety
///
/// As [`hallows_native_send`].
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_answer(
    token: u64,
    message: *const u8,
    length: usize,
    _transfers: *const u8,
    _transfer_count: usize,
) -> i64 {
    // SAFETY: the caller's promise.
    let message = unsafe { bytes(message, length) };
    encode_result(kernel::answer(token, message).map(|()| 0))
}

/// # Safety
///
/// As the SDK calls it: pointers and lengths of slices that are borrowed exclusively, and room for an event.
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_wait(
    event: *mut u8,
    buffer: *mut u8,
    buffer_length: usize,
    handles: *mut u32,
    handles_length: usize,
    deadline: i64,
) -> i64 {
    // SAFETY: the caller's promise.
    let (event, mut room) = unsafe {
        (slice::from_raw_parts_mut(event, Event::SIZE), room(buffer, buffer_length, handles, handles_length))
    };
    encode_result(wait(event, &mut room, deadline))
}

/// # Safety
///
/// As [`hallows_native_send`] for what is read, and [`hallows_native_wait`] for what is written.
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_call(
    endpoint: u32,
    message: *const u8,
    length: usize,
    transfers: *const u8,
    transfer_count: usize,
    reply: *mut u8,
    reply_length: usize,
    handles: *mut u32,
    handles_length: usize,
    deadline: i64,
) -> i64 {
    // SAFETY: the caller's promise; a transfer has `SIZE` bytes.
    let (message, transfers, mut room) = unsafe {
        (
            bytes(message, length),
            bytes(transfers, transfer_count * Transfer::SIZE),
            room(reply, reply_length, handles, handles_length),
        )
    };
    let given = transfers.chunks_exact(Transfer::SIZE).filter_map(Transfer::parse);
    let given: Vec<_> = given.map(|transfer| transfer.handle).collect();
    let done = kernel::call(Handle(endpoint), message, &given, until(deadline));
    encode_result(done.and_then(|done| room.put(&done.bytes, done.handle.as_slice()).map(Outcome::pack)))
}

/// # Safety
///
/// As [`hallows_native_answer`] and [`hallows_native_wait`].
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_answer_wait(
    token: u64,
    message: *const u8,
    length: usize,
    _transfers: *const u8,
    _transfer_count: usize,
    event: *mut u8,
    buffer: *mut u8,
    buffer_length: usize,
    handles: *mut u32,
    handles_length: usize,
    deadline: i64,
) -> i64 {
    // SAFETY: the caller's promise.
    let (message, event, mut room) = unsafe {
        (
            bytes(message, length),
            slice::from_raw_parts_mut(event, Event::SIZE),
            room(buffer, buffer_length, handles, handles_length),
        )
    };
    encode_result(kernel::answer(token, message).and_then(|()| wait(event, &mut room, deadline)))
}

#[unsafe(no_mangle)]
extern "C" fn hallows_native_now() -> i64 {
    encode_result(kernel::now().map(u64::cast_signed))
}

/// There are no regions here that could be shown in it.
#[unsafe(no_mangle)]
extern "C" fn hallows_native_window(_start: *const u8, _bytes: usize) {}

type ThreadFunction = unsafe extern "C-unwind" fn(*const ());

/// # Safety
///
/// As the SDK calls it: the function may be called once with the block, which begins with a 32-bit word and stays until that says that it is over.
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_thread_start(function: ThreadFunction, block: *const ()) -> i64 {
    let word = block.expose_provenance();
    let run = move || {
        let block = std::ptr::with_exposed_provenance(word);
        // SAFETY: the caller's promise.
        unsafe { function(block) }
    };
    encode_result(threads::start(run, word).map(|()| 1))
}

#[unsafe(no_mangle)]
extern "C" fn hallows_native_thread_block() -> *const () {
    std::ptr::with_exposed_provenance(threads::block())
}

/// # Safety
///
/// As the SDK calls it: the function may be called once with the block when this thread is over.
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_thread_keep(block: *const (), release: ThreadFunction) {
    let word = block.expose_provenance();
    // SAFETY: the caller's promise.
    threads::keep(word, Box::new(move || unsafe { release(std::ptr::with_exposed_provenance(word)) }));
}

/// # Safety
///
/// As the SDK calls it: the word is there as long as this lasts, and all use it as an atomic.
#[unsafe(no_mangle)]
unsafe extern "C" fn hallows_native_wait_by(
    word: *const u32,
    expected: u32,
    _is_endless: u32,
    deadline: i64,
) -> i64 {
    let address = word.expose_provenance();
    // SAFETY: the caller's promise.
    let is_expected = || unsafe { AtomicU32::from_ptr(word.cast_mut()) }.load(Ordering::SeqCst) == expected;
    encode_result(Ok(threads::wait(address, is_expected, until(deadline))))
}

#[unsafe(no_mangle)]
extern "C" fn hallows_native_notify(word: *const u32, most: u32) -> i64 {
    i64::from(threads::notify(word.addr(), most))
}

/// Stores into the word at the beginning of a thread's block, whose thread is over.
pub fn store(block: usize, value: u32) {
    // SAFETY: `hallows_native_thread_start` was promised that it is there until this.
    let word = unsafe { AtomicU32::from_ptr(std::ptr::with_exposed_provenance_mut(block)) };
    word.store(value, Ordering::Release);
}
