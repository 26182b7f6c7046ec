//! `hallows new`: a project to begin with.

use std::io::Write;
use std::path::Path;

use hallows_project::{Kind, Name, ProjectError, SDK_FOLDER, create};

use crate::cli::New;
use crate::failure::{Failure, SOFTWARE};

/// Makes it, and says what to do next.
///
/// # Errors
///
/// A name that is none, something of that name that is there already, a folder that cannot be written to. Then nothing is changed.
pub fn new(options: &New, output: &mut impl Write) -> Result<(), Failure> {
    let name = Name::new(&options.name).map_err(|error| {
        Failure::usage(format!("`{}` cannot be the name of a project: {error}", options.name))
    })?;
    let kind = if options.server { Kind::Server } else { Kind::Main };
    let files = create(Path::new("."), &name, kind).map_err(|error| match error {
        ProjectError::Exists(_) => Failure::usage(error),
        ProjectError::Write { .. } => Failure::other(SOFTWARE, error),
    })?;
    say(output, &name, &files).map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))
}

fn say(output: &mut impl Write, name: &Name, files: &[&str]) -> std::io::Result<()> {
    writeln!(output, "made {name}/")?;
    for file in files {
        writeln!(output, "  {file}")?;
    }
    writeln!(output, "  {SDK_FOLDER}/ (sources of the SDK)")?;
    writeln!(output, "next:")?;
    writeln!(output, "  cd {name}")?;
    writeln!(output, "  cargo test --workspace    runs it natively, in a machine of one cell")?;
    writeln!(output, "  cargo cell                builds it as WebAssembly")?;
    writeln!(output, "  hallows run system.toml   boots a machine, runs it as a cell")
}
