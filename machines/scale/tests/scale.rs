//! Whole machines of many cores: in virtual time, so figures may be asserted.

use hallows_lab::{Arrivals, Asks, Request};
use hallows_scale::{Calibration, Costs, Plan, Point, Setup, Skew, simulate, sweep};

const QUANTUM_NS: u64 = 5_000;
/// What the calibration finds on a server of 2024.
const TRANSFER_NS: f64 = 30.0;

fn plan(service: &str, skew: Skew, cores: u32, load: f64, requests: usize) -> Plan {
    Plan {
        service: service.parse().expect("a form"),
        arrivals: Arrivals::Poisson,
        skew,
        cores: vec![cores],
        loads: vec![load],
        requests,
        quantum_ns: QUANTUM_NS,
        seed: 1,
    }
}

fn point(service: &str, skew: Skew, cores: u32, load: f64, requests: usize) -> Point {
    let plan = plan(service, skew, cores, load, requests);
    sweep(&plan, Calibration::with_transfer(TRANSFER_NS), |_| ()).points.remove(0)
}

fn requests(apart_ns: u64, service_ns: u64, number: u64) -> Vec<Request> {
    (1..=number)
        .map(|number| Request { arrival_ns: number * apart_ns, service_ns, class: 0, asks: Asks::Work })
        .collect()
}

#[test]
fn the_same_run_again_differs_only_by_where_its_memory_lies() {
    let requests = requests(900, 10_000, 2_000);
    let homes: Vec<u32> = (0..2_000).map(|number| number * number % 16).collect();
    let setup =
        Setup { cores: 16, quantum_ns: QUANTUM_NS, costs: Costs::ROUND, requests: &requests, homes: &homes };
    let mean_ns = || {
        let found = simulate(&setup);
        let latencies = found.latencies_ns.iter().map(|latency| latency.expect("it was done") as f64);
        latencies.sum::<f64>() / 2_000.0
    };
    let (first, second) = (mean_ns(), mean_ns());
    assert!((first - second).abs() < 0.05 * first, "{first} {second}");
}

#[test]
fn a_request_that_is_alone_takes_its_own_time_and_the_kernels() {
    let requests = requests(50_000, 10_000, 200);
    let homes = vec![0; 200];
    let setup =
        Setup { cores: 1, quantum_ns: QUANTUM_NS, costs: Costs::ROUND, requests: &requests, homes: &homes };
    let found = simulate(&setup);
    for latency in &found.latencies_ns {
        let latency = latency.expect("it was done");
        assert!((10_000..11_500).contains(&latency), "{latency}");
    }
    // 90 % count.
    assert_eq!(found.done, 180);
    assert_eq!(found.spent.work, 180 * 10_000_000);
}

#[test]
fn requests_that_stay_on_their_cores_have_no_lines_come_that_belong_to_all() {
    // To each core one at a time, so all are at home.
    let requests = requests(1_000, 10_000, 3_200);
    let homes: Vec<u32> = (0..3_200).map(|number| number % 16).collect();
    let setup =
        Setup { cores: 16, quantum_ns: QUANTUM_NS, costs: Costs::ROUND, requests: &requests, homes: &homes };
    let found = simulate(&setup);
    let each =
        |name: &str| found.transfers.get(name).map_or(0, |count| count.busy) as f64 / found.done as f64;
    // What cells and threads are made of stays where it is, but for what the timekeeper looks at.
    for name in [
        "cell.inbox",
        "cell.tally",
        "thread.links",
        "driver's box",
        "lane",
        "endpoint",
        "capabilities",
        "stopping",
        "parked",
    ] {
        assert!(each(name) < 0.05, "{name}: {:?}", found.transfers);
    }
    let all: f64 = found.transfers.keys().map(|name| each(name)).sum();
    assert!(all < 12.0, "{:?}", found.transfers);
}

#[test]
fn who_works_for_long_is_stopped_for_who_comes() {
    // One long request, then short ones behind it on the same core.
    let mut requests = requests(20_000, 1_000, 50);
    requests[0].service_ns = 400_000;
    let homes = vec![0; 50];
    let setup =
        Setup { cores: 1, quantum_ns: QUANTUM_NS, costs: Costs::ROUND, requests: &requests, homes: &homes };
    let found = simulate(&setup);
    let latencies: Vec<u64> =
        found.latencies_ns.iter().map(|latency| latency.expect("it was done")).collect();
    assert!(latencies[0] > 400_000, "{}", latencies[0]);
    assert!(latencies[1..].iter().all(|latency| *latency < 15_000), "{latencies:?}");
}

#[test]
fn sixty_four_cores_do_what_cores_without_costs_would() {
    let point = point("exponential:10us", Skew::Zipf(0.5), 64, 0.9, 20_000);
    assert!(point.efficiency >= 0.95 && point.unfinished == 0, "{point:?}");
}

#[test]
fn two_hundred_and_fifty_six_cores_do_too_and_no_line_is_what_all_wait_for() {
    let point = point("exponential:10us", Skew::Zipf(0.5), 256, 0.9, 25_000);
    assert!(point.efficiency >= 0.95 && point.unfinished == 0, "{point:?}");
    assert!(point.busiest_line_busy < 0.25, "{point:?}");
}

#[test]
fn more_than_all_cores_can_do_costs_little_of_what_they_can() {
    let point = point("exponential:10us", Skew::Zipf(0.5), 256, 1.1, 15_000);
    assert!(point.efficiency >= 0.85, "{point:?}");
}

#[test]
fn requests_that_come_to_one_core_are_worked_on_by_all() {
    // Half of all come to one of eight cores, which is four times what it can do.
    let point = point("constant:10us", Skew::Zipf(2.0), 8, 0.8, 4_000);
    assert!(point.efficiency >= 0.97 && point.unfinished == 0, "{point:?}");
}
