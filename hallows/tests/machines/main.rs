//! The command as its users know it: machines that it boots on this host, what it says of them, and that all is put back.
//!
//! The tests run one after another, as they want the same cores, and wait for other machines of this host.

mod background;
mod bad_input;
mod benches;
mod built;
mod embedded;
mod ends;
#[path = "../../../machines/linux/tests/host/host.rs"]
#[allow(dead_code, reason = "the machine's own tests use the rest")]
mod host;
mod http;
mod jitter;
mod kv;
mod lab;
mod monitor;
mod network;
mod network_between;
mod network_programs;
mod network_wire;
mod network_xdp;
mod paths;
mod policies;
mod running;
mod taken;
mod talks;
mod terminal;
mod tour;
mod unix;
mod unix_programs;
mod unix_sockets;
mod unix_systems;

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    hallows::init(&[]);
    if let Some(code) = embedded::user() {
        return code;
    }
    host::mark_children();
    let mut options = Arguments::from_args();
    options.test_threads = Some(1);
    let _lock = if options.list { None } else { Some(host::lock()) };
    let tests = [
        taken::tests(),
        talks::tests(),
        ends::tests(),
        terminal::tests(),
        tour::tests(),
        unix::tests(),
        lab::tests(),
        benches::tests(),
        jitter::tests(),
        monitor::tests(),
        kv::tests(),
        http::tests(),
        network::tests(),
        network_programs::tests(),
        network_wire::tests(),
        network_xdp::tests(),
        network_between::tests(),
        background::tests(),
        embedded::tests(),
        built::tests(),
        paths::tests(),
        policies::tests(),
        unix_programs::tests(),
        unix_sockets::tests(),
        unix_systems::tests(),
        bad_input::tests(),
    ];
    libtest_mimic::run(&options, tests.into_iter().flatten().collect()).exit_code()
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

/// A test that needs a second core; shown as ignored without.
fn two_core_test(name: &'static str, body: fn()) -> Trial {
    test(name, body).with_ignored_flag(host::topology().allowed.len() < 2)
}
