//! Prints what the rivals reach on this machine, without ours: `cargo run -p hallows-bench --example rivals`.
//!
//! Arguments: names of benches, `--json`, `--cores LIST`, `--rounds N`, `--single`.

use hallows_bench::registry::select;
use hallows_bench::report::colour::Colour;
use hallows_bench::{BenchError, Cores, Format, Ours, Plan, Sampling, registry, session};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut names = Vec::new();
    let mut format = Format::Detailed(Colour::for_stdout());
    let mut plan = Plan::on(Cores::default_pair()?);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| BenchError::Argument(format!("{argument} needs a value behind it")))
        };
        match argument.as_str() {
            "--json" => format = Format::Json,
            "--single" => plan.sampling = Some(Sampling::Single),
            "--cores" => plan.cores = Cores::parse(&value()?)?,
            "--rounds" => plan.rounds = Some(value()?.parse()?),
            _ => names.push(argument),
        }
    }
    let mut benches = select(registry(Ours::default()), &names)?;
    // What has no rivals has nothing to show here.
    benches.retain(|bench| !bench.rivals.is_empty());
    session(benches, &plan, format, &mut std::io::stdout().lock())?;
    Ok(())
}
