//! Where interfaces come from: files and folders of WIT.

use std::path::Path;

use wit_parser::{PackageId, Resolve};

use crate::{Interface, Problem, convert};

/// A package of interfaces.
#[derive(Debug)]
pub struct Package {
    resolve: Resolve,
    id: PackageId,
}

impl Package {
    /// Reads a file, or a folder whose files are one package (what it uses of others lies below its `deps`).
    ///
    /// # Errors
    ///
    /// [`Problem::Wit`] with place and reason.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let mut resolve = Resolve::default();
        match resolve.push_path(path) {
            Ok((id, _)) => Ok(Self { resolve, id }),
            Err(error) => Err(Problem::Wit(resolve.render_error(&error))),
        }
    }

    /// Reads a text; the name is for messages.
    ///
    /// # Errors
    ///
    /// [`Problem::Wit`] with place and reason.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problem> {
        let mut resolve = Resolve::default();
        match resolve.push_source(name, text) {
            Ok(id) => Ok(Self { resolve, id }),
            Err(error) => Err(Problem::Wit(resolve.render_error(&error))),
        }
    }

    /// The names of its interfaces, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let package = self.resolve.packages.get(self.id);
        let mut names: Vec<String> =
            package.into_iter().flat_map(|package| package.interfaces.keys().cloned()).collect();
        names.sort_unstable();
        names
    }

    /// One of its interfaces.
    ///
    /// # Errors
    ///
    /// [`Problem::NoInterface`]; what cannot be a message.
    pub fn interface(&self, name: &str) -> Result<Interface, Problem> {
        let package = self.resolve.packages.get(self.id);
        let id = package
            .and_then(|package| package.interfaces.get(name))
            .ok_or_else(|| Problem::NoInterface { name: name.to_owned(), known: self.names() })?;
        convert::interface(&self.resolve, *id)
    }

    /// All of its interfaces, sorted by name.
    ///
    /// # Errors
    ///
    /// What cannot be a message in one of them.
    pub fn interfaces(&self) -> Result<Vec<Interface>, Problem> {
        self.names().iter().map(|name| self.interface(name)).collect()
    }
}
