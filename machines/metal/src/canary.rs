//! The system that the machine runs when it is told nothing else: a server and a client that calls it, first on the client's thread, then by
//! a thread of the server's own.

use alloc::string::String;

use hallows_kernel::CellState;

use crate::{
    console::println,
    drive,
    exit::ExitCode,
    image::Image,
    machine::Recording,
    system::{Serving, System},
};

/// Runs it to its end.
pub fn run(image: Image) -> ExitCode {
    match run_both(image) {
        Ok(()) => ExitCode::Success,
        Err(error) => {
            println!("hallows: {error}");
            ExitCode::Failure
        }
    }
}

fn run_both(image: Image) -> Result<(), String> {
    let system = System::new(image, Recording::Off)?;
    for serving in [Serving::Passive, Serving::Active] {
        println!("hallows: calculator and client, the server is {serving:?}");
        let server = system.make_cell("calculator", "calculator", serving)?;
        let client = system.make_cell("client", "calculator-client", Serving::Nothing)?;
        system.start(server.cell, &[], &[])?;
        system.start(client.cell, &[], &[("calc", &server)])?;
        drive::run(system.kernel(), |kernel| kernel.state(client.cell) == CellState::Dead);
        system.kill(server.cell);
        drive::run(system.kernel(), |kernel| kernel.state(server.cell) == CellState::Dead);
    }
    Ok(())
}
