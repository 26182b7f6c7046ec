//! What a payload holds: a head of JSON with its length before it, and behind it the bytes that the head names.

use std::ops::Range;

use hallows_linux::host::core_set::CoreSet;
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::machine::paths::Requirement;
use serde::{Deserialize, Serialize};

use crate::network::Network;

/// A payload, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The application's name, for people.
    pub name: String,
    /// What runs.
    pub what: What,
    /// WebAssembly, under the paths that a system has for it; of a program, under its name.
    pub files: Vec<File>,
    /// What programs were compiled for, as `Settings::fingerprint` has it.
    pub settings: String,
    /// What the artefacts are sealed with. It is no secret: who can write to this file can make it do anything.
    pub seal_key: [u8; 32],
    /// Compiled programs.
    pub artifacts: Vec<Artifact>,
    /// How the machine is set up if nobody says otherwise.
    pub options: Options,
    /// Arguments, before those that are given at the start.
    pub arguments: Vec<Vec<u8>>,
    /// Variables of the environment: `NAME=value`, or `NAME` for its value at the start.
    pub variables: Vec<Vec<u8>>,
    /// Directories of the host that the program is given.
    pub directories: Vec<Granted>,
    /// Directories that whoever starts it must name.
    pub asked: Vec<Asked>,
    /// The bytes behind the head.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// What a payload runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A program of [`Contents::files`].
    #[default]
    File,
    /// A program that hallows carries.
    BuiltIn(String),
    /// A program that is linked in.
    Native(String),
    /// A system.
    System {
        /// Its file's name, for messages.
        file: String,
        /// Its text.
        text: String,
    },
}

/// A file of WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it is called.
    pub path: String,
    /// Where it is in [`Contents::bytes`].
    pub place: Range<usize>,
}

/// A compiled program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The hash of what it was compiled from.
    pub program: [u8; 32],
    /// Where it is in [`Contents::bytes`].
    pub place: Range<usize>,
}

/// How a machine is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Cores of programs.
    pub cores: Option<CoreSet>,
    /// Cores of timekeeper and cleaner.
    pub housekeeping: Option<CoreSet>,
    /// Memory of all programs.
    pub memory: Option<ByteSize>,
    /// Only pin (`true`), or take the cores as far as possible; by the kind of program if nothing.
    pub only_shared: Option<bool>,
    /// The quantum, in microseconds.
    pub quantum_us: Option<u64>,
    /// What a Unix program may use of its stack.
    #[serde(default)]
    pub stack: Option<ByteSize>,
    /// What must not fall back.
    pub requires: Vec<Requirement>,
    /// What it is given of the host's network.
    #[serde(default)]
    pub networks: Vec<Network>,
}

/// A directory that is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// On the host, from where the executable is started.
    pub host: Vec<u8>,
    /// What the program knows it by.
    pub guest: String,
    /// It may not be changed.
    pub read_only: bool,
}

/// A directory that is asked for at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What the program knows it by.
    pub guest: String,
    /// It may not be changed.
    pub read_only: bool,
}

impl std::str::FromStr for Asked {
    type Err = String;

    /// `GUEST` or `GUEST:ro`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (guest, read_only) = text.strip_suffix(":ro").map_or((text, false), |guest| (guest, true));
        if guest.is_empty() || guest.contains(':') {
            return Err("write GUEST or GUEST:ro: the directory of the host is said at the start".to_owned());
        }
        Ok(Self { guest: guest.to_owned(), read_only })
    }
}

impl Contents {
    /// Puts bytes behind the head; where they are.
    pub fn add(&mut self, bytes: &[u8]) -> Range<usize> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        begin..self.bytes.len()
    }

    /// Its form in a file.
    ///
    /// # Errors
    /// Never, as it holds nothing that JSON cannot.
    pub fn emit(&self) -> Result<Vec<u8>, serde_json::Error> {
        let head = serde_json::to_vec(self)?;
        let mut form = (head.len() as u64).to_le_bytes().to_vec();
        form.extend_from_slice(&head);
        form.extend_from_slice(&self.bytes);
        Ok(form)
    }

    /// From its form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(mut form: Vec<u8>) -> Result<Self, String> {
        let (length, rest) = form.split_first_chunk().ok_or("it is too short")?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let head = rest.get(..length).ok_or("its head is cut off")?;
        let mut contents: Self = serde_json::from_slice(head)
            .map_err(|error| format!("another version of hallows has written its head: {error}"))?;
        form.drain(..8 + length);
        let places = contents.files.iter().map(|file| &file.place);
        let mut places = places.chain(contents.artifacts.iter().map(|artifact| &artifact.place));
        if places.any(|place| form.get(place.clone()).is_none()) {
            return Err("its head names bytes that are not there".to_owned());
        }
        contents.bytes = form;
        Ok(contents)
    }

    /// The bytes at a place; nothing where there are none.
    pub fn at(&self, place: &Range<usize>) -> &[u8] {
        self.bytes.get(place.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_emitted_is_parsed() {
        let mut contents = Contents { name: "sort".to_owned(), ..Contents::default() };
        let file = contents.add(b"wasm");
        contents.files.push(File { path: "a/b.wasm".to_owned(), place: file });
        let artifact = contents.add(b"artefact");
        contents.artifacts.push(Artifact { program: [7; 32], place: artifact });
        contents.options.requires.push("tier=shared".parse().expect("known"));
        contents.arguments.push(vec![0xff, b'a']);
        let form = contents.emit().expect("is JSON");
        let parsed = Contents::parse(form.clone()).expect("is whole");
        assert_eq!(parsed, contents);
        assert_eq!(parsed.at(&parsed.artifacts[0].place), b"artefact");
        // Whatever is cut off is missed.
        for length in 0..form.len() {
            assert!(Contents::parse(form[..length].to_vec()).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn directories_to_be_asked_for_have_no_host_yet() {
        assert_eq!("/data".parse(), Ok(Asked { guest: "/data".to_owned(), read_only: false }));
        assert_eq!("/data:ro".parse(), Ok(Asked { guest: "/data".to_owned(), read_only: true }));
        for wrong in ["", ":ro", "a:/data", "a:/data:ro"] {
            assert!(wrong.parse::<Asked>().is_err(), "{wrong}");
        }
    }
}
