//! Who takes part, and how each is started.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use hallows_load::{Protocol, Server, free_port, installed};

use crate::{DemoError, Placement};

/// A server of others listens within milliseconds; on a busy host it takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// A machine of ours may have to compile its programs first.
const PATIENCE_OURS: Duration = Duration::from_secs(120);
/// Memory for memcached's values, in MiB: more than is stored by default, many times over.
const MEMCACHED_MIB: u32 = 1_024;

/// Ours, or one that the user brings: how it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Its name in reports.
    pub name: String,
    /// The command. `{port}` is where it must listen, on 127.0.0.1.
    pub words: Vec<String>,
    /// What it speaks.
    pub protocol: Protocol,
}

impl Own {
    /// `NAME=COMMAND`, or `NAME=memcached:COMMAND` for one that speaks memcached's protocol.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').ok_or_else(|| {
            format!("'{text}' has no name; write NAME=COMMAND, for example mine='my-server --port {{port}}'")
        })?;
        let is_name = !name.is_empty()
            && name.len() <= 24
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
        if !is_name {
            return Err(format!("'{name}' is no name; it has 1 to 24 of a to z, 0 to 9, '-', '_' and '.'"));
        }
        let (protocol, command) = match command.strip_prefix("memcached:") {
            Some(command) => (Protocol::Memcached, command),
            None => (Protocol::Resp, command),
        };
        let words = shlex::split(command)
            .filter(|words| !words.is_empty())
            .ok_or_else(|| format!("'{command}' is no command; are all quotes closed?"))?;
        if !words.iter().any(|word| word.contains("{port}")) {
            return Err(format!("'{command}' does not say where it listens: {{port}} stands for the port"));
        }
        Ok(Self { name: name.to_owned(), words, protocol })
    }
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Ours, which the others are compared with.
    Ours,
    /// Another one.
    Rival,
}

/// Somebody who may take part.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub part: Part,
    /// How it is started, or why it is not here and how to get it.
    pub server: Result<Server, String>,
    /// What it says its version is.
    pub version: String,
}

/// Everybody: ours, those of Linux, those that the user brings. `ours` is how ours is started, or why it cannot be. `only`: names of those who take part; all,
/// if there is none.
///
/// # Errors
/// [`DemoError::Argument`] if a name is unknown or given twice.
pub fn contenders(
    ours: Result<Own, String>,
    brought: &[Own],
    only: &[String],
    placement: &Placement,
) -> Result<Vec<Contender>, DemoError> {
    let mut all = vec![match ours {
        Ok(own) => started(&own, Part::Ours, placement)?,
        Err(why) => {
            Contender { name: "ours".to_owned(), part: Part::Ours, server: Err(why), version: String::new() }
        }
    }];
    for (name, program, package) in [
        ("redis", "redis-server", "redis-server"),
        ("valkey", "valkey-server", "valkey"),
        ("memcached", "memcached", "memcached"),
    ] {
        all.push(known(name, program, package, placement)?);
    }
    for own in brought {
        all.push(started(own, Part::Rival, placement)?);
    }
    for (place, one) in all.iter().enumerate() {
        if all[..place].iter().any(|other| other.name == one.name) {
            return Err(DemoError::Argument(format!("there are two contenders with the name {}", one.name)));
        }
    }
    if let Some(unknown) = only.iter().find(|name| !all.iter().any(|one| one.name == **name)) {
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        return Err(DemoError::Argument(format!(
            "'{unknown}' is no contender; there are {}",
            names.join(", ")
        )));
    }
    all.retain(|one| only.is_empty() || only.contains(&one.name));
    Ok(all)
}

/// One that is started as somebody says.
fn started(own: &Own, part: Part, placement: &Placement) -> Result<Contender, DemoError> {
    let port = free_port()?;
    let words: Vec<String> = own.words.iter().map(|word| word.replace("{port}", &port.to_string())).collect();
    let (program, arguments) =
        words.split_first().ok_or_else(|| DemoError::Argument(format!("{} has no command", own.name)))?;
    let server = server(&own.name, PathBuf::from(program), arguments.to_vec(), own.protocol, port, placement);
    let patience = if part == Part::Ours { PATIENCE_OURS } else { PATIENCE };
    Ok(Contender {
        name: own.name.clone(),
        part,
        server: Ok(Server { patience, ..server }),
        version: String::new(),
    })
}

/// One of Linux's.
fn known(name: &str, program: &str, package: &str, placement: &Placement) -> Result<Contender, DemoError> {
    let absent = |why: String| Contender {
        name: name.to_owned(),
        part: Part::Rival,
        server: Err(why),
        version: String::new(),
    };
    let Some(path) = installed(program) else {
        return Ok(absent(format!("{program} is not installed; to see it here: apt-get install {package}")));
    };
    let port = free_port()?;
    let (protocol, arguments, asks) = if name == "memcached" {
        (Protocol::Memcached, memcached(port, placement), "-V")
    } else {
        (Protocol::Resp, redis(port), "--version")
    };
    let version = version(&path, asks);
    let server = server(name, path, arguments, protocol, port, placement);
    Ok(Contender { name: name.to_owned(), part: Part::Rival, server: Ok(server), version })
}

fn server(
    name: &str,
    program: PathBuf,
    arguments: Vec<String>,
    protocol: Protocol,
    port: u16,
    placement: &Placement,
) -> Server {
    Server {
        name: name.to_owned(),
        program,
        arguments,
        address: ([127, 0, 0, 1], port).into(),
        protocol,
        cores: placement.contenders.clone(),
        patience: PATIENCE,
    }
}

/// redis and valkey as a cache: nothing is written to a disk, by anybody here.
fn redis(port: u16) -> Vec<String> {
    let port = port.to_string();
    ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]
        .map(str::to_owned)
        .to_vec()
}

/// memcached with a thread for each core.
fn memcached(port: u16, placement: &Placement) -> Vec<String> {
    let (port, threads, memory) =
        (port.to_string(), placement.contenders.len().to_string(), MEMCACHED_MIB.to_string());
    let mut arguments =
        ["-l", "127.0.0.1", "-p", &port, "-U", "0", "-t", &threads, "-m", &memory, "-c", "12000"]
            .map(str::to_owned)
            .to_vec();
    if rustix::process::geteuid().is_root() {
        // Without it, it does not run as root.
        arguments.extend(["-u".to_owned(), "root".to_owned()]);
    }
    arguments
}

/// The first line of what a program says of itself.
fn version(program: &PathBuf, asks: &str) -> String {
    let output = Command::new(program).arg(asks).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement() -> Placement {
        Placement { contenders: vec![0], generator: 0, neighbour: None }
    }

    #[test]
    fn who_is_brought_is_read_with_its_words_and_its_protocol() {
        let own = Own::parse("mine=/bin/server --port {port} --dir 'a b'").expect("well");
        assert_eq!(own.words, ["/bin/server", "--port", "{port}", "--dir", "a b"]);
        assert_eq!((own.name.as_str(), own.protocol), ("mine", Protocol::Resp));
        assert_eq!(Own::parse("m2=memcached:mc -p {port}").expect("well").protocol, Protocol::Memcached);
        for bad in ["mine", "=x {port}", "a b=x {port}", "mine=", "mine=server", "mine='x {port}"] {
            assert!(Own::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn everybody_is_there_or_it_is_said_how_to_get_him() {
        let all = contenders(Err("not built in".to_owned()), &[], &[], &placement()).expect("well");
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["ours", "redis", "valkey", "memcached"]);
        for one in &all[1..] {
            match &one.server {
                Ok(server) => assert!(server.program.is_file() && !one.version.is_empty(), "{one:?}"),
                Err(why) => assert!(why.contains("apt-get install"), "{why}"),
            }
        }
        assert_eq!(all[0].server.as_ref().expect_err("absent"), "not built in");
    }

    #[test]
    fn some_can_be_chosen_and_names_are_not_given_twice() {
        let mine = Own::parse("mine=server {port}").expect("well");
        let chosen = |brought: &[Own], only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            contenders(Err(String::new()), brought, &only, &placement())
                .map(|all| all.into_iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(chosen(std::slice::from_ref(&mine), &["redis", "mine"]).expect("well"), ["redis", "mine"]);
        assert!(chosen(&[], &["mine"]).expect_err("unknown").to_string().contains("there are ours, redis"));
        assert!(chosen(&[mine.clone(), mine], &[]).is_err());
        let server =
            contenders(Ok(Own::parse("ours=hallows run kv {port}").expect("well")), &[], &[], &placement())
                .expect("well")[0]
                .server
                .clone()
                .expect("a command");
        assert_eq!(server.arguments.last().expect("a port"), &server.address.port().to_string());
    }
}
