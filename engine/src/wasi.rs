//! The functions of WASI: `import "wasi_snapshot_preview1"`. They are `hallows-wasi`, run as native code of the cell that calls.

use alloc::boxed::Box;

use hallows_kernel::{Context, Kernel, Machine};
use hallows_wasi::{Errno, IMPORT_MODULE, Memory, Process, Result};
use wasmtime::{Caller, Error, Linker, Store};

use crate::WasmEngine;
use crate::bytes::{Bytes, ReadOnly};
use crate::calls::Guest;
use crate::ended::Unwind;
use crate::native::enter;
use crate::native_threads::Kept;
use crate::resident::Resident;

/// Defines all functions.
///
/// # Errors
///
/// None that can happen: each name is defined once.
pub(crate) fn define<M: Machine>(linker: &mut Linker<Resident<M>>) -> wasmtime::Result<()> {
    macro_rules! define_each {
        ($($name:ident($($parameter:ident: $type:ty),*);)*) => {$(
            linker.func_wrap(
                IMPORT_MODULE,
                stringify!($name),
                |mut caller: Caller<'_, Resident<M>>, $($parameter: $type),*| {
                    call(&mut caller, |process, memory| process.$name(memory $(, $parameter)*))
                },
            )?;
        )*};
    }
    hallows_wasi::functions!(define_each);
    linker.func_wrap(IMPORT_MODULE, "proc_exit", |mut caller: Caller<'_, Resident<M>>, status: u32| {
        let exit = |process: &mut Process, _: &mut ProgramMemory| {
            process.proc_exit(status);
            Ok(())
        };
        call(&mut caller, exit).map(|_| ())
    })?;
    Ok(())
}

/// Runs a function for the program that calls; its `errno`.
#[inline(always)]
fn call<M: Machine>(
    caller: &mut Caller<'_, Resident<M>>,
    function: impl FnOnce(&mut Process, &mut ProgramMemory) -> Result,
) -> wasmtime::Result<u32> {
    let state = caller.data_mut().wasi.take();
    let Ok(guest) = Guest::of(caller) else { return Err(Error::new(Unwind)) };
    let (kernel, context) = (guest.kernel, guest.context());
    let mut memory = ProgramMemory { base: guest.base, length: guest.length, read_only: guest.read_only };
    let entered = enter(kernel, context, &mut Kept::default(), || {
        let mut process = match state {
            Some(process) => process,
            None => match start() {
                Ok(process) => process,
                Err(errno) => return (None, Err(errno)),
            },
        };
        let result = function(&mut process, &mut memory);
        (Some(process), result)
    });
    // A program that is being ended never runs again: what it has open is given up with it.
    let Ok((state, result)) = entered else { return Err(Error::new(Unwind)) };
    caller.data_mut().wasi = state;
    Ok(result.map_or_else(|errno| u32::from(errno.number()), |()| 0))
}

/// The state of a program that calls for the first time.
#[cold]
fn start() -> Result<Box<Process>> {
    Process::start().map(Box::new).map_err(Errno::from)
}

/// Gives back what a program has open that has ended.
pub(crate) fn end<M: Machine>(
    store: &mut Store<Resident<M>>,
    kernel: &Kernel<WasmEngine<M>>,
    context: &mut Context,
) {
    if let Some(mut process) = store.data_mut().wasi.take() {
        // Killed meanwhile: then it is over as well.
        let _ = enter(kernel, context, &mut Kept::default(), || process.end());
    }
}

/// The memory of the program that calls, which grows only while the program runs.
struct ProgramMemory {
    base: *mut u8,
    length: usize,
    read_only: *const ReadOnly,
}

impl ProgramMemory {
    #[inline(always)]
    fn range(&self, address: u64, length: u64) -> Result<Bytes> {
        let end = address.checked_add(length).ok_or(Errno::Fault)?;
        if end > self.length as u64 {
            return Err(Errno::Fault);
        }
        // SAFETY: inside of the memory, whose pages stay mapped while the program is inside of a call. Both numbers are no larger
        // than its length.
        Ok(unsafe { Bytes::new(self.base.wrapping_add(address as usize), length as usize, self.read_only) })
    }
}

impl Memory for ProgramMemory {
    #[inline(always)]
    fn read(&self, address: u64, to: &mut [u8]) -> Result {
        self.range(address, to.len() as u64)?.read(to);
        Ok(())
    }

    #[inline(always)]
    fn write(&mut self, address: u64, from: &[u8]) -> Result {
        let range = self.range(address, from.len() as u64)?;
        if range.is_read_only() {
            return Err(Errno::Fault);
        }
        range.write(from);
        Ok(())
    }

    fn check_readable(&self, address: u64, length: u64) -> Result {
        self.range(address, length).map(|_| ())
    }

    fn check_writable(&self, address: u64, length: u64) -> Result {
        if self.range(address, length)?.is_read_only() { Err(Errno::Fault) } else { Ok(()) }
    }
}
