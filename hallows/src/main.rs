//! The command: boots machines on cores taken from Linux, and talks to those that run. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hallows::command()
}
