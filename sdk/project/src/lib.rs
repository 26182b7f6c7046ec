//! New projects: a program that builds, runs and is tested, with the SDK's sources beside it.
#![forbid(unsafe_code)]

mod name;
mod template;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use name::{Name, NameError};
pub use template::Kind;

mod sources {
    include!(concat!(env!("OUT_DIR"), "/sources.rs"));
}

/// The folder of a project that has the SDK's sources.
pub const SDK_FOLDER: &str = "hallows-sdk";

/// Why a project was not made. Nothing of it is left, and nothing that was there is changed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is something already.
    #[error("there is already something called {}; choose another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// The host refused.
    #[error("cannot write {}: {error}", .path.display())]
    Write {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Makes a project in a new folder of this name, inside of `parent`. Its files, in their order, without the SDK's.
///
/// # Errors
///
/// See [`ProjectError`].
pub fn create(parent: &Path, name: &Name, kind: Kind) -> Result<Vec<&'static str>, ProjectError> {
    let folder = parent.join(name.as_str());
    // Only a folder that this made is ever written to, or taken away again.
    fs::create_dir(&folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ProjectError::Exists(folder.clone()),
        _ => ProjectError::Write { path: folder.clone(), error },
    })?;
    fill(&folder, name, kind).inspect_err(|_| {
        // What cannot be removed either is what the error is about.
        let _ = fs::remove_dir_all(&folder);
    })
}

fn fill(folder: &Path, name: &Name, kind: Kind) -> Result<Vec<&'static str>, ProjectError> {
    let files = template::files(kind);
    for (path, text) in files {
        write(&folder.join(path), &template::filled(text, name))?;
    }
    let sdk = folder.join(SDK_FOLDER);
    write(&sdk.join("Cargo.toml"), &template::filled(template::SDK_WORKSPACE, name))?;
    for (path, text) in sources::FILES {
        write(&sdk.join(path), text)?;
    }
    Ok(files.iter().map(|(path, _)| *path).collect())
}

fn write(path: &Path, text: &str) -> Result<(), ProjectError> {
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| File::create_new(path))
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| ProjectError::Write { path: path.to_path_buf(), error })
}

#[cfg(test)]
mod tests {
    use super::{Kind, Name, ProjectError, create, sources};

    fn name(text: &str) -> Name {
        Name::new(text).expect("is a name")
    }

    #[test]
    fn nothing_that_is_there_is_changed() {
        let parent = tempfile::tempdir().expect("a folder");
        let file = parent.path().join("greeter");
        std::fs::write(&file, "mine").expect("written");
        let made = create(parent.path(), &name("greeter"), Kind::Main);
        assert!(matches!(made, Err(ProjectError::Exists(path)) if path == file));
        assert_eq!(std::fs::read_to_string(file).expect("is there"), "mine");
    }

    #[test]
    fn a_project_that_cannot_be_made_is_an_error_that_names_it() {
        let made = create(std::path::Path::new("/no/such/folder"), &name("greeter"), Kind::Main);
        let Err(error @ ProjectError::Write { .. }) = made else { panic!("{made:?}") };
        assert!(error.to_string().contains("/no/such/folder/greeter"), "{error}");
    }

    #[test]
    fn every_placeholder_is_filled_and_every_source_is_there() {
        for kind in [Kind::Main, Kind::Server] {
            let parent = tempfile::tempdir().expect("a folder");
            let files = create(parent.path(), &name("my-first"), kind).expect("is made");
            for file in files {
                let text =
                    std::fs::read_to_string(parent.path().join("my-first").join(file)).expect("is there");
                for placeholder in ["@name@", "@crate@", "@version@"] {
                    assert!(!text.contains(placeholder), "{file}: {text}");
                }
            }
            for (path, text) in sources::FILES {
                let written = parent.path().join("my-first/hallows-sdk").join(path);
                assert_eq!(std::fs::read_to_string(written).expect("is there"), *text);
            }
        }
        assert!(sources::FILES.iter().any(|(path, _)| *path == "sdk/rust/src/task/scope.rs"));
    }
}
