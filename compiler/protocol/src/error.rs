//! Why a program was not compiled.
use crate::Limit;
use serde::{Deserialize, Serialize};

/// A message is cut at this length: what is right of it nobody reads.
const LONGEST_MESSAGE_BYTES: usize = 1_000;

/// Why a program was not compiled. What the program did wrong comes first, what went wrong here last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "kebab-case")]
pub enum CompileError {
    /// Neither a WebAssembly module nor its text form, or not a valid one.
    #[error("not a valid program: {message}{}", place(offset))]
    Invalid {
        /// Byte of the program, or of its binary form if it was text.
        offset: Option<u64>,
        /// What is wrong.
        message: String,
    },
    /// Valid, but it needs a proposal that the engine does not run.
    #[error("the program needs {features}, which hallows does not run: {message}{}", place(&Some(*offset)))]
    Unsupported {
        /// The proposals' names.
        features: String,
        /// Where the first use is.
        offset: u64,
        /// What it is.
        message: String,
    },
    /// It exceeds a limit.
    #[error(
        "the program has {found} {limit}, and {allowed} are allowed; raise the limit `{limit}` if you trust it"
    )]
    TooLarge {
        /// Which.
        limit: Limit,
        /// Its value.
        allowed: u64,
        /// What the program has.
        found: u64,
    },
    /// The compiler needed more time than it was given.
    #[error("compiling took more than {seconds} s; raise the limit `{limit}` if you trust the program")]
    TimedOut {
        /// `compiler-seconds` or `wall-seconds`.
        limit: Limit,
        /// Its value.
        seconds: u64,
    },
    /// The compiler needed more memory than it was given.
    #[error(
        "compiling took more than {limit_bytes} bytes of memory; raise the limit `compiler-memory-bytes` if you trust the program"
    )]
    OutOfMemory {
        /// The limit's value.
        limit_bytes: u64,
    },
    /// The compiler ended without a word, or with one that makes no sense. With a hostile program this is
    /// what a defect of the compiler looks like; nothing outside its sandbox was touched.
    #[error("the compiler crashed: {how}")]
    Crashed {
        /// The signal or status, and the last it said.
        how: String,
    },
    /// The settings cannot be compiled for.
    #[error("cannot compile for these settings: {message}")]
    Settings {
        /// Why.
        message: String,
    },
    /// The compiler refused to run because it could not lock itself in.
    #[error("the compiler's sandbox is not available here: {message}")]
    Sandbox {
        /// What failed.
        message: String,
    },
    /// The host's files or processes failed us.
    #[error("{what}: {message}")]
    Host {
        /// What was tried, and on what.
        what: String,
        /// What the host said.
        message: String,
    },
}

fn place(offset: &Option<u64>) -> String {
    offset.map_or(String::new(), |offset| format!(" (at byte {offset})"))
}

impl CompileError {
    /// The line that the compiler writes; it ends with a line feed. Messages are cut: they may quote the program.
    pub fn to_line(&self) -> String {
        let mut cut = self.clone();
        match &mut cut {
            CompileError::Invalid { message, .. }
            | CompileError::Unsupported { message, .. }
            | CompileError::Crashed { how: message }
            | CompileError::Settings { message }
            | CompileError::Sandbox { message }
            | CompileError::Host { message, .. }
                if message.len() > LONGEST_MESSAGE_BYTES =>
            {
                message.truncate(message.floor_char_boundary(LONGEST_MESSAGE_BYTES));
                message.push('…');
            }
            _ => {}
        }
        // Strings and numbers only: this cannot fail to be JSON.
        let mut line = serde_json::to_string(&cut).unwrap_or_default();
        line.push('\n');
        line
    }

    /// Reads the last line of what the compiler wrote to its standard error.
    pub fn from_output(output: &str) -> Option<CompileError> {
        serde_json::from_str(output.lines().next_back()?).ok()
    }

    /// Whether the program is at fault, so that compiling it again makes no sense.
    pub fn is_the_programs(&self) -> bool {
        matches!(
            self,
            CompileError::Invalid { .. } | CompileError::Unsupported { .. } | CompileError::TooLarge { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_cross_the_process_boundary() {
        let errors = [
            CompileError::Invalid { offset: Some(7), message: "bad \"magic\"\n".into() },
            CompileError::Invalid { offset: None, message: String::new() },
            CompileError::Unsupported { features: "memory64".into(), offset: 3, message: "m".into() },
            CompileError::TooLarge { limit: Limit::BodyBytes, allowed: 1, found: u64::MAX },
            CompileError::TimedOut { limit: Limit::CompilerSeconds, seconds: 60 },
            CompileError::OutOfMemory { limit_bytes: 1 << 31 },
            CompileError::Crashed { how: "signal 11".into() },
            CompileError::Settings { message: "s".into() },
            CompileError::Sandbox { message: "s".into() },
            CompileError::Host { what: "w".into(), message: "m".into() },
        ];
        for error in errors {
            let line = error.to_line();
            assert_eq!(line.matches('\n').count(), 1);
            assert_eq!(CompileError::from_output(&format!("a warning\n{line}")), Some(error));
        }
        let long = CompileError::Invalid { offset: None, message: "é".repeat(100_000) };
        let line = long.to_line();
        assert!(line.len() < 2_000 && CompileError::from_output(&line).is_some());
        assert_eq!(CompileError::from_output("thread panicked\n"), None);
        assert_eq!(CompileError::from_output(""), None);
    }

    #[test]
    fn messages_say_what_to_do() {
        let error = CompileError::TooLarge { limit: Limit::BodyBytes, allowed: 10, found: 11 };
        assert_eq!(
            error.to_string(),
            "the program has 11 body-bytes, and 10 are allowed; raise the limit `body-bytes` if you trust it"
        );
        let error = CompileError::Invalid { offset: Some(9), message: "unexpected end".into() };
        assert_eq!(error.to_string(), "not a valid program: unexpected end (at byte 9)");
    }
}
