//! `hallows probe`: what this host offers a machine, and what would make it offer more.

use std::io::{self, Write};

use hallows_bench::report::colour::{BOLD, Colour, DIM, GREEN, RED, YELLOW};
use hallows_bench::report::wrap::wrapped;
use hallows_cache::host_features;
use hallows_linux::host::probe::{Finding, ProbeReport, Verdict, probe as look};

use crate::cli::{DEFAULT_MEMORY, Probe};
use crate::failure::{Failure, SOFTWARE};

/// Exit code when `hallows` cannot run here.
const CANNOT_RUN: u8 = 1;
/// Columns of a finding's name: the longest is `real-time priority`.
const NAME_COLUMNS: usize = 18;

/// Looks at this host and prints what it found; 0 if nothing fails, else 1.
///
/// # Errors
/// When nobody reads the output.
pub fn probe(options: Probe, output: &mut impl Write) -> Result<u8, Failure> {
    let report = look(host_features(), DEFAULT_MEMORY);
    let written = if options.json {
        serde_json::to_string(&report).map_err(io::Error::from).and_then(|line| writeln!(output, "{line}"))
    } else {
        write!(output, "{}", text(&report, Colour::for_stdout()))
    };
    written.map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))?;
    Ok(if report.fail > 0 { CANNOT_RUN } else { 0 })
}

/// The report for people: topic after topic, and a summary.
fn text(report: &ProbeReport, colour: Colour) -> String {
    let mut text = String::new();
    let mut topic = None;
    for finding in &report.findings {
        if topic.replace(finding.topic) != Some(finding.topic) {
            text += &colour.paint(BOLD, &finding.topic.to_string());
            text.push('\n');
        }
        text += &lines(finding, colour);
    }
    let ProbeReport { pass, warn, fail, .. } = report;
    let end = match (warn, fail) {
        (_, 1..) => "hallows cannot run here until what fails is mended",
        (1.., 0) => "hallows runs here, and would run better with what is named",
        (0, 0) => "hallows runs here as well as it can",
    };
    let summary = format!("{pass} pass, {warn} warn, {fail} fail: {end}");
    text + &colour.paint(BOLD, &summary) + "\n"
}

/// A finding in aligned columns; unless it passes, why it matters and what to do.
fn lines(finding: &Finding, colour: Colour) -> String {
    let (word, code) = match finding.verdict {
        Verdict::Pass => ("pass", GREEN),
        Verdict::Warn => ("warn", YELLOW),
        Verdict::Fail => ("FAIL", RED),
    };
    // Wrapped before it is coloured: escape sequences have no width.
    let head = format!("  {word}  {:<NAME_COLUMNS$}  ", finding.name);
    let found = wrapped(&head, &finding.found).replacen(word, &colour.paint(code, word), 1);
    let Some(fix) = &finding.fix else { return found + "\n" };
    let indent = " ".repeat(head.len());
    let why = wrapped(&format!("{indent}why: "), finding.why);
    // Not wrapped: it may be a command to copy.
    format!("{found}\n{}\n{indent}fix: {fix}\n", colour.paint(DIM, &why))
}

#[cfg(test)]
mod tests {
    use hallows_linux::host::probe::Topic;

    use super::*;

    fn report(fail: usize) -> ProbeReport {
        let finding = |name, verdict, fix: Option<&str>| Finding {
            topic: Topic::Kernel,
            name,
            verdict,
            found: format!("{name} of this host"),
            why: "It matters.",
            fix: fix.map(str::to_owned),
        };
        let findings = vec![
            finding("good", Verdict::Pass, None),
            finding("bad", if fail > 0 { Verdict::Fail } else { Verdict::Warn }, Some("sudo mend it")),
        ];
        ProbeReport { pass: 1, warn: 1 - fail, fail, findings }
    }

    #[test]
    fn columns_are_aligned_and_what_does_not_pass_has_its_fix() {
        assert_eq!(
            text(&report(0), Colour::Off),
            "kernel\n\
             \x20 pass  good                good of this host\n\
             \x20 warn  bad                 bad of this host\n\
             \x20                           why: It matters.\n\
             \x20                           fix: sudo mend it\n\
             1 pass, 1 warn, 0 fail: hallows runs here, and would run better with what is named\n"
        );
    }

    #[test]
    fn colour_changes_no_letter() {
        let coloured = text(&report(1), Colour::On);
        let parts = coloured.split('\x1b').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
        let first = coloured.starts_with('\x1b');
        let plain: String = parts.collect();
        assert!(first && plain == text(&report(1), Colour::Off), "{coloured}");
        assert!(plain.ends_with("0 warn, 1 fail: hallows cannot run here until what fails is mended\n"));
    }
}
