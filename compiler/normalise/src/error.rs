//! Why a module was not normalised.
use std::convert::Infallible;

/// Why a module was not normalised. Offsets are bytes from the start of the binary module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not valid WebAssembly.
    #[error("invalid WebAssembly at byte {offset}: {message}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What the specification's rules say against it.
        message: String,
    },
    /// Valid, but it uses what the engine does not run.
    #[error("the program needs {features}, which hallows does not run (byte {offset}: {message})")]
    Unsupported {
        /// The proposals it needs, by name, separated by commas.
        features: String,
        /// Where the first use is.
        offset: usize,
        /// What it is.
        message: String,
    },
    /// It exports a name that belongs to the pass.
    #[error("the program exports `{name}`; names that begin with `hallows:` are reserved")]
    ReservedExport {
        /// The name.
        name: String,
    },
}

impl From<wasmparser::Error> for Error {
    fn from(error: wasmparser::Error) -> Error {
        Error::Invalid { offset: error.offset(), message: error.message().to_string() }
    }
}

/// The encoder's own errors cannot happen to a validated module; they are reported rather than trusted not to.
impl From<wasm_encoder::reencode::Error<Infallible>> for Error {
    fn from(error: wasm_encoder::reencode::Error<Infallible>) -> Error {
        match error {
            wasm_encoder::reencode::Error::ParseError(error) => error.into(),
            other => Error::Invalid { offset: 0, message: other.to_string() },
        }
    }
}
