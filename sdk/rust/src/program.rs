//! Main programs: what `#[main]` stands on, and what every program is started with.

use core::fmt::Display;
use core::str::FromStr;

use hallows_abi::{AnswerForm, Error, Handle, MAX_START_INFO, OnSpace, Operation, Reply, Rights};

use crate::call::call_handle;
use crate::rights::RightSet;
use crate::{Deadline, Object, StartInfo, identify, process};

/// Room for the start information of nearly every cell. More is read in a second try: a fresh stack of 16 KiB would cost a
/// small program more page faults than all the rest of its start.
const USUAL_START_INFO: usize = 512;

/// Room for the longest answer that there is to the question what a program was started with, in bytes.
pub const MOST_START_BYTES: usize = AnswerForm::Bytes.bytes() + MAX_START_INFO as usize;

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
    /// A type that names its rights is checked, and the log says what is missing: `start.grant::<Endpoint<rights!(SEND)>>("calc")`. One that
    /// claims every right, as `Endpoint` does, is taken at its word.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`] if nothing was granted under this name; those of [`Object::check`].
    pub fn grant<T: Object>(&self, name: &str) -> Result<T, Error> {
        let Some(handle) = self.0.grant(name) else {
            crate::log!("needs a capability called `{name}` ({:?}), and was granted none", T::KIND);
            return Err(Error::BadHandle);
        };
        if T::Rights::RIGHTS == Rights::ALL {
            return Ok(T::from_handle(handle));
        }
        T::check(handle).inspect_err(|error| {
            let needs = T::Rights::RIGHTS;
            match identify(handle) {
                Ok(found) => crate::log!(
                    "needs `{name}` to be of the kind {:?} with the rights {needs}, and was granted one of the kind {:?} with {}",
                    T::KIND, found.kind, found.rights
                ),
                Err(_) => crate::log!("cannot look at `{name}`: {error}"),
            }
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

impl<E: Ending> Ending for Result<E, Error> {
    fn status(self) -> u32 {
        match self {
            Ok(ending) => ending.status(),
            // Who is being killed has ended already.
            Err(Error::Killed) => 0,
            Err(error) => {
                crate::log!("ends with an error: {error:?} (number {}): {error}", error.number());
                1
            }
        }
    }
}

impl<'a> From<&Start<'a>> for Start<'a> {
    fn from(start: &Start<'a>) -> Self {
        *start
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
    let mut buffer = [0; MOST_START_BYTES];
    read_start(&mut buffer).map(|start| body(&start))
}

/// Reads what this program was started with into a buffer: for those that are not declared with [`#[main]`](crate::main) or
/// [`server!`](crate::server!). At most [`MOST_START_BYTES`].
///
/// # Errors
///
/// [`Error::AnswerTooLong`] if the buffer has not so many; [`Error::BadArgument`], which the log explains, if they are no start
/// information.
pub fn read_start(buffer: &mut [u8]) -> Result<Start<'_>, Error> {
    let message = Operation::from(OnSpace::StartInfo).emit();
    let outcome = call_handle(Handle::SELF, &message, &[], buffer, &mut [], Deadline::NEVER)?;
    let answer = buffer.get(..outcome.length as usize).ok_or(Error::Unsupported)?;
    let bytes = Reply::parse_bytes(answer).ok_or(Error::Refused)?;
    StartInfo::parse(bytes).map(Start).map_err(|error| {
        crate::log!("cannot start: {error}");
        Error::BadArgument
    })
}

/// Runs a main program; what [`#[main]`](crate::main) calls.
pub fn run<E: Ending>(main: fn(&Start<'_>) -> E) {
    let status =
        with_start(|start| main(start).status()).unwrap_or_else(|error| Err::<(), _>(error).status());
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
            let status = Err::<(), _>(error).status();
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

/// Declares a main program: what [`#[main]`](crate::main) expands to.
#[doc(hidden)]
#[macro_export]
macro_rules! declare_main {
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
    use crate::{Endpoint, Error, StartInfo, start_info};
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
        assert_eq!(Ok::<_, Error>(()).status(), 0);
        assert_eq!(Ok::<_, Error>(Ok::<_, Error>(())).status(), 0);
        assert_eq!(Err::<(), _>(Error::Killed).status(), 0);
        assert_eq!(Err::<(), _>(Error::Busy).status(), 1);
        assert_eq!(Ok::<_, Error>(Err::<(), _>(Error::Gone)).status(), 1);
    }
}
