//! Function names as backtraces show them: demangled, and never long.
use std::fmt::{self, Write};

/// A name longer than this is cut: demangling can make megabytes of a few bytes.
const LONGEST_BYTES: usize = 300;

/// The readable form of a function's name: demangled if it is Rust's or C++'s, cut if it is long.
pub(crate) fn readable(name: &str) -> String {
    let mut text = Bounded { text: String::new(), cut: false };
    // The alternate form leaves the hash out.
    let written = match rustc_demangle::try_demangle(name) {
        Ok(demangled) => write!(text, "{demangled:#}"),
        Err(_) => match cpp(name) {
            Some(demangled) => text.write_str(&demangled),
            None => text.write_str(name),
        },
    };
    if written.is_err() && !text.cut {
        return readable_prefix(name);
    }
    text.text
}

/// A C++ name. Only what has the prefix: the demangler takes many plain names for mangled ones.
fn cpp(name: &str) -> Option<String> {
    if !name.starts_with("_Z") || name.len() > LONGEST_BYTES {
        return None;
    }
    // Bounds recursion: names are hostile input.
    let options = cpp_demangle::ParseOptions::default().recursion_limit(64);
    let symbol = cpp_demangle::Symbol::new_with_options(name, &options).ok()?;
    let mut text = Bounded { text: String::new(), cut: false };
    let structure = cpp_demangle::DemangleOptions::default().recursion_limit(64);
    match symbol.structured_demangle(&mut text, &structure) {
        Err(_) if !text.cut => None,
        _ => Some(text.text),
    }
}

fn readable_prefix(name: &str) -> String {
    let end = name.floor_char_boundary(LONGEST_BYTES);
    name[..end].to_string()
}

/// Takes text until it is long enough, then fails, which ends the demangling.
struct Bounded {
    text: String,
    cut: bool,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = LONGEST_BYTES - self.text.len();
        if part.len() <= room {
            self.text.push_str(part);
            return Ok(());
        }
        self.text.push_str(&part[..part.floor_char_boundary(room)]);
        self.text.push('…');
        self.cut = true;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rust_and_cpp_are_demangled_and_others_stay() {
        assert_eq!(
            readable("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"),
            "core::fmt::Write::write_fmt"
        );
        assert_eq!(readable("_RNvCs1234_7mycrate4main"), "mycrate::main");
        assert_eq!(readable("_ZN3foo3barEv"), "foo::bar()");
        for plain in ["memcpy", "a", "i", "_start", "__wasm_call_ctors", "größe", ""] {
            assert_eq!(readable(plain), plain);
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let name = readable(&"é".repeat(1_000));
        assert!(name.len() <= LONGEST_BYTES + '…'.len_utf8() && name.ends_with('…'));
        // Each substitution refers to all before it: exponential if it were written out.
        let bomb = format!("_Z1fI{}E", "1AIS_S_E".repeat(30));
        assert!(readable(&bomb).len() <= LONGEST_BYTES + 3);
    }
}
