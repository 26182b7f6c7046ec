//! Executables that carry an application: a copy of this one with a payload behind it.
//!
//! Problem: a server gets one file that starts, without a folder of programs, a cache, or a compiler's turn. Rule: the executable has a *mark*, a
//! place in its read-only data that says where its payload is and what both hash to; as it is built, the mark is empty. `hallows build` copies
//! the executable, writes the payload behind it and fills in the mark. Consequence: the executable knows by itself that something must be behind
//! it, so a file that was cut off, changed or stripped says so instead of becoming the plain command.
//!
//! | file | what it has |
//! |---|---|
//! | `mark` | the place in the executable |
//! | `contents` | what a payload holds, and its form |
//! | `file` | copying and reading executables |
//! | `application` | starting what an executable carries |

mod application;
mod contents;
mod file;
mod mark;

pub use application::Application;
pub use contents::{Artifact, Asked, Contents, File, Granted, Options, What};
pub use file::{Existing, write};

use crate::failure::Failure;
use crate::process::NOT_STARTED;

/// The application that this executable carries; nothing if it is the plain command.
///
/// # Errors
/// When it carries one that is damaged.
pub fn carried() -> Result<Option<Application>, Failure> {
    let damaged = |why: String| {
        Failure::other(
            NOT_STARTED,
            format!(
                "the application that this executable carries is damaged: {why}; copy the file again, or build it again with `hallows build`"
            ),
        )
    };
    match mark::own() {
        Ok(None) => Ok(None),
        Ok(Some(mark)) => file::read(&mark).map(Application::new).map(Some).map_err(damaged),
        Err(why) => Err(damaged(why)),
    }
}
