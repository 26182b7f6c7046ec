//! `hallows bench`: measures, beside Linux in the same run.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use hallows_bench::registry::select;
use hallows_bench::report::colour::Colour;
use hallows_bench::report::html::page;
use hallows_bench::{Cores, Format, Ours, Plan, registry, session_with_lines};

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
    if let (Some(from), Some(html)) = (&options.from, &options.html) {
        let report = fs::read_to_string(from)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", from.display())))?;
        let page = page(&report).map_err(|error| Failure::usage(format!("{}: {error}", from.display())))?;
        return write_page(html, &page).map(|()| 0);
    }
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
    // Opened before anything is measured, and written as each bench is done: what was measured is not lost.
    if let Some(html) = &options.html {
        write_page(html, "")?;
    }
    let mut lines = String::new();
    let mut lost = None;
    let met = session_with_lines(benches, &Plan::on(cores), format, &mut output, &mut |line| {
        let Some(html) = &options.html else { return };
        lines += line;
        lines.push('\n');
        let written = page(&lines).map_err(|error| Failure::other(SOFTWARE, error));
        lost = written.and_then(|page| write_page(html, &page)).err();
    })
    .map_err(|error| Failure::other(SOFTWARE, error))?;
    if let Some(failure) = lost {
        return Err(failure);
    }
    Ok(if met { 0 } else { NOT_MET })
}

fn write_page(path: &Path, page: &str) -> Result<(), Failure> {
    fs::write(path, page).map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))
}
