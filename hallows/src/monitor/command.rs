//! The monitor's commands, as a line says them.

use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use hallows_linux::host::quantity::ByteSize;
use std::ffi::OsString;

use crate::failure::{Failure, USAGE};
use crate::unix::Directory;

/// A line.
#[derive(Debug, Parser)]
#[command(name = "", no_binary_name = true, disable_help_flag = true, disable_version_flag = true, help_template = TEMPLATE)]
struct LineOfWords {
    #[command(subcommand)]
    command: Command,
}

const TEMPLATE: &str = "{subcommands}\n\n`help COMMAND` says more of one. Names of cells and endpoints are completed with Tab; Ctrl-D quits.\n";

/// What can be asked for.
#[derive(Debug, Subcommand)]
#[command(subcommand_help_heading = "Commands")]
pub enum Command {
    /// List the cells: state, core, processor time, memory, calls, restarts, faults.
    #[command(alias = "ps", alias = "ls")]
    Cells {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Show one cell: what it was started with, what it serves, its calls, capabilities, faults.
    Inspect {
        /// Its name or its number.
        cell: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// List the capabilities of a cell: what they lead to, rights, badges.
    #[command(alias = "capabilities")]
    Caps {
        /// Its name or its number.
        cell: String,
        /// One JSON object a capability and line.
        #[arg(long)]
        json: bool,
    },
    /// List the endpoints that messages can be sent to.
    Endpoints {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Start a program: one that comes with hallows, or a file of WebAssembly.
    #[command(
        after_help = "Example:\n  start calculator-client rounds=10 --use calc=calculator.calc\n  start ./lua.wasm --env LANG=C -- -e 'print(1)'\n\nIt has what --use gives it and nothing else, nobody restarts it, and it stays in the list until it is stopped."
    )]
    Start {
        /// Its name, or its file (with a slash, or ending in .wasm).
        program: String,
        /// Its arguments; those that begin with a dash behind `--`.
        arguments: Vec<OsString>,
        /// What the cell is called; as the program, if not given.
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// What it may call, under which name.
        #[arg(long = "use", value_name = "NAME=CELL.ENDPOINT", value_parser = pair)]
        uses: Vec<(String, String)>,
        /// What it serves, and how.
        #[arg(long = "serve", value_name = "NAME=passive|active", value_parser = pair)]
        serves: Vec<(String, String)>,
        /// A directory for a Unix program, as with `run`: one that the machine was started with, or one below.
        #[arg(long = "dir", value_name = "HOST[:GUEST][:ro]")]
        directories: Vec<Directory>,
        /// A variable of a Unix program's environment: NAME=VALUE, or NAME for the value that it has where the monitor runs.
        #[arg(long = "env", value_name = "NAME[=VALUE]")]
        variables: Vec<OsString>,
        /// What a Unix program may use of its stack; 8M, if not given.
        #[arg(long, value_name = "SIZE", value_parser = crate::cli::stack)]
        stack: Option<ByteSize>,
        /// The most memory that it may have; 1M, of a Unix program 64M, if not given.
        #[arg(long, value_name = "SIZE")]
        memory: Option<ByteSize>,
        /// Run a program that is linked in, not its WebAssembly.
        #[arg(long)]
        native: bool,
    },
    /// End a cell and keep it down; one that was started here is gone then.
    Stop {
        /// Its name or its number.
        cell: String,
    },
    /// Kill a cell: what follows is its supervisor's to decide.
    Kill {
        /// Its name or its number.
        cell: String,
    },
    /// Begin a new life of a cell.
    Restart {
        /// Its name or its number.
        cell: String,
    },
    /// Call an endpoint with a message, and print the answer.
    #[command(
        after_help = "Example:\n  send counter.counter 0x010000000500000000000000\n\nBytes in hexadecimal begin with 0x; all else is text."
    )]
    Send {
        /// CELL.ENDPOINT, or a cell that serves only one.
        endpoint: String,
        /// The message; nothing, if not given. One that begins with a dash comes behind `--`.
        message: Vec<String>,
        /// Milliseconds that the answer may take.
        #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
        within: u64,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// List the last faults: which cell, why, where.
    Faults {
        /// Go on with those that come, until a key is pressed.
        #[arg(short, long)]
        follow: bool,
        /// One JSON object a fault and line.
        #[arg(long)]
        json: bool,
    },
    /// Show the end of the machine's log.
    Log {
        /// So many lines.
        #[arg(default_value_t = 20)]
        lines: usize,
        /// Go on with those that come, until a key is pressed.
        #[arg(short, long)]
        follow: bool,
    },
    /// Watch cells, cores, calls and their latency.
    Top {
        /// One sample, over a second.
        #[arg(long)]
        once: bool,
    },
    /// Say how the machine is: tier, cores, memory, timekeeper.
    Machine,
    /// Wait, for scripts.
    #[command(hide = true)]
    Sleep {
        /// Milliseconds.
        milliseconds: u64,
    },
    /// Leave the monitor; the machine goes on in the background.
    Detach,
    /// End the machine, and with it the monitor.
    Halt,
    /// Leave the monitor. A machine that it has booted ends.
    #[command(alias = "exit")]
    Quit,
}

/// The patience of a `send`.
pub const fn patience(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What came of reading a line.
pub enum Parsed {
    /// A command.
    Command(Command),
    /// Help, to be printed.
    Text(String),
    /// Nothing but blanks, or a comment.
    Nothing,
}

/// Reads a line: words apart by blanks, with quotes as in a shell; what is behind a `#` that begins a word is a comment.
///
/// # Errors
/// What is wrong with it, and what was perhaps meant.
pub fn parse(line: &str) -> Result<Parsed, Failure> {
    let words = shlex::split(line).ok_or_else(|| Failure::usage("a quote is not closed"))?;
    if words.is_empty() {
        return Ok(Parsed::Nothing);
    }
    match LineOfWords::try_parse_from(words) {
        Ok(line) => Ok(Parsed::Command(line.command)),
        Err(error) if !error.use_stderr() => Ok(Parsed::Text(error.to_string())),
        Err(error) => {
            // Its first word says that it is one; so does who prints it.
            let text = error.to_string();
            Err(Failure::other(USAGE, text.strip_prefix("error: ").unwrap_or(&text).trim_end()))
        }
    }
}

/// The names of all commands.
pub fn names() -> Vec<String> {
    let command = LineOfWords::command();
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).chain(["help".to_owned()]).collect()
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=…")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        match parse(line) {
            Ok(Parsed::Command(command)) => command,
            Ok(Parsed::Text(text)) => panic!("{line}: {text}"),
            Ok(Parsed::Nothing) => panic!("{line}: nothing"),
            Err(failure) => panic!("{line}: {failure}"),
        }
    }

    #[test]
    fn lines_are_read_as_a_shell_reads_them() {
        let Command::Send { endpoint, message, .. } = command("send a.b 'two words' and-more") else {
            panic!()
        };
        assert_eq!(
            (endpoint.as_str(), message),
            ("a.b", vec!["two words".to_owned(), "and-more".to_owned()])
        );
        let Command::Start { program, arguments, uses, .. } =
            command("start p x=1 y --use calc=c.calc --as z")
        else {
            panic!()
        };
        assert_eq!(
            (program.as_str(), arguments.len(), uses),
            ("p", 2, vec![("calc".to_owned(), "c.calc".to_owned())])
        );
        assert!(matches!(parse("   "), Ok(Parsed::Nothing)));
        assert!(matches!(parse("# only words"), Ok(Parsed::Nothing)));
        assert!(parse("send 'x").err().is_some_and(|failure| failure.to_string().contains("quote")));
    }

    #[test]
    fn help_lists_every_command_and_a_slip_is_understood() {
        let Ok(Parsed::Text(help)) = parse("help") else { panic!("no help") };
        for name in names() {
            assert!(help.contains(&name), "{name}: {help}");
        }
        let Ok(Parsed::Text(help)) = parse("help start") else { panic!("no help") };
        assert!(help.contains("--use") && help.contains("Example"), "{help}");
        let error = parse("insepct x").err().map(|failure| failure.to_string()).unwrap_or_default();
        assert!(error.contains("inspect"), "{error}");
        let error = parse("kill").err().map(|failure| failure.to_string()).unwrap_or_default();
        assert!(error.contains("CELL"), "{error}");
    }
}
