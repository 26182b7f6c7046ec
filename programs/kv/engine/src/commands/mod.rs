//! What commands do, by what they are about.

pub mod connection;
pub mod hashes;
pub mod keys;
pub mod lists;
pub mod scan;
pub mod server;
pub mod sets;
pub mod sort;
pub mod sorted;
pub mod strings;
pub mod transactions;

use alloc::vec::Vec;

use crate::output::Output;
use crate::refusal::Refusal;
use crate::value::Value;

/// What a command answers.
pub type Answered = Result<(), Refusal>;

/// Answers with a string.
pub fn write_string(out: &mut Output, value: &Value) -> Answered {
    match value {
        Value::Integer(number) => out.bulk_integer(*number),
        Value::Raw(bytes) => out.value(bytes),
        Value::Grown(bytes) => out.grown(bytes),
        _ => return Err(Refusal::WRONG_TYPE),
    }
    Ok(())
}

/// Words that are owned, as words of a request.
pub fn borrowed(words: &[Vec<u8>]) -> Vec<&[u8]> {
    words.iter().map(Vec::as_slice).collect()
}
