//! Policies: who says how long its work takes, policies of a user's own, linked in and in WebAssembly, and those that talk nonsense.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hallows_abi::{Error, Handle, NO_DEADLINE, OnSpace};
use hallows_kernel::{
    Candidate, CellSpecification, Class, Configuration, FirstCome, MIN_QUANTUM_NS, Policies, Policy, Rooted,
    Service, TuneError, Tuning,
};
use hallows_policy::{Module, WasmPolicy};
use hallows_sim::{Faults, Process, Response, Simulation};

const STEPS: u64 = 4_000_000;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;

fn simulation(latency: Option<Arc<dyn Policy>>) -> Simulation {
    let mut policies = Policies::default();
    if let Some(policy) = latency {
        policies.latency = policy;
    }
    Simulation::new(1, Configuration { policies, ..Configuration::tiny(1) }, Faults::CALM)
}

fn of_priority(priority: u8) -> CellSpecification<'static> {
    CellSpecification {
        name: "cell",
        memory_bytes: 1 << 20,
        slots: 0,
        class: Class::Latency,
        priority,
        passive: false,
        pinned: None,
        pool: 0,
        time: None,
    }
}

/// Who was done, one after another.
type Done = Rc<RefCell<Vec<&'static str>>>;

/// Begins at a time, says what it expects if it does, computes for as long as it really takes, and notes that it is done.
fn job(
    sim: &mut Simulation,
    name: &'static str,
    at_us: u64,
    says_us: u64,
    takes_us: u64,
    done: &Done,
) -> Rooted {
    let done = Rc::clone(done);
    sim.main(move |process| {
        while process.time_ns() < at_us * US {
            process.wait(at_us * US)?;
        }
        if says_us > 0 {
            process.operate(Handle::SELF, OnSpace::Expect { ns: says_us * US }, &[])?;
        }
        process.compute(takes_us * US)?;
        done.borrow_mut().push(name);
        Ok(())
    })
}

/// Runs jobs (name, when, what it says, what it takes, all in µs) to their ends.
fn order_of(latency: Option<Arc<dyn Policy>>, jobs: &[(&'static str, u64, u64, u64)]) -> Vec<&'static str> {
    let (mut sim, done) = (simulation(latency), Done::default());
    for (name, at_us, says_us, takes_us) in jobs {
        let program = job(&mut sim, name, *at_us, *says_us, *takes_us, &done);
        let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
        sim.start(cell);
    }
    sim.run_until(STEPS, |_| done.borrow().len() == jobs.len()).unwrap();
    sim.finish(STEPS).unwrap();
    done.take()
}

#[test]
fn shorter_work_goes_first_and_who_says_nothing_is_taken_for_short() {
    let jobs = [
        ("long", 1_000, 800, 800),
        ("middle", 1_010, 200, 200),
        ("silent", 1_100, 0, 60),
        ("short", 1_100, 30, 30),
    ];
    assert_eq!(order_of(None, &jobs), ["silent", "short", "middle", "long"]);
    // Without a word they share the core: all end by how long they take, whenever they came.
    let silent = jobs.map(|(name, at, _, takes)| (name, at, 0, takes));
    assert_eq!(order_of(None, &silent), ["short", "silent", "middle", "long"]);
}

#[test]
fn work_of_one_class_of_service_takes_turns() {
    let jobs = [("one", 1_000, 300, 300), ("other", 1_000, 310, 300)];
    let (mut sim, done) = (simulation(None), Done::default());
    for (name, at, says, takes) in jobs {
        let program = job(&mut sim, name, at, says, takes, &done);
        let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
        sim.start(cell);
    }
    sim.run_until(STEPS, |sim| sim.time_ns() > 1_300 * US).unwrap();
    assert!(done.borrow().is_empty(), "half of each is done by now: {done:?}");
    assert!(sim.kernel.picture_cores()[0].switches > 40);
    sim.run_until(STEPS, |_| done.borrow().len() == 2).unwrap();
    sim.finish(STEPS).unwrap();
}

#[test]
fn who_says_less_than_the_truth_sinks_to_where_he_belongs() {
    let jobs = [("liar", 1_000, 1, 3_000), ("honest", 1_000, 500, 500), ("later", 2_000, 400, 400)];
    assert_eq!(order_of(None, &jobs), ["honest", "later", "liar"]);
}

#[test]
fn what_was_said_is_forgotten_when_the_work_is_done() {
    let (mut sim, done) = (simulation(None), Done::default());
    let noted = Rc::clone(&done);
    // Says something of its first work only.
    let program = sim.main(move |process| {
        process.operate(Handle::SELF, OnSpace::Expect { ns: 900 * MS }, &[])?;
        while process.time_ns() < MS {
            process.wait(MS)?;
        }
        process.compute(50 * US)?;
        noted.borrow_mut().push("forgotten");
        Ok(())
    });
    let (first, _) = sim.cell_of(&program, None, &of_priority(3));
    let program = job(&mut sim, "said", 1_000, 400, 400, &done);
    let (second, _) = sim.cell_of(&program, None, &of_priority(3));
    sim.start(second);
    sim.start(first);
    sim.run_until(STEPS, |_| done.borrow().len() == 2).unwrap();
    assert_eq!(done.take(), ["forgotten", "said"]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn in_a_passive_server_nobody_says_how_long_the_work_of_its_caller_takes() {
    let mut sim = simulation(None);
    let program = sim.reactor(|_| {
        Ok(Box::new(|process: &mut Process<'_>, _| {
            let refused = process.operate(Handle::SELF, OnSpace::Expect { ns: 1 }, &[]).unwrap_err();
            Ok(Response::bytes([u8::from(refused == Error::NotInHandler)]))
        }))
    });
    let (server, _) = sim.cell("server", &program, None, true, 0);
    let endpoint = sim.endpoint(server, Service::Passive { handler_budget_ns: 10 * MS });
    sim.start(server);
    let answer = Rc::new(Cell::new(None));
    let (noted, handle) = (Rc::clone(&answer), Rc::new(Cell::new(None)));
    let used = Rc::clone(&handle);
    let program = sim.main(move |process| {
        let received = process.call(used.get().unwrap(), &[], &[], NO_DEADLINE)?;
        noted.set(received.bytes.first().copied());
        Ok(())
    });
    let (client, _) = sim.cell_of(&program, None, &of_priority(3));
    handle.set(Some(sim.grant(client, &endpoint)));
    sim.run(STEPS).unwrap();
    sim.start(client);
    sim.run(STEPS).unwrap();
    assert_eq!(answer.get(), Some(1));
    sim.finish(STEPS).unwrap();
}

#[test]
fn first_come_first_served_runs_each_to_its_end() {
    let jobs = [("first", 1_000, 0, 700), ("second", 1_010, 0, 10), ("third", 1_020, 5, 10)];
    assert_eq!(order_of(Some(Arc::new(FirstCome)), &jobs), ["first", "second", "third"]);
}

/// The least attained service first, in steps of 20 µs: who has run least goes before all others.
#[derive(Debug)]
struct LeastAttained;

impl Policy for LeastAttained {
    fn name(&self) -> &str {
        "least-attained"
    }

    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        candidate.ran_ns() / (20 * US)
    }
}

#[test]
fn a_policy_of_a_users_own_decides_in_its_class() {
    // Sharing alike, both would be done at about the same time.
    let jobs = [("first", 1_000, 0, 500), ("second", 1_400, 0, 300)];
    assert_eq!(order_of(Some(Arc::new(LeastAttained)), &jobs), ["second", "first"]);
    let early = [("first", 1_000, 0, 500), ("second", 1_400, 0, 700)];
    assert_eq!(order_of(Some(Arc::new(LeastAttained)), &early), ["first", "second"]);
}

/// Says whatever a generator of random numbers says.
#[derive(Debug)]
struct Nonsense(AtomicU64);

impl Nonsense {
    fn next(&self) -> u64 {
        let next = self.0.load(Ordering::Relaxed).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0.store(next, Ordering::Relaxed);
        next.rotate_left(29)
    }
}

impl Policy for Nonsense {
    fn name(&self) -> &str {
        "nonsense"
    }

    fn order(&self, _: &Candidate<'_>) -> u64 {
        self.next() % 3
    }

    fn quantum_ns(&self, _: &Candidate<'_>, _: u64) -> u64 {
        self.next() % 2_000
    }
}

#[test]
fn nonsense_is_told_of_once_and_harms_nobody_of_another_rank() {
    let (mut sim, done) = (simulation(Some(Arc::new(Nonsense(AtomicU64::new(1))))), Done::default());
    for name in ["a", "b", "c", "d"] {
        let program = job(&mut sim, name, 1_000, 0, 400, &done);
        let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
        sim.start(cell);
    }
    let late = Rc::new(Cell::new(0));
    let noted = Rc::clone(&late);
    let program = sim.main(move |process| {
        for at_us in (1_100..1_800).step_by(100) {
            process.wait(at_us * US)?;
            noted.set(noted.get().max(process.time_ns() - at_us * US));
            process.compute(5 * US)?;
        }
        Ok(())
    });
    let (above, _) = sim.cell_of(&program, None, &of_priority(4));
    sim.start(above);
    sim.run_until(STEPS, |_| done.borrow().len() == 4).unwrap();
    assert!(late.get() < 10 * US, "{} ns", late.get());
    // Four jobs of 400 µs and seven of 5 µs: no core has switched more often than every microsecond, the shortest quantum.
    let (switches, time_ns) = (sim.kernel.picture_cores()[0].switches, sim.time_ns());
    assert!(switches * MIN_QUANTUM_NS < 2 * (time_ns - MS), "{switches} switches");
    let told = sim.log().into_iter().filter(|line| line.contains("policy nonsense: a quantum of ")).count();
    assert_eq!(told, 1, "{:?}", sim.log());
    sim.finish(STEPS).unwrap();
}

/// Puts one cell behind all others, for ever.
#[derive(Debug)]
struct Against(AtomicU64);

impl Policy for Against {
    fn name(&self) -> &str {
        "against"
    }

    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        u64::from(u64::from(candidate.cell().0) == self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn a_policy_starves_nobody_for_ever() {
    let policy = Arc::new(Against(AtomicU64::new(u64::MAX)));
    let mut sim = simulation(Some(policy.clone()));
    let ran = Rc::new(Cell::new(0_u64));
    // Each wakes the other as it goes, so that one of them always comes anew.
    for _ in 0..2 {
        let program = sim.main(|process| {
            loop {
                process.compute(US)?;
                process.operate(Handle::SELF, OnSpace::Yield, &[])?;
            }
        });
        let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
        sim.start(cell);
    }
    let noted = Rc::clone(&ran);
    let program = sim.main(move |process| {
        loop {
            process.compute(US)?;
            noted.set(noted.get() + 1);
        }
    });
    let (starved, _) = sim.cell_of(&program, None, &of_priority(3));
    policy.0.store(starved.0.into(), Ordering::Relaxed);
    sim.start(starved);
    sim.run_until(STEPS, |_| ran.get() > 3).unwrap();
    let switches = sim.kernel.picture_cores()[0].switches;
    assert!(switches > 1_000, "it was behind all others: {switches}");
    sim.finish(STEPS).unwrap();
}

#[test]
fn quanta_change_while_the_machine_runs_and_those_that_it_cannot_keep_are_refused() {
    let mut sim = simulation(None);
    let done = Done::default();
    for name in ["one", "other"] {
        let program = job(&mut sim, name, 0, 0, 40_000, &done);
        let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
        sim.start(cell);
    }
    // How long the core runs one of them at a time, in ns.
    let slice = |sim: &mut Simulation| {
        let (began, before) = (sim.time_ns(), sim.kernel.picture_cores()[0].switches);
        sim.run_until(STEPS, |sim| sim.time_ns() >= began + 4 * MS).unwrap();
        (sim.time_ns() - began) / (sim.kernel.picture_cores()[0].switches - before).max(1)
    };
    let usual = sim.kernel.tuning();
    assert!((usual.quantum_ns..2 * usual.quantum_ns).contains(&slice(&mut sim)));
    for quantum_ns in [50 * US, MIN_QUANTUM_NS, 300 * US] {
        sim.kernel.tune(Tuning { quantum_ns, ..usual }).unwrap();
        let seen_ns = slice(&mut sim);
        assert!((quantum_ns..2 * quantum_ns + 3 * US).contains(&seen_ns), "{quantum_ns}: {seen_ns}");
    }
    let tuned = sim.kernel.tuning();
    for short in [Tuning { quantum_ns: MIN_QUANTUM_NS - 1, ..usual }, Tuning { batch_quantum_ns: 0, ..usual }]
    {
        assert_eq!(sim.kernel.tune(short), Err(TuneError::QuantumTooShort { least_ns: MIN_QUANTUM_NS }));
        assert_eq!(sim.kernel.tuning(), tuned, "all or nothing");
    }
    // Until they wait by themselves: nobody is stopped.
    sim.kernel.tune(Tuning { quantum_ns: u64::MAX, ..usual }).unwrap();
    let before = sim.kernel.picture_cores()[0].switches;
    sim.run_until(STEPS, |_| !done.borrow().is_empty()).unwrap();
    assert!(sim.kernel.picture_cores()[0].switches <= before + 2);
    sim.finish(STEPS).unwrap();
}

/// A policy in WebAssembly: what it exports, as text.
fn in_wasm(fields: &str) -> Arc<dyn Policy> {
    let text = format!(
        r#"(module (import "candidate" "cell" (func $cell (result i32)))
                   (import "candidate" "ran_ns" (func $ran_ns (result i64)))
                   (import "candidate" "expected_ns" (func $expected_ns (result i64))) {fields})"#
    );
    let module = Module::verify(&wat::parse_str(&text).unwrap());
    Arc::new(WasmPolicy::new("mine", module.unwrap_or_else(|refusal| panic!("{refusal}: {text}"))))
}

const LEAST_ATTAINED: &str =
    r#"(func (export "order") (result i64) (i64.div_u (call $ran_ns) (i64.const 20000)))"#;

#[test]
fn a_policy_in_webassembly_decides_as_one_that_is_linked_in() {
    for second_us in [300, 700] {
        let jobs = [("first", 1_000, 0, 500), ("second", 1_400, 0, second_us)];
        let linked = order_of(Some(Arc::new(LeastAttained)), &jobs);
        assert_eq!(order_of(Some(in_wasm(LEAST_ATTAINED)), &jobs), linked);
    }
    // What a program has said: the longer first, whoever came before; who has said nothing yet is let say it.
    let jobs = [("short", 1_000, 100, 300), ("long", 1_010, 400, 300), ("longest", 1_020, 900, 300)];
    let longest = r#"(func (export "order") (result i64)
        (select (i64.const 0) (i64.sub (i64.const 1000000) (call $expected_ns)) (i64.eqz (call $expected_ns))))"#;
    assert_eq!(order_of(Some(in_wasm(longest)), &jobs), ["longest", "long", "short"]);
}

#[test]
fn a_policy_in_webassembly_says_how_long_turns_are() {
    let switches = |fields: &str| {
        let (mut sim, done) = (simulation(Some(in_wasm(fields))), Done::default());
        for name in ["one", "other"] {
            let program = job(&mut sim, name, 1_000, 0, 400, &done);
            let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
            sim.start(cell);
        }
        sim.run_until(STEPS, |_| done.borrow().len() == 2).unwrap();
        let switches = sim.kernel.picture_cores()[0].switches;
        sim.finish(STEPS).unwrap();
        switches
    };
    let times = |times: u32| {
        format!(
            r#"(func (export "quantum_ns") (param i64) (result i64) (i64.mul (local.get 0) (i64.const {times})))"#
        )
    };
    let (usual, longer) = (switches(&times(1)), switches(&times(10)));
    assert!(usual > 4 * longer, "{usual} and {longer} switches");
    // It runs until it waits by itself.
    let endless = r#"(func (export "quantum_ns") (param i64) (result i64) (i64.const -1))"#;
    let jobs = [("first", 1_000, 0, 700), ("second", 1_010, 0, 10)];
    assert_eq!(order_of(Some(in_wasm(endless)), &jobs), ["first", "second"]);
}

#[test]
fn a_policy_without_an_answer_is_as_if_it_had_not_been_asked_and_is_told_of_once() {
    let order = |body: &str| format!(r#"(func (export "order") (result i64) {body})"#);
    let quantum = |body: &str| format!(r#"(func (export "quantum_ns") (param i64) (result i64) {body})"#);
    // Each has no answer, of whatever is asked.
    let zero = "(i64.and (call $ran_ns) (i64.const 0))";
    let bodies = [
        ("(unreachable)", "`unreachable` was reached"),
        (&format!("(i64.div_u (i64.const 1) {zero})"), "a division by 0"),
        (&format!("(i64.div_s (i64.or {zero} (i64.const 0x8000000000000000)) (i64.const -1))"), "too large"),
        (&format!("(i64.load (i32.wrap_i64 (i64.or {zero} (i64.const 65529))))"), "from behind the end"),
    ];
    let jobs = [("first", 1_000, 0, 300), ("second", 1_000, 0, 100), ("third", 1_000, 0, 200)];
    let usual = order_of(None, &jobs);
    for (body, why) in bodies {
        for (question, exports) in [("order", order(body)), ("quantum_ns", quantum(body))] {
            let policy = in_wasm(&format!("(memory 1) {exports}"));
            let (mut sim, done) = (simulation(Some(policy)), Done::default());
            for (name, at_us, says_us, takes_us) in jobs {
                let program = job(&mut sim, name, at_us, says_us, takes_us, &done);
                let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
                sim.start(cell);
            }
            sim.run_until(STEPS, |_| done.borrow().len() == jobs.len()).unwrap();
            let told: Vec<_> = sim.log().into_iter().filter(|line| line.contains("policy mine: ")).collect();
            assert!(
                told.len() == 1
                    && told[0].contains(&format!("`{question}` had no answer: "))
                    && told[0].contains(why),
                "{told:?}"
            );
            sim.finish(STEPS).unwrap();
            assert_eq!(done.take(), usual, "{question} {body}");
        }
    }
}

#[test]
fn nonsense_in_webassembly_harms_nobody_of_another_rank() {
    // Orders and quanta without sense, most of them too short.
    let nonsense = r#"
        (func $mix (param i64) (result i64)
          (i64.rotl (i64.mul (i64.xor (local.get 0) (i64.extend_i32_u (call $cell))) (i64.const 6364136223846793005)) (i64.const 29)))
        (func (export "order") (result i64) (i64.rem_u (call $mix (call $ran_ns)) (i64.const 3)))
        (func (export "quantum_ns") (param i64) (result i64) (i64.rem_u (call $mix (call $ran_ns)) (i64.const 900)))"#;
    let (mut sim, done) = (simulation(Some(in_wasm(nonsense))), Done::default());
    for name in ["a", "b", "c", "d"] {
        let program = job(&mut sim, name, 1_000, 0, 400, &done);
        let (cell, _) = sim.cell_of(&program, None, &of_priority(3));
        sim.start(cell);
    }
    let late = Rc::new(Cell::new(0));
    let noted = Rc::clone(&late);
    let program = sim.main(move |process| {
        for at_us in (1_100..1_800).step_by(100) {
            process.wait(at_us * US)?;
            noted.set(noted.get().max(process.time_ns() - at_us * US));
            process.compute(5 * US)?;
        }
        Ok(())
    });
    let (above, _) = sim.cell_of(&program, None, &of_priority(4));
    sim.start(above);
    sim.run_until(STEPS, |_| done.borrow().len() == 4).unwrap();
    assert!(late.get() < 10 * US, "{} ns", late.get());
    let told = sim.log().into_iter().filter(|line| line.contains("policy mine: a quantum of ")).count();
    assert_eq!(told, 1, "{:?}", sim.log());
    sim.finish(STEPS).unwrap();
}
