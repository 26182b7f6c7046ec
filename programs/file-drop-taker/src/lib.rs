//! Picks an endpoint and a region up from a file-drop, uses both, and sees them go when their owner takes them back.
//!
//! Granted: `drop`, the file-drop's endpoint (SEND and WATCH).
#![no_std]
#![forbid(unsafe_code)]

use core::str::from_utf8;
use core::time::Duration;

use hallows::{
    Connection, Deadline, Endpoint, Error, Form, Handle, Object, Region, Start, Window, log, process,
};
use hallows_protocols::file_drop::{Action, Greeting, Question, Request, Response, Status, name};

/// Where the giver's page is shown.
static LETTER: Window<512> = Window::new();

/// How long it waits for the giver: far longer than that takes, and not for ever if the giver failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of the page is read.
const LETTER_BYTES: usize = 29;

/// Waits until something is left under this name.
fn take<T: Object>(store: &Connection, text: &str) -> Result<T, Error> {
    let request = Request { action: Action::Take as u32, name: name(text) };
    let (mut reply, mut handles) = ([0; 4], [Handle::NULL]);
    let deadline = Deadline::after(PATIENCE)?;
    let outcome = store.call(&request.emit(), &[], &mut reply, &mut handles, deadline)?;
    let status = Response::parse(&reply).and_then(|response| Status::from_number(response.status));
    if status != Some(Status::Done) || outcome.handles != 1 {
        log!("the file-drop did not give `{text}`: {status:?}");
        return Err(process::exit(1));
    }
    log!("picked up `{text}`");
    Ok(T::from_handle(handles[0]))
}

fn ask(giver: Endpoint, goodbye: u32) -> Result<Greeting, Error> {
    giver.ask(&Question { goodbye }, Deadline::after(PATIENCE)?)
}

fn text(bytes: &[u8]) -> &str {
    from_utf8(bytes).unwrap_or("(no text)").trim_end_matches('\0')
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let store = Connection::granted(&start, "drop")?;
    let giver: Endpoint = take(&store, "greeting")?;
    let greeting = ask(giver, 0)?;
    log!("the giver says: {}", text(&greeting.text));

    let letter: Option<Region> = if greeting.letter == 1 { Some(take(&store, "letter")?) } else { None };
    if let Some(letter) = letter {
        letter.map(&LETTER)?;
        let mut page = [0; LETTER_BYTES];
        let _ = LETTER.read(0, &mut page);
        log!("the letter says: {}", text(&page));
    }

    log!("the giver says: {}", text(&ask(giver, 1)?.text));
    // The giver answers nothing more: this call ends when it revokes, or finds the capability gone.
    match ask(giver, 0) {
        Err(error @ (Error::Revoked | Error::BadHandle)) => log!("the endpoint is gone: {error}"),
        other => {
            log!("the endpoint should be gone, and gave {other:?}");
            return Err(process::exit(1));
        }
    }
    if let Some(letter) = letter {
        // The giver revokes the endpoint first: until the region goes too, its size can be asked for.
        let error = loop {
            if let Err(error) = letter.size() {
                break error;
            }
            process::yield_now()?;
        };
        let mut page = [1; LETTER_BYTES];
        let _ = LETTER.read(0, &mut page);
        let zeroes = page.iter().all(|byte| *byte == 0);
        log!(
            "the region is gone: {error}; where it was, there are {}",
            if zeroes { "zeroes" } else { "other bytes" }
        );
        if !zeroes {
            return Err(process::exit(1));
        }
    }
    Ok(())
}
