//! Tests that really change this host: parent and machine processes, claims, signals, kills, and that all is put back.
//!
//! This program is three: the tests; a parent (`parent OPTIONS…`), as `hallows run` is one; and the machine process that
//! the parent starts. The tests run one after another, also against other runs of this program on the host.

mod booted;
mod control;
mod ends;
#[allow(dead_code, reason = "the command's tests use the rest")]
mod host;
mod isolated;
mod machine;
mod parent;
mod running;
mod shared;
mod terminal;
mod xdp;

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    if let Some(process) = hallows_linux::host::child::machine_process() {
        return machine::run(process);
    }
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("parent") {
        return parent::run(arguments);
    }
    host::mark_children();
    let mut options = Arguments::from_args();
    // They share the host.
    options.test_threads = Some(1);
    let _lock = if options.list { None } else { Some(host::lock()) };
    let tests = [
        shared::tests(),
        terminal::tests(),
        control::tests(),
        ends::tests(),
        isolated::tests(),
        booted::tests(),
        xdp::tests(),
    ]
    .concat_trials();
    libtest_mimic::run(&options, tests).exit_code()
}

trait ConcatTrials {
    fn concat_trials(self) -> Vec<Trial>;
}

impl<const LISTS: usize> ConcatTrials for [Vec<Trial>; LISTS] {
    fn concat_trials(self) -> Vec<Trial> {
        self.into_iter().flatten().collect()
    }
}

/// A test that needs nothing.
fn test(name: &'static str, body: fn()) -> Trial {
    Trial::test(name, move || {
        host::run_alone(body);
        Ok(())
    })
}

/// A test that needs root and a second core; shown as ignored without.
fn root_test(name: &'static str, body: fn()) -> Trial {
    let can_run = rustix::process::geteuid().is_root() && host::topology().online.len() > 1;
    test(name, body).with_ignored_flag(!can_run)
}
