//! What goes on until a key is pressed: faults and lines of the log as they come.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use ratatui::crossterm::event;
use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::failure::{Failure, SOFTWARE};

/// How often the machine is asked: a person sees no difference, and it costs next to nothing.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A terminal that gives single keys; as it was when dropped.
struct Keys;

impl Keys {
    fn take() -> Option<Self> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        enable_raw_mode().ok().map(|()| Self)
    }

    /// Whether a key was pressed while one waited.
    fn is_pressed() -> bool {
        let pressed = event::poll(ASK_EVERY).unwrap_or(true);
        pressed && matches!(event::read(), Ok(event::Event::Key(_)) | Err(_))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
    }
}

/// Writes what `next` gives, again and again, until a key is pressed; where there are no keys, until nobody reads it.
///
/// # Errors
/// Those of `next`; when nobody reads any more, that.
pub fn follow(
    output: &mut dyn Write,
    mut next: impl FnMut() -> Result<String, Failure>,
) -> Result<(), Failure> {
    let keys = Keys::take();
    loop {
        let text = next()?;
        if !text.is_empty() {
            // Without its usual mode a terminal only goes down at the end of a line.
            let text = if keys.is_some() { text.replace('\n', "\r\n") } else { text };
            let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
            written.map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))?;
        }
        match keys {
            Some(_) if Keys::is_pressed() => return Ok(()),
            Some(_) => {}
            None => std::thread::sleep(ASK_EVERY),
        }
    }
}
