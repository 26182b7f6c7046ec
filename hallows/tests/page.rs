//! `hallows bench --html --from`: a page of a report that was written before.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::fs;
use std::process::{Command, Output};

/// A line as `--json` writes it, of an older version: without distributions and environment.
const LINE: &str = r#"{"bench":"protected-call","unit":"ns","ours":{"name":"ours","p50":55.2,"p99":80.0,"p99.9":120.0,"max":900.0,
"samples":1000,"p50_spread":[54.0,57.0],"configuration":"as <it> is","cores_used":2},"rivals":[{"name":"pipe-same-core","p50":2640.0,
"p99":4000.0,"p99.9":9000.0,"max":80000.0,"samples":1000,"p50_spread":[2600.0,2700.0],"configuration":"two threads","cores_used":1,
"ratio":47.8,"ratio_spread":[46.0,49.0]}],"path":"a copy","met":true,"requirements":[{"requirement":"p50 ≤ 70 ns","reached":55.2,
"state":"met"}],"what":"a call","sampling":{"mean-of":32},"rounds":5,"cores":"0,1","clock_cost_ns":21.0}"#;

fn say(arguments: &[&str]) -> (String, i32) {
    let Output { stderr, status, .. } =
        Command::new(env!("CARGO_BIN_EXE_hallows")).args(arguments).output().unwrap();
    (String::from_utf8(stderr).unwrap(), status.code().unwrap())
}

#[test]
fn a_report_that_was_written_before_becomes_a_page_that_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("report.json"), LINE.replace('\n', "") + "\n").unwrap();
    assert_eq!(
        say(&["bench", "--html", &path("page.html"), "--from", &path("report.json")]),
        (String::new(), 0)
    );
    let page = fs::read_to_string(path("page.html")).unwrap();
    for part in
        ["<title>hallows bench: 1 of 1 met</title>", "<svg", "as &lt;it&gt; is", "47.8×", "p50 ≤ 70 ns"]
    {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    for elsewhere in ["http", "src=", "<link", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn what_is_no_report_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let page = path("page.html");
    fs::write(path("report.json"), "{\"bench\":1}\n").unwrap();
    fs::write(path("empty.json"), "\n").unwrap();
    for (arguments, part) in [
        (
            &["--from", &path("report.json"), "--html", &page][..],
            "line 1 is not one of `hallows bench --json`",
        ),
        (&["--from", &path("empty.json"), "--html", &page], "no bench in it"),
        (&["--from", &path("nothing.json"), "--html", &page], "cannot read"),
        (&["--from", &path("report.json")], "--html"),
        (&["--from", &path("report.json"), "--html", &page, "null-call"], "cannot be used with"),
    ] {
        let (error, code) = say(&[&["bench"], arguments].concat());
        assert!(code == 64 && error.contains(part), "{arguments:?}: {code} {error}");
        assert!(!folder.path().join("page.html").exists());
    }
    fs::write(path("report.json"), LINE.replace('\n', "")).unwrap();
    let (error, code) = say(&["bench", "--from", &path("report.json"), "--html", "/nowhere/page.html"]);
    assert!(code == 64 && error.contains("cannot write /nowhere/page.html"), "{error}");
}
