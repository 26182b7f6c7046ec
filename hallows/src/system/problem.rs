//! What is wrong with a system description: where, and what is allowed there.

use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// Something wrong in a description. Its plain text names file and line; as a diagnostic it shows the place as well.
#[derive(Debug, Diagnostic, Error)]
#[error("{file}:{line}: {message}")]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    #[help]
    help: Option<String>,
    #[source_code]
    text: NamedSource<String>,
    #[label("here")]
    place: SourceSpan,
}

impl Problem {
    /// Something wrong at a place of a text.
    pub fn new(file: &Path, text: &str, place: Range<usize>, message: impl Display) -> Box<Self> {
        let file = file.display().to_string();
        let start = text.floor_char_boundary(place.start);
        Box::new(Self {
            message: message.to_string(),
            line: text[..start].matches('\n').count() + 1,
            help: None,
            text: NamedSource::new(&file, text.to_owned()),
            place: (start..text.ceil_char_boundary(place.end.min(text.len())).max(start)).into(),
            file,
        })
    }

    /// With what is allowed, or to be done about it.
    pub fn help(mut self: Box<Self>, help: impl Display) -> Box<Self> {
        self.help = Some(help.to_string());
        self
    }

    /// What is allowed, or to be done about it; the printed report has it from `miette`.
    #[cfg(test)]
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}
