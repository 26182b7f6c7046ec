//! Leaves an endpoint of its own and a region in a file-drop; when whoever picked them up says goodbye, it takes both
//! back by revoking its own.
//!
//! Granted: `drop`, the file-drop's endpoint (SEND and WATCH).
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use hallows::{
    Budget, Connection, Deadline, Error, EventKind, Form, Object, Region, Rights, Service, Start, Token,
    Transfer, Window, answer, contents, log, process, space, wait,
};
use hallows_protocols::file_drop::{Action, Greeting, Question, Request, Response, Status, name};

/// How long it waits for somebody to come: far longer than that takes, and not for ever if nobody does.
const PATIENCE: Duration = Duration::from_secs(10);

/// One page: the smallest region.
static LETTER: Window<512> = Window::new();

/// What is written into the region.
const LETTER_TEXT: &[u8] = b"dear taker, this page is mine";

fn put(store: &Connection, text: &str, what: Transfer) -> Result<(), Error> {
    let request = Request { action: Action::Put as u32, name: name(text) };
    let mut reply = [0; 4];
    store.call(&request.emit(), &[what], &mut reply, &mut [], Deadline::NEVER)?;
    match Response::parse(&reply).and_then(|response| Status::from_number(response.status)) {
        Some(Status::Done) => {
            log!("left `{text}`");
            Ok(())
        }
        status => {
            log!("the file-drop did not take `{text}`: {status:?}");
            Err(process::exit(1))
        }
    }
}

/// A page with a text, or nothing where the machine has no regions.
fn write_letter() -> Result<Option<Region>, Error> {
    let made = Budget::OWN
        .create_region(size_of_val(&LETTER) as u64)
        .and_then(|region| region.map_writable(&LETTER).map(|()| region));
    match made {
        Ok(region) => {
            // It fits: the window has 4,096 bytes.
            let _ = LETTER.write(0, LETTER_TEXT);
            Ok(Some(region))
        }
        Err(Error::Unsupported) => {
            log!("there are no regions here: no letter");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Answers questions until one is a goodbye.
fn serve(letter: u32) -> Result<(), Error> {
    let (mut buffer, mut handles) = ([0; 16], []);
    loop {
        let event = wait(&mut buffer, &mut handles, Deadline::after(PATIENCE)?)?;
        match event.kind {
            EventKind::Message => {}
            EventKind::Deadline => return Err(Error::DeadlinePassed),
            EventKind::Answer | EventKind::Notification => continue,
        }
        let (bytes, _) = contents(&event, &buffer, &handles);
        let Some(Question { goodbye }) = Question::parse(bytes) else {
            answer(Token(event.token), &[], &[])?;
            continue;
        };
        let text = if goodbye == 1 { name("goodbye, and thank you") } else { name("hello from the giver") };
        answer(Token(event.token), &Greeting { letter, text }.emit(), &[])?;
        if goodbye == 1 {
            return Ok(());
        }
    }
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let store = Connection::granted(&start, "drop")?;
    let letter = write_letter()?;
    let greeting = Budget::OWN.create_endpoint(Service::Active { queue: 4 })?;
    if let Some(letter) = letter {
        put(&store, "letter", letter.share_with(Rights::READ | Rights::TRANSFER))?;
    }
    put(&store, "greeting", greeting.share_with(Rights::SEND | Rights::TRANSFER))?;
    serve(u32::from(letter.is_some()))?;
    space::revoke(greeting)?;
    if let Some(letter) = letter {
        space::revoke(letter)?;
    }
    log!("took back what it left");
    Ok(())
}
