//! Loads from low to high, each offered to every contender in turns.

use hallows_bench::Clock;
use hallows_bench::cores::Core;
use hallows_load::Arrivals;
use hallows_load::percentiles::histogram;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::LabError;
use crate::contender::Contender;
use crate::figures::{ClassFigures, Figures, requests_for};
use crate::key_value::{KeyValue, OwnTimes};
use crate::model::{Costs, Model};
use crate::run::Run;
use crate::schedule::Offer;
use crate::service::Service;
use crate::work::Work;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long requests take.
    pub service: Service,
    /// How they come.
    pub arrivals: Arrivals,
    /// Loads, from low to high: parts of all time of the cores that work on requests.
    pub loads: Vec<f64>,
    /// Requests in each run.
    pub requests: usize,
    /// Runs of each contender at each load.
    pub rounds: u32,
    /// What random numbers begin with; each round has numbers of its own, the same for all.
    pub seed: u64,
    /// Where requests come from.
    pub housekeeping: Core,
    /// Where they are worked on.
    pub worker: Core,
    /// What counts as well.
    pub bound: Bound,
    /// What a simulated core costs, and the quantum.
    pub costs: Costs,
}

/// A bound on slowdowns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// So many percent of all requests…
    pub percent: f64,
    /// …take at most so many times as long as when nothing else runs.
    pub slowdown: f64,
}

/// Whether something was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It ran here.
    Measured,
    /// It was computed.
    Model,
}

/// Who took part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Participant {
    /// Its name.
    pub name: String,
    /// How it is set up.
    pub configuration: String,
    /// Cores that it used, with what looks after time and where requests come from; 0 of a model.
    pub cores_used: u32,
    /// Whether it was measured.
    pub kind: Kind,
    /// What happened at each load that it got.
    pub points: Vec<Point>,
    /// The highest load up to which the bound holds at all loads; `None`: at none.
    pub capacity: Option<f64>,
    /// Why it did not run, or not to the end.
    pub failed: Option<String>,
}

/// What happened at one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The load.
    pub load: f64,
    /// Requests that were to come in a second.
    pub offered_per_second: f64,
    /// Requests that were done in a second.
    pub done_per_second: f64,
    /// Requests that were not done in time: it has more to do than it can.
    pub unfinished: u64,
    /// How late the generator was at most for 99.9 % of the requests, in ns: so much of the latencies is not the contender's.
    pub generator_late_ns: f64,
    /// For how long the host took the generator's core away, as a part of the time: requests were put off by it. Of the other core nobody knows.
    pub generator_taken: f64,
    /// All requests, then by class.
    pub classes: Vec<ClassFigures>,
    /// The bound's percentile of slowdowns: of all rounds together, and of the best and the worst round.
    pub slowdown: Option<f64>,
    /// See `slowdown`.
    pub slowdown_spread: Option<(f64, f64)>,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How long requests take.
    pub service: String,
    /// How they come.
    pub arrivals: String,
    /// Requests in each run.
    pub requests: usize,
    /// Runs at each load.
    pub rounds: u32,
    /// What random numbers begin with.
    pub seed: u64,
    /// What counts as well.
    pub bound: Bound,
    /// Of requests to a store: how long they take natively when nothing else runs, as it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_times: Option<OwnTimes>,
    /// Who took part, models last.
    pub participants: Vec<Participant>,
}

/// What is being done, for who waits.
#[derive(Clone, Debug)]
pub struct Progress<'p> {
    /// Who runs.
    pub name: &'p str,
    /// At which load.
    pub load: f64,
    /// Which round, from 1.
    pub round: u32,
    /// Runs before this one, and all that there are at most.
    pub done: usize,
    /// See `done`.
    pub of: usize,
}

impl Plan {
    fn offer(&self, load: f64, round: u32) -> Offer<'_> {
        Offer {
            service: &self.service,
            arrivals: self.arrivals,
            load,
            cores: 1,
            requests: self.requests,
            seed: self.seed.wrapping_add(u64::from(round)),
        }
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`LabError::Argument`].
    pub fn check(&self) -> Result<(), LabError> {
        let refuse = |what: &str| Err(LabError::Argument(what.to_owned()));
        if self.loads.is_empty() || !self.loads.iter().all(|load| (0.01..=2.0).contains(load)) {
            return refuse("loads are between 0.01 and 2: 1 is all the time of the core");
        }
        if !self.loads.is_sorted_by(|one, other| one < other) {
            return refuse("loads are written from the lowest to the highest");
        }
        if !(1_000..=50_000_000).contains(&self.requests) {
            return refuse("a run has between 1,000 and 50,000,000 requests");
        }
        if !(1..=100).contains(&self.rounds) {
            return refuse("there are between 1 and 100 rounds");
        }
        if !(50.0..100.0).contains(&self.bound.percent)
            || self.bound.slowdown.is_nan()
            || self.bound.slowdown < 1.0
        {
            return refuse("the bound is on a percentile from 50 to 99.999, and a slowdown of at least 1");
        }
        let needed = requests_for(self.bound.percent);
        if (self.requests as f64) * f64::from(self.rounds) < needed {
            return refuse(&format!(
                "p{} needs {needed} requests in all rounds together; ask for more, or for a lower percentile",
                self.bound.percent
            ));
        }
        Ok(())
    }
}

/// Runs a plan.
///
/// # Errors
/// When the plan makes no sense, or this host cannot measure. A contender that fails is named in the report, and the others go on.
pub fn sweep(
    plan: &Plan,
    contenders: &mut [Box<dyn Contender + '_>],
    models: &[Model],
    mut progress: impl FnMut(&Progress<'_>),
) -> Result<Report, LabError> {
    plan.check()?;
    let clock = Clock::calibrate()?;
    let work = Work::calibrate(&plan.service, &clock, plan.worker)?;
    let plan = &Plan { service: work.timed(&plan.service), ..plan.clone() };
    let mut participants: Vec<Participant> =
        contenders.iter().map(|contender| measured(&contender.describe())).collect();
    let (mut done, of) = (0, plan.loads.len() * contenders.len() * plan.rounds as usize);
    for load in &plan.loads {
        let mut sums: Vec<Sum> = contenders.iter().map(|_| Sum::new(plan)).collect();
        for round in 0..plan.rounds {
            let offer = plan.offer(*load, round);
            let requests = offer.requests();
            let run = Run {
                requests: &requests,
                work: &work,
                clock,
                housekeeping: plan.housekeeping,
                worker: plan.worker,
            };
            // There and back, so that nobody is always the first.
            let forward = round.is_multiple_of(2);
            let places =
                (0..contenders.len()).map(|place| if forward { place } else { contenders.len() - 1 - place });
            for place in places.collect::<Vec<_>>() {
                let participant = &mut participants[place];
                done += 1;
                if participant.failed.is_some() {
                    continue;
                }
                progress(&Progress {
                    name: &participant.name,
                    load: *load,
                    round: round + 1,
                    done: done - 1,
                    of,
                });
                let outcome = contenders[place].run(&run);
                match outcome.and_then(|finished| run.check(&finished).map(|()| finished)) {
                    Ok(finished) => sums[place].add(plan, &run, &finished),
                    Err(error) => participant.failed = Some(error.to_string()),
                }
            }
        }
        for (participant, sum) in participants.iter_mut().zip(sums) {
            if sum.rounds == 0 {
                continue;
            }
            let point = sum.point(plan, *load);
            if point.unfinished > 0 {
                participant.failed = Some(format!(
                    "has more to do than it can from a load of {load} on; it was not offered more"
                ));
            }
            participant.points.push(point);
        }
    }
    participants.extend(models.iter().map(|model| modelled(plan, *model)));
    for participant in &mut participants {
        let holds = |point: &&Point| {
            point.unfinished == 0 && point.slowdown.is_some_and(|slowdown| slowdown <= plan.bound.slowdown)
        };
        participant.capacity = participant.points.iter().take_while(holds).last().map(|point| point.load);
    }
    Ok(Report {
        service: plan.service.to_string(),
        arrivals: plan.arrivals.to_string(),
        requests: plan.requests,
        rounds: plan.rounds,
        seed: plan.seed,
        bound: plan.bound,
        own_times: match &plan.service {
            Service::KeyValue(KeyValue { times, .. }) => Some(*times),
            _ => None,
        },
        participants,
    })
}

fn measured(description: &hallows_bench::Description) -> Participant {
    Participant {
        name: description.name.clone(),
        configuration: description.configuration.clone(),
        cores_used: description.cores_used,
        kind: Kind::Measured,
        points: Vec::new(),
        capacity: None,
        failed: None,
    }
}

fn modelled(plan: &Plan, model: Model) -> Participant {
    let point = |load: &f64| {
        let mut sum = Sum::new(plan);
        for round in 0..plan.rounds {
            let offer = plan.offer(*load, round);
            let requests = offer.requests();
            let latencies = model.latencies(&offer, &requests, plan.costs);
            let end =
                requests.iter().zip(&latencies).map(|(request, latency)| request.arrival_ns + latency).max();
            sum.add_round(plan, &requests, |number| latencies.get(number).copied(), end.unwrap_or(0));
        }
        sum.point(plan, *load)
    };
    let Costs { quantum_ns, start_ns, stop_ns } = plan.costs;
    let configuration = match model {
        Model::Ideal => "computed: all that are there share the core equally, at no cost".to_owned(),
        Model::Quantum => {
            format!(
                "computed: quanta of {quantum_ns} ns; {start_ns} ns to begin or go on, {stop_ns} ns to stop"
            )
        }
        _ => format!("computed: {start_ns} ns to begin or go on, {stop_ns} ns to stop"),
    };
    Participant {
        name: model.name().to_owned(),
        configuration,
        cores_used: 0,
        kind: Kind::Model,
        points: plan.loads.iter().map(point).collect(),
        capacity: None,
        failed: None,
    }
}

/// All rounds of somebody at one load.
struct Sum {
    figures: Figures,
    late_ns: Histogram<u64>,
    rounds: u32,
    elapsed_ns: u64,
    put_off_ns: u64,
    done: u64,
    slowdowns: Vec<f64>,
}

impl Sum {
    fn new(plan: &Plan) -> Self {
        Self {
            figures: Figures::new(plan.service.classes().len()),
            late_ns: histogram(),
            rounds: 0,
            elapsed_ns: 0,
            put_off_ns: 0,
            done: 0,
            slowdowns: Vec::new(),
        }
    }

    fn add(&mut self, plan: &Plan, run: &Run<'_>, finished: &crate::run::Finished) {
        finished.late_ns.iter().for_each(|late| _ = self.late_ns.record(*late));
        self.put_off_ns += finished.put_off_ns;
        let latency = |number: usize| finished.latency_ns.get(number).copied().flatten();
        self.add_round(plan, run.requests, latency, finished.elapsed_ns);
    }

    fn add_round(
        &mut self,
        plan: &Plan,
        requests: &[crate::schedule::Request],
        latency: impl Fn(usize) -> Option<u64>,
        elapsed_ns: u64,
    ) {
        self.rounds += 1;
        self.elapsed_ns += elapsed_ns;
        self.done += (0..requests.len()).filter(|number| latency(*number).is_some()).count() as u64;
        let mut round = Figures::new(plan.service.classes().len());
        round.add(requests, &latency);
        self.slowdowns.extend(round.slowdown_at(plan.bound.percent));
        self.figures.add(requests, latency);
    }

    fn point(&self, plan: &Plan, load: f64) -> Point {
        let least = self.slowdowns.iter().copied().reduce(f64::min);
        let most = self.slowdowns.iter().copied().reduce(f64::max);
        Point {
            load,
            offered_per_second: plan.offer(load, 0).per_second(),
            done_per_second: self.done as f64 / self.elapsed_ns.max(1) as f64 * 1e9,
            unfinished: self.figures.unfinished,
            generator_late_ns: self.late_ns.value_at_percentile(99.9) as f64,
            generator_taken: self.put_off_ns as f64 / self.elapsed_ns.max(1) as f64,
            classes: self.figures.by_class(&plan.service.classes()),
            slowdown: self.figures.slowdown_at(plan.bound.percent),
            slowdown_spread: least.zip(most),
        }
    }
}

#[cfg(test)]
mod tests {
    use hallows_bench::Description;

    use super::*;
    use crate::run::{Board, Finished, generate};

    fn plan(loads: &[f64]) -> Plan {
        Plan {
            service: "constant:10us".parse().expect("a form"),
            arrivals: Arrivals::Uniform,
            loads: loads.to_vec(),
            requests: 2_000,
            rounds: 2,
            seed: 1,
            housekeeping: Core(0),
            worker: Core(0),
            // Whatever a busy host does to them.
            bound: Bound { percent: 90.0, slowdown: 1e9 },
            costs: Costs { quantum_ns: 5_000, start_ns: 0, stop_ns: 0 },
        }
    }

    /// Is done with requests at once, or never, or refuses to run.
    struct Made(&'static str, u32);

    impl Contender for Made {
        fn describe(&self) -> Description {
            Description { name: self.0.to_owned(), configuration: String::new(), cores_used: 1 }
        }

        fn run(&mut self, run: &Run<'_>) -> Result<Finished, LabError> {
            self.1 += 1;
            if self.0 == "broken" {
                return Err(LabError::Argument("it is broken".to_owned()));
            }
            let board = Board::new(run.requests.len());
            let submit = |number| {
                let request = &run.requests[number];
                let answer = if self.0 == "idle" { 0 } else { run.work.answer(request).unwrap_or(0) };
                if self.0 != "lossy" || number % 100 != 0 {
                    board.done(number, answer);
                }
                true
            };
            Ok(generate(run, &board, submit, || {}))
        }
    }

    #[test]
    fn who_fails_or_has_too_much_to_do_gets_no_more_and_the_others_go_on() {
        let plan = plan(&[0.5, 0.8]);
        let mut seen = Vec::new();
        let report = {
            let made: Vec<Box<dyn Contender>> =
                ["quick", "lossy", "broken"].into_iter().map(|name| Box::new(Made(name, 0)) as _).collect();
            let mut made = made;
            sweep(&plan, &mut made, &[Model::Ideal], |progress| {
                seen.push((progress.name.to_owned(), progress.load))
            })
            .expect("a report")
        };
        let points: Vec<_> = report
            .participants
            .iter()
            .map(|one| (one.name.as_str(), one.points.len(), one.failed.is_some()))
            .collect();
        assert_eq!(
            points,
            [("quick", 2, false), ("lossy", 1, true), ("broken", 0, true), ("ideal", 2, false)]
        );
        assert!(report.participants[0].capacity.is_some(), "{:?}", report.participants[0]);
        assert_eq!(report.participants[1].capacity, None);
        assert_eq!(report.participants[3].capacity, Some(0.8));
        assert!(report.participants[1].points[0].unfinished >= 36);
        assert_eq!(seen.iter().filter(|(name, _)| name == "broken").count(), 1);
        assert_eq!(seen.iter().filter(|(name, _)| name == "quick").count(), 4);
    }

    #[test]
    fn who_does_not_do_the_work_is_found_out_and_a_load_is_what_was_measured() {
        let mut plan = plan(&[0.5]);
        plan.service = "kv:0.1:keys=500".parse().expect("a form");
        let mut made: Vec<Box<dyn Contender>> =
            ["quick", "idle"].into_iter().map(|name| Box::new(Made(name, 0)) as _).collect();
        let report = sweep(&plan, &mut made, &[Model::Ideal], |_| ()).expect("a report");
        let [quick, idle, ideal] = report.participants.as_slice() else { panic!("{report:?}") };
        assert!(quick.failed.is_none() && quick.points.len() == 1, "{quick:?}");
        assert!(idle.points.is_empty(), "{idle:?}");
        let failed = idle.failed.as_deref().unwrap_or_default();
        assert!(failed.starts_with("answered request 0 with"), "{failed}");
        let times = report.own_times.expect("they were measured");
        assert_ne!(times, OwnTimes::NOMINAL);
        let mean_ns = 0.9 * times.get_ns as f64 + 0.1 * times.scan_ns as f64;
        let offered = ideal.points[0].offered_per_second;
        assert!((offered * mean_ns / 1e9 - 0.5).abs() < 1e-6, "{offered} {times:?}");
        let classes: Vec<_> = ideal.points[0].classes.iter().map(|class| class.class.as_str()).collect();
        assert_eq!(classes, ["all", "GET", "SCAN"]);
    }

    #[test]
    fn plans_that_make_no_sense_are_refused() {
        let good = plan(&[0.5]);
        good.check().expect("it is well");
        let bound = |percent, slowdown| Plan { bound: Bound { percent, slowdown }, ..good.clone() };
        for bad in [
            plan(&[]),
            plan(&[0.0]),
            plan(&[f64::NAN]),
            plan(&[0.8, 0.5]),
            plan(&[0.5, 0.5]),
            Plan { requests: 10, ..good.clone() },
            Plan { rounds: 0, ..good.clone() },
            // 4,000 requests.
            bound(98.0, 50.0),
            bound(100.0, 50.0),
            bound(99.9, 0.5),
            bound(99.9, f64::NAN),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
