//! The library as its users call it: what is an error, and what is an end.
//!
//! `Machine::run` belongs on the main thread of an executable of its user's, so these tests start this one again.

use std::process::{Command, ExitCode, Stdio};

use hallows::{ErrorKind, Machine, Tier};
use libtest_mimic::Trial;

use crate::test;
use crate::unix::{path, program};

/// What tells this executable to be a user's: before a file, and a path that `pages` must take, or nothing.
const USER: &str = "--be-a-user-of-the-library";

pub fn tests() -> Vec<Trial> {
    vec![test("a_unix_program_that_did_not_begin_is_an_error_and_one_that_fails_is_none", begun)]
}

/// In a user's executable: runs its machine, and says what became of it.
pub fn user() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != USER {
        return None;
    }
    let mut machine = Machine::linux().tier(Tier::Shared).memory("64M").program(arguments.next()?.as_str());
    if let Some(pages) = arguments.next() {
        machine = machine.require("pages", &pages);
    }
    match machine.run() {
        Ok(ended) => println!("ended {}", ended.code),
        Err(error) if error.kind() == ErrorKind::PathNotTaken => println!("not taken {}", error.exit_code()),
        Err(error) => println!("error {error}"),
    }
    Some(ExitCode::SUCCESS)
}

fn run(arguments: &[&str]) -> String {
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own).arg(USER).args(arguments).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn begun() {
    // Statuses that are the machine's own codes, if it did not begin.
    for code in [0, 71, 72] {
        let file = program(&format!("(call $exit (i32.const {code}))"));
        assert_eq!(run(&[path(&file)]), format!("ended {code}\n"));
        // Nobody has huge pages for programs.
        assert_eq!(run(&[path(&file), "huge"]), "not taken 72\n");
    }
}
