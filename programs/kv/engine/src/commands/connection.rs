//! Commands about a connection.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use super::Answered;
use crate::call::{Call, int, is};
use crate::command::wrong_count;
use crate::engine;
use crate::output::Version;
use crate::refusal::Refusal;
use crate::session::Info;

/// The version of redis whose commands are followed, as clients are told.
pub const VERSION: &str = "7.2.0";

/// `PING`.
pub fn ping(call: &mut Call<'_>) -> Answered {
    match call.words {
        [_] => call.out.simple("PONG"),
        [_, text] => call.out.bulk(text),
        _ => return Err(wrong_count("ping")),
    }
    Ok(())
}

/// `ECHO`.
pub fn echo(call: &mut Call<'_>) -> Answered {
    call.out.bulk(call.words[1]);
    Ok(())
}

/// `SELECT`.
pub fn select(call: &mut Call<'_>) -> Answered {
    call.client.database = database(call, call.words[1])?;
    if let Some(info) = call.server.clients.get_mut(&call.client.id) {
        info.database = call.client.database;
    }
    call.out.ok();
    Ok(())
}

/// The number of a database.
pub fn database(call: &Call<'_>, word: &[u8]) -> Result<usize, Refusal> {
    let number = usize::try_from(int(word)?).ok().filter(|number| *number < call.store.config.databases);
    number.ok_or(Refusal::of("ERR DB index is out of range"))
}

fn version(call: &mut Call<'_>, version: Version) {
    call.out.version = version;
    if let Some(info) = call.server.clients.get_mut(&call.client.id) {
        info.protocol = if version == Version::Resp3 { 3 } else { 2 };
    }
}

const NO_PASSWORD: Refusal = Refusal::of(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
);

/// `HELLO`.
pub fn hello(call: &mut Call<'_>) -> Answered {
    let mut chosen = call.out.version;
    let mut name = None;
    if let [_, number, options @ ..] = call.words {
        chosen = match *number {
            b"2" => Version::Resp2,
            b"3" => Version::Resp3,
            other => {
                let is_number = int(other).is_ok();
                let unknown = Refusal::of("ERR Protocol version is not an integer or out of range");
                return Err(if is_number {
                    Refusal::of("NOPROTO unsupported protocol version")
                } else {
                    unknown
                });
            }
        };
        let mut options = options;
        while let [option, rest @ ..] = options {
            options = match rest {
                [_, _, ..] if is(option, "auth") => return Err(NO_PASSWORD),
                [value, rest @ ..] if is(option, "setname") => {
                    name = Some(*value);
                    rest
                }
                _ => {
                    let option = String::from_utf8_lossy(option);
                    return Err(Refusal::from(format!("ERR Syntax error in HELLO option '{option}'")));
                }
            };
        }
    }
    if let Some(name) = name {
        set_name(call, name)?;
    }
    version(call, chosen);
    let out = &mut *call.out;
    out.map(7);
    for (name, value) in [("server", "redis"), ("version", VERSION)] {
        out.bulk(name.as_bytes());
        out.bulk(value.as_bytes());
    }
    out.bulk(b"proto");
    out.integer(if chosen == Version::Resp3 { 3 } else { 2 });
    out.bulk(b"id");
    out.integer(i64::try_from(call.client.id).unwrap_or(i64::MAX));
    for (name, value) in [("mode", "standalone"), ("role", "master")] {
        out.bulk(name.as_bytes());
        out.bulk(value.as_bytes());
    }
    out.bulk(b"modules");
    out.array(0);
    Ok(())
}

/// `AUTH`.
pub fn auth(_: &mut Call<'_>) -> Answered {
    Err(NO_PASSWORD)
}

/// `QUIT`.
pub fn quit(call: &mut Call<'_>) -> Answered {
    call.client.is_leaving = true;
    call.out.ok();
    Ok(())
}

/// `RESET`.
pub fn reset(call: &mut Call<'_>) -> Answered {
    call.client.queue = None;
    call.client.database = 0;
    engine::unwatch(call.store, call.client);
    version(call, Version::Resp2);
    if let Some(info) = call.server.clients.get_mut(&call.client.id) {
        info.name = String::new();
        info.database = 0;
    }
    call.out.simple("RESET");
    Ok(())
}

/// A name that may stand in a list of clients.
fn name_of(word: &[u8], what: &str) -> Result<String, Refusal> {
    let is_name = word.iter().all(|byte| (b'!'..=b'~').contains(byte));
    let wrong =
        || Refusal::from(format!("ERR {what} cannot contain spaces, newlines or special characters."));
    is_name.then(|| String::from_utf8_lossy(word).into_owned()).ok_or_else(wrong)
}

fn set_name(call: &mut Call<'_>, name: &[u8]) -> Answered {
    let name = name_of(name, "Client names")?;
    if let Some(info) = call.server.clients.get_mut(&call.client.id) {
        info.name = name;
    }
    Ok(())
}

/// A line about a client.
fn line(id: u64, info: &Info, now: u64) -> String {
    let Info { peer, name, library: [library, version], database, protocol, since } = info;
    let age = now.saturating_sub(*since) / 1_000;
    format!(
        "id={id} addr={peer} name={name} age={age} db={database} resp={protocol} lib-name={library} lib-ver={version}\n"
    )
}

/// `CLIENT`.
pub fn client(call: &mut Call<'_>) -> Answered {
    let id = call.client.id;
    match &call.words[1..] {
        [word] if is(word, "id") => call.out.integer(i64::try_from(id).unwrap_or(i64::MAX)),
        [word] if is(word, "getname") => match call.server.clients.get(&id) {
            Some(info) if !info.name.is_empty() => call.out.bulk(info.name.as_bytes()),
            _ => call.out.null(),
        },
        [word, name] if is(word, "setname") => {
            set_name(call, name)?;
            call.out.ok();
        }
        [word, option, value] if is(word, "setinfo") => {
            let place = match option {
                option if is(option, "lib-name") => 0,
                option if is(option, "lib-ver") => 1,
                _ => {
                    let option = String::from_utf8_lossy(option);
                    return Err(Refusal::from(format!("ERR Unrecognized option '{option}'")));
                }
            };
            let value = name_of(value, if place == 0 { "lib-name" } else { "lib-ver" })?;
            if let Some(info) = call.server.clients.get_mut(&id) {
                info.library[place] = value;
            }
            call.out.ok();
        }
        [word] if is(word, "info") => {
            let text = call.server.clients.get(&id).map(|info| line(id, info, call.store.now));
            call.out.verbatim(&text.unwrap_or_default());
        }
        [word, ..] if is(word, "list") => {
            let mut text = String::new();
            for (id, info) in &call.server.clients {
                let _ = write!(text, "{}", line(*id, info, call.store.now));
            }
            call.out.verbatim(&text);
        }
        [word, options @ ..] if is(word, "kill") => kill(call, options)?,
        [word, mode] if is(word, "no-evict") || is(word, "no-touch") => {
            if !is(mode, "on") && !is(mode, "off") {
                return Err(Refusal::SYNTAX);
            }
            call.out.ok();
        }
        [word, ..]
            if ["id", "getname", "setname", "setinfo", "info", "no-evict", "no-touch"]
                .iter()
                .any(|name| is(word, name)) =>
        {
            let word = String::from_utf8_lossy(word).to_ascii_lowercase();
            return Err(wrong_count(&format!("client|{word}")));
        }
        [word, ..] => return Err(unknown_subcommand(word, "CLIENT")),
        [] => return Err(wrong_count("client")),
    }
    Ok(())
}

/// No such subcommand.
pub fn unknown_subcommand(word: &[u8], command: &str) -> Refusal {
    let word = String::from_utf8_lossy(word);
    Refusal::from(format!("ERR unknown subcommand '{word}'. Try {command} HELP."))
}

/// `CLIENT KILL`.
fn kill(call: &mut Call<'_>, options: &[&[u8]]) -> Answered {
    let server = &mut *call.server;
    match options {
        [address] => {
            let found =
                server.clients.iter().find(|(_, info)| info.peer.as_bytes() == *address).map(|(id, _)| *id);
            let id = found.ok_or(Refusal::of("ERR No such client"))?;
            server.killed.push(id);
            server.wake.push(id);
            call.out.ok();
        }
        [option, value] if is(option, "id") || is(option, "addr") => {
            let id = int(value).ok().and_then(|id| u64::try_from(id).ok());
            if is(option, "id") && id.is_none() {
                return Err(Refusal::of("ERR client-id should be greater than 0"));
            }
            let is_meant = |(other, client): &(&u64, &Info)| {
                if is(option, "id") { Some(**other) == id } else { client.peer.as_bytes() == *value }
            };
            let found = server.clients.iter().find(is_meant).map(|(id, _)| *id);
            // The one that asks is not killed, unless it says so, as redis does.
            let found = found.filter(|id| *id != call.client.id);
            server.killed.extend(found);
            server.wake.extend(found);
            call.out.count(found.into_iter().count());
        }
        _ => return Err(Refusal::SYNTAX),
    }
    Ok(())
}
