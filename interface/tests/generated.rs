//! Stubs that are kept in the tree are those that would be made today. `BLESS=1` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use hallows_interface::{Package, stubs};

/// Where interfaces are, which, and where their stubs are kept; all from the root of the tree.
const KEPT: &[(&str, &str, &str)] = &[
    ("wit/examples", "bank", "programs/protocols/src/bank.rs"),
    ("wit/examples", "calc", "programs/protocols/src/calc.rs"),
    ("wit/examples", "exchange", "programs/protocols/src/exchange.rs"),
    ("wit/examples", "tally", "programs/protocols/src/tally.rs"),
    ("wit/kernel", "budget", "interface/system/src/kernel/budget.rs"),
    ("wit/kernel", "cell", "interface/system/src/kernel/cell.rs"),
    ("wit/kernel", "endpoint", "interface/system/src/kernel/endpoint.rs"),
    ("wit/kernel", "notification", "interface/system/src/kernel/notification.rs"),
    ("wit/kernel", "object", "interface/system/src/kernel/object.rs"),
    ("wit/kernel", "program", "interface/system/src/kernel/program.rs"),
    ("wit/kernel", "region", "interface/system/src/kernel/region.rs"),
    ("wit/kernel", "space", "interface/system/src/kernel/space.rs"),
    ("wit/kernel", "timer", "interface/system/src/kernel/timer.rs"),
    ("wit/system", "clock", "interface/system/src/clock.rs"),
    ("wit/system", "console", "interface/system/src/console.rs"),
    ("wit/system", "files", "interface/system/src/files.rs"),
    ("wit/system", "invocation", "interface/system/src/invocation.rs"),
    ("wit/system", "machine", "interface/system/src/machine.rs"),
    ("wit/system", "net", "sdk/rust/src/net/protocol.rs"),
    ("wit/system", "random", "interface/system/src/random.rs"),
    ("wit/system", "tuning", "interface/system/src/tuning.rs"),
    ("wit/system", "registry", "sdk/rust/src/registry/protocol.rs"),
    ("interface/tests/every-type.wit", "every-type", "sdk/rust/src/stub/tests/every_type.rs"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn stubs_in_the_tree_are_up_to_date() {
    for (from, name, to) in KEPT.iter().copied() {
        let package = Package::open(&root().join(from)).unwrap_or_else(|problem| panic!("{problem}"));
        let made = stubs::rust(&package.interface(name).expect("an interface"))
            .unwrap_or_else(|problem| panic!("{problem}"));
        let to = root().join(to);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&to, &made).expect("written");
        }
        let kept = fs::read_to_string(&to).unwrap_or_default();
        let command = format!("hallows interface stubs {from} --interface {name} --lang rust");
        assert!(kept == made, "{} is not what `{command}` makes", to.display());
    }
}

fn made(text: &str) -> Result<String, String> {
    let interface = Package::parse("x.wit", text).expect("WIT").interface("main").expect("messages");
    stubs::rust(&interface).map_err(|problem| problem.to_string())
}

#[test]
fn a_resource_of_another_interface_has_the_name_that_it_is_used_by_wherever_it_is_met() {
    let text = |uses: &str| {
        format!(
            "package a:b;
             interface other {{ resource r; record holder {{ inside: r }} }}
             interface main {{ resource r; use other.{{holder{uses}}}; f: func(h: holder, r: r); }}"
        )
    };
    // It is met only inside of a record, and would have the name of the interface's own.
    let problem = made(&text("")).expect_err("one name for two");
    assert!(problem.contains("a second `R`") && problem.contains("use … as …"), "{problem}");
    let made = made(&text(", r as strange")).expect("two names");
    assert!(made.contains("inside: stub::Own<Strange>") && made.contains("r: stub::Own<R>"), "{made}");
}

#[test]
fn names_that_would_be_one_in_rust_are_refused() {
    for body in [
        "f: func(a: u8, A: u8);",
        "record r { a: u8, A: u8 } f: func(r: r);",
        "resource r { f: func(); } r-f: func();",
        "resource r { constructor(); new: static func() -> r; }",
        "f: func(); f-async: func();",
        "f-send: func(); f: func(a: u8);",
    ] {
        let Ok(package) = Package::parse("x.wit", &format!("package a:b; interface main {{ {body} }}"))
        else {
            continue;
        };
        let problem = stubs::rust(&package.interface("main").expect("messages")).expect_err(body);
        assert!(problem.to_string().contains("a second"), "{body}: {problem}");
    }
}

#[test]
fn stubs_can_be_made_of_every_interface_of_the_system() {
    for folder in ["wit/kernel", "wit/system", "wit/examples"] {
        for interface in Package::open(&root().join(folder)).expect("WIT").interfaces().expect("messages") {
            stubs::rust(&interface).unwrap_or_else(|problem| panic!("{}: {problem}", interface.name));
        }
    }
}
