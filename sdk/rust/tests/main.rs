//! What `#[main]` stands on, in all its forms, and how programs end.

use std::time::Duration;

use hallows_testing::Machine;

mod nothing {
    #[hallows_sdk::main(crate = hallows_sdk)]
    fn main() {
        hallows_sdk::println!("nothing");
    }
}

mod borrowed {
    use hallows_sdk::{Start, println};

    #[hallows_sdk::main(crate = ::hallows_sdk)]
    fn main(start: &Start<'_>) {
        println!("{} arguments", start.info().arguments().count());
    }
}

mod owned {
    use hallows_sdk::{Error, Start, println};

    #[hallows_sdk::main(crate = hallows_sdk)]
    pub(crate) fn main(start: Start) -> Result<(), Error> {
        let _: u64 = start.setting("count", 1)?;
        println!("a\nb");
        Ok(())
    }
}

mod late {
    use core::time::Duration;

    use hallows_sdk::task::Events;
    use hallows_sdk::{Deadline, Error, Start};

    #[hallows_sdk::main(crate = hallows_sdk)]
    async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
        events.sleep(Duration::from_millis(start.setting("ms", 1)?)).await?;
        events.with_deadline(Deadline::PASSED, core::future::pending()).await
    }
}

mod alone {
    #[hallows_sdk::main(crate = hallows_sdk)]
    async fn main() {
        hallows_sdk::println!("alone");
    }
}

mod named_as_its_parameter {
    use hallows_sdk::{Start, println};

    #[hallows_sdk::main(crate = hallows_sdk)]
    fn start(start: Start<'_>) {
        println!("start with {}", start.info().arguments().count());
    }
}

mod named_as_its_events {
    use hallows_sdk::Start;
    use hallows_sdk::task::Events;

    #[hallows_sdk::main(crate = hallows_sdk)]
    async fn events(_: Start<'_>, _: &Events) {
        hallows_sdk::println!("events");
    }
}

mod stuck {
    use hallows_sdk::Start;

    #[hallows_sdk::main(crate = hallows_sdk)]
    async fn main(_: Start<'_>) {
        core::future::pending().await
    }
}

#[test]
fn every_form_of_main_runs() {
    let lines = |program: fn()| Machine::new().argument("count=3").run(program).log;
    assert_eq!(lines(|| nothing::PROGRAM.run()), ["nothing"]);
    assert_eq!(lines(|| borrowed::PROGRAM.run()), ["1 arguments"]);
    assert_eq!(lines(|| owned::PROGRAM.run()), ["a", "b"]);
    assert_eq!(lines(|| alone::PROGRAM.run()), ["alone"]);
    assert_eq!(lines(|| named_as_its_parameter::PROGRAM.run()), ["start with 1"]);
    assert_eq!(lines(|| named_as_its_events::PROGRAM.run()), ["events"]);
}

#[test]
fn an_error_is_explained_and_ends_the_cell_with_status_1() {
    let ended = Machine::new().argument("count=many").run(|| owned::PROGRAM.run());
    assert_eq!(ended.status, 1);
    assert_eq!(ended.log.len(), 2, "{:?}", ended.log);
    assert_eq!(ended.log[0], "cannot read the argument `count=many`: invalid digit found in string");
    assert!(
        ended.log[1].contains("BadArgument (number 6): bad argument (compare the arg"),
        "{:?}",
        ended.log
    );

    let ended = Machine::new().argument("ms=7").run(|| late::PROGRAM.run());
    assert_eq!((ended.status, ended.elapsed), (1, Duration::from_millis(7)));
    assert!(ended.log[0].contains("deadline passed (it may have had an effect"), "{:?}", ended.log);
}

#[test]
fn a_program_whose_tasks_wait_for_nothing_ends_with_an_error() {
    let ended = Machine::new().run(|| stuck::PROGRAM.run());
    assert_eq!(ended.status, 1);
    assert!(ended.log[0].contains("nothing to wait for"), "{:?}", ended.log);
}
