//! Threads of one cell: one memory, one space, one fate, on as many cores as there are.

mod engine_support;

use engine_support::{BEGIN, ECHO, World, reactor};
use hallows_abi::Error;
use hallows_kernel::{CellState, Configuration, MOST_THREADS};

/// A program with threads: `$go` starts one with the next stack and block, `$join` waits for the thread of a block. Threads run `hallows_thread`.
fn threaded(body: &str) -> String {
    format!(
        r#"(module
        (import "hallows" "thread_start" (func $thread_start (param i32 i32) (result i64)))
        (import "hallows" "thread_block" (func $own_block (result i32)))
        {BEGIN}
        (memory (export "memory") 1 64 shared)
        (global $stack (export "__stack_pointer") (mut i32) (i32.const 65536))
        (func $go (param $block i32) (result i64)
            (call $thread_start (i32.add (local.get $block) (i32.const 4096)) (local.get $block)))
        (func $join (param $block i32)
            (loop $again (if (i32.ne (i32.atomic.load (local.get $block)) (i32.const 1)) (then
                (drop (memory.atomic.wait32 (local.get $block) (i32.const 0) (i64.const -1))) (br $again)))))
        {body})"#
    )
}

/// Runs it on one core, on one with a check at each turn, and on two at once: it returns if all is well.
fn passes_everywhere(body: &str) {
    let source = threaded(body);
    for world in [World::new(1), World::chaotic(1)] {
        world.passes(&source, &[]);
        assert_eq!(world.kernel.contradictions(), Vec::<String>::new());
    }
    for world in [World::new(2), World::chaotic(2)] {
        let cell = world.cell("main", &world.program(&source), false);
        world.start(cell);
        world.run_on_threads(2, &[cell]);
        assert_eq!(world.log(), "");
        assert_eq!(world.kernel.contradictions(), Vec::<String>::new());
    }
}

#[test]
fn what_one_stores_the_others_load() {
    passes_everywhere(
        r#"(func (export "hallows_thread") (param $block i32) (local $left i32)
            (local.set $left (i32.const 1000))
            (loop $more (drop (i32.atomic.rmw.add (i32.const 2048) (i32.const 3)))
                (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (func (export "hallows_main")
            (call $check (i64.gt_s (call $go (i32.const 8192)) (i64.const 0)))
            (call $check (i64.gt_s (call $go (i32.const 16384)) (i64.const 0)))
            (call $check (i64.gt_s (call $go (i32.const 24576)) (i64.const 0)))
            (call $join (i32.const 8192)) (call $join (i32.const 16384)) (call $join (i32.const 24576))
            (call $check (i32.eq (i32.load (i32.const 2048)) (i32.const 9000))))"#,
    );
}

/// Each waits for the other by looking only: nobody calls, so both must run.
const RENDEZVOUS: &str = r#"(func $meet (param $own i32) (param $other i32) (local $round i32)
        (loop $more
            (local.set $round (i32.add (local.get $round) (i32.const 1)))
            (i32.atomic.store (local.get $own) (local.get $round))
            (loop $look (br_if $look (i32.lt_u (i32.atomic.load (local.get $other)) (local.get $round))))
            (br_if $more (i32.lt_u (local.get $round) (i32.const 50)))))
    (func (export "hallows_thread") (param i32) (call $meet (i32.const 2048) (i32.const 2052)))
    (func (export "hallows_main")
        (call $check (i64.gt_s (call $go (i32.const 8192)) (i64.const 0)))
        (call $meet (i32.const 2052) (i32.const 2048))
        (call $join (i32.const 8192)))"#;

#[test]
fn two_that_wait_for_each_other_run_on_two_cores_at_once() {
    let world = World::new(2);
    let cell = world.cell("main", &world.program(&threaded(RENDEZVOUS)), false);
    world.start(cell);
    world.run_on_threads(2, &[cell]);
    assert_eq!(world.log(), "");
}

#[test]
fn on_one_core_they_are_preempted_for_each_other() {
    let world = World::new(1);
    let cell = world.cell("main", &world.program(&threaded(RENDEZVOUS)), false);
    world.start(cell);
    world.run_in_time(|world| world.kernel.state(cell.id) == CellState::Dead);
    assert_eq!(world.log(), "");
}

#[test]
fn each_has_its_own_stack_pointer_globals_and_block() {
    passes_everywhere(
        r#"(global $own (mut i32) (i32.const 7))
        (func (export "hallows_thread") (param $block i32)
            (call $check (i32.eq (global.get $stack) (i32.add (local.get $block) (i32.const 4096))))
            (call $check (i32.eq (call $own_block) (local.get $block)))
            (call $check (i32.eq (global.get $own) (i32.const 7)))
            (global.set $own (local.get $block)))
        (func (export "hallows_main")
            (global.set $own (i32.const 1))
            (drop (call $go (i32.const 8192))) (drop (call $go (i32.const 16384)))
            (call $join (i32.const 8192)) (call $join (i32.const 16384))
            (call $check (i32.eq (global.get $own) (i32.const 1)))
            (call $check (i32.eqz (call $own_block)))
            (call $check (i32.eq (global.get $stack) (i32.const 65536))))"#,
    );
}

#[test]
fn whoever_grows_the_memory_all_know_its_length() {
    // Both grow, in turn: each from what the other has left, and fills all of it to the last byte in one instruction.
    passes_everywhere(
        r#"(func $grow (param $pages i32)
            (call $check (i32.eq (memory.size) (local.get $pages)))
            (call $check (i32.eq (memory.grow (i32.const 2)) (local.get $pages)))
            (call $check (i32.eq (memory.size) (i32.add (local.get $pages) (i32.const 2))))
            (memory.fill (i32.mul (local.get $pages) (i32.const 65536)) (local.get $pages) (i32.const 131072)))
        (func (export "hallows_thread") (param $block i32)
            (call $grow (i32.load (i32.const 2048)))
            (i32.atomic.store (i32.const 2052) (i32.const 1)) (drop (memory.atomic.notify (i32.const 2052) (i32.const 1)))
            (loop $again (if (i32.ne (i32.atomic.load (i32.const 2052)) (i32.const 2)) (then
                (drop (memory.atomic.wait32 (i32.const 2052) (i32.const 1) (i64.const -1))) (br $again))))
            (call $grow (i32.const 5)))
        (func (export "hallows_main")
            (i32.store (i32.const 2048) (i32.const 1))
            (drop (call $go (i32.const 8192)))
            (loop $again (if (i32.ne (i32.atomic.load (i32.const 2052)) (i32.const 1)) (then
                (drop (memory.atomic.wait32 (i32.const 2052) (i32.const 0) (i64.const -1))) (br $again))))
            (call $grow (i32.const 3))
            (i32.atomic.store (i32.const 2052) (i32.const 2)) (drop (memory.atomic.notify (i32.const 2052) (i32.const 1)))
            (call $join (i32.const 8192))
            ;; One that starts now has all of it from the beginning.
            (i32.store (i32.const 2048) (i32.const 7)) (i32.store (i32.const 16384) (i32.const 0))
            (i32.atomic.store (i32.const 2052) (i32.const 0))
            (call $check (i32.eq (memory.size) (i32.const 7)))
            (call $check (i32.eq (i32.load8_u (i32.const 458751)) (i32.const 5)))
            (call $check (i32.eq (i32.load8_u (i32.const 327679)) (i32.const 3))))"#,
    );
}

#[test]
fn waiting_ends_by_notification_by_another_value_and_by_time() {
    passes_everywhere(
        r#"(func (export "hallows_thread") (param $block i32)
            (i32.atomic.store (i32.const 2048) (i32.const 1))
            (drop (memory.atomic.notify (i32.const 2048) (i32.const -1))))
        (func (export "hallows_main")
            (call $check (i32.eq (memory.atomic.wait32 (i32.const 2048) (i32.const 5) (i64.const -1)) (i32.const 1)))
            (call $check (i32.eq (memory.atomic.wait64 (i32.const 2048) (i64.const 5) (i64.const -1)) (i32.const 1)))
            (call $check (i32.eq (memory.atomic.wait32 (i32.const 2048) (i32.const 0) (i64.const 0)) (i32.const 2)))
            (call $check (i32.eqz (memory.atomic.notify (i32.const 2048) (i32.const 9))))
            (drop (call $go (i32.const 8192)))
            (loop $again (if (i32.eqz (i32.atomic.load (i32.const 2048))) (then
                (drop (memory.atomic.wait32 (i32.const 2048) (i32.const 0) (i64.const -1))) (br $again))))
            (call $join (i32.const 8192)))"#,
    );
    let world = World::new(1);
    let late = threaded(
        r#"(func (export "hallows_main") (call $check (i32.eq (i32.const 2)
            (memory.atomic.wait32 (i32.const 2048) (i32.const 0) (i64.const 2000000)))))"#,
    );
    let cell = world.cell("late", &world.program(&late), false);
    world.start(cell);
    world.run_in_time(|world| world.kernel.state(cell.id) == CellState::Dead);
    assert_eq!(world.log(), "");
}

#[test]
fn a_trap_in_one_ends_all_and_says_which_it_was() {
    let source = threaded(
        r#"(func $sleep (drop (memory.atomic.wait32 (i32.const 2048) (i32.const 0) (i64.const -1))))
        (func $bad (drop (i32.load (i32.const 0x7fff0000))))
        (func (export "hallows_thread") (param $block i32)
            (if (i32.eq (local.get $block) (i32.const 8192)) (then (call $sleep)) (else (call $bad))))
        (func (export "hallows_main")
            (drop (call $go (i32.const 8192))) (drop (call $go (i32.const 16384))) (call $sleep))"#,
    );
    for cores in [1, 2] {
        let world = World::new(cores);
        let before = world.kernel.memory();
        let cell = world.cell("main", &world.program(&source), false);
        world.start(cell);
        world.run_on_threads(cores, &[cell]);
        let log = world.log();
        assert!(log.contains("accessed memory out of bounds") && log.contains("in thread "), "{log}");
        assert!(log.contains("bad"), "{log}");
        assert_eq!(world.kernel.usage().cells, 1, "threads are left");
        assert_eq!(world.kernel.contradictions(), Vec::<String>::new());
        // And it can live again.
        world.kernel.boot_restart(&world.right, cell.id).unwrap();
        world.run_on_threads(cores, &[cell]);
        assert!(world.log().contains("in thread "));
        world.kernel.boot_destroy(&world.right, &cell.capability);
        assert_eq!(world.kernel.memory(), before, "memory is left");
    }
}

#[test]
fn a_kill_ends_those_that_run_and_those_that_wait() {
    let source = threaded(
        r#"(func (export "hallows_thread") (param $block i32)
            (drop (i32.atomic.rmw.add (i32.const 2048) (i32.const 1)))
            (if (i32.eq (local.get $block) (i32.const 8192)) (then (loop $for_ever (br $for_ever))))
            (drop (memory.atomic.wait32 (i32.const 4000) (i32.const 0) (i64.const -1))))
        (func (export "hallows_main")
            (drop (call $go (i32.const 8192))) (drop (call $go (i32.const 16384)))
            (loop $for_ever (br $for_ever)))"#,
    );
    let world = World::new(1);
    let cell = world.cell("main", &world.program(&source), false);
    world.start(cell);
    let mut killed = false;
    world.run_in_time(|world| {
        let cells = world.kernel.picture_cells();
        if !killed
            && cells.len() == 3
            && cells.iter().filter(|cell| !cell.runnable && !cell.running).count() == 1
        {
            killed = world.kernel.boot_kill(&world.right, cell.id);
        }
        world.kernel.state(cell.id) == CellState::Dead
    });
    assert_eq!(world.kernel.usage().cells, 1);
    assert_eq!(world.kernel.contradictions(), Vec::<String>::new());
}

#[test]
fn when_the_first_one_returns_the_others_are_over() {
    let world = World::new(1);
    let source = threaded(
        r#"(func (export "hallows_thread") (param i32) (loop $for_ever (br $for_ever)))
        (func (export "hallows_main") (drop (call $go (i32.const 8192))))"#,
    );
    let cell = world.cell("main", &world.program(&source), false);
    world.start(cell);
    world.run_in_time(|world| world.kernel.state(cell.id) == CellState::Dead);
    assert_eq!(world.log(), "");
    assert_eq!(world.kernel.usage().cells, 1);
}

#[test]
fn they_use_the_capabilities_of_their_cell_and_have_inboxes_of_their_own() {
    let world = World::new(2);
    let (_, endpoint) = world.passive(&reactor(ECHO));
    // Each asks the server 200 times, for as many bytes as its block's number says.
    let source = threaded(
        r#"(func $ask (param $length i32) (local $left i32)
            (local.set $left (i32.const 200))
            (loop $more
                (call $check (i64.eq (i64.extend_i32_u (local.get $length))
                    (i64.and (call $echo (i32.const 3) (local.get $length)) (i64.const 0xffffffff))))
                (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (func (export "hallows_thread") (param $block i32) (call $ask (i32.shr_u (local.get $block) (i32.const 10))))
        (func (export "hallows_main")
            (drop (call $go (i32.const 16384))) (drop (call $go (i32.const 32768)))
            (call $ask (i32.const 7))
            (call $join (i32.const 16384)) (call $join (i32.const 32768)))"#,
    );
    let cell = world.cell("main", &world.program(&source), false);
    world.grant(cell, &endpoint);
    world.start(cell);
    world.run_on_threads(2, &[cell]);
    assert_eq!(world.log(), "");
    assert_eq!(world.kernel.contradictions(), Vec::<String>::new());
}

/// A main program that starts a thread and expects this of it: an error, or none if all is well.
fn expects(error: Option<Error>) -> String {
    let expected =
        error.map_or(String::from("(i64.const 0)"), |error| format!("(i64.const -{})", error.number()));
    let compare = if error.is_some() { "i64.eq" } else { "i64.gt_s" };
    format!(
        r#"(func (export "hallows_main") (call $check ({compare} (call $go (i32.const 8192)) {expected}))
            (if (i32.const {}) (then (call $join (i32.const 8192)))))"#,
        u32::from(error.is_none())
    )
}

#[test]
fn what_cannot_have_one_more_is_told_so() {
    const THREAD: &str = r#"(func (export "hallows_thread") (param i32))"#;
    let world = World::new(1);
    world.passes(&threaded(&format!("{THREAD} {}", expects(None))), &[]);
    // Without the function that threads run, or without a memory that they could share.
    world.passes(&threaded(&expects(Some(Error::Unsupported))), &[]);
    let own = threaded(&format!("{THREAD} {}", expects(Some(Error::Unsupported)))).replace("64 shared", "64");
    world.passes(&own, &[]);
    // As many as its budget has, and the machine.
    let many = |error: Error, at_least: u32| {
        threaded(&format!(
            r#"(func (export "hallows_thread") (param i32)
                (drop (memory.atomic.wait32 (i32.const 2048) (i32.const 0) (i64.const -1))))
            (func (export "hallows_main") (local $started i64) (local $block i32)
                (local.set $block (i32.const 8192))
                (loop $more
                    (local.set $started (call $go (local.get $block)))
                    (local.set $block (i32.add (local.get $block) (i32.const 8)))
                    (br_if $more (i64.gt_s (local.get $started) (i64.const 0))))
                (call $check (i64.eq (local.get $started) (i64.const -{})))
                (call $check (i32.gt_u (local.get $block) (i32.const {}))))"#,
            error.number(),
            8192 + 8 * at_least,
        ))
    };
    let hog = many(Error::BudgetExhausted, 2);
    let cell = world.cell_with("hog", &world.program(&hog), false, 400 << 10);
    world.start(cell);
    world.run();
    assert_eq!(world.log(), "");
    // As many as a cell may have, again and again.
    for _ in 0..2 {
        let all = many(Error::TableFull, MOST_THREADS as u32);
        let exactly =
            all.replace("i32.gt_u (local.get $block)", "i32.eq (i32.sub (local.get $block) (i32.const 8))");
        world.passes(&exactly, &[]);
        assert_eq!(world.kernel.contradictions(), Vec::<String>::new());
    }
    let world = World::with(Configuration { cells: 6, ..Configuration::default() });
    world.passes(&many(Error::TableFull, 2), &[]);
    world.passes(&threaded(&format!("{THREAD} {}", expects(None))), &[]);
}

#[test]
fn a_start_function_starts_none_and_its_trap_leaves_nothing() {
    // Of what it leaves, the next program would be made.
    let source = threaded(&format!(
        r#"(func $init (local $left i32)
            (local.set $left (i32.const 20))
            (loop $more
                (call $check (i64.eq (call $go (i32.const 8192)) (i64.const -{})))
                (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (drop (i32.load (i32.const 0x7fff0000))))
        (start $init)
        (func (export "hallows_thread") (param $block i32) (i32.store (i32.const 2048) (i32.const 1)))
        (func (export "hallows_main"))"#,
        Error::BadState.number()
    ));
    for world in [World::new(1), World::chaotic(1)] {
        for _ in 0..3 {
            let log = world.outcome(&source, &[]);
            assert!(log.contains("accessed memory out of bounds"), "{log}");
            world.passes(
                &threaded(
                    r#"(func (export "hallows_thread") (param i32))
                    (func (export "hallows_main")
                        (call $check (i32.eqz (i32.load (i32.const 2048))))
                        (drop (call $go (i32.const 8192))) (call $join (i32.const 8192))
                        (call $check (i32.eqz (i32.load (i32.const 2048)))))"#,
                ),
                &[],
            );
        }
        assert_eq!(world.kernel.contradictions(), Vec::<String>::new());
    }
}

#[test]
fn what_no_thread_can_be_started_by_is_no_program() {
    let world = World::new(1);
    let with = |thread: &str, stack: &str| {
        let source = threaded(&format!("{thread} (func (export \"hallows_main\"))"));
        world.load(&source.replace("(export \"__stack_pointer\") (mut i32)", stack)).err()
    };
    let stack = "(export \"__stack_pointer\") (mut i32)";
    let thread = "(func (export \"hallows_thread\") (param i32))";
    assert_eq!(with(thread, stack), None);
    let wrong = |name| Some(hallows_engine::LoadError::ExportType(name));
    assert_eq!(with("(func (export \"hallows_thread\"))", stack), wrong("hallows_thread"));
    assert_eq!(with(thread, "(mut i32)"), wrong("__stack_pointer"));
}

#[test]
fn arguments_outside_of_the_memory_are_refused_and_words_askew_are_traps() {
    let world = World::new(1);
    let thread = r#"(func (export "hallows_thread") (param i32))"#;
    let start = |stack: &str, block: &str| {
        threaded(&format!(
            r#"{thread} (func (export "hallows_main") (call $check (i64.eq (i64.const -{})
                (call $thread_start (i32.const {stack}) (i32.const {block})))))"#,
            Error::BadSpan.number()
        ))
    };
    for (stack, block) in [
        ("65537", "8192"),
        ("-1", "8192"),
        ("4096", "65536"),
        ("4096", "65533"),
        ("4096", "2"),
        ("4096", "-4"),
    ] {
        world.passes(&start(stack, block), &[]);
    }
    let wait = |address: &str| {
        threaded(&format!(
            r#"(func (export "hallows_main")
                (drop (memory.atomic.wait32 (i32.const {address}) (i32.const 0) (i64.const 0))))"#
        ))
    };
    for address in ["2", "65536", "-4"] {
        assert!(world.outcome(&wait(address), &[]).contains("out of bounds"), "{address}");
    }
}
