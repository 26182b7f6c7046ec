//! How programs end on the engine: every kind of trap, with names; programs that are none; servers that break the rules.

mod engine_support;

use engine_support::{ECHO, World, compile, main_program, module, reactor};
use hallows_engine::artifact::{Refusal, program_hash};
use hallows_engine::{LoadError, machine_settings};
use hallows_kernel::CellState;

/// What is logged of a main program's end.
fn end(source: &str) -> String {
    World::new(1).outcome(source, &[])
}

#[test]
fn a_trap_names_the_functions_that_led_to_it() {
    let log = end(&module(
        r#"(func $inner (param i32) (if (local.get 0) (then unreachable)))
           (func $_ZN4demo5outer17h0123456789abcdefE (call $inner (i32.const 1)))
           (func $entry (export "hallows_main") (call $_ZN4demo5outer17h0123456789abcdefE))"#,
    ));
    let lines: Vec<&str> = log.lines().map(str::trim).collect();
    assert!(lines[0].ends_with("panicked or reached an unreachable instruction"), "{log}");
    assert!(lines[1].starts_with("inner + 0x"), "{log}");
    assert!(lines[2].starts_with("demo::outer + 0x"), "{log}");
    assert!(lines[3].starts_with("entry + 0x"), "{log}");
    assert_eq!(lines.len(), 4, "{log}");
}

#[test]
fn every_kind_of_trap_is_told_apart() {
    let kinds = [
        ("(drop (i32.load (i32.const 65536)))", "accessed memory out of bounds"),
        ("(i32.store8 (i32.const -1) (i32.const 1))", "accessed memory out of bounds"),
        ("(drop (i64.load offset=0xffffffff (i32.const -1)))", "accessed memory out of bounds"),
        ("(drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))", "made an arithmetic error"),
        (
            "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))",
            "made an arithmetic error",
        ),
        ("(drop (i32.trunc_f32_s (f32.const inf)))", "made an arithmetic error"),
    ];
    for (body, message) in kinds {
        let log = end(&main_program(body));
        assert!(log.lines().next().unwrap().ends_with(message), "{body}: {log}");
    }
    for (index, message) in [
        ("0", "made a bad indirect call"),
        ("1", "made a bad indirect call"),
        ("2", "accessed memory out of bounds"),
    ] {
        let log = end(&module(&format!(
            r#"(table 2 funcref) (type $other (func (param i64))) (elem (i32.const 1) $check)
               (func (export "hallows_main") (call_indirect (type $other) (i64.const 1) (i32.const {index})))"#
        )));
        assert!(log.lines().next().unwrap().ends_with(message), "{index}: {log}");
    }
}

#[test]
fn endless_recursion_ends_the_program_and_nothing_else() {
    let world = World::new(1);
    let log = world.outcome(
        &module(
            r#"(func $deep (param i64) (result i64) (i64.add (i64.const 1) (call $deep (i64.add (local.get 0) (i64.const 1)))))
               (func (export "hallows_main") (drop (call $deep (i64.const 0))))"#,
        ),
        &[],
    );
    assert!(log.contains("overflowed its stack"), "{log}");
    assert!(log.contains("deep + 0x"), "{log}");
    world.passes(&main_program(""), &[]);
}

#[test]
fn a_server_that_traps_is_dead_and_its_caller_goes_on() {
    let world = World::new(1);
    // Traps on the third message.
    let (server, endpoint) = world.passive(&reactor(&format!(
        r"(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
          (if (i32.eq (i32.load (i32.const 0)) (i32.const 3)) (then unreachable)) {ECHO}"
    )));
    let log = world.outcome(
        &main_program(
            "(call $check (i64.eq (call $echo (i32.const 3) (i32.const 10)) (i64.const 10)))
             (call $check (i64.eq (call $echo (i32.const 3) (i32.const 20)) (i64.const 20)))
             ;; The server died, and then it is not there.
             (call $check (i64.eq (call $echo (i32.const 3) (i32.const 30)) (i64.const -14)))
             (call $check (i64.eq (call $echo (i32.const 3) (i32.const 30)) (i64.const -25)))",
        ),
        &[&endpoint],
    );
    assert_eq!(world.kernel.state(server.id), CellState::Dead);
    assert_eq!(log.matches("unreachable").count(), 1, "only the server ended so: {log}");
}

#[test]
fn a_server_that_returns_what_it_must_not_is_dead() {
    let broken = [
        ("outside of memory", "(call $span (i32.const 65535) (i32.const 2))"),
        ("far outside", "(call $span (i32.const -1) (i32.const 100))"),
        ("longer than a message", "(call $span (i32.const 0) (i32.const 65537))"),
        ("nine transfers", "(i64.const 0x0900000000000000)"),
        ("a negative number", "(i64.const -2)"),
        ("later, though it is passive", "(i64.const -1)"),
        (
            "a transfer of an unknown mode",
            "(i32.store16 (i32.const 0x6006) (i32.const 9)) (i64.const 0x0100000000000000)",
        ),
    ];
    for (what, answer) in broken {
        let world = World::new(1);
        let (server, endpoint) = world.passive(&reactor(answer));
        let log = world.outcome(
            &main_program("(call $check (i64.eq (call $echo (i32.const 3) (i32.const 1)) (i64.const -14)))"),
            &[&endpoint],
        );
        assert_eq!(world.kernel.state(server.id), CellState::Dead, "{what}");
        assert!(log.contains("returned an answer outside of its memory"), "{what}: {log}");
    }
}

#[test]
fn a_reactor_whose_inbox_is_not_in_its_memory_does_not_start() {
    for inbox in [
        r"\f8\ff\00\00\09\00\00\00\00\60\00\00\08\00\00\00", // the buffer ends behind it
        r"\00\40\00\00\00\20\00\00\f8\ff\00\00\01\00\00\00", // no room for transfers
        r"\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff",
    ] {
        let world = World::new(1);
        let source = module(&format!(
            r#"(data (i32.const 64) "{inbox}") (func (export "hallows_inbox") (result i32) (i32.const 64))
               (func (export "hallows_handle") (param i32 i64 i64 i32 i32) (result i64) (i64.const 0))"#
        ));
        let (server, _) = world.passive(&source);
        assert_eq!(world.kernel.state(server.id), CellState::Dead, "{inbox}");
        assert!(world.log().contains("returned an answer outside of its memory"), "{inbox}");
    }
    // Nor one that says it is nowhere.
    let world = World::new(1);
    let nowhere = module(
        r#"(func (export "hallows_inbox") (result i32) (i32.const 65530))
           (func (export "hallows_handle") (param i32 i64 i64 i32 i32) (result i64) (i64.const 0))"#,
    );
    let (server, _) = world.passive(&nowhere);
    assert_eq!(world.kernel.state(server.id), CellState::Dead);
}

#[test]
fn what_is_no_program_is_refused_with_a_reason() {
    let world = World::new(1);
    let refused = |source: &str| world.load(source).err().unwrap();
    assert_eq!(refused(&module("")), LoadError::NoEntry);
    let half =
        module(r#"(func (export "hallows_handle") (param i32 i64 i64 i32 i32) (result i64) (i64.const 0))"#);
    assert_eq!(refused(&half), LoadError::NoEntry);
    let parameter = module(r#"(func (export "hallows_main") (param i32))"#);
    assert_eq!(refused(&parameter), LoadError::ExportType("hallows_main"));
    let global = module(r#"(global (export "hallows_main") i32 (i32.const 0))"#);
    assert_eq!(refused(&global), LoadError::ExportType("hallows_main"));
    let result = module(
        r#"(func (export "hallows_inbox") (result i64) (i64.const 0))
           (func (export "hallows_handle") (param i32 i64 i64 i32 i32) (result i64) (i64.const 0))"#,
    );
    assert_eq!(refused(&result), LoadError::ExportType("hallows_inbox"));
    let unknown = refused(r#"(module (import "hallows" "fork" (func)) (func (export "hallows_main")))"#);
    assert!(matches!(&unknown, LoadError::Imports(reason) if reason.contains("fork")), "{unknown}");
    let other =
        refused(r#"(module (import "hallows" "send" (func (param i64))) (func (export "hallows_main")))"#);
    assert!(matches!(&other, LoadError::Imports(reason) if reason.contains("send")), "{other}");
    let memory = refused(r#"(module (import "env" "memory" (memory 1)) (func (export "hallows_main")))"#);
    assert!(matches!(memory, LoadError::Imports(_)), "{memory}");
}

#[test]
fn only_unaltered_artefacts_of_ours_for_this_machine_are_mapped() {
    let world = World::new(1);
    let source = main_program("");
    let good = compile(&source);
    let load =
        |bytes: &[u8], source: &str| world.kernel.engine.load(bytes, program_hash(source.as_bytes())).err();
    assert_eq!(load(&good, &source), None);
    assert_eq!(load(&good, "another"), Some(LoadError::Refused(Refusal::OtherProgram)));
    assert_eq!(load(&good[..good.len() - 1], &source), Some(LoadError::Refused(Refusal::Truncated)));
    assert_eq!(load(b"\x7fELF", &source), Some(LoadError::Refused(Refusal::Truncated)));
    for at in [20, 100, 5_000, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(matches!(load(&bad, &source), Some(LoadError::Refused(_))), "byte {at}");
    }
    // The settings of this machine are what programs are compiled with.
    assert_eq!(machine_settings().unwrap(), machine_settings().unwrap());
}

#[test]
fn a_start_function_runs_before_main_and_may_call() {
    World::new(1).passes(
        &module(
            r#"(func $first (i32.store (i32.const 8) (i32.const 7))
                 (call $check (i64.eq (call $echo (i32.const 77) (i32.const 1)) (i64.const -1))))
               (start $first)
               (func (export "hallows_main") (call $check (i32.eq (i32.load (i32.const 8)) (i32.const 7))))"#,
        ),
        &[],
    );
}

#[test]
fn what_loops_for_ever_ends_when_it_is_killed_wherever_it_loops() {
    let loops = [
        ("main", main_program("(loop $again (br $again))")),
        (
            "start",
            module(
                r#"(func $first (loop $again (br $again))) (start $first) (func (export "hallows_main"))"#,
            ),
        ),
        (
            "init",
            reactor(ECHO).replace(
                "(func (export \"hallows_inbox\")",
                "(func (export \"hallows_init\") (loop $again (br $again))) (func (export \"hallows_inbox\")",
            ),
        ),
    ];
    for (place, source) in loops {
        let world = World::new(1);
        let cell = world.cell("endless", &world.program(&source), false);
        world.start(cell);
        std::thread::scope(|scope| {
            let running = scope.spawn(|| world.run());
            let runs = || {
                world.kernel.picture_cells().iter().any(|picture| picture.cell == cell.id && picture.running)
            };
            while !runs() && !running.is_finished() {
                std::thread::yield_now();
            }
            assert!(world.kernel.boot_kill(&world.right, cell.id), "{place}");
            running.join().unwrap();
        });
        assert_eq!(world.kernel.state(cell.id), CellState::Dead, "{place}");
        assert!(world.log().contains("was killed"), "{place}");
    }
}

#[test]
fn a_start_function_runs_in_its_cell_and_nowhere_else() {
    // Deeper than any stack, with frames that are not small; and before anything else was ever loaded by this engine.
    let deep = module(
        r#"(func $deep (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
            (i64.add (local.get 0) (call $deep (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
                (local.get 6) (local.get 7) (i64.add (local.get 0) (i64.const 1)))))
        (func $start (drop (call $deep (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6)
            (i64.const 7) (i64.const 8))))
        (start $start)
        (func (export "hallows_main"))"#,
    );
    let world = World::new(1);
    let program = world.program(&deep);
    let cell = world.cell("deep", &program, false);
    world.start(cell);
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Dead);
    let log = world.log();
    assert!(log.contains("its stack"), "{log}");
    // Memory that it takes there counts, too.
    let greedy = module(
        r#"(func $start (if (i32.ne (memory.grow (i32.const 60)) (i32.const -1)) (then unreachable)))
        (start $start)
        (func (export "hallows_main"))"#,
    );
    let program = world.program(&greedy);
    let cell = world.cell_with("greedy", &program, false, 1 << 20);
    world.start(cell);
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Dead);
    assert_eq!(world.log(), "", "its memory grew");
}
