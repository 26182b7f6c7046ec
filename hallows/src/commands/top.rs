//! `hallows top`: a machine live.

mod picture;
mod rates;

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use hallows_linux::host::control::client::{Connection, RunningMachine};
use hallows_linux::host::control::inspection::Statistics;
use hallows_linux::host::control::protocol::{Request, Response};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use self::rates::Rates;
use super::stop::{machine, refused};
use crate::cli::{SortBy, Top};
use crate::failure::{Failure, SOFTWARE};

/// Shows a machine until one ends it, or once.
///
/// # Errors
/// When there is no such machine, or it ends meanwhile; when nobody reads the output.
pub fn top(options: Top) -> Result<(), Failure> {
    let machine = machine(options.which)?;
    let watch = Watch::new(&machine)?;
    let interval = Duration::from_secs_f64(options.interval);
    if options.json {
        lines(watch, interval, options.once)
    } else if options.once || !io::stdout().is_terminal() {
        let rates = watch.once(interval)?;
        let text = picture::plain(&machine, &rates, options.sort);
        io::stdout().write_all(text.as_bytes()).map_err(broken)
    } else {
        live(&machine, watch, interval, options.sort)
    }
}

fn broken(error: io::Error) -> Failure {
    Failure::other(SOFTWARE, format!("cannot write: {error}"))
}

/// Takes samples, and makes rates of the last two.
struct Watch {
    connection: Connection,
    last: Statistics,
}

impl Watch {
    fn new(machine: &RunningMachine) -> Result<Self, Failure> {
        let mut connection = Connection::open(machine).map_err(refused)?;
        let last = sample(&mut connection)?;
        Ok(Self { connection, last })
    }

    fn next(&mut self) -> Result<Rates, Failure> {
        let now = sample(&mut self.connection)?;
        let rates = Rates::between(&self.last, &now);
        self.last = now;
        Ok(rates)
    }

    fn once(mut self, interval: Duration) -> Result<Rates, Failure> {
        std::thread::sleep(interval);
        self.next()
    }
}

fn sample(connection: &mut Connection) -> Result<Statistics, Failure> {
    match connection.ask(&Request::Statistics).map_err(refused)? {
        Response::Statistics(statistics) => Ok(*statistics),
        Response::Failed { error } => Err(Failure::other(SOFTWARE, error)),
        other => Err(Failure::other(SOFTWARE, format!("the machine answered {other:?}"))),
    }
}

/// A JSON object a sample.
fn lines(mut watch: Watch, interval: Duration, once: bool) -> Result<(), Failure> {
    loop {
        std::thread::sleep(interval);
        let line = serde_json::to_string(&watch.next()?).map_err(|error| Failure::other(SOFTWARE, error))?;
        let mut output = io::stdout();
        writeln!(output, "{line}").and_then(|()| output.flush()).map_err(broken)?;
        if once {
            return Ok(());
        }
    }
}

/// The whole terminal, which is put back at the end.
fn live(machine: &RunningMachine, mut watch: Watch, interval: Duration, sort: SortBy) -> Result<(), Failure> {
    let mut terminal = ratatui::try_init().map_err(broken)?;
    let mut shown = picture::Shown { sort, help: false };
    let mut rates = Rates::between(&watch.last, &watch.last);
    let mut due = Instant::now() + interval;
    let ended = loop {
        if let Err(error) = terminal.draw(|frame| picture::draw(frame, machine, &rates, shown)) {
            break Err(broken(error));
        }
        match press(due.saturating_duration_since(Instant::now())) {
            Ok(Some(Key::End)) => break Ok(()),
            Ok(Some(Key::Help)) => shown.help = !shown.help,
            Ok(Some(Key::Sort(sort))) => shown.sort = sort,
            Ok(None) => {}
            // The terminal is gone.
            Err(_) => break Ok(()),
        }
        if Instant::now() >= due {
            match watch.next() {
                Ok(next) => rates = next,
                Err(failure) => break Err(failure),
            }
            due = Instant::now() + interval;
        }
    };
    ratatui::restore();
    ended
}

enum Key {
    End,
    Help,
    Sort(SortBy),
}

/// The next key that means something, if it is pressed within that time.
fn press(within: Duration) -> io::Result<Option<Key>> {
    if !event::poll(within)? {
        return Ok(None);
    }
    let Event::Key(key) = event::read()? else { return Ok(None) };
    if key.kind == KeyEventKind::Release {
        return Ok(None);
    }
    Ok(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Key::End),
        KeyCode::Char('q') | KeyCode::Esc => Some(Key::End),
        KeyCode::Char('h' | '?') => Some(Key::Help),
        KeyCode::Char('c') => Some(Key::Sort(SortBy::Cpu)),
        KeyCode::Char('s') => Some(Key::Sort(SortBy::Calls)),
        KeyCode::Char('m') => Some(Key::Sort(SortBy::Memory)),
        KeyCode::Char('r') => Some(Key::Sort(SortBy::Restarts)),
        KeyCode::Char('n') => Some(Key::Sort(SortBy::Name)),
        _ => None,
    })
}
