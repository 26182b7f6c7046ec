//! What shells and `man` are told of the command line.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::process::{Command, Output};

fn say(arguments: &[&str]) -> (String, i32) {
    let Output { stdout, status, .. } =
        Command::new(env!("CARGO_BIN_EXE_hallows")).args(arguments).output().unwrap();
    (String::from_utf8(stdout).unwrap(), status.code().unwrap())
}

#[test]
fn every_shell_gets_a_script_that_knows_the_subcommands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, code) = say(&["completions", shell]);
        assert_eq!(code, 0, "{shell}");
        for word in ["hallows", "probe", "interface", "housekeeping"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    assert_eq!(say(&["completions", "tcsh"]).1, 64);
}

#[test]
fn bash_takes_its_script() {
    let (script, _) = say(&["completions", "bash"]);
    let complete =
        "COMP_WORDS=(hallows pro) COMP_CWORD=1; _hallows hallows pro hallows; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", &format!("{script}\n{complete}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "probe", "{output:?}");
}

#[test]
fn there_is_a_page_for_each_subcommand() {
    let (page, code) = say(&["man"]);
    assert!(page.contains(".TH") && page.contains("isolated by compilation") && code == 0, "{page:.300}");
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("man1");
    assert_eq!(say(&["man", "--folder", inside.to_str().unwrap()]), (String::new(), 0));
    let mut pages: Vec<String> = std::fs::read_dir(&inside)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    for page in [
        "hallows.1",
        "hallows-run.1",
        "hallows-build.1",
        "hallows-paths.1",
        "hallows-interface.1",
        "hallows-interface-diff.1",
        "hallows-demo-tail.1",
    ] {
        assert!(pages.iter().any(|made| made == page), "{page} is not in {pages:?}");
    }
    let run = std::fs::read_to_string(inside.join("hallows-run.1")).unwrap();
    assert!(run.contains("hallows\\-run") && run.contains("\\-\\-dir"), "{run:.500}");
}
