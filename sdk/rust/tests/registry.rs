//! What the typed side makes of a registry's answers. (A whole registry: `services/registry`, and the system `succession`.)

use hallows_sdk::program::{Ending, read_start};
use hallows_sdk::registry::{Identity, Namespace, Problem, Refusal};
use hallows_sdk::stub::Interface;
use hallows_sdk::{Deadline, Endpoint, Error, process};
use hallows_testing::{Machine, Says};

#[derive(Debug)]
struct Client;

impl Interface for Client {
    const NAME: &'static str = "tally";
    const HASH: [u8; 32] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
        28, 29, 30, 31,
    ];

    fn through(_: Endpoint) -> Self {
        Self
    }
}

/// Done, an error, and which.
const NOBODY: [u8; 3] = [0, 1, Refusal::Nobody as u8];

fn with_namespace(machine: Machine, body: impl FnOnce(Namespace)) -> hallows_testing::Ended {
    machine.run(|| {
        let mut room = [0; 4_096];
        let start = read_start(&mut room).expect("it was started");
        body(Namespace::granted(&start, "registry").expect("it was granted"));
    })
}

#[test]
fn an_identity_has_the_bytes_of_the_hash_in_their_order() {
    let identity = Identity::of::<Client>();
    assert_eq!(identity.a, 0x0706_0504_0302_0100);
    assert_eq!((identity.bytes(), Identity::from_bytes(identity.bytes())), (Client::HASH, identity));
}

#[test]
fn an_interface_is_asked_for_by_its_identity_and_a_refusal_names_it() {
    let machine = Machine::new().passive("registry", |request| {
        assert_eq!(request[4..], Client::HASH);
        Says::Now(NOBODY.to_vec())
    });
    let ended = with_namespace(machine, |namespace| {
        let problem = namespace.resolve::<Client>(Deadline::NEVER).expect_err("nobody");
        assert_eq!(problem, Problem::Refused { interface: "tally", refusal: Refusal::Nobody });
        assert!(
            problem.to_string().contains("`tally`") && problem.to_string().contains("nobody provides it")
        );
        assert_eq!(problem.logged(), Error::Refused);
        assert_eq!(Err::<(), _>(problem).status(), 1);
    });
    assert_eq!(ended.log.len(), 2, "{:?}", ended.log);
    assert!(ended.log.iter().all(|line| line.contains("`tally`")), "{:?}", ended.log);
}

#[test]
fn who_waits_for_a_provider_asks_again_until_its_deadline() {
    let mut asked = 0;
    let machine = Machine::new().passive("registry", move |_| {
        asked += 1;
        match asked {
            1 => Says::Fails(Error::NotReady),
            2..=9 => Says::Now(NOBODY.to_vec()),
            _ => Says::Fails(Error::Gone),
        }
    });
    with_namespace(machine, |namespace| {
        let limit = Deadline::at(5_000_000);
        let problem = namespace.await_provider::<Client>(limit).expect_err("nobody");
        assert_eq!(problem, Problem::Refused { interface: "tally", refusal: Refusal::Nobody });
        assert_eq!(process::now(), Ok(5_000_000), "it asks once a millisecond");
        // What will not change is not waited for.
        let problem =
            namespace.await_provider::<Client>(Deadline::NEVER).expect_err("asked nine times in all");
        assert_eq!(problem, Problem::Call(Error::Gone));
        assert_eq!(Err::<(), _>(problem).status(), 1);
    });
}
