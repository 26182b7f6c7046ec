//! Embeds what was built before: the compiler's executable and the example programs as WebAssembly. `make build` makes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-env-changed=HALLOWS_ARTIFACTS");
    let artifacts =
        PathBuf::from(env::var_os("HALLOWS_ARTIFACTS").unwrap_or_else(|| "../target/artifacts".into()));
    println!("cargo::rerun-if-changed={}", artifacts.display());
    let compiler = artifacts.join("hallows-compiler");
    if !compiler.is_file() {
        println!(
            "cargo::error=there is no {}: `make artifacts` in the checkout of RustHallows builds the compiler and the programs that this crate \
             carries; HALLOWS_ARTIFACTS=FOLDER says where they are, if elsewhere",
            compiler.display()
        );
        return;
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "/// The compiler's executable.\npub static COMPILER: &[u8] = include_bytes!({:?});",
        absolute(&compiler)
    );
    let _ = writeln!(text, "/// The programs by name, sorted.\npub static PROGRAMS: &[(&str, &[u8])] = &[");
    for (name, path) in programs(&artifacts.join("programs")) {
        println!("cargo::rerun-if-changed={}", path.display());
        let _ = writeln!(text, "    ({name:?}, include_bytes!({:?})),", absolute(&path));
    }
    text.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("embedded.rs");
    if let Err(error) = fs::write(&out, text) {
        println!("cargo::error=cannot write {}: {error}", out.display());
    }
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Every `NAME.wasm` of a folder, sorted.
fn programs(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.strip_suffix(".wasm")?.to_owned();
            Some((name, path))
        })
        .collect();
    found.sort();
    found
}
