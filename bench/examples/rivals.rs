//! Prints what the rivals reach on this machine, without ours: `cargo run -p hallows-bench --example rivals`.
//!
//! Arguments: names of benches, `--json`, `--cores LIST`, `--rounds N`, `--single`.

use std::io::Write;

use hallows_bench::environment::Environment;
use hallows_bench::registry::select;
use hallows_bench::report::{json, text};
use hallows_bench::{BenchError, Clock, Cores, Ours, Plan, Sampling, registry, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut names, mut as_json) = (Vec::new(), false);
    let mut plan = Plan::on(Cores::default_pair()?);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| BenchError::Argument(format!("{argument} needs a value behind it")))
        };
        match argument.as_str() {
            "--json" => as_json = true,
            "--single" => plan.sampling = Some(Sampling::Single),
            "--cores" => plan.cores = Cores::parse(&value()?)?,
            "--rounds" => plan.rounds = Some(value()?.parse()?),
            _ => names.push(argument),
        }
    }

    let clock = Clock::calibrate()?;
    if !as_json {
        print!("{}", Environment::observe(&plan.cores, &clock)?);
    }
    for mut bench in select(registry(Ours::default()), &names)? {
        // What has no rivals has nothing to show here.
        if bench.rivals.is_empty() {
            continue;
        }
        let outcome = run(&mut bench, &plan, &clock, |_| ());
        let mut output = std::io::stdout().lock();
        if as_json {
            writeln!(output, "{}", json::line(&outcome))?;
        } else {
            writeln!(output, "\n{}", text::table(&outcome, text::Colour::for_stdout()))?;
            write!(output, "{}", text::configurations(&outcome))?;
        }
    }
    Ok(())
}
