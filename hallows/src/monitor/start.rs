//! A program's way into a machine that runs: found and compiled here, as for `hallows run`, and handed over as a sealed file.

use std::os::fd::OwnedFd;
use std::path::Path;

use hallows_linux::host::control::protocol::{
    LentDirectory, Request, StartProgram, StartRequest, StartService, UnixStart,
};
use hallows_linux::host::quantity::ByteSize;

use crate::artifacts::Artifacts;
use crate::compile::Compiler;
use crate::embedded;
use crate::failure::Failure;
use crate::planner;
use crate::unix::{Directory, Invocation, USUAL_BYTES, USUAL_STACK_BYTES, check_names, variables};
use hallows_linux::host::near_miss::near_miss;

/// Memory of a program of hallows, in bytes, if nobody says another.
const LEAST_BYTES: u64 = 1 << 20;

/// What a person wants started.
#[derive(Debug)]
pub struct Wanted {
    /// A name, or a file.
    pub program: String,
    /// Arguments, and what only a program of Unix takes.
    pub invocation: Invocation,
    /// The cell's name.
    pub name: Option<String>,
    /// Names, and `CELL.ENDPOINT`s.
    pub uses: Vec<(String, String)>,
    /// Names, and `passive` or `active`.
    pub serves: Vec<(String, String)>,
    /// Memory; what such a program usually has, if none.
    pub memory: Option<ByteSize>,
    /// Linked in.
    pub native: bool,
}

/// The request that starts it, and the open files that go with it, for a machine whose programs are sealed with the key of this mark.
///
/// # Errors
/// When there is no such program, or it does not compile, or another key is ours.
pub fn request(wanted: Wanted, seal: &str) -> Result<(Request, Vec<OwnedFd>), Failure> {
    let Wanted { program, invocation, name, uses, serves, memory, native } = wanted;
    let serves = serves.into_iter().map(|(name, how)| match how.as_str() {
        "passive" => Ok((name, StartService::Passive)),
        "active" => Ok((name, StartService::Active)),
        _ => Err(Failure::usage(format!("{name} is served passive or active, not {how}"))),
    });
    let serves = serves.collect::<Result<Vec<_>, _>>()?;
    let stem = Path::new(&program)
        .file_stem()
        .map_or_else(|| program.clone(), |stem| stem.to_string_lossy().into_owned());
    let Source { from, file, is_unix } = if native { linked_in(&program) } else { compiled(&program, seal)? };
    let unix = is_unix.then(|| of_unix(&program, &invocation)).transpose()?;
    let mut files: Vec<_> = file.into_iter().collect();
    if is_unix {
        check_names(invocation.directories.iter().map(|directory| directory.guest.as_str()))?;
        for directory in &invocation.directories {
            files.push(directory.open(&directory.host)?);
        }
    }
    let usual_bytes = if is_unix { USUAL_BYTES } else { LEAST_BYTES };
    let request = StartRequest {
        program: from,
        name: name.unwrap_or_else(|| {
            stem.replace(|character: char| !character.is_alphanumeric() && character != '_', "-")
        }),
        arguments: if is_unix { invocation.utf8()? } else { invocation.texts(&program)? },
        uses,
        serves,
        memory_bytes: memory.map_or(usual_bytes, |memory| memory.0),
        unix,
    };
    Ok((Request::Start(Box::new(request)), files))
}

/// Where a program comes from.
struct Source {
    from: StartProgram,
    file: Option<OwnedFd>,
    is_unix: bool,
}

fn linked_in(program: &str) -> Source {
    Source { from: StartProgram::Native { name: program.to_owned() }, file: None, is_unix: false }
}

/// What a program of Unix is given beside its arguments.
fn of_unix(program: &str, invocation: &Invocation) -> Result<UnixStart, Failure> {
    let text = |variable: Vec<u8>| {
        String::from_utf8(variable).map_err(|variable| {
            let shown = String::from_utf8_lossy(variable.as_bytes());
            Failure::usage(format!("the variable {shown} is not UTF-8; `hallows run` gives a program such"))
        })
    };
    let file_name = Path::new(program).file_name().map_or(program.into(), |name| name.to_string_lossy());
    Ok(UnixStart {
        program: file_name.into_owned(),
        variables: variables(&invocation.variables).into_iter().map(text).collect::<Result<_, _>>()?,
        stack_bytes: invocation.stack_bytes.unwrap_or(USUAL_STACK_BYTES),
        directories: invocation.directories.iter().map(lent).collect(),
    })
}

fn lent(directory: &Directory) -> LentDirectory {
    LentDirectory { name: directory.guest.clone(), read_only: directory.read_only }
}

fn compiled(program: &str, seal: &str) -> Result<Source, Failure> {
    let wasm = if planner::is_file(program) {
        std::fs::read(program)
            .map_err(|error| planner::unreadable("the program", Path::new(program), &error))?
    } else {
        embedded::program(program).ok_or_else(|| unknown(program))?.to_vec()
    };
    let compiler = Compiler::open(false)?;
    // A machine of another version says nothing of its key.
    if !seal.is_empty() && seal != compiler.seal_mark() {
        return Err(Failure::usage(format!(
            "this machine takes no programs that are compiled here: it runs in an executable that `hallows build` made, or is another user's, and \
             has a key of its own; what is linked in can be started (`start {program} --native`, if it is)"
        )));
    }
    let mut artifacts = Artifacts::new()?;
    let compiled = compiler.compile(program, &wasm, &mut artifacts)?;
    let program = compiled.program.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Source {
        from: StartProgram::Artifact { program },
        file: Some(artifacts.sealed()?),
        is_unix: compiled.is_unix,
    })
}

fn unknown(program: &str) -> Failure {
    let names = embedded::names();
    Failure::usage(match near_miss(program, names.iter().copied()) {
        Some(near) => format!("there is no program {program}; did you mean {near}?"),
        None => format!(
            "there is no program {program}; there are {}, and a file is named with its folder (./{program}) or its ending (.wasm, .wat)",
            names.join(", ")
        ),
    })
}

/// A message as a person writes it, in hexadecimal digits: text, or digits behind `0x`.
///
/// # Errors
/// When behind `0x` there is something else.
pub fn message(text: &str) -> Result<String, Failure> {
    let Some(digits) = text.strip_prefix("0x") else {
        return Ok(text.bytes().map(|byte| format!("{byte:02x}")).collect());
    };
    let digits: String =
        digits.chars().filter(|character| !character.is_whitespace() && *character != '_').collect();
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!(
            "0x{digits} is no message: behind 0x there are two hexadecimal digits for each byte"
        )));
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_text_or_digits() {
        let good = |text: &str| message(text).unwrap_or_else(|failure| panic!("{text}: {failure}"));
        assert_eq!(good("hé"), "68c3a9");
        assert_eq!(good(""), "");
        assert_eq!(good("0x01 02_ff"), "0102ff");
        assert_eq!(good("0x"), "");
        for wrong in ["0x1", "0xzz", "0x-1"] {
            assert!(
                message(wrong).is_err_and(|failure| failure.to_string().contains("two hexadecimal digits")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_no_program_is_said_with_what_was_perhaps_meant() {
        assert!(unknown("calcluator").to_string().contains("did you mean calculator?"));
        assert!(unknown("nothing-like-it").to_string().contains("./nothing-like-it"));
    }
}
