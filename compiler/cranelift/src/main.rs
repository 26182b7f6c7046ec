//! The compiler process: a program on standard input, an artefact on standard output, one line of JSON on
//! standard error if it fails.
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "the global allocator")]
mod last_words;

use clap::Parser;
use hallows_artifact::{CpuFeatures, Platform, Preemption, Settings};
use hallows_compiler::{
    CompileError, Limit, Limits, Request, compile, machine_code, normalise,
    sandbox::{self, Jail},
};
use std::{
    fs::File,
    io::{Read, Write},
    path::PathBuf,
    process::ExitCode,
};

/// Compiles a WebAssembly program (binary or text) for hallows' engine.
///
/// Reads standard input and writes standard output unless told otherwise. The artefact is not sealed: `hallows` seals
/// what its own compiler made, and its engine takes nothing else.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The program; standard input if not given.
    input: Option<PathBuf>,
    /// Where to write; standard output if not given.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// The platform: x86_64-unknown-linux-gnu or x86_64-unknown-none.
    #[arg(long, default_value = "x86_64-unknown-linux-gnu", value_parser = platform)]
    target: Platform,
    /// Processor features to use, separated by commas; those of this processor if not given.
    #[arg(long, value_parser = cpu_features)]
    cpu_features: Option<CpuFeatures>,
    /// Leave out all checks of the preemption word: only for measuring what they cost.
    #[arg(long)]
    no_epoch_checks: bool,
    /// All settings in their canonical form, in place of the three above.
    #[arg(long, value_parser = Settings::parse_canonical)]
    settings: Option<Settings>,
    /// A limit as name=value; a wrong name is answered with the right ones.
    #[arg(long = "limit", value_parser = Request::parse_limit)]
    limits: Vec<(Limit, u64)>,
    /// Threads to compile with.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Emit::Artifact)]
    emit: Emit,
    /// Run without seccomp and Landlock, for debugging the compiler itself.
    #[arg(long)]
    no_sandbox: bool,
}

/// What to write.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Emit {
    /// The artefact: header, code, metadata.
    Artifact,
    /// The code alone, as wasmtime's `Module::deserialize` takes it.
    Code,
    /// The normalised module.
    Wasm,
}

fn platform(triple: &str) -> Result<Platform, String> {
    Platform::from_triple(triple).ok_or_else(|| "x86_64-unknown-linux-gnu or x86_64-unknown-none".into())
}

fn cpu_features(list: &str) -> Result<CpuFeatures, String> {
    CpuFeatures::parse(list).map_err(|name| format!("`{name}` is none of {}", CpuFeatures::all().to_list()))
}

/// The features of the processor that this runs on.
fn host_features() -> CpuFeatures {
    CpuFeatures::detect(|name| match name {
        "sse3" => is_x86_feature_detected!("sse3"),
        "ssse3" => is_x86_feature_detected!("ssse3"),
        "sse4.1" => is_x86_feature_detected!("sse4.1"),
        "sse4.2" => is_x86_feature_detected!("sse4.2"),
        "popcnt" => is_x86_feature_detected!("popcnt"),
        "avx" => is_x86_feature_detected!("avx"),
        "avx2" => is_x86_feature_detected!("avx2"),
        "fma" => is_x86_feature_detected!("fma"),
        "bmi1" => is_x86_feature_detected!("bmi1"),
        "bmi2" => is_x86_feature_detected!("bmi2"),
        "lzcnt" => is_x86_feature_detected!("lzcnt"),
        _ => false,
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Who cannot be told can still see the status.
            let _ = std::io::stderr().write_all(error.to_line().as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), CompileError> {
    let request = request(&arguments)?;
    let file = |path: &PathBuf, opened: std::io::Result<File>| {
        opened.map_err(|error| CompileError::Host {
            what: path.display().to_string(),
            message: error.to_string(),
        })
    };
    if let Some(path) = &arguments.input {
        sandbox::become_stream(&file(path, File::open(path))?, 0)?;
    }
    if let Some(path) = &arguments.output {
        sandbox::become_stream(&file(path, File::create(path))?, 1)?;
    }
    let limits = request.limits.clone();
    last_words::prepare(limits.get(Limit::CompilerMemoryBytes));
    sandbox::limit_file_size(limits.get(Limit::CompilerMemoryBytes))?;
    let jail = if arguments.no_sandbox { Jail::Open } else { Jail::Closed };
    sandbox::run(jail, &limits, request.threads, move || work(&request, arguments.emit))?
}

fn request(arguments: &Arguments) -> Result<Request, CompileError> {
    let settings = match arguments.settings {
        Some(settings) => settings,
        None => {
            let features = arguments.cpu_features.unwrap_or_else(host_features);
            let mut settings = Settings::new(arguments.target, features)
                .map_err(|error| CompileError::Settings { message: error.to_string() })?;
            if arguments.no_epoch_checks {
                settings.preemption = Preemption::None;
            }
            settings
        }
    };
    let limits =
        arguments.limits.iter().fold(Limits::DEFAULT, |limits, (limit, value)| limits.with(*limit, *value));
    Ok(Request { settings, limits, threads: arguments.threads })
}

/// Everything that touches the program; runs inside the jail.
fn work(request: &Request, emit: Emit) -> Result<(), CompileError> {
    let host = |what: &str| {
        let what = what.to_string();
        move |error: std::io::Error| CompileError::Host { what, message: error.to_string() }
    };
    let mut program = Vec::new();
    // One byte more than allowed is enough to know.
    let bound = request.limits.get(Limit::SourceBytes).saturating_add(1);
    std::io::stdin().take(bound).read_to_end(&mut program).map_err(host("reading the program"))?;
    let output = match emit {
        Emit::Artifact => compile(&program, request)?,
        Emit::Code => machine_code(&normalise(&program, request)?.wasm, request)?,
        Emit::Wasm => normalise(&program, request)?.wasm,
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&output).and_then(|()| out.flush()).map_err(host("writing the artefact"))
}
