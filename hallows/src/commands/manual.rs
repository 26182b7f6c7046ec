//! `hallows completions` and `hallows man`: what shells and `man` want to know of the command line, made from its definition.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;

use crate::cli::{Arguments, Completions, Man};
use crate::failure::{Failure, SOFTWARE};

/// The command's name, as in its pages and scripts.
const NAME: &str = "hallows";

/// Prints a script that completes the command line in a shell.
///
/// # Errors
/// When nobody reads the output any more.
pub fn completions(options: Completions, output: &mut impl Write) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), NAME, &mut script);
    output.write_all(&script)
}

/// Prints the page of the whole command, or writes those of all subcommands into a folder.
///
/// # Errors
/// When they cannot be written.
pub fn man(options: &Man, output: &mut impl Write) -> Result<(), Failure> {
    let refused = |error: io::Error| Failure::other(SOFTWARE, format!("cannot write: {error}"));
    // Subcommands have their whole names, `hallows-run`, once the command is built.
    let mut command = Arguments::command().name(NAME);
    command.build();
    let Some(folder) = &options.folder else {
        return clap_mangen::Man::new(command).render(output).map_err(refused);
    };
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    pages(&command, NAME, folder)
}

/// Writes the page of a command and those below it.
fn pages(command: &clap::Command, name: &str, folder: &Path) -> Result<(), Failure> {
    let file = folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    let title = command.clone().name(name.to_owned()).display_name(name.to_owned());
    clap_mangen::Man::new(title).render(&mut page).map_err(|error| at(&file, &error))?;
    fs::write(&file, page).map_err(|error| at(&file, &error))?;
    // `help` is the same again.
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}

fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot write {}: {error}", path.display()))
}
