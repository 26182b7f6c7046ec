//! A whole demonstration: servers of this test, started as commands, and those of Linux where they are installed.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

#[path = "../../load/tests/support/mod.rs"]
#[allow(dead_code, reason = "the generator's own tests use the rest")]
mod support;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hallows_demo::report::{html, json, text};
use hallows_demo::{
    Contender, DemoError, Observer, Own, Part, Placement, Plan, Report, contenders, demonstrate, losses,
};
use hallows_load::{Arrivals, Data, Protocol, installed};
use support::{Does, Server};

const DATA: Data = Data { keys: 2_000, value_bytes: 48 };

/// Not a test: this executable started again, with a server's port and its kind as filters.
#[test]
#[ignore = "a server for the other tests"]
fn serve() {
    let argument =
        |prefix: &str| std::env::args().find_map(|argument| argument.strip_prefix(prefix).map(str::to_owned));
    let port: u16 = argument("port-").unwrap().parse().unwrap();
    let kind = argument("kind-").unwrap();
    let server = Server::listen(port, DATA, move |number| match kind.as_str() {
        "wrong" if number > 5_000 && number.is_multiple_of(10) => Does::Says(b"-ERR wrong\r\n"),
        "dies" if number > 3_000 => {
            eprintln!("out of luck");
            std::process::abort()
        }
        _ => Does::Right,
    });
    drop(server);
    loop {
        std::thread::park();
    }
}

fn own(name: &str, kind: &str) -> Own {
    let executable = std::env::current_exe().unwrap().display().to_string();
    let words = [&executable, "--ignored", "--nocapture", "serve", "port-{port}", &format!("kind-{kind}")]
        .map(str::to_owned)
        .to_vec();
    Own { name: name.to_owned(), words, protocol: Protocol::Resp }
}

/// A short one, on one core, with a neighbour, at loads that a server of threads manages.
fn plan() -> Plan {
    Plan {
        data: DATA,
        slow: 0.01,
        connections: 4,
        depth: 1,
        arrivals: Arrivals::Poisson,
        loads: Some(vec![100.0, 200.0]),
        requests: Some(100),
        seconds: 5.0,
        rounds: 2,
        seed: 1,
        placement: Placement { contenders: vec![0], generator: 0, neighbour: Some(0) },
        tools: true,
    }
}

fn run(
    plan: &Plan,
    contenders: &[Contender],
    stop: &(dyn Fn() -> bool + Sync),
) -> (Result<Report, DemoError>, Vec<String>) {
    let mut told = Vec::new();
    let mut tell = |line: &str| told.push(line.to_owned());
    let report = demonstrate(plan, contenders, "hallows demo tail", &mut Observer { tell: &mut tell, stop });
    (report, told)
}

/// Processes whose command line has this in it.
fn running(part: &str) -> BTreeSet<u32> {
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has_it = |process: &u32| {
        std::fs::read(format!("/proc/{process}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(part))
    };
    processes.filter(has_it).collect()
}

fn port(contender: &Contender) -> String {
    contender.server.as_ref().unwrap().address.port().to_string()
}

#[test]
fn everybody_who_is_there_is_measured_and_the_others_are_named() {
    let plan = plan();
    let all = contenders(Ok(own("ours", "good")), &[own("mine", "good")], &[], &plan.placement).unwrap();
    let (report, told) = run(&plan, &all, &|| false);
    let report = report.unwrap();
    let here: Vec<_> = report.participants.iter().map(|one| one.name.as_str()).collect();
    for (name, program) in [
        ("ours", None),
        ("mine", None),
        ("redis", Some("redis-server")),
        ("valkey", Some("valkey-server")),
        ("memcached", Some("memcached")),
    ] {
        let is_here = program.is_none_or(|program| installed(program).is_some());
        assert_eq!(here.contains(&name), is_here, "{name}");
        let named = report
            .absent
            .iter()
            .any(|line| line.starts_with(&format!("{name}: ")) && line.contains("apt-get install"));
        assert_eq!(named, !is_here, "{name}: {:?}", report.absent);
    }
    for one in &report.participants {
        assert_eq!(one.failed, None, "{}", one.name);
        assert_eq!(one.cores, [0]);
        assert!(one.capacity_per_second.unwrap() > 100.0 && one.slow_alone_ns.unwrap() > 0.0, "{one:?}");
        let point = &one.points[0];
        assert_eq!((point.offered_per_second, point.wrong), (100.0, 0), "{point:?}");
        assert!((60..=130).contains(&point.due), "{point:?}");
        assert_eq!(
            point.classes.iter().map(|class| class.samples).sum::<u64>() + point.unfinished,
            point.due,
            "{point:?}"
        );
        assert!(point.cores_busy > 0.0 && point.requests_per_core_second.unwrap() > 0.0, "{point:?}");
        // Its tools, if they are installed and speak its protocol.
        let tools: BTreeSet<_> = one.tools.iter().map(|tool| tool.tool.as_str()).collect();
        let is_asked =
            installed("redis-benchmark").is_some() && one.protocol == "RESP" && one.name == "redis";
        assert!(
            !is_asked
                || one.tools.iter().any(|tool| tool.said.as_ref().is_ok_and(|line| line.contains("GETs/s"))),
            "{tools:?} {:?}",
            one.tools
        );
        // Nobody goes on.
        let contender = all.iter().find(|contender| contender.name == one.name).unwrap();
        let address = contender.server.as_ref().unwrap().address;
        assert!(TcpStream::connect(address).is_err(), "{} goes on", one.name);
    }
    assert!(losses(&report).is_some());
    assert!(
        told.iter().any(|line| line.contains("load 2 of 2 (200 requests/s), round 2 of 2: ")),
        "{told:?}"
    );
    let page = html(&report);
    let said = text(&report, hallows_bench::report::colour::Colour::Off);
    for name in here {
        assert!(page.contains(name) && said.contains(name) && json(&report).contains(name));
    }
}

#[test]
fn who_answers_wrongly_or_dies_is_named_and_the_others_go_on() {
    let plan = Plan { loads: Some(vec![500.0]), requests: Some(2_000), tools: false, ..plan() };
    let only = ["ours", "wrong", "dies", "nowhere"].map(str::to_owned);
    let nowhere =
        Own { words: vec!["/nowhere/server".to_owned(), "{port}".to_owned()], ..own("nowhere", "good") };
    let all = contenders(
        Ok(own("ours", "good")),
        &[own("wrong", "wrong"), own("dies", "dies"), nowhere],
        &only,
        &plan.placement,
    )
    .unwrap();
    let (report, _) = run(&plan, &all, &|| false);
    let report = report.unwrap();
    let one = |name: &str| report.participants.iter().find(|one| one.name == name).unwrap();
    assert_eq!(one("ours").failed, None);
    assert!(one("ours").points[0].wrong == 0 && one("ours").part == Part::Ours);
    let wrong = &one("wrong").points[0];
    assert!(
        wrong.wrong > 20 && wrong.first_wrong.as_ref().is_some_and(|text| text.contains("-ERR wrong")),
        "{wrong:?}"
    );
    let failed = one("dies").failed.as_deref().unwrap();
    assert!(failed.contains("out of luck"), "{failed}");
    assert!(
        one("nowhere").failed.as_deref().is_some_and(|why| why.starts_with("cannot start /nowhere/server"))
    );
}

#[test]
fn whoever_wants_an_end_gets_it_at_every_step_and_nothing_goes_on() {
    let plan = Plan { requests: Some(1_000_000), ..plan() };
    let all = contenders(Ok(own("ours", "good")), &[], &["ours".to_owned()], &plan.placement).unwrap();
    for step in ["starts", "how long", "load 1"] {
        let wants = AtomicBool::new(false);
        let steps = AtomicUsize::new(0);
        let mut tell = |line: &str| {
            steps.fetch_add(1, Ordering::SeqCst);
            if line.contains(step) {
                wants.store(true, Ordering::SeqCst);
            }
        };
        let stop = || wants.load(Ordering::SeqCst);
        let ended =
            demonstrate(&plan, &all, "hallows demo tail", &mut Observer { tell: &mut tell, stop: &stop });
        assert!(
            matches!(&ended, Err(DemoError::Stopped | DemoError::Load(hallows_load::LoadError::Stopped))),
            "{step}: {ended:?}"
        );
        assert!(steps.load(Ordering::SeqCst) > 0);
        assert!(running(&format!("port-{}", port(&all[0]))).is_empty(), "{step}");
    }
}

#[test]
fn without_anybody_it_is_said_how_to_get_somebody() {
    let plan = plan();
    let all: Vec<Contender> =
        contenders(Err("this build has no kv".to_owned()), &[], &["ours".to_owned()], &plan.placement)
            .unwrap();
    let (report, _) = run(&plan, &all, &|| false);
    let error = report.unwrap_err().to_string();
    assert!(
        error.starts_with("nobody could be measured") && error.contains("this build has no kv"),
        "{error}"
    );
    let bad = Plan { seconds: 0.0, ..plan };
    assert!(matches!(run(&bad, &all, &|| false).0, Err(DemoError::Argument(_))));
    assert!(Duration::from_secs_f64(bad.seconds).is_zero());
}
