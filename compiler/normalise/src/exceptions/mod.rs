//! Exceptions as ordinary control flow: a module that throws becomes one that sets a global and returns.
//!
//! Problem: C's `setjmp`, C++ and Rust's unwinding need WebAssembly's exceptions, which wasmtime has only together with a garbage
//! collector that the engine is built without. Rule: what was thrown waits in globals (which tag, and the values it carries) while
//! functions return, until a handler takes it. Consequence, for a module that comes out:
//!
//! - `throw` sets the globals and goes to the enclosing handler, or returns zeros;
//! - after each call that may throw stands a test of the global that names the tag, and a branch to the same place. Which
//!   functions may throw is found over the graph of calls ([`throwing`]); an indirect call may reach all functions of its type whose address is taken;
//! - a handler compares tags; a value of type `exnref` is a number of 64 bits, the tag and the one number of 32 bits that it carries;
//! - an exported function, or the start function, that may throw is called by one that traps in a function
//!   called [`UNCAUGHT`] when an exception comes out.
//!
//! Both encodings are read, that of WebAssembly 3.0 (`try_table`, `throw_ref`) and the older one (`try`, `catch`, `delegate`,
//! `rethrow`), which compilers still make by default.
//!
//! What is refused, each by its name: tags that are imported (nothing outside of a module throws), tags that carry more than
//! [`CARRIED_VALUES`] values, types with more results, `exnref` of exceptions that carry more than one `i32`, and in tables, imports or exports,
//! and types of functions that only `exnref` keeps apart from others.
//!
//! This comes before the rest of the pass, so that all that holds for its result holds here.
mod body;
mod module;
mod refused;
mod survey;
mod throwing;

use crate::Error;

/// What the function is called in which a program traps that does not catch an exception.
pub(crate) const UNCAUGHT: &str = "hallows:uncaught exception";

/// How many values an exception may carry. Compilers use one; a bound keeps what comes out in proportion to what goes in.
pub(crate) const CARRIED_VALUES: usize = 16;

/// How many results a type may have in a module with exceptions: wherever something is thrown, a function returns a zero for each. Compilers
/// use one or two; bounded as [`CARRIED_VALUES`] is, and for the same reason.
pub(crate) const RESULTS: usize = 16;

/// Lowers the exceptions of a module that is valid with them, or says nothing if it has none.
///
/// # Errors
/// [`Error::Unsupported`] if it does with exceptions what is refused.
pub(crate) fn lower(wasm: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let survey = survey::survey(wasm)?;
    if !survey.uses_exceptions {
        return Ok(None);
    }
    refused::check(wasm, &survey)?;
    let throwing = throwing::find(&survey);
    module::write(wasm, &survey, &throwing).map(Some)
}
