//! This cell itself: its end, the clock, random numbers, giving others a turn.

use hallows_abi::{Error, Handle, OnObject, OnSpace, Reply};

use crate::operation::operate;

/// Ends this cell with a status; 0 says that all went well.
///
/// As WebAssembly it does not return. A native program returns from its functions by itself, with the error that this
/// returns: write `return Err(process::exit(1))`.
#[must_use = "a native program must now return"]
pub fn exit(status: u32) -> Error {
    let result = operate(Handle::SELF, OnSpace::Exit { status });
    #[cfg(target_arch = "wasm32")]
    if result.is_ok() {
        core::arch::wasm32::unreachable()
    }
    result.err().unwrap_or(Error::Killed)
}

/// Ends this cell as a failure, on purpose: a trap as WebAssembly, so that the fault report has a backtrace; natively, where a trap
/// would be the machine's, exit status 1. Return what it returns.
#[must_use = "a native program must now return"]
pub fn crash(reason: &str) -> Error {
    crate::log!("crashes: {reason}");
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    exit(1)
}

/// Asks for nothing: a kernel call with its look-up of a capability and nothing else, for measuring.
///
/// # Errors
///
/// [`Error::Killed`].
#[inline]
pub fn null() -> Result<(), Error> {
    operate(Handle::SELF, OnObject::Null).map(|_| ())
}

/// Lets others of the same priority run.
///
/// # Errors
///
/// [`Error::Killed`].
pub fn yield_now() -> Result<(), Error> {
    operate(Handle::SELF, OnSpace::Yield).map(|_| ())
}

/// Says how long the work takes that this program has begun, until it next waits for a message: others of its priority whose work is shorter may go
/// first, and it goes before those whose work is longer. Who says nothing is taken for short. Zero: it is not known after all.
///
/// # Errors
///
/// [`Error::NotInHandler`] in a passive server, [`Error::Killed`].
#[inline]
pub fn expect(work: core::time::Duration) -> Result<(), Error> {
    let ns = u64::try_from(work.as_nanos()).unwrap_or(u64::MAX);
    operate(Handle::SELF, OnSpace::Expect { ns }).map(|_| ())
}

/// To be called every few microseconds by a loop that makes no calls. As WebAssembly it is nothing: the engine stops a program
/// wherever it is. A native program can only be stopped here.
///
/// # Errors
///
/// [`Error::Killed`]: return at once.
#[inline]
pub fn safepoint() -> Result<(), Error> {
    if cfg!(target_arch = "wasm32") { Ok(()) } else { yield_now() }
}

/// Now, in nanoseconds of the machine's monotonic clock.
///
/// # Errors
///
/// [`Error::Killed`].
#[inline]
pub fn now() -> Result<u64, Error> {
    crate::sys::now()
}

/// 16 random bytes.
///
/// # Errors
///
/// [`Error::Killed`].
pub fn random() -> Result<[u8; 16], Error> {
    let Reply::Random([low, high]) = operate(Handle::SELF, OnSpace::Random)? else {
        return Err(Error::Refused);
    };
    Ok((u128::from(low) | u128::from(high) << 64).to_le_bytes())
}
