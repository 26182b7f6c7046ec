//! From what a user hands in to a binary module.
use hallows_compiler_protocol::{CompileError, Limit, Limits};
use std::borrow::Cow;

/// The first four bytes of every binary module.
const MAGIC: &[u8] = b"\0asm";

/// The binary form of `program`: itself, or the translation of its text form.
///
/// # Errors
/// [`CompileError::TooLarge`], or [`CompileError::Invalid`] if it is neither or the text is wrong.
pub(crate) fn binary<'a>(program: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, CompileError> {
    let (allowed, found) = (limits.get(Limit::SourceBytes), program.len() as u64);
    if found > allowed {
        return Err(CompileError::TooLarge { limit: Limit::SourceBytes, allowed, found });
    }
    if program.starts_with(MAGIC) {
        return Ok(Cow::Borrowed(program));
    }
    let invalid = |message: &str| CompileError::Invalid { offset: None, message: message.into() };
    let text = match std::str::from_utf8(program) {
        Ok(text) if looks_like_text(text) => text,
        _ if program.is_empty() => return Err(invalid("the file is empty")),
        _ if program.starts_with(b"\x7fELF") => {
            return Err(invalid(
                "a native executable; compile the program for wasm32-wasip1 or wasm32-unknown-unknown",
            ));
        }
        _ => {
            return Err(invalid(
                "neither a WebAssembly module (it begins with 00 61 73 6d) nor its text form",
            ));
        }
    };
    // The binary form is shorter than the text.
    wat::parse_str(text).map(Cow::Owned).map_err(|error| invalid(&error.to_string()))
}

/// The text form begins, after space and comments, with a parenthesis.
fn looks_like_text(text: &str) -> bool {
    let mut rest = text.trim_start();
    while rest.starts_with(";;") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    rest.starts_with('(')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(program: &[u8]) -> String {
        binary(program, &Limits::DEFAULT).unwrap_err().to_string()
    }

    #[test]
    fn text_and_binary_are_told_apart() {
        let wasm = wat::parse_str("(module)").unwrap();
        assert_eq!(binary(&wasm, &Limits::DEFAULT).unwrap(), wasm);
        assert_eq!(binary(b"  ;; a comment\n ;; another\n(module)", &Limits::DEFAULT).unwrap(), wasm);
        assert!(message(b"").contains("empty"));
        assert!(message(b"\x7fELF...").contains("native executable"));
        assert!(message(b"#!/bin/sh").contains("neither"));
        assert!(message(b"\xff\xfe(module)").contains("neither"));
        assert!(message(b"(module (func (i32.add)").contains("expected `)`"));
    }

    #[test]
    fn the_limit_holds_for_text_and_binary() {
        let limits = Limits::DEFAULT.with(Limit::SourceBytes, 100);
        let too_large =
            |found| Err(CompileError::TooLarge { limit: Limit::SourceBytes, allowed: 100, found });
        let text = format!("(module (memory 1)) {}", " ".repeat(100));
        assert_eq!(binary(text.as_bytes(), &limits), too_large(120));
        assert_eq!(binary(&[0; 101], &limits), too_large(101));
        assert!(binary(&text.as_bytes()[..100], &limits).is_ok());
    }
}
