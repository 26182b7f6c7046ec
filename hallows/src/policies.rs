//! Policies in WebAssembly: read from files, in both forms, and verified.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hallows_policy::{LARGEST_MODULE_BYTES, Module};

use crate::failure::Failure;
use crate::planner::{check_file, unreadable};

/// A policy that was verified.
pub struct Verified {
    /// Its binary form.
    pub wasm: Vec<u8>,
    /// What was found in it.
    pub module: Module,
}

/// Reads a file and verifies it.
///
/// # Errors
/// When there is none, it cannot be read, or it is no policy.
pub fn of_file(path: &Path) -> Result<Verified, Failure> {
    check_file(path)?;
    let mut bytes = Vec::new();
    // A byte more than there can be is enough to see that it is too large.
    let read =
        File::open(path).and_then(|file| file.take(LARGEST_MODULE_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable("the policy", path, &error))?;
    verify(&path.display().to_string(), bytes)
}

/// Verifies a policy, given in WebAssembly's binary or text form. `shown` is what a person knows it by.
///
/// # Errors
/// When it is neither, or no policy.
pub fn verify(shown: &str, bytes: Vec<u8>) -> Result<Verified, Failure> {
    let is_text = bytes.len() <= LARGEST_MODULE_BYTES && !bytes.starts_with(b"\0");
    let wasm = if is_text {
        let text = wat::parse_bytes(&bytes).map(std::borrow::Cow::into_owned);
        text.map_err(|error| Failure::usage(format!("{shown} is no policy: {error}")))?
    } else {
        bytes
    };
    match Module::verify(&wasm) {
        Ok(module) => Ok(Verified { wasm, module }),
        Err(refusal) => {
            let message = format!("{shown} is no policy: {refusal}");
            Err(match refusal.reason.help() {
                Some(help) => Failure::usage_with_help(message, help),
                None => Failure::usage(message),
            })
        }
    }
}

/// The name of a policy in a file: the file's, without its ending.
pub fn name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
