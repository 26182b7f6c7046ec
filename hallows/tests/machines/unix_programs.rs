//! Large programs of C that nobody here wrote, on real input: Lua, SQLite's shell, QuickJS, as `scripts/unix/programs.sh` builds them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::running::{Running, command, say_in};
use crate::test;

/// Where `scripts/artifacts.sh` puts them, from this crate's folder; natively by `make bench`.
const WASI: &str = "../target/unix/bin";
const NATIVE: &str = "../target/unix-native/bin";

pub fn tests() -> Vec<Trial> {
    let lua = |name, body: fn()| test(name, body).with_ignored_flag(!wasi("lua").is_file());
    let sqlite = |name, body: fn()| test(name, body).with_ignored_flag(!wasi("sqlite").is_file());
    let quickjs = |name, body: fn()| test(name, body).with_ignored_flag(!wasi("quickjs").is_file());
    let all = ["lua", "sqlite", "quickjs"].iter().all(|name| wasi(name).is_file() && native(name).is_file());
    vec![
        lua("lua_catches_errors_runs_coroutines_and_reads_and_writes_files", lua_runs),
        lua("lua_reads_a_script_from_its_input", lua_from_input),
        lua("an_error_that_lua_does_not_catch_is_its_status_and_message", lua_fails),
        lua("a_script_that_recurses_without_end_gets_an_error_it_can_catch", lua_recurses),
        lua("a_script_that_takes_all_memory_ends_by_an_error_of_its_own", lua_takes_all),
        lua("a_script_without_end_is_stopped_by_a_signal", lua_interrupted),
        sqlite("sqlite_keeps_a_database_in_a_file_that_others_read", sqlite_file),
        sqlite("sqlite_takes_statements_from_its_input_and_says_what_is_wrong", sqlite_input),
        quickjs("quickjs_runs_modules_and_catches_what_is_thrown", quickjs_runs),
        test("programs_do_as_they_do_natively", same_as_natively).with_ignored_flag(!all),
    ]
}

fn wasi(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(WASI).join(format!("{name}.wasm"))
}

fn native(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(NATIVE).join(name)
}

/// What a program says in a folder that it is given.
fn run(name: &str, folder: &Path, options: &[&str], arguments: &[&str]) -> (String, String, i32) {
    let wasm = wasi(name);
    let all = [&["run", wasm.to_str().unwrap(), "--dir", "."], options, &["--"], arguments].concat();
    say_in(folder.to_str().unwrap(), &all)
}

/// The same with this input.
fn run_with(name: &str, folder: &Path, arguments: &[&str], input: &str) -> (String, String, i32) {
    let wasm = wasi(name);
    let all = [&["run", wasm.to_str().unwrap(), "--dir", ".", "--"], arguments].concat();
    let mut child = command(&all);
    child.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const LUA: &str = r#"
print(_VERSION, arg[1], os.getenv("COLOUR"), os.getenv("HOME"))
-- Errors are longjmp in C: caught, with values of any type, through C functions and out of coroutines.
print(pcall(error, { code = 7 }) == false, select(2, pcall(error, "plain", 0)))
print(select(2, pcall(string.rep)))
print(pcall(table.sort, { 3, 1, 2 }, function() error("in a comparison", 0) end))
print(xpcall(function() local t = nil; return t.x end, function(message) return "handled: " .. message end))
local inner = coroutine.wrap(function(a)
  local b = coroutine.yield(a + 1)
  local fine, message = pcall(function() coroutine.yield("inside a pcall"); error("after a yield", 0) end)
  coroutine.yield(tostring(fine) .. " " .. message .. " " .. b)
  error("out of the coroutine", 0)
end)
print(inner(1), inner(5), inner(), pcall(inner))
local closed = {}
do
  local guard <close> = setmetatable({}, { __close = function(_, e) closed[1] = "closed" end })
end
print(closed[1])
local out = assert(io.open("made.txt", "w"))
for i = 1, 1000 do out:write(string.format("line %04d\n", i)) end
out:close()
local count, last = 0, nil
for line in io.lines("made.txt") do count, last = count + 1, line end
print(count, last, io.open("nothing.txt"))
print(os.rename("made.txt", "moved.txt"), os.remove("moved.txt"), (os.remove("moved.txt")))
print(("The quick brown fox"):gsub("%w+", function(word) return word:reverse() end))
print(string.format("%5.2f|%-6s|%q|%x", 3.14159, "ab", "a\nb", 255), ("x"):rep(5, "-"), #utf8.char(8364))
print(load("return 1 +")) print(require("part").answer)
print(os.execute(), (pcall(io.popen, "ls")), os.time() > 1.5e9)
os.exit(true and 3)
"#;

fn lua_runs() {
    let folder = folder(&[("main.lua", LUA), ("part.lua", "return { answer = 42 }")]);
    let (output, error, code) =
        run("lua", folder.path(), &["--env", "COLOUR=green"], &["main.lua", "an argument"]);
    let expected = "Lua 5.4\tan argument\tgreen\tnil
true\tplain
bad argument #1 to 'string.rep' (string expected, got no value)
false\tin a comparison
false\thandled: main.lua:7: attempt to index a nil value (local 't')
2\tinside a pcall\tfalse after a yield 5\tfalse\tout of the coroutine
closed
1000\tline 1000\tnil\tnothing.txt: No such file or directory\t44
true\ttrue\tnil
ehT kciuq nworb xof\t4
 3.14|ab    |\"a\\\nb\"|ff\tx-x-x-x-x\t3
nil\t[string \"return 1 +\"]:1: unexpected symbol near <eof>
42
false\tfalse\ttrue
";
    assert_eq!((output.as_str(), code), (expected, 3), "{error}");
}

fn lua_from_input() {
    let folder = folder(&[]);
    let script = "local sum = 0 for i = 1, 1e6 do sum = sum + i % 7 end print(sum)";
    let (output, error, code) = run_with("lua", folder.path(), &["-"], script);
    assert_eq!((output.as_str(), code), ("2999998\n", 0), "{error}");
}

fn lua_fails() {
    let folder = folder(&[("main.lua", "local function f() error('on purpose') end\nf()")]);
    let (output, error, code) = run("lua", folder.path(), &[], &["main.lua"]);
    assert_eq!((output.as_str(), code), ("", 1));
    assert!(error.contains("main.lua:1: on purpose") && error.contains("stack traceback"), "{error}");
    let (_, error, code) = run("lua", folder.path(), &[], &["missing.lua"]);
    assert!(error.contains("cannot open missing.lua") && code == 1, "{error}");
}

/// Endless recursion of functions, of C functions, of patterns and of the parser: each has a bound of its own in Lua.
const RECURSION: &str = r#"
local function deep(n) return 1 + deep(n + 1) end
local fine, message = pcall(deep, 0)
print(fine, (message:gsub("^.*: stack overflow.*$", "stack overflow")))
local mutual = setmetatable({}, { __index = function(t, k) return t[k .. "x"] end })
print((pcall(function() return mutual.a end)))
local function sorted(n) table.sort({ 2, 1 }, function() sorted(n + 1) return true end) end
print((pcall(sorted, 0)))
print((pcall(string.find, ("a"):rep(300000), ("a?"):rep(300000) .. "b")))
print((load(("("):rep(100000) .. "1" .. (")"):rep(100000))))
print("alive")
"#;

fn lua_recurses() {
    let folder = folder(&[("main.lua", RECURSION)]);
    let (output, error, code) = run("lua", folder.path(), &[], &["main.lua"]);
    let expected = "false\tstack overflow\nfalse\nfalse\nfalse\nnil\nalive\n";
    assert_eq!((output.as_str(), code), (expected, 0), "{error}");
}

fn lua_takes_all() {
    let script = "local kept = {} for i = 1, 1e9 do kept[i] = ('x'):rep(100000) .. i end";
    let folder = folder(&[("main.lua", script)]);
    let (output, error, code) = run("lua", folder.path(), &["--memory", "64M"], &["main.lua"]);
    assert_eq!((output.as_str(), error.as_str(), code), ("", "lua.wasm: not enough memory\n", 1));
}

fn lua_interrupted() {
    let script = "io.stdout:setvbuf('no') print('begun') while true do pcall(error) end";
    let folder = folder(&[("main.lua", script)]);
    let wasm = wasi("lua");
    let place = folder.path().to_str().unwrap();
    let directory = format!("{place}:.");
    let mut running =
        Running::start(&["run", wasm.to_str().unwrap(), "--dir", &directory, "--", "main.lua"], None);
    running.hear("begun");
    running.signal(Signal::INT);
    assert_eq!(running.code(), 130);
}

const TABLES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE, born REAL);
INSERT INTO people (name, born) VALUES ('Ada', 1815.9), ('Grace', 1906.9), ('Edsger', 1930.4);
CREATE INDEX by_birth ON people (born);
BEGIN; INSERT INTO people (name, born) VALUES ('Nobody', 0); ROLLBACK;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO people (name, born) SELECT 'p' || i, i FROM n;
";

fn sqlite_file() {
    let folder = folder(&[("tables.sql", TABLES)]);
    let ask = |question: &str| {
        // It looks for its settings at home.
        let home = ["--env", "HOME=."];
        let (output, error, code) = run("sqlite", folder.path(), &home, &["people.db", question]);
        assert_eq!((error.as_str(), code), ("", 0), "{question}");
        output
    };
    assert_eq!(ask(".read tables.sql"), "");
    // Read back by another machine.
    assert_eq!(
        ask("SELECT name, born FROM people WHERE born > 1800 AND name NOT LIKE 'p%' ORDER BY born;"),
        "Ada|1815.9\nGrace|1906.9\nEdsger|1930.4\n"
    );
    assert_eq!(ask("PRAGMA integrity_check; SELECT count(*) FROM people;"), "ok\n5003\n");
    assert_eq!(fs::read(folder.path().join("people.db")).unwrap()[..15], *b"SQLite format 3");
    // No journal is left behind.
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // And by the library of this host, if there is one, which changes it.
    let script = "import sqlite3; c = sqlite3.connect('people.db'); print(c.execute('PRAGMA integrity_check').fetchone()[0], \
        c.execute('SELECT count(*) FROM people').fetchone()[0]); c.execute(\"INSERT INTO people (name) VALUES ('Python')\"); c.commit()";
    let python = Command::new("python3").args(["-c", script]).current_dir(folder.path()).output();
    if let Ok(python) = python {
        assert_eq!(String::from_utf8_lossy(&python.stdout), "ok 5003\n", "{python:?}");
        assert_eq!(ask("SELECT count(*), max(name) FROM people;"), "5004|p999\n");
        assert_eq!(ask("SELECT id FROM people WHERE name = 'Python';"), "5004\n");
    }
    // A directory that may only be read: an error, and no change. (For WASI it locks a database by making a directory beside it, which fails there,
    // as it does natively with `-vfs unix-dotfile`; without locks it reads.)
    let wasm = wasi("sqlite");
    let read_only = |arguments: &[&str]| {
        let all =
            [&["run", wasm.to_str().unwrap(), "--dir", ".:ro", "--env", "HOME=.", "--"], arguments].concat();
        say_in(folder.path().to_str().unwrap(), &all)
    };
    let (output, error, code) =
        read_only(&["-vfs", "unix-none", "people.db", "SELECT name FROM people WHERE id = 1;"]);
    assert_eq!((output.as_str(), error.as_str(), code), ("Ada\n", "", 0));
    for change in ["DELETE FROM people;", "CREATE TABLE more (a);"] {
        let (output, error, code) = read_only(&["-vfs", "unix-none", "people.db", change]);
        let expected = "Error: attempt to write a readonly database\n";
        assert_eq!((output.as_str(), error.as_str(), code), ("", expected, 1));
    }
    let (_, error, code) = read_only(&["people.db", "DELETE FROM people;"]);
    assert!(error.contains("disk I/O error (10)") && code == 10, "{code}: {error}");
    assert_eq!(ask("SELECT count(*) > 5000 FROM people;"), "1\n");
}

fn sqlite_input() {
    let folder = folder(&[]);
    let statements = format!(
        "{TABLES}.mode json\nSELECT id, name FROM people WHERE id < 3;\n.mode list\nSELECT group_concat(name, '-') FROM people WHERE id <= 3;\n"
    );
    let (output, error, code) = run_with("sqlite", folder.path(), &[], &statements);
    let expected = "[{\"id\":1,\"name\":\"Ada\"},\n{\"id\":2,\"name\":\"Grace\"}]\nAda-Grace-Edsger\n";
    assert_eq!((output.as_str(), code), (expected, 0), "{error}");
    let (_, error, code) = run_with("sqlite", folder.path(), &["-bail"], "SELECT a FROM nowhere;\n");
    assert!(error.contains("no such table: nowhere") && code == 1, "{error}");
}

const MODULE: &str = r#"
import * as std from "qjs:std";
import * as os from "qjs:os";
import { answer, fail } from "./part.js";
print(answer, [3, 1, 2].sort().map((n) => n ** 2).join(), 0.1 + 0.2, 2n ** 100n);
try { fail("thrown in a module"); } catch (error) { print(error instanceof TypeError, error.message); }
const file = std.open("made.txt", "w");
for (let i = 0; i < 100; i++) file.puts(`line ${i}\n`);
file.close();
print(std.loadFile("made.txt").split("\n").length, os.readdir(".")[0].includes("made.txt"));
print(/(\d+)-(\p{L}+)/u.exec("17-änd")[2], JSON.stringify({ a: [1, { b: null }] }), std.getenv("COLOUR"));
await new Promise((resolve) => os.setTimeout(resolve, 5));
print(await Promise.all([1, 2].map(async (n) => n + 1)), scriptArgs[1]);
std.exit(4);
"#;

fn quickjs_runs() {
    let part = "export const answer = 42; export function fail(why) { throw new TypeError(why); }";
    let folder = folder(&[("main.js", MODULE), ("part.js", part)]);
    let arguments = ["--module", "main.js", "an argument"];
    let (output, error, code) = run("quickjs", folder.path(), &["--env", "COLOUR=green"], &arguments);
    let expected = "42 1,4,9 0.30000000000000004 1267650600228229401496703205376
true thrown in a module
101 true
änd {\"a\":[1,{\"b\":null}]} green
2,3 an argument
";
    assert_eq!((output.as_str(), code), (expected, 4), "{error}");
    let (_, error, code) = run("quickjs", folder.path(), &[], &["-e", "null.x"]);
    assert!(error.contains("TypeError") && code == 1, "{error}");
    // Deeper than the 512 KiB that cells have of a stack.
    let deep = "function deep(n) { return n ? deep(n - 1) + 1 : 0; } print(deep(1800));";
    let said = run("quickjs", folder.path(), &[], &["-e", deep]);
    assert_eq!(said, ("1800\n".to_owned(), String::new(), 0));
    let (_, error, code) = run("quickjs", folder.path(), &["--stack", "512K"], &["-e", deep]);
    assert!(error.contains("overflowed its stack") && code == 1, "{error}");
    // For WASI it keeps no account of its stacks: they end in a trap, first the one for what has an address, of 1 MiB, at the front of its memory.
    let deep = "print('begun'); function deep(n) { return deep(n + 1) + 1; } deep(0);";
    let (output, error, code) = run("quickjs", folder.path(), &[], &["-e", deep]);
    assert!(
        output == "begun\n" && error.contains("accessed memory out of bounds") && code == 1,
        "{output}{error}"
    );
}

/// The bench's scripts, with less to do.
const SCRIPTS: [(&str, &str); 5] = [
    ("nbody.lua", include_str!("../../../bench/unix/nbody.lua")),
    ("trees.lua", include_str!("../../../bench/unix/trees.lua")),
    ("words.lua", include_str!("../../../bench/unix/words.lua")),
    ("rows.sql", include_str!("../../../bench/unix/rows.sql")),
    ("objects.js", include_str!("../../../bench/unix/objects.js")),
];

fn same_as_natively() {
    let folder = folder(&SCRIPTS);
    for (name, arguments) in [
        ("lua", &["nbody.lua", "5000"][..]),
        ("lua", &["trees.lua", "12"]),
        ("lua", &["words.lua", "5000"]),
        ("sqlite", &["-batch", ":memory:", ".read rows.sql"]),
        ("sqlite", &["-batch", "rows.db", ".read rows.sql"]),
        ("quickjs", &["objects.js", "10000"]),
    ] {
        let expected =
            Command::new(native(name)).args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(expected.status.success(), "{expected:?}");
        let (output, error, code) = run(name, folder.path(), &[], arguments);
        assert_eq!(code, 0, "{name} {arguments:?}: {error}");
        assert_eq!(output, String::from_utf8(expected.stdout).unwrap(), "{name} {arguments:?}");
        assert!(!output.is_empty());
    }
}
