//! `hallows policy`: whether a module is a policy, what it costs, and what it answers.

use std::io::Write;

use hallows_policy::{Function, ORDER, QUANTUM_NS, Seen};
use serde_json::{Value, json};

use crate::cli::{self, PolicyAsk, PolicyCheck};
use crate::failure::{Failure, SOFTWARE};
use crate::policies::{self, Verified};

/// Does what was asked.
///
/// # Errors
/// When the file is no policy; when nobody reads the output.
pub fn policy(command: &cli::Policy, output: &mut impl Write) -> Result<(), Failure> {
    match command {
        cli::Policy::Check(options) => check(options, output),
        cli::Policy::Ask(options) => ask(options, output),
    }
    .map_err(|error| match error {
        Error::Failure(failure) => failure,
        Error::Output(error) => Failure::other(SOFTWARE, format!("cannot write: {error}")),
    })
}

/// Why it was not done.
enum Error {
    Failure(Failure),
    Output(std::io::Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn check(options: &PolicyCheck, output: &mut impl Write) -> Result<(), Error> {
    let Verified { module, .. } = policies::of_file(&options.path)?;
    let questions = [(ORDER, module.order()), (QUANTUM_NS, module.quantum_ns())];
    if options.json {
        let functions = questions.iter().filter_map(|(name, function)| Some((*name, facts((*function)?))));
        let functions: serde_json::Map<String, Value> =
            functions.map(|(name, facts)| (name.to_owned(), facts)).collect();
        return Ok(writeln!(
            output,
            "{}",
            json!({ "policy": policies::name(&options.path), "answers": functions })
        )?);
    }
    writeln!(output, "{} is a policy", options.path.display())?;
    for (name, function) in questions {
        let Some(function) = function else {
            let usual = if name == ORDER { "all are equal" } else { "the class's quantum" };
            writeln!(output, "  {name:<10}  not said: {usual}")?;
            continue;
        };
        let (longest, steps) = (function.longest(), function.steps());
        let reads: Vec<_> = function.reads().iter().map(|input| input.name()).collect();
        let reads = if reads.is_empty() { "nothing".to_owned() } else { reads.join(", ") };
        writeln!(output, "  {name:<10}  {longest} steps at most, of {steps}; looks at {reads}")?;
        for found in function.may_trap() {
            let (instruction, offset) = (&found.instruction, found.offset);
            writeln!(output, "  {:<10}  no answer if `{instruction}` (at {offset:#x}) has no result", "")?;
        }
    }
    Ok(())
}

fn facts(function: &Function) -> Value {
    let may_trap = function.may_trap().iter();
    let may_trap = may_trap.map(|found| json!({ "instruction": found.instruction, "offset": found.offset }));
    json!({
        "longest_steps": function.longest(),
        "steps": function.steps(),
        "looks_at": function.reads().iter().map(|input| input.name()).collect::<Vec<_>>(),
        "may_trap": may_trap.collect::<Vec<_>>(),
    })
}

fn ask(options: &PolicyAsk, output: &mut impl Write) -> Result<(), Error> {
    let Verified { module, .. } = policies::of_file(&options.path)?;
    let seen = Seen {
        cell: options.cell,
        is_fresh: !options.preempted,
        expected_ns: options.expected_ns,
        ran_ns: options.ran_ns,
        usual_ns: options.usual_ns,
    };
    for (name, function) in [(ORDER, module.order()), (QUANTUM_NS, module.quantum_ns())] {
        match function.map(|function| function.run(&seen)) {
            None => {}
            Some(Ok(answer)) => writeln!(output, "{name}  {answer}")?,
            Some(Err(trap)) => writeln!(output, "{name}  no answer: {trap}")?,
        }
    }
    Ok(())
}
