//! What a description gives to Unix programs: directories, an environment, streams, a stack. Whether a program is one of Unix is known only when it has
//! been compiled; who is not and has such keys all the same is refused then ([`UnixKeys::named`]).

use std::ffi::OsString;
use std::ops::RangeInclusive;

use toml::Spanned;

use super::Cell;
use super::document::{Bytes, CellTable, StreamName};
use super::resolve::{Checked, Entry, Source};
use crate::unix::{Directory, STACKS, USUAL_STACK_BYTES};

/// What a description says to a Unix program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixKeys {
    /// Directories of this host. Relative paths count from [`super::System::folder`].
    pub directories: Vec<Directory>,
    /// Whether it is given those, too, that whoever starts the machine names with `--dir`.
    pub handed_on: HandedOn,
    /// `NAME=value`, or `NAME` for the value that it has where the machine is started.
    pub variables: Vec<OsString>,
    /// Input, output, errors.
    pub streams: [StreamEnd; 3],
    /// The most of a stack that it may use, in bytes.
    pub stack_bytes: u64,
    /// The keys that were written, of those that only Unix programs take.
    pub named: Vec<&'static str>,
}

/// What becomes of the directories that the command is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedOn {
    /// They are not this cell's.
    Nothing,
    /// It is given them as the command is.
    AsGiven,
    /// It is given them only to read.
    ToRead,
}

impl HandedOn {
    /// What an element of `dirs` says that is no directory, but stands for those of the command. (A directory of that name is `./--dir`.)
    fn of(text: &str) -> Option<Self> {
        match text {
            "--dir" => Some(Self::AsGiven),
            "--dir:ro" => Some(Self::ToRead),
            _ => None,
        }
    }
}

/// Where a stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// To the stream of whoever starts the machine.
    Console,
    /// To nowhere; as input, it is at its end.
    Nowhere,
}

impl Default for UnixKeys {
    /// Nothing of this host but its output and errors.
    fn default() -> Self {
        Self {
            directories: Vec::new(),
            handed_on: HandedOn::Nothing,
            variables: Vec::new(),
            streams: [StreamEnd::Nowhere, StreamEnd::Console, StreamEnd::Console],
            stack_bytes: USUAL_STACK_BYTES,
            named: Vec::new(),
        }
    }
}

impl UnixKeys {
    /// Those of a cell.
    pub(super) fn of(source: Source<'_>, table: &CellTable, is_passive: bool) -> Checked<Self> {
        let place =
            |key: &'static str, place: Option<std::ops::Range<usize>>| place.map(|place| (key, place));
        let written = [
            place("dirs", table.dirs.as_ref().map(Spanned::span)),
            place("env", table.env.as_ref().map(Spanned::span)),
            place("stdin", table.stdin.as_ref().map(Spanned::span)),
            place("stdout", table.stdout.as_ref().map(Spanned::span)),
            place("stderr", table.stderr.as_ref().map(Spanned::span)),
            place("stack", table.stack.as_ref().map(Spanned::span)),
        ];
        let mut written = written.into_iter().flatten().peekable();
        if let Some((key, place)) = written.peek()
            && (table.native || is_passive)
        {
            let what = if table.native { "native program" } else { "passive server" };
            return Err(source
                .problem(place.clone(), format!("a {what} takes no `{key}`"))
                .help("only programs of Unix do (modules that import WASI preview 1); leave it out"));
        }
        let usual = Self::default();
        let end = |name: Option<&Spanned<StreamName>>, usual: StreamEnd| match name.map(Spanned::get_ref) {
            None => usual,
            Some(StreamName::Console) => StreamEnd::Console,
            Some(StreamName::Null) => StreamEnd::Nowhere,
        };
        let [input, output, errors] = usual.streams;
        let (handed_on, directories): (Vec<_>, Vec<_>) =
            all(table.dirs.as_ref()).partition(|text| HandedOn::of(text.get_ref()).is_some());
        if let [_, second, ..] = handed_on.as_slice() {
            return Err(source
                .problem(second.span(), "the directories of the command are handed on once")
                .help("leave one out: \"--dir:ro\" to read, \"--dir\" also to write"));
        }
        let handed_on = handed_on.last().and_then(|text| HandedOn::of(text.get_ref()));
        Ok(Self {
            directories: each(directories, |text| {
                text.get_ref().parse::<Directory>().map_err(|advice| {
                    source
                        .problem(text.span(), format!("`{}` is no directory to give", text.get_ref()))
                        .help(advice)
                })
            })?,
            handed_on: handed_on.unwrap_or(usual.handed_on),
            variables: each(all(table.env.as_ref()), |text| variable(source, text))?,
            streams: [
                end(table.stdin.as_ref(), input),
                end(table.stdout.as_ref(), output),
                end(table.stderr.as_ref(), errors),
            ],
            stack_bytes: stack(source, table.stack.as_ref())?,
            named: written.map(|(key, _)| key).collect(),
        })
    }
}

/// The texts of a list, if it was written.
fn all(list: Option<&Spanned<Vec<Spanned<String>>>>) -> impl Iterator<Item = &Spanned<String>> {
    list.map(Spanned::get_ref).into_iter().flatten()
}

/// What texts mean.
fn each<'t, T>(
    texts: impl IntoIterator<Item = &'t Spanned<String>>,
    meaning: impl FnMut(&Spanned<String>) -> Checked<T>,
) -> Checked<Vec<T>> {
    texts.into_iter().map(meaning).collect()
}

fn variable(source: Source<'_>, text: &Spanned<String>) -> Checked<OsString> {
    let name = text.get_ref().split('=').next().unwrap_or_default();
    if name.is_empty() || text.get_ref().contains('\0') {
        return Err(source
            .problem(text.span(), format!("`{}` is no variable", text.get_ref()))
            .help("`NAME=VALUE`, or `NAME` for the value that it has where the machine is started"));
    }
    Ok(text.get_ref().into())
}

fn stack(source: Source<'_>, stack: Option<&Spanned<Bytes>>) -> Checked<u64> {
    const ALLOWED: RangeInclusive<u64> = STACKS;
    let Some(stack) = stack else { return Ok(USUAL_STACK_BYTES) };
    let bytes = stack.get_ref().0;
    if !ALLOWED.contains(&bytes) {
        let (least, most) = (ALLOWED.start() >> 10, ALLOWED.end() >> 20);
        return Err(source
            .problem(stack.span(), format!("a program cannot have a stack of {bytes} bytes"))
            .help(format!("from \"{least}K\" to \"{most}M\"")));
    }
    Ok(bytes)
}

/// Two programs that read the same input would each get a part of it.
pub(super) fn one_reads_the_console(source: Source<'_>, entries: &[Entry], cells: &[Cell]) -> Checked<()> {
    let mut readers =
        entries.iter().zip(cells).filter(|(_, cell)| cell.unix.streams[0] == StreamEnd::Console);
    let (Some((_, first)), Some((second, _))) = (readers.next(), readers.next()) else { return Ok(()) };
    let place = second.table.stdin.as_ref().map_or_else(|| second.name.span(), Spanned::span);
    Err(source
        .problem(place, format!("`{}` reads the console's input already", first.name))
        .help("one program can: leave `stdin` out for the others, whose input then is at its end"))
}
