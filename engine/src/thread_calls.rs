//! What programs whose threads share a memory call: further threads, waiting and notifying, growth.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use alloc::sync::Arc;

use hallows_abi::{Error, IMPORT_MODULE, encode_result};
use hallows_kernel::{Machine, Nanos, Patience};
use wasmtime::{Caller, Linker, Trap};

use crate::calls::Guest;
use crate::cells::Plan;
use crate::ended::Unwind;
use crate::family::{Family, ThreadStart};
use crate::program::MEMORY_EXPORT;
use crate::resident::Resident;
use crate::stacks::POPULATED_BYTES;

/// What `memory.grow` gives for "no".
const REFUSED: u32 = u32::MAX;

/// Defines the imports.
///
/// # Errors
///
/// None that can happen: each name is defined once.
pub(crate) fn define<M: Machine>(linker: &mut Linker<Resident<M>>) -> wasmtime::Result<()> {
    linker.func_wrap(
        IMPORT_MODULE,
        "thread_start",
        |mut caller: Caller<'_, Resident<M>>, stack: u32, block: u32| match start(&mut caller, stack, block) {
            Err(Error::Killed) => Err(wasmtime::Error::new(Unwind)),
            result => Ok(encode_result(result)),
        },
    )?;
    linker.func_wrap(IMPORT_MODULE, "thread_block", |caller: Caller<'_, Resident<M>>| caller.data().block)?;
    linker.func_wrap(
        IMPORT_MODULE,
        "atomic_wait32",
        |mut caller: Caller<'_, Resident<M>>, address: u32, expected: u32, timeout_ns: i64| {
            wait(&mut caller, (address, size_of::<u32>()), timeout_ns, |word| {
                // SAFETY: `wait` has checked the place. SeqCst: as the instruction.
                unsafe { AtomicU32::from_ptr(word.cast()) }.load(Ordering::SeqCst) == expected
            })
        },
    )?;
    linker.func_wrap(
        IMPORT_MODULE,
        "atomic_wait64",
        |mut caller: Caller<'_, Resident<M>>, address: u32, expected: u64, timeout_ns: i64| {
            wait(&mut caller, (address, size_of::<u64>()), timeout_ns, |word| {
                // SAFETY: as above.
                unsafe { AtomicU64::from_ptr(word.cast()) }.load(Ordering::SeqCst) == expected
            })
        },
    )?;
    linker.func_wrap(
        IMPORT_MODULE,
        "atomic_notify",
        |mut caller: Caller<'_, Resident<M>>, address: u32, most: u32| {
            let (family, guest) = shared(&mut caller)?;
            let place = guest.place(address, size_of::<u32>())?;
            Ok(family.sleepers.notify(guest.kernel, guest.context(), place.addr(), most))
        },
    )?;
    linker.func_wrap(IMPORT_MODULE, "memory_grow", |mut caller: Caller<'_, Resident<M>>, pages: u32| {
        let family = caller.data().family.clone();
        let memory = caller.get_export(MEMORY_EXPORT).and_then(wasmtime::Extern::into_memory);
        family
            .zip(memory)
            .and_then(|(family, memory)| family.grow(&mut caller, memory, pages))
            .unwrap_or(REFUSED)
    })?;
    Ok(())
}

/// The caller, whose memory can be shared.
fn shared<'a, M: Machine>(
    caller: &'a mut Caller<'_, Resident<M>>,
) -> wasmtime::Result<(Arc<Family<M>>, Guest<'a, M>)> {
    // A program with another memory has nobody to wait for, or to wake.
    let family = caller.data().family.clone().ok_or(Trap::AtomicWaitNonSharedMemory)?;
    let guest = Guest::of(caller).map_err(|_| wasmtime::Error::new(Unwind))?;
    Ok((family, guest))
}

impl<M: Machine> Guest<'_, M> {
    /// A word of the memory, of so many bytes.
    fn place(&self, address: u32, bytes: usize) -> Result<*mut u8, Trap> {
        let address = address as usize;
        if !address.is_multiple_of(bytes) {
            return Err(Trap::HeapMisaligned);
        }
        if address + bytes > self.length {
            return Err(Trap::MemoryOutOfBounds);
        }
        Ok(self.base.wrapping_add(address))
    }
}

/// Starts a further thread: its number, by which people know it.
fn start<M: Machine>(caller: &mut Caller<'_, Resident<M>>, stack: u32, block: u32) -> Result<i64, Error> {
    let family = caller.data().family.clone().ok_or(Error::Unsupported)?;
    if caller.data().memory.is_null() {
        // In a start function: there may come to be no instance whose memory a thread could share.
        return Err(Error::BadState);
    }
    let guest = Guest::of(caller)?;
    if stack as usize > guest.length || guest.place(block, size_of::<u32>()).is_err() {
        return Err(Error::BadSpan);
    }
    let (program, _) = family.threads().ok_or(Error::Unsupported)?;
    // Its memory is the others'.
    let bytes = program.instance_bytes.saturating_add(POPULATED_BYTES as u64);
    let (kernel, started) = (guest.kernel, family.clone());
    let thread = kernel.start_thread(guest.context(), bytes, |thread| {
        let start = ThreadStart::Wasm { family: started, stack, block };
        kernel.engine.cells.entry(thread).prepare(Plan::Thread(start));
    })?;
    Ok(i64::from(thread.0))
}

/// Waits by a word of so many bytes, as the instruction does.
fn wait<M: Machine>(
    caller: &mut Caller<'_, Resident<M>>,
    (address, bytes): (u32, usize),
    timeout_ns: i64,
    is_expected: impl FnOnce(*mut u8) -> bool,
) -> wasmtime::Result<i32> {
    let (family, guest) = shared(caller)?;
    let place = guest.place(address, bytes)?;
    let deadline = match u64::try_from(timeout_ns) {
        Ok(0) => Nanos(0),
        Ok(timeout_ns) => Nanos(guest.kernel.machine.now().0.saturating_add(timeout_ns).min(Nanos::NEVER.0)),
        Err(_) => Nanos::NEVER,
    };
    let patience = (Patience::UntilKilled, deadline);
    let (kernel, context) = (guest.kernel, guest.context());
    match family.sleepers.wait(kernel, context, place.addr(), || is_expected(place), patience) {
        Ok(woken) => Ok(woken as i32),
        Err(Error::Killed) => Err(wasmtime::Error::new(Unwind)),
        Err(error) => Err(wasmtime::format_err!("a passive server's handler waits: {error}")),
    }
}
