//! Unix programs: calls of WASI from within, and whole commands as their users run them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use hallows_bench::cores::on_cores;
use hallows_bench::coreutils::{self, Input, Task};
use hallows_bench::registry::{Place, ours};
use hallows_bench::unix_programs::{Script, Scripts};
use hallows_bench::whole_command::{output, repeated};
use hallows_bench::{BenchError, HELLO, Samples, Turn, clock};

use super::life::own_command;
use super::machine::wrong;

/// A call of WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The monotonic clock.
    Clock,
    /// A byte to the output, which is nowhere.
    WriteNull,
}

impl Call {
    /// One call, as text.
    const fn text(self) -> &'static str {
        match self {
            Self::Clock => "(call $clock (i32.const 1) (i64.const 1) (i32.const 24))",
            Self::WriteNull => "(call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))",
        }
    }
}

/// Samples that one run of the program takes.
const SAMPLES: usize = 200;
/// Those before them, which only warm up.
const WARM_UPS: usize = 20;

/// Makes CALL as often as CALLS says between two readings of the clock, and that as often as SAMPLES says; then writes the nanoseconds of each,
/// eight bytes long, to the errors. A buffer of one byte is described at 0, that of the samples at 8.
const LOOP: &str = r#"(module
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\28\00\00\00\01\00\00\00")
    (func $now (result i64)
        (if (call $clock (i32.const 1) (i64.const 1) (i32.const 16)) (then unreachable))
        (i64.load (i32.const 16)))
    (func (export "_start")
        (local $sample i32) (local $left i32) (local $begin i64)
        (loop $samples
            (local.set $left (i32.const CALLS))
            (local.set $begin (call $now))
            (loop $calls
                (if CALL (then unreachable))
                (br_if $calls (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (i64.store offset=1024 (i32.shl (local.get $sample) (i32.const 3))
                (i64.sub (call $now) (local.get $begin)))
            (br_if $samples (i32.lt_u (local.tee $sample (i32.add (local.get $sample) (i32.const 1)))
                (i32.const SAMPLES))))
        (i32.store (i32.const 8) (i32.const 1024))
        (i32.store (i32.const 12) (i32.shl (local.get $sample) (i32.const 3)))
        (if (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 32)) (then unreachable))))"#;

/// One call of a WASI program, as it measures it itself.
pub fn call(call: Call) -> Place<'static> {
    ours(
        "`hallows run --quiet` of a program of a loop, output to /dev/null; its own monotonic clock",
        2,
        move |turn| {
            let calls = turn.sampling.operations();
            let text = LOOP
                .replace("CALLS", &calls.to_string())
                .replace("SAMPLES", &(WARM_UPS + SAMPLES).to_string())
                .replace("CALL", call.text());
            let file = program(&text)?;
            on_cores(turn.cores, || {
                // Compiled once.
                nanoseconds(file.path())?;
                let mut samples = Vec::new();
                let until = clock::glance() + turn.clock.ticks(turn.budget);
                while samples.len() < turn.sample_limit && clock::glance() < until {
                    samples.extend(nanoseconds(file.path())?.into_iter().skip(WARM_UPS));
                }
                samples.truncate(turn.sample_limit);
                Ok(Samples::scaled(samples, 1.0 / f64::from(calls)))
            })?
        },
    )
}

/// A file of a program.
fn program(text: &str) -> Result<tempfile::NamedTempFile, BenchError> {
    let mut file = tempfile::Builder::new().suffix(".wasm").tempfile().map_err(wrong)?;
    file.write_all(text.as_bytes()).map_err(wrong)?;
    Ok(file)
}

/// Runs the loop and gives its samples, in nanoseconds.
fn nanoseconds(program: &Path) -> Result<Vec<u64>, BenchError> {
    let mut command = own_command()?;
    command.args(["run", "--quiet"]).arg(program).stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.stderr(Stdio::piped()).output().map_err(wrong)?;
    let (samples, rest) = output.stderr.as_chunks::<8>();
    if output.status.success() && rest.is_empty() && samples.len() == WARM_UPS + SAMPLES {
        return Ok(samples.iter().map(|sample| u64::from_le_bytes(*sample)).collect());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(wrong(format!("the program gave no samples ({}): {said}", output.status)))
}

/// Memory of the machine: what `sort` keeps of 100 MB of numbers is the most.
const MEMORY: &str = "2G";

/// A whole command of coreutils.
pub fn coreutils(task: Task) -> Place<'static> {
    let mut prepared: Option<(PathBuf, Arc<Input>)> = None;
    let set_up = format!(
        "`hallows run coreutils.wasm --memory {MEMORY} --dir . -- …`, uutils' coreutils for WASI; files in the page cache; output to /dev/null"
    );
    ours(set_up, 2, move |turn| {
        if prepared.is_none() {
            let (program, input) = (coreutils::wasm()?, task.input()?);
            on_cores(turn.cores, || {
                task.rehearse(&input, &mut tool(&own_command()?, &program, &input, task))
            })??;
            prepared = Some((program, input));
        }
        let Some((program, input)) = &prepared else { return Err(wrong("no input")) };
        let own = own_command()?;
        repeated(turn, || tool(&own, program, input, task))
    })
}

/// One run of a task, by the command `own`.
fn tool(own: &Command, program: &Path, input: &Input, task: Task) -> Command {
    let mut command = Command::new(own.get_program());
    command.args(["run", "--memory", MEMORY]).arg(program).args(["--dir", ".", "--"]);
    command.args(task.arguments()).current_dir(input.folder());
    command
}

/// Memory of the machine for scripts.
const SCRIPT_MEMORY: &str = "512M";

/// A script by Lua, SQLite's shell or QuickJS.
pub fn script(script: Script) -> Place<'static> {
    let mut prepared: Option<(PathBuf, Scripts)> = None;
    let set_up = format!(
        "`hallows run --memory {SCRIPT_MEMORY} PROGRAM.wasm --dir . -- …`, built by `zig cc -O2 -target wasm32-wasi`; output to /dev/null"
    );
    ours(set_up, 2, move |turn| {
        let command = |own: &Command, program: &Path, scripts: &Scripts| {
            let mut command = Command::new(own.get_program());
            command.args(["run", "--memory", SCRIPT_MEMORY]).arg(program).args(["--dir", ".", "--"]);
            command.args(script.arguments()).current_dir(scripts.folder());
            command
        };
        let own = own_command()?;
        if prepared.is_none() {
            let (program, scripts) = (script.wasm()?, Scripts::new()?);
            on_cores(turn.cores, || script.rehearse(&scripts, &mut command(&own, &program, &scripts)))??;
            prepared = Some((program, scripts));
        }
        let Some((program, scripts)) = &prepared else { return Err(wrong("no scripts")) };
        repeated(turn, || command(&own, program, scripts))
    })
}

/// A whole command that says hello.
pub fn run() -> Place<'static> {
    ours("`hallows run hello.wasm`, output to /dev/null", 2, |turn: &Turn<'_>| {
        let file = program(HELLO)?;
        let own = own_command()?;
        let command = || {
            let mut command = Command::new(own.get_program());
            command.arg("run").arg(file.path());
            command
        };
        let said = on_cores(turn.cores, || output(&mut command()))??;
        if said != b"hello\n" {
            return Err(wrong(format!("the program said {:?}", String::from_utf8_lossy(&said))));
        }
        repeated(turn, command)
    })
}
