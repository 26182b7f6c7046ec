//! `hallows bench`: measures, beside Linux in the same run.

use std::fs::File;
use std::io::{self, Write};

use hallows_bench::registry::select;
use hallows_bench::report::colour::Colour;
use hallows_bench::{Cores, Format, Ours, Plan, registry, session};

use crate::cli::Bench;
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::ours::ours;

/// Exit code when a figure did not reach what it must.
const NOT_MET: u8 = 1;

/// Runs benches; 0 if every figure reached what it must, else 1.
///
/// # Errors
/// When a name is unknown or the host is unfit.
pub fn bench(options: &Bench) -> Result<u8, Failure> {
    let refused = |error| Failure::other(USAGE, error);
    // Names are checked before anything is compiled.
    select(registry(Ours::default()), &options.names).map_err(refused)?;
    let cores = match &options.cores {
        Some(cores) => Cores::parse(&cores.to_string()),
        None => Cores::default_pair(),
    }
    .map_err(refused)?;
    let benches = select(registry(ours()?), &options.names).map_err(refused)?;
    let format = if options.json { Format::Json } else { Format::Table(Colour::for_stdout()) };
    let mut output: Box<dyn Write> = match &options.output {
        None => Box::new(io::stdout().lock()),
        Some(path) => Box::new(
            File::create(path)
                .map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))?,
        ),
    };
    let met = session(benches, &Plan::on(cores), format, &mut output)
        .map_err(|error| Failure::other(SOFTWARE, error))?;
    Ok(if met { 0 } else { NOT_MET })
}
