//! Asks the server for sums.
#![cfg_attr(target_arch = "wasm32", no_std)]

use core::time::Duration;

use hallows::{Connection, Deadline, Error, Start, println};

// A client has its own copy of the messages: if it linked the server, it would be one.
hallows::form! {
    struct Add {
        a: i64,
        b: i64,
    }

    struct Sum {
        sum: i64,
        count: u64,
    }
}

#[hallows::main]
fn main(start: Start) -> Result<(), Error> {
    // What the system grants under this name. Who calls through a connection waits for a server that does not run yet, or starts again.
    let adder = Connection::granted(&start, "adder")?;
    for (a, b) in [(1, 2), (20, 22)] {
        let limit = Deadline::after(Duration::from_secs(5))?;
        let Sum { sum, count } = adder.ask(&Add { a, b }, limit)?;
        println!("{a} + {b} = {sum} (sum number {count})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hallows::{Error, Form};
    use hallows_testing::{Machine, Says};

    use super::Sum;

    #[test]
    fn it_prints_what_it_is_answered() {
        let answer = Sum { sum: 5, count: 7 }.emit().to_vec();
        let ended = Machine::new()
            .endpoint("adder", move |_| Says::Now(answer.clone()))
            .run(|| crate::PROGRAM.run());
        assert_eq!(ended.log, ["1 + 2 = 5 (sum number 7)", "20 + 22 = 5 (sum number 7)"]);
    }

    #[test]
    fn a_server_that_never_runs_ends_it_with_an_explanation() {
        let ended = Machine::new()
            .endpoint("adder", |_| Says::Fails(Error::NotReady))
            .run(|| crate::PROGRAM.run());
        assert_eq!(ended.status, 1);
        assert!(ended.log[0].contains("DeadlinePassed"), "{:?}", ended.log);
    }
}
