//! The line editor: history, completion of commands and names, and lines of others above the one that is being edited.

use std::time::{Duration, Instant};

use hallows_linux::host::control::client::{self, RunningMachine};
use hallows_linux::host::control::protocol::{Request, Response};
use rustyline::completion::Completer;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Context, ExternalPrinter, Helper};

use super::command;

/// Lines that are remembered.
const HISTORY: usize = 1_000;
/// How long names that were asked for are good: while one presses Tab twice.
const NAMES_LAST: Duration = Duration::from_secs(1);
/// What stands before a line.
const PROMPT: &str = "hallows> ";

/// A line, as it was edited.
pub enum Line {
    /// It.
    Text(String),
    /// Ctrl-C: not this one.
    Abandoned,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// The editor.
pub struct Editor(rustyline::Editor<Completions, DefaultHistory>);

/// Prints above the line that is being edited.
pub struct Printer(Box<dyn ExternalPrinter + Send>);

impl Printer {
    /// Prints lines. If the terminal is gone, nobody misses them.
    pub fn print(&mut self, text: String) {
        let _ = self.0.print(text);
    }
}

impl Editor {
    /// With the names of a machine.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn new(machine: &RunningMachine) -> rustyline::Result<Self> {
        let mut editor = rustyline::Editor::new()?;
        editor.set_max_history_size(HISTORY)?;
        editor
            .set_helper(Some(Completions { machine: machine.clone(), names: std::cell::RefCell::default() }));
        Ok(Self(editor))
    }

    /// Where others print; nothing on a terminal that cannot.
    pub fn printer(&mut self) -> Option<Printer> {
        self.0.create_external_printer().ok().map(|printer| Printer(Box::new(printer)))
    }

    /// The next line.
    pub fn read(&mut self) -> Line {
        match self.0.readline(PROMPT) {
            Ok(line) => {
                if !line.trim().is_empty() {
                    let _ = self.0.add_history_entry(line.as_str());
                }
                Line::Text(line)
            }
            Err(ReadlineError::Interrupted) => Line::Abandoned,
            Err(_) => Line::End,
        }
    }
}

/// What can stand at a place of a line.
struct Completions {
    machine: RunningMachine,
    names: std::cell::RefCell<Option<(Instant, Names)>>,
}

#[derive(Clone, Default)]
struct Names {
    cells: Vec<String>,
    endpoints: Vec<String>,
}

impl Completions {
    fn names(&self) -> Names {
        let mut kept = self.names.borrow_mut();
        if let Some((asked, names)) = kept.as_ref()
            && asked.elapsed() < NAMES_LAST
        {
            return names.clone();
        }
        let mut names = Names::default();
        if let Ok(Response::Statistics(statistics)) = client::ask(&self.machine, &Request::Statistics) {
            for cell in statistics.cells {
                names.cells.push(cell.status.name);
                names.endpoints.extend(cell.serves);
            }
        }
        *kept = Some((Instant::now(), names.clone()));
        names
    }
}

/// What the word at the end of a line can be.
fn candidates(line: &str, names: impl FnOnce() -> Names) -> (usize, Vec<String>) {
    let start = line
        .rfind(|character: char| character.is_whitespace() || character == '=')
        .map_or(0, |place| place + 1);
    let (before, word) = line.split_at(start);
    let words: Vec<&str> = before.split_whitespace().collect();
    let all = match words.as_slice() {
        [] | ["help"] => command::names(),
        ["inspect" | "caps" | "stop" | "kill" | "restart"] => names().cells,
        ["send"] => names().endpoints,
        ["start"] => crate::embedded::names().into_iter().map(str::to_owned).collect(),
        ["start", .., "--use"] => Vec::new(),
        ["start", .., last]
            if before.ends_with('=') && words.contains(&"--use") && !last.starts_with("--") =>
        {
            names().endpoints
        }
        _ => Vec::new(),
    };
    (start, all.into_iter().filter(|candidate| candidate.starts_with(word)).collect())
}

impl Completer for Completions {
    type Candidate = String;

    fn complete(&self, line: &str, place: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let line = line.get(..place).unwrap_or(line);
        Ok(candidates(line, || self.names()))
    }
}

impl Hinter for Completions {
    type Hint = String;
}

impl Highlighter for Completions {}
impl Validator for Completions {}
impl Helper for Completions {}

#[cfg(test)]
mod tests {
    use super::{Names, candidates};

    fn of(line: &str) -> (usize, Vec<String>) {
        candidates(line, || Names {
            cells: vec!["calculator".to_owned(), "counter".to_owned()],
            endpoints: vec!["calculator.calc".to_owned(), "counter.counter".to_owned()],
        })
    }

    #[test]
    fn each_place_of_a_line_has_its_names() {
        assert_eq!(of("ins"), (0, vec!["inspect".to_owned()]));
        assert_eq!(of("help se"), (5, vec!["send".to_owned()]));
        assert_eq!(of("kill co"), (5, vec!["counter".to_owned()]));
        assert_eq!(of("send c").1.len(), 2);
        assert_eq!(of("start calculator-c"), (6, vec!["calculator-client".to_owned()]));
        assert_eq!(of("start p --use calc=cal"), (19, vec!["calculator.calc".to_owned()]));
        assert_eq!(of("kill counter co"), (13, vec![]));
    }
}
