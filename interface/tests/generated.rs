//! Stubs that are kept in the tree are those that would be made today. `BLESS=1` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use hallows_interface::{Package, stubs};

/// Where interfaces are, which, and where their stubs are kept; all from the root of the tree.
const KEPT: [(&str, &str, &str); 3] = [
    ("wit/examples", "calc", "programs/protocols/src/calc.rs"),
    ("wit/examples", "exchange", "programs/protocols/src/exchange.rs"),
    ("interface/tests/every-type.wit", "every-type", "sdk/rust/src/stub/every_type.rs"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn stubs_in_the_tree_are_up_to_date() {
    for (from, name, to) in KEPT {
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

#[test]
fn stubs_can_be_made_of_every_interface_of_the_system() {
    for folder in ["wit/system", "wit/examples"] {
        for interface in Package::open(&root().join(folder)).expect("WIT").interfaces().expect("messages") {
            stubs::rust(&interface).unwrap_or_else(|problem| panic!("{}: {problem}", interface.name));
        }
    }
}
