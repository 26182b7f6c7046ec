//! Whole machines of many cores: what they do is a function of what they are given, so figures may be asserted.

use hallows_lab::{Arrivals, Request};
use hallows_scale::{Calibration, Costs, Plan, Point, Setup, Skew, simulate, sweep};

const QUANTUM_NS: u64 = 5_000;

fn plan(service: &str, skew: Skew, cores: u32, load: f64, requests: usize) -> Plan {
    Plan {
        service: service.parse().expect("a form"),
        arrivals: Arrivals::Poisson,
        skew,
        cores: vec![cores],
        loads: vec![load],
        requests,
        quantum_ns: QUANTUM_NS,
        group: 32,
        seed: 1,
    }
}

fn point(service: &str, skew: Skew, cores: u32, load: f64, requests: usize) -> Point {
    let plan = plan(service, skew, cores, load, requests);
    // Round costs: a transfer takes 60 ns.
    sweep(&plan, Calibration::with_transfer(60.0), |_| ()).points.remove(0)
}

fn requests(apart_ns: u64, service_ns: u64, number: u64) -> Vec<Request> {
    (1..=number).map(|number| Request { arrival_ns: number * apart_ns, service_ns, class: 0 }).collect()
}

#[test]
fn the_same_run_twice_is_the_same() {
    let requests = requests(90, 1_000, 5_000);
    let homes: Vec<u32> = (0..5_000).map(|number| number * number % 16).collect();
    let setup = Setup {
        cores: 16,
        quantum_ns: QUANTUM_NS,
        group: 0,
        costs: Costs::ROUND,
        requests: &requests,
        homes: &homes,
    };
    let first = simulate(&setup);
    assert!(first.latencies_ns.iter().all(Option::is_some));
    assert!(simulate(&setup) == first, "another run");
}

#[test]
fn a_request_that_is_alone_takes_its_own_time_and_the_kernels() {
    let requests = requests(50_000, 10_000, 200);
    let homes = vec![0; 200];
    let setup = Setup {
        cores: 1,
        quantum_ns: QUANTUM_NS,
        group: 0,
        costs: Costs::ROUND,
        requests: &requests,
        homes: &homes,
    };
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
fn who_works_for_long_is_stopped_for_who_comes() {
    // One long request, then short ones behind it on the same core.
    let mut requests = requests(20_000, 1_000, 50);
    requests[0].service_ns = 400_000;
    let homes = vec![0; 50];
    let setup = Setup {
        cores: 1,
        quantum_ns: QUANTUM_NS,
        group: 0,
        costs: Costs::ROUND,
        requests: &requests,
        homes: &homes,
    };
    let found = simulate(&setup);
    let latencies: Vec<u64> =
        found.latencies_ns.iter().map(|latency| latency.expect("it was done")).collect();
    assert!(latencies[0] > 400_000, "{}", latencies[0]);
    assert!(latencies[1..].iter().all(|latency| *latency < 15_000), "{latencies:?}");
}

#[test]
fn sixty_four_cores_do_what_cores_without_costs_would() {
    let point = point("exponential:8us", Skew::Zipf(0.5), 64, 0.9, 20_000);
    assert!(point.efficiency >= 0.97 && point.unfinished == 0, "{point:?}");
}

#[test]
fn of_two_hundred_and_fifty_six_cores_no_line_is_what_all_wait_for() {
    let point = point("exponential:8us", Skew::Zipf(0.5), 256, 1.1, 60_000);
    assert!(point.efficiency >= 0.95, "{point:?}");
    assert!(point.busiest_line_busy < 0.5, "{point:?}");
}
