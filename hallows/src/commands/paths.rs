//! `hallows paths`: which fast path each service of a running machine really took.

use std::io::{self, Write};

use hallows_bench::report::colour::{Colour, DIM, GREEN, YELLOW};
use hallows_bench::report::wrap::wrapped;
use hallows_linux::host::control::client;
use hallows_linux::host::control::protocol::{Request, Response};
use hallows_linux::machine::paths::{NOT_TAKEN, PathTaken, SERVICES};

use super::stop::{machine, refused};
use crate::cli::Paths;
use crate::failure::{Failure, SOFTWARE};

/// Asks and prints; 0, or 72 if a service does not take the path that is required.
///
/// # Errors
/// When no machine answers, or nobody reads the output.
pub fn paths(options: &Paths, output: &mut impl Write) -> Result<u8, Failure> {
    let broken = |error: io::Error| Failure::other(SOFTWARE, format!("cannot write: {error}"));
    if options.list {
        return known(options.json, output).map(|()| 0).map_err(broken);
    }
    let machine = machine(options.which)?;
    let rows = match client::ask(&machine, &Request::Paths).map_err(refused)? {
        Response::Paths { paths } => paths,
        Response::Failed { error } => return Err(Failure::other(SOFTWARE, error)),
        other => return Err(Failure::other(SOFTWARE, format!("the machine answered {other:?}"))),
    };
    if options.json {
        let line = serde_json::json!({ "pid": machine.pid, "paths": rows });
        writeln!(output, "{line}").map_err(broken)?;
    } else {
        write!(output, "{}", table(&rows, Colour::for_stdout())).map_err(broken)?;
    }
    let unmet = options.requires.iter().find_map(|required| {
        let is_about = |row: &&PathTaken| row.service == required.service();
        let found = rows.iter().find(is_about);
        // The tier is not there while the cores are claimed.
        let is_met = found.map_or(required.service() != "tier", |row| required.is_met_by(row));
        (!is_met).then(|| (required, found.map_or("nothing yet".to_owned(), |row| row.path.clone())))
    });
    let Some((required, path)) = unmet else { return Ok(0) };
    output.flush().map_err(broken)?;
    Err(Failure::other(
        NOT_TAKEN,
        format!("{required} is required, and machine {} takes {path}", machine.pid),
    ))
}

/// A service in two or three lines: its path, how it works, and why not a better one.
fn table(rows: &[PathTaken], colour: Colour) -> String {
    rows.iter().fold(String::new(), |text, row| {
        let code = if row.better.is_empty() { GREEN } else { YELLOW };
        let head = format!(
            "{:<12} {}  {}\n",
            row.service,
            colour.paint(code, &format!("{:<16}", row.path)),
            row.how
        );
        let why = row.why.as_ref().map_or(String::new(), |why| {
            let better = format!("not {}: {why}", row.better.join(", "));
            colour.paint(DIM, &wrapped("             ", &better)) + "\n"
        });
        text + &head + &why
    })
}

/// All services and paths that a requirement may name.
fn known(json: bool, output: &mut impl Write) -> io::Result<()> {
    if json {
        let services: Vec<_> = SERVICES
            .iter()
            .map(|service| {
                let paths = service.paths.iter();
                let paths: Vec<_> =
                    paths.map(|path| serde_json::json!({ "path": path.name, "how": path.how })).collect();
                serde_json::json!({ "service": service.name, "what": service.what, "paths": paths })
            })
            .collect();
        return writeln!(output, "{}", serde_json::json!({ "services": services }));
    }
    for service in SERVICES {
        writeln!(output, "{}: {}", service.name, service.what)?;
        for path in service.paths {
            writeln!(output, "  {:<18} {}", path.name, path.how)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesser_path_says_what_is_better_and_why_not() {
        let paths = hallows_linux::machine::paths::Paths::default();
        paths.report_clock(false);
        use hallows_linux::machine::plan::StreamWay::{Direct, Nowhere};
        paths.report_streams(std::iter::once([Direct, Direct, Nowhere]));
        let text = table(&paths.list(), Colour::Off);
        let line = |part: &str| text.lines().find(|line| line.contains(part)).expect(part).to_owned();
        assert!(line("clock").starts_with("clock        kernel"));
        assert!(line("not counter:").contains("clock source") || text.contains("clock source"));
        assert!(line("errors").contains("null"));
    }

    #[test]
    fn the_list_names_every_path() {
        let mut output = Vec::new();
        known(false, &mut output).expect("takes everything");
        let text = String::from_utf8(output).expect("text");
        for path in SERVICES.iter().flat_map(|service| service.paths) {
            assert!(text.contains(path.name), "{}", path.name);
        }
    }
}
