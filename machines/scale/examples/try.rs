//! try
use hallows_scale::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let p = |s: &str| s.split(',').map(|x| x.parse::<f64>().unwrap()).collect::<Vec<_>>();
    let plan = Plan {
        service: a[1].parse().unwrap(),
        arrivals: hallows_lab::Arrivals::Poisson,
        skew: a[2].parse().unwrap(),
        cores: p(&a[3]).iter().map(|x| *x as u32).collect(),
        loads: p(&a[4]),
        requests: a[5].parse().unwrap(),
        quantum_ns: 5000,
        group: std::env::var("GROUP").map_or(32, |g| g.parse().unwrap()),
        seed: 1,
    };
    let cal = if a.len() > 6 {
        Calibration::with_transfer(a[6].parse().unwrap())
    } else {
        calibrate(&hallows_bench::Cores::default_pair().unwrap()).unwrap()
    };
    let began = std::time::Instant::now();
    let report = sweep(&plan, cal, |p| eprintln!("{p:?} {:?}", began.elapsed()));
    print!("{}", text(&report, hallows_bench::report::colour::Colour::Off));
    for p in &report.points {
        println!(
            "{} {}: look {:?} queues {} locks {} sw {}",
            p.cores, p.load, p.look_ns, p.queues_ns, p.locks_ns, p.switches_per_request
        );
        let mut f: Vec<_> = p.by_field.iter().collect();
        f.sort_by(|a, b| b.1[0].total_cmp(&a.1[0]));
        for (n, c) in f.iter().take(14) {
            println!("   {n:20} {:8.3} {:8.3} {:8.3}", c[0], c[1], c[2]);
        }
        println!("   {} {}", p.busiest_line, p.busiest_line_busy)
    }
    eprintln!("{:?}", began.elapsed());
}
