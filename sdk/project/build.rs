//! Collects the SDK's sources as a table of paths and texts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The packages that a program is built from, where they lie in this repository.
const PACKAGES: [&str; 5] = ["abi", "interface/wire", "sdk/macros", "sdk/rust", "sdk/testing"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let mut files = Vec::new();
    for package in PACKAGES {
        files.push(format!("{package}/Cargo.toml"));
        collect(&root, &format!("{package}/src"), &mut files);
        println!("cargo::rerun-if-changed={}", root.join(package).display());
    }
    files.sort();
    let mut text = String::from("/// Paths and texts, sorted.\npub static FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let source = root.join(&file).canonicalize();
        match source {
            Ok(source) => {
                let _ = writeln!(text, "    ({file:?}, include_str!({source:?})),");
            }
            Err(error) => println!("cargo::error=cannot find {file}: {error}"),
        }
    }
    text.push_str("];\n");
    let output = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("sources.rs");
    if let Err(error) = fs::write(&output, text) {
        println!("cargo::error=cannot write {}: {error}", output.display());
    }
}

/// All Rust files below a folder, but for tests: they need crates that a project has not.
fn collect(root: &Path, folder: &str, files: &mut Vec<String>) {
    let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if name != "tests" {
                collect(root, &path, files);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
}
