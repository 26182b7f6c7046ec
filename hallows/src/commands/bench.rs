//! `hallows bench`: measures, beside Linux in the same run.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use hallows_bench::environment::Environment;
use hallows_bench::jitter::{self, case, linux_thread};
use hallows_bench::registry::select;
use hallows_bench::report::colour::Colour;
use hallows_bench::report::html::page;
use hallows_bench::{Bench as Measured, Clock, Cores, Format, Ours, Plan, registry, session_with_lines};

use crate::cli::Bench;
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::jitter::{Asked, measure_cases};
use crate::ours::ours;

/// Exit code when a figure did not reach what it must.
const NOT_MET: u8 = 1;

/// Runs benches; 0 if every figure reached what it must, else 1.
///
/// # Errors
/// When a name is unknown or the host is unfit.
pub fn bench(options: &Bench) -> Result<u8, Failure> {
    if let Some(run) = options.linux_thread {
        return linux_thread::spin(run, &mut io::stdout()).map(|()| 0).map_err(unfit);
    }
    if let (Some(from), Some(html)) = (&options.from, &options.html) {
        let report = fs::read_to_string(from)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", from.display())))?;
        let page = page(&report).map_err(|error| Failure::usage(format!("{}: {error}", from.display())))?;
        return write_page(html, &page).map(|()| 0);
    }
    let names = Names::of(&options.names);
    // Names are checked before anything is compiled.
    names.benches(Ours::default)?;
    let cores = match &options.cores {
        Some(cores) => Cores::parse(&cores.to_string()),
        None => Cores::default_pair(),
    }
    .map_err(refused)?;
    if !names.jitter.is_empty() {
        // What it cannot do without is said before anything is measured.
        cores.second().map_err(refused)?;
    }
    let benches = names.benches_with(ours)?;
    let format = if options.json { Format::Json } else { Format::Table(Colour::for_stdout()) };
    let output: Box<dyn Write> = match &options.output {
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
    let mut reports = Reports { format, output, html: options.html.as_deref(), lines: String::new() };
    let mut met = reports.session(benches, &cores)?;
    if !names.jitter.is_empty() {
        let asked =
            Asked { names: names.jitter, cores, seconds: options.seconds, period_us: options.period_us };
        met &= reports.jitter(&asked)?;
    }
    Ok(if met { 0 } else { NOT_MET })
}

fn refused(error: hallows_bench::BenchError) -> Failure {
    Failure::other(USAGE, error)
}

fn unfit(error: hallows_bench::BenchError) -> Failure {
    Failure::other(SOFTWARE, error)
}

/// What is asked for: benches of medians, and cases of jitter.
struct Names {
    /// `None`: no such bench.
    benches: Option<Vec<String>>,
    jitter: Vec<String>,
}

impl Names {
    fn of(names: &[String]) -> Self {
        let (jitter, benches): (Vec<String>, Vec<String>) =
            names.iter().cloned().partition(|name| case::is_name(name));
        if names.is_empty() {
            return Self { benches: Some(Vec::new()), jitter: vec![jitter::NAME.to_owned()] };
        }
        Self { benches: (!benches.is_empty()).then_some(benches), jitter }
    }

    fn benches(&self, ours: fn() -> Ours<'static>) -> Result<Vec<Measured<'static>>, Failure> {
        self.benches_with(|| Ok(ours()))
    }

    fn benches_with(
        &self,
        ours: impl FnOnce() -> Result<Ours<'static>, Failure>,
    ) -> Result<Vec<Measured<'static>>, Failure> {
        let Some(names) = &self.benches else { return Ok(Vec::new()) };
        select(registry(ours()?), names).map_err(refused)
    }
}

/// Where reports go.
struct Reports<'a> {
    format: Format,
    output: Box<dyn Write>,
    html: Option<&'a Path>,
    /// So far, for the page.
    lines: String,
}

impl Reports<'_> {
    /// Benches of medians; without any, only the head of a report.
    fn session(&mut self, benches: Vec<Measured<'_>>, cores: &Cores) -> Result<bool, Failure> {
        let Self { format, output, html, lines } = self;
        let mut lost = None;
        let met = session_with_lines(benches, &Plan::on(cores.clone()), *format, output, &mut |line| {
            lost = add_to_page(*html, lines, line).err();
        })
        .map_err(unfit)?;
        lost.map_or(Ok(met), Err)
    }

    fn jitter(&mut self, asked: &Asked) -> Result<bool, Failure> {
        let clock = Clock::calibrate().map_err(unfit)?;
        let environment = Environment::observe(&asked.cores, &clock).map_err(unfit)?;
        let environment = environment.to_string().trim().replace('\n', " · ");
        measure_cases(asked, &mut |case| {
            let line = jitter::json::line(case, clock.read_cost_ns(), &environment);
            add_to_page(self.html, &mut self.lines, &line)?;
            let report = match self.format {
                Format::Json => line + "\n",
                Format::Table(colour) => format!("\n{}", jitter::text::report(case, colour)),
                Format::Detailed(colour) => {
                    format!("\n{}{}", jitter::text::report(case, colour), jitter::text::configurations(case))
                }
            };
            self.output
                .write_all(report.as_bytes())
                .and_then(|()| self.output.flush())
                .map_err(|error| Failure::other(SOFTWARE, format!("cannot write a report: {error}")))
        })
    }
}

/// Writes the page anew, with one more line of the report.
fn add_to_page(html: Option<&Path>, lines: &mut String, line: &str) -> Result<(), Failure> {
    let Some(html) = html else { return Ok(()) };
    *lines += line;
    lines.push('\n');
    let page = page(lines).map_err(|error| Failure::other(SOFTWARE, error))?;
    write_page(html, &page)
}

fn write_page(path: &Path, page: &str) -> Result<(), Failure> {
    fs::write(path, page).map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))
}
