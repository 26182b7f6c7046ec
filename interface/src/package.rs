//! Where interfaces come from: files and folders of WIT.

use std::path::Path;

use wit_parser::{InterfaceId, PackageId, Resolve};

use crate::conversion::Conversion;
use crate::{Interface, Problem};

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
        let mut resolve = empty();
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
        let mut resolve = empty();
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
    /// [`Problem::NoInterface`]; [`Problem::Chain`], [`Problem::Twins`], [`Problem::TooLarge`], [`Problem::TooLong`]; [`Problem::Unsupported`] for what cannot be
    /// a message.
    pub fn interface(&self, name: &str) -> Result<Interface, Problem> {
        Conversion::new(&self.resolve).interface(self.find(name)?)
    }

    fn find(&self, name: &str) -> Result<InterfaceId, Problem> {
        let package = self.resolve.packages.get(self.id);
        package
            .and_then(|package| package.interfaces.get(name))
            .copied()
            .ok_or_else(|| Problem::NoInterface { name: name.to_owned(), known: self.names() })
    }

    /// All of its interfaces, sorted by name.
    ///
    /// # Errors
    ///
    /// As [`Self::interface`]; what they need together is bounded. [`Problem::Empty`] if there is none.
    pub fn interfaces(&self) -> Result<Vec<Interface>, Problem> {
        let names = self.names();
        if names.is_empty() {
            let package = self.resolve.packages.get(self.id);
            return Err(Problem::Empty {
                package: package.map(|package| package.name.to_string()).unwrap_or_default(),
            });
        }
        let mut conversion = Conversion::new(&self.resolve);
        names.iter().map(|name| conversion.interface(self.find(name)?)).collect()
    }
}

/// A parser's picture of nothing yet, for everything that is written: also what is marked as unstable, or a change of that could be noticed
/// and would have no other hash.
fn empty() -> Resolve {
    Resolve { all_features: true, ..Resolve::default() }
}
