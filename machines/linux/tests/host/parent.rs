//! The parent process of the tests: what `hallows run` does with the host side, and a line for every event.

use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::Duration;

use hallows_linux::host::cores::{CoreRequest, Topology, choose, siblings_of};
use hallows_linux::host::facts::HostFacts;
use hallows_linux::host::parent::{DEFAULT_GRACE, Event, Launch, RestartPolicy, Streams, supervise};
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::host::runtime_dir::RuntimeDir;
use hallows_linux::host::tier::TierLimit;

use crate::machine::{Config, Manner};

pub fn run(options: impl Iterator<Item = String>) -> ExitCode {
    let mut request = CoreRequest::default();
    let (mut limit, mut grace, mut manner) = (TierLimit::Best, DEFAULT_GRACE, Manner::Polite);
    let mut restart = RestartPolicy::Never;
    for option in options {
        match option.split_once('=').unwrap_or((&option, "")) {
            ("--cores", cores) => request.programs = Some(cores.parse().unwrap()),
            ("--housekeeping", cores) => request.housekeeping = Some(cores.parse().unwrap()),
            ("--shared", _) => limit = TierLimit::SharedOnly,
            ("--grace-ms", ms) => grace = Duration::from_millis(ms.parse().unwrap()),
            ("--stubborn", _) => manner = Manner::Stubborn,
            ("--echo", _) => manner = Manner::Echo,
            ("--keys", _) => manner = Manner::Keys,
            ("--restart", times) => {
                let times = times.parse().unwrap();
                restart = RestartPolicy::OnCrash { times, within: Duration::from_secs(3600) };
            }
            (other, _) => panic!("unknown option {other}"),
        }
    }
    let topology = Topology::read().unwrap();
    let cores = choose(&request, &topology, siblings_of).unwrap();
    println!("cores {}", cores.lines().join("; "));
    let config = Config { cores: cores.clone(), memory: ByteSize(64 << 20), manner };
    let launch = Launch {
        wires: Vec::new(),
        directory: RuntimeDir::of_this_user().unwrap(),
        cores,
        topology,
        kernel: HostFacts::read().kernel_version(),
        limit,
        config: serde_json::to_vec(&config).unwrap(),
        attachments: vec![attachment()],
        owns_cores: true,
        streams: Streams::Console,
        grace,
        restart,
        seal: String::new(),
        leash: None,
    };
    let mut print = |event: Event<'_>| match event {
        Event::LeftoversRestored(report) => println!("leftovers {}", serde_json::to_string(report).unwrap()),
        Event::LeftoversRemain(error) => println!("leftovers-remain {error}"),
        Event::Tier(report) => {
            report.lines().iter().for_each(|line| println!("| {line}"));
            println!("placed {}", serde_json::to_string(report).unwrap());
        }
        Event::Restarting { end } => println!("restarting: {end}"),
        Event::Released(report) => println!("released {}", serde_json::to_string(report).unwrap()),
    };
    match supervise(launch, &mut print) {
        Ok(ended) => ExitCode::from(ended.exit_code()),
        Err(error) => {
            println!("error {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn attachment() -> OwnedFd {
    let file = rustix::fs::memfd_create(c"attachment", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    rustix::io::write(&file, b"a program").unwrap();
    file
}
