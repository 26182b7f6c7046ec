//! Main programs: `main!(function)`, and what every program is started with.

use core::fmt::Display;
use core::str::FromStr;

use hallows_abi::{Code, Error, Handle, MAX_START_INFO, Operation};

use crate::call::call_handle;
use crate::{Deadline, Object, StartInfo, process};

/// Room for the start information of nearly every cell. More is read in a second try: a fresh stack of 16 KiB would cost a
/// small program more page faults than all the rest of its start.
const USUAL_START_INFO: usize = 512;

/// What this program was started with: its arguments, and the capabilities that it was granted by name.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a>(StartInfo<'a>);

impl<'a> Start<'a> {
    /// From start information that was read already.
    #[must_use]
    pub const fn new(info: StartInfo<'a>) -> Self {
        Self(info)
    }

    /// All of it.
    #[must_use]
    pub const fn info(&self) -> StartInfo<'a> {
        self.0
    }

    /// The capability that was granted under this name. If there is none, the log says so.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`] if nothing was granted under this name.
    pub fn grant<T: Object>(&self, name: &str) -> Result<T, Error> {
        self.optional(name).ok_or_else(|| {
            crate::log!("needs a capability called `{name}` ({:?}), and was granted none", T::KIND);
            Error::BadHandle
        })
    }

    /// The capability that was granted under this name, if there is one.
    #[must_use]
    pub fn optional<T: Object>(&self, name: &str) -> Option<T> {
        self.0.grant(name).map(T::from_handle)
    }

    /// The value of the argument `key=value`, or this one if there is none. If it cannot be read, the log says so.
    ///
    /// # Errors
    ///
    /// [`Error::BadArgument`] if there is one that cannot be read.
    pub fn setting<T: FromStr<Err: Display>>(&self, key: &str, otherwise: T) -> Result<T, Error> {
        let Some(value) = self.0.setting(key) else { return Ok(otherwise) };
        value.parse().map_err(|error| {
            crate::log!("cannot read the argument `{key}={value}`: {error}");
            Error::BadArgument
        })
    }
}

/// How a main program ended, as what its function returns.
pub trait Ending {
    /// Its exit status. An error says itself in the log.
    fn status(self) -> u32;
}

impl Ending for () {
    fn status(self) -> u32 {
        0
    }
}

impl Ending for Result<(), Error> {
    fn status(self) -> u32 {
        match self {
            // Who is being killed has ended already.
            Ok(()) | Err(Error::Killed) => 0,
            Err(error) => {
                crate::log!("ends with an error: {error}");
                1
            }
        }
    }
}

/// Reads the start information and lends it to `body`.
fn with_start<R>(body: impl FnOnce(&Start<'_>) -> R) -> Result<R, Error> {
    let mut buffer = [0; USUAL_START_INFO];
    match read_start(&mut buffer) {
        Ok(start) => Ok(body(&start)),
        Err(Error::AnswerTooLong) => with_long_start(body),
        Err(error) => Err(error),
    }
}

#[cold]
#[inline(never)]
fn with_long_start<R>(body: impl FnOnce(&Start<'_>) -> R) -> Result<R, Error> {
    let mut buffer = [0; MAX_START_INFO as usize];
    read_start(&mut buffer).map(|start| body(&start))
}

/// Reads what this program was started with into a buffer: for those that are not declared with [`main!`](crate::main!) or
/// [`server!`](crate::server!). At most [`MAX_START_INFO`] bytes.
///
/// # Errors
///
/// [`Error::AnswerTooLong`] if the buffer has not so many; [`Error::BadArgument`], which the log explains, if they are no start
/// information.
pub fn read_start(buffer: &mut [u8]) -> Result<Start<'_>, Error> {
    let message = Operation { code: Code::StartInfo, arguments: [0; 3] }.emit();
    let outcome = call_handle(Handle::SELF, &message, &[], buffer, &mut [], Deadline::NEVER)?;
    let bytes = buffer.get(..outcome.length as usize).ok_or(Error::Unsupported)?;
    StartInfo::parse(bytes).map(Start).map_err(|error| {
        crate::log!("cannot start: {error}");
        Error::BadArgument
    })
}

/// Runs a main program; what [`main!`](crate::main!) calls.
pub fn run<E: Ending>(main: fn(&Start<'_>) -> E) {
    let status = with_start(|start| main(start).status()).unwrap_or_else(|error| Err(error).status());
    if status != 0 {
        let _ = process::exit(status);
    }
}

/// Makes a reactor's state; what [`server!`](crate::server!) calls. `None`: it could not, and has ended its cell.
pub fn start<S>(new: fn(&Start<'_>) -> Result<S, Error>) -> Option<S> {
    let made = with_start(new).and_then(|made| made);
    match made {
        Ok(made) => Some(made),
        Err(error) => {
            let status = Err(error).status();
            let _ = process::exit(status);
            None
        }
    }
}

/// The name of the program in a package: without `hallows-`, which every package of this project starts with.
#[must_use]
pub const fn name_of(package: &'static str) -> &'static str {
    const PREFIX: &str = "hallows-";
    let bytes = package.as_bytes();
    let mut length = 0;
    while length < PREFIX.len() {
        if length == bytes.len() || bytes[length] != PREFIX.as_bytes()[length] {
            return package;
        }
        length += 1;
    }
    package.split_at(PREFIX.len()).1
}

/// Declares a main program: a function that takes [`Start`] and returns nothing or `Result<(), Error>`.
///
/// ```no_run
/// // At the top of the crate: #![no_std]
/// use hallows_sdk::{Error, Start, log};
///
/// fn greet(start: &Start<'_>) -> Result<(), Error> {
///     for name in start.info().arguments() {
///         log!("hello, {name}");
///     }
///     Ok(())
/// }
///
/// hallows_sdk::main!(greet);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! main {
    ($function:path) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn hallows_main() {
                $crate::program::run($function)
            }
        };

        /// This program, as part of the machine.
        #[cfg(not(target_arch = "wasm32"))]
        pub static PROGRAM: $crate::native::NativeProgram = $crate::native::NativeProgram {
            name: $crate::program::name_of(::core::env!("CARGO_PKG_NAME")),
            style: $crate::native::NativeStyle::Main(|| $crate::program::run($function)),
        };
    };
}

#[cfg(test)]
mod tests {
    use super::{Ending, Start, name_of};
    use crate::{Endpoint, Error, Object, StartInfo, start_info};
    use hallows_abi::Handle;

    #[test]
    fn a_program_is_called_like_its_package_without_the_project() {
        assert_eq!(name_of("hallows-calculator"), "calculator");
        assert_eq!(name_of("calculator"), "calculator");
        assert_eq!(name_of("hallows"), "hallows");
        assert_eq!(name_of("hallows-"), "");
    }

    #[test]
    fn grants_and_settings_are_found_by_name() {
        let mut buffer = [0; 64];
        let length = start_info::emit(&["count=7"], &[("calc", Handle(5))], &mut buffer).expect("fits");
        let start = Start::new(StartInfo::parse(&buffer[..length]).expect("was emitted"));
        assert_eq!(start.grant("calc"), Ok(Endpoint::from_handle(Handle(5))));
        assert_eq!(start.optional::<Endpoint>("other"), None);
        assert_eq!(start.setting("count", 1_u64), Ok(7));
        assert_eq!(start.setting("rounds", 1_u64), Ok(1));
    }

    #[test]
    fn only_a_program_that_went_well_ends_with_status_0() {
        assert_eq!(().status(), 0);
        assert_eq!(Ok(()).status(), 0);
        assert_eq!(Err(Error::Killed).status(), 0);
    }
}
