//! Rewrites a WebAssembly module so that its longest non-preemptible stretch is bounded and its state reachable.
//!
//! Problem: compiled code notices that it shall stop only at function entries and loop headers. A `memory.fill` of a
//! gigabyte or a thousand square roots in a row keep a core for milliseconds. Rule: no path between two checks
//! is longer than [`Bounds`] allow. Consequence, for the module that comes out:
//!
//! - bulk operations are calls to appended helper functions that work in bounded steps, with the original's
//!   results and traps (`hallows:memory.copy` and so on in backtraces); short ones stay in place;
//! - straight-line code holds a check (an empty loop, whose header checks) wherever the bound would be exceeded;
//! - the linear memory is exported as `hallows:memory`, mutable global *n* as `hallows:global:n` and a table
//!   that the program changes as `hallows:table:n`, so that a snapshot finds all of its state. What
//!   `data.drop` and `elem.drop` dropped is such a global too;
//! - a `shared` memory is an ordinary one with the same limits (the engine maps the same pages into several
//!   instances), and `memory.atomic.wait32/64`, `notify` and `memory.grow` are calls to the imports `hallows`
//!   `atomic_wait32`, `atomic_wait64`, `atomic_notify` and `memory_grow`;
//! - exceptions are ordinary control flow (`exceptions`);
//! - debugging sections are gone, function names are passed through [`Options::rename_function`].
//!
//! Imports and exports of the program keep their names, types and order (but exported tags, which are gone).
//!
//! Not exact, on purpose: a table grows to at most [`GROWN_TABLE_ENTRIES`] entries (`table.grow` may fail by
//! the specification), and waiting on an unshared memory traps as `unreachable`.
#![forbid(unsafe_code)]

mod cost;
mod error;
mod exceptions;
mod features;
mod flow;
mod helper;
#[cfg(test)]
mod longest_path;
mod names;
mod replacement;
mod rewrite;
mod sections;
mod survey;

pub use error::Error;
pub use features::FEATURES;
pub use hallows_artifact::{Bounds, Metadata};

/// Names that begin so belong to the pass; a program that exports one is refused.
pub const RESERVED_PREFIX: &str = "hallows:";
/// The linear memory's reserved name.
pub const MEMORY_EXPORT: &str = "hallows:memory";
/// A mutable global's reserved name, less its index.
pub const GLOBAL_EXPORT_PREFIX: &str = "hallows:global:";
/// A table's reserved name, less its index.
pub const TABLE_EXPORT_PREFIX: &str = "hallows:table:";
/// The namespace of the imports that waiting and notifying become.
pub const CALL_MODULE: &str = "hallows";

/// Entries that a table may grow to, if it does not start larger. Growing may move the table, and moving
/// this many takes about 100 µs, which nothing can interrupt.
pub const GROWN_TABLE_ENTRIES: u64 = 128 << 10;

/// Whether the module shall be stoppable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Bulk operations in steps and checks in straight-line code.
    Bounded(Bounds),
    /// Neither: for measuring what they cost.
    None,
}

/// How to normalise.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The bounds to enforce.
    pub checks: Checks,
    /// What a function is called in backtraces, given its name in the name section.
    pub rename_function: &'a dyn Fn(&str) -> String,
}

/// What comes out of the pass.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// The module, valid under [`FEATURES`].
    pub wasm: Vec<u8>,
    /// Its imports, exports, memory and our custom sections.
    pub metadata: Metadata,
}

/// Normalises a core module.
///
/// # Errors
/// [`Error`] if it is invalid, needs a feature that the engine lacks, or exports a reserved name.
pub fn normalise(wasm: &[u8], options: Options<'_>) -> Result<Normalised, Error> {
    // A program that is valid as it is pays for one validation only.
    if features::validate(wasm).is_ok() {
        return bound(wasm, options);
    }
    let lowered = if features::needs_exceptions(wasm) { exceptions::lower(wasm)? } else { None };
    let wasm = lowered.as_deref().unwrap_or(wasm);
    features::validate(wasm)?;
    bound(wasm, options)
}

/// Normalises a module that is valid under [`FEATURES`].
fn bound(wasm: &[u8], options: Options<'_>) -> Result<Normalised, Error> {
    let survey = survey::survey(wasm)?;
    rewrite::rewrite(wasm, survey, options)
}
