//! Calls through the engine: what arrives is what was sent, every bad argument is an error, every depth of stack is safe.

mod engine_support;

use engine_support::{Cell, ECHO, World, main_program, module, reactor};
use hallows_kernel::{CellState, CoreId, Rooted};

/// Fills `length` bytes from 0 with what depends on `seed`.
const FILL: &str = r"
    (func $fill (param $seed i32) (param $length i32) (local $at i32)
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
            (i32.store8 (local.get $at) (i32.add (local.get $seed) (i32.mul (local.get $at) (i32.const 7))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $next))))
    (func $same (param $length i32) (result i32) (local $at i32)
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
            (if (i32.ne (i32.load8_u (local.get $at)) (i32.load8_u offset=4096 (local.get $at))) (then (return (i32.const 0))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $next)))
        (i32.const 1))";

/// A main program that calls handle 3 with messages of all lengths and looks at every answer.
fn echo_client(rounds: u32) -> String {
    module(&format!(
        r#"{FILL}
        (func (export "hallows_main") (local $round i32) (local $length i32)
            (loop $again
                (local.set $length (i32.rem_u (i32.mul (local.get $round) (i32.const 37)) (i32.const 4097)))
                (call $fill (local.get $round) (local.get $length))
                (call $check (i64.eq (call $echo (i32.const 3) (local.get $length)) (i64.extend_i32_u (local.get $length))))
                (call $check (call $same (local.get $length)))
                (local.set $round (i32.add (local.get $round) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $round) (i32.const {rounds})))))"#
    ))
}

#[test]
fn a_passive_server_gets_and_gives_exactly_what_was_sent() {
    let world = World::new(1);
    let (_, endpoint) = world.passive(&reactor(ECHO));
    world.passes(&echo_client(2_000), &[&endpoint]);
}

#[test]
fn an_active_reactor_gets_and_gives_exactly_what_was_sent() {
    let world = World::new(1);
    let server = world.cell("server", &world.program(&reactor(ECHO)), false);
    let endpoint = world.endpoint(server, false);
    world.start(server);
    world.run();
    world.passes(&echo_client(2_000), &[&endpoint]);
}

#[test]
fn spans_outside_of_memory_are_errors_and_change_nothing() {
    let world = World::new(1);
    let (_, endpoint) = world.passive(&reactor(ECHO));
    // A call with these four spans, as offset and length.
    let call =
        |bytes: (u32, u32), transfers: (u32, u32), reply: (u32, u32), handles: (u32, u32), expected: i64| {
            let span = |(offset, length): (u32, u32)| {
                format!("(call $span (i32.const {offset}) (i32.const {length}))")
            };
            let body = format!(
                "(call $check (i64.eq (i64.const {expected})
                (call $call (i32.const 3) {} {} {} {} (i64.const 0x7fffffffffffffff))))",
                span(bytes),
                span(transfers),
                span(reply),
                span(handles)
            );
            world.passes(&main_program(&body), &[&endpoint]);
        };
    let (fine, empty) = ((0, 4), (0, 0));
    let (bad_span, too_long) = (-7, -8);
    call(fine, empty, fine, empty, 4);
    // The last byte, and nothing right behind it.
    call((65_535, 1), empty, (65_535, 1), (65_532, 1), 1);
    call((65_536, 0), empty, (65_536, 0), (65_536, 0), 0);
    for outside in [(65_535, 2), (65_536, 1), (65_537, 0), (u32::MAX, 1), (u32::MAX, 0)] {
        call(outside, empty, fine, empty, bad_span);
        call(fine, empty, outside, empty, bad_span);
    }
    call(fine, empty, (0, u32::MAX), empty, bad_span);
    call((0, 65_537), empty, fine, empty, too_long);
    call((0, u32::MAX), empty, fine, empty, too_long);
    call(fine, (65_529, 1), fine, empty, bad_span);
    call(fine, (0, 9), fine, empty, too_long);
    call(fine, (0, u32::MAX), fine, empty, too_long);
    call(fine, empty, fine, (65_533, 1), bad_span);
    call(fine, empty, fine, (0, 9), too_long);
    // Longer than the server's inbox, and an answer longer than its room.
    call((0, 8_193), empty, (0, 60_000), empty, too_long);
    call((0, 5), empty, fine, empty, -9);
    // A mode of transfer that there is not: memory is zero, and the second half of the ninth byte is not.
    world.passes(
        &main_program(
            "(i32.store16 (i32.const 70) (i32.const 2))
             (call $check (i64.eq (i64.const -6) (call $call (i32.const 3) (i64.const 0)
                 (call $span (i32.const 64) (i32.const 1)) (i64.const 0) (i64.const 0) (i64.const 0x7fffffffffffffff))))",
        ),
        &[&endpoint],
    );
    world.passes(
        &main_program(
            "(call $check (i64.eq (i64.const -7) (call $wait (i32.const 65489) (i64.const 0) (i64.const 0) (i64.const 0))))
             (call $check (i64.eq (i64.const -7) (call $wait (i32.const -1) (i64.const 0) (i64.const 0) (i64.const 0))))
             (call $check (i64.eq (i64.const -7)
                 (call $answer (i64.const 1) (call $span (i32.const 65536) (i32.const 1)) (i64.const 0))))
             (call $check (i64.eq (i64.const -7)
                 (call $send (i32.const 3) (call $span (i32.const -1) (i32.const 1)) (i64.const 0) (i32.const 0))))
             (call $check (i64.eq (i64.const -7) (call $answer_wait (i64.const 1) (i64.const 0) (i64.const 0)
                 (i32.const 65500) (i64.const 0) (i64.const 0) (i64.const 0))))",
        ),
        &[&endpoint],
    );
}

#[test]
fn a_program_without_memory_can_call_with_empty_spans_only() {
    let world = World::new(1);
    let (_, endpoint) = world.passive(&reactor(ECHO));
    world.passes(
        r#"(module (import "hallows" "call" (func $call (param i32 i64 i64 i64 i64 i64) (result i64)))
            (func (export "hallows_main")
                (if (i64.ne (i64.const 0) (call $call (i32.const 3) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0x7fffffffffffffff)))
                    (then unreachable))
                (if (i64.ne (i64.const -7) (call $call (i32.const 3) (i64.const 0x100000000) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0x7fffffffffffffff)))
                    (then unreachable))))"#,
        &[&endpoint],
    );
}

/// A chain of passive servers, each of which calls the next with the same message; and the endpoint of the first.
fn chain(world: &World, length: u32, handler: &str) -> Rooted {
    let program = world.program(&reactor(handler));
    let last = world.passive(&reactor(ECHO)).1;
    (1..length).fold(last, |next, _| {
        let server = world.cell("link", &program, true);
        world.grant(server, &next);
        let endpoint = world.endpoint(server, true);
        world.start(server);
        world.run();
        endpoint
    })
}

/// Passes the message on to handle 3 and the answer back; or an error's number, positive, as one byte.
const FORWARD: &str = r"(local $got i64)
    (local.set $got (call $call (i32.const 3) (call $span (i32.const 16384) (local.get $length)) (i64.const 0)
        (call $span (i32.const 8192) (i32.const 4096)) (i64.const 0) (i64.const 0x7fffffffffffffff)))
    (if (i64.lt_s (local.get $got) (i64.const 0))
        (then (i32.store8 (i32.const 8192) (i32.wrap_i64 (i64.sub (i64.const 0) (local.get $got))))
              (return (call $span (i32.const 8192) (i32.const 1)))))
    (call $span (i32.const 8192) (i32.wrap_i64 (local.get $got)))";

#[test]
fn a_chain_of_eight_servers_works_and_a_ninth_is_too_deep() {
    let world = World::new(1);
    let eight = chain(&world, 8, FORWARD);
    world.passes(&echo_client(300), &[&eight]);
    let nine = chain(&world, 9, FORWARD);
    // The eighth found the ninth too deep and says so with its number.
    world.passes(
        &main_program(
            "(call $check (i64.eq (call $echo (i32.const 3) (i32.const 9)) (i64.const 1)))
             (call $check (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 13)))",
        ),
        &[&nine],
    );
}

#[test]
fn whatever_stack_a_program_uses_the_next_entry_is_safe_or_too_deep() {
    // Each server recurses as deep as the message's first byte says, in steps of about 16 KiB, and then calls the next.
    let recursive = r"(call $down (i32.load8_u (i32.const 16384)) (local.get $length))";
    let down = format!(
        r"(func $down (param $depth i32) (param $length i32) (result i64) (local $got i64)
            (local $a0 i64) (local $a1 i64)
            (if (result i64) (local.get $depth)
                (then (i64.add (call $pad (local.get $depth) (local.get $length)) (i64.const 0)))
                (else (call $go (local.get $length)))))
          (func $go (param $length i32) (result i64) {FORWARD})
          (func $pad (param $depth i32) (param $length i32) (result i64)
            ;; 200 frames of a small function are some 16 KiB.
            (call $frames (i32.const 200) (local.get $depth) (local.get $length)))
          (func $frames (param $count i32) (param $depth i32) (param $length i32) (result i64)
            (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $f i64) (local $after i64)
            ;; All zero, which only whoever runs it knows.
            (local.set $a (i64.load offset=1024 (local.get $count))) (local.set $b (i64.load offset=1032 (local.get $count)))
            (local.set $c (i64.load offset=1040 (local.get $count))) (local.set $d (i64.load offset=1048 (local.get $count)))
            (local.set $e (i64.load offset=1056 (local.get $count))) (local.set $f (i64.load offset=1064 (local.get $count)))
            (local.set $after (if (result i64) (local.get $count)
                (then (call $frames (i32.sub (local.get $count) (i32.const 1)) (local.get $depth) (local.get $length)))
                (else (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $length)))))
            ;; All are used after the call, so each frame holds them.
            (i64.or (local.get $after) (i64.or (i64.or (local.get $a) (local.get $b))
                (i64.or (i64.or (local.get $c) (local.get $d)) (i64.or (local.get $e) (local.get $f))))))"
    );
    let source = reactor(recursive)
        .replace("(func (export \"hallows_inbox\")", &format!("{down} (func (export \"hallows_inbox\")"));
    let (mut fine, mut too_deep, mut overflowed) = (0, 0, 0);
    for depth in (0..60).step_by(3) {
        let world = World::new(1);
        let program = world.program(&source);
        let last = world.passive(&reactor(ECHO)).1;
        let first = (1..8).fold(last, |next, _| {
            let server = world.cell("link", &program, true);
            world.grant(server, &next);
            let endpoint = world.endpoint(server, true);
            world.start(server);
            world.run();
            endpoint
        });
        // Answers with the message (2 bytes), or one byte: too deep (13), or a server that died (14).
        let log = world.outcome(
            &main_program(&format!(
                "(local $got i64)
                 (i32.store8 (i32.const 0) (i32.const {depth}))
                 (local.set $got (call $echo (i32.const 3) (i32.const 2)))
                 (if (i64.eq (local.get $got) (i64.const 2)) (then (return)))
                 (if (i64.eq (local.get $got) (i64.const -14)) (then (return)))
                 (call $check (i64.eq (local.get $got) (i64.const 1)))
                 (call $check (i32.or (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 13))
                                      (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 14))))
                 (drop (i32.load (i32.const 65536)))"
            )),
            &[&first],
        );
        // The client traps out of bounds exactly when the chain gave up somewhere.
        if log.contains("overflowed its stack") {
            overflowed += 1;
        } else if log.contains("out of bounds") {
            too_deep += 1;
        } else {
            assert_eq!(log, "", "depth {depth}");
            fine += 1;
        }
    }
    assert!(
        fine > 0 && too_deep > 0 && overflowed > 0,
        "fine {fine}, too deep {too_deep}, overflowed {overflowed}"
    );
}

#[test]
fn programs_that_migrate_at_every_check_compute_what_they_should() {
    const CORES: u32 = 2;
    let world = World::chaotic(CORES);
    let (_, passive) =
        world.passive(&reactor(&format!("(call $check (i32.eq (local.get $kind) (i32.const 1))) {ECHO}")));
    let server = world.cell("active", &world.program(&reactor(ECHO)), false);
    let active = world.endpoint(server, false);
    world.start(server);
    let client = world.program(&echo_client(60));
    // A sum over memory with floats and integers, its parts in locals across every check.
    let sum = world.program(&main_program(
        "(local $at i32) (local $sum f64) (local $count i64)
         (loop $again
            (local.set $sum (f64.add (local.get $sum) (f64.convert_i32_u (local.get $at))))
            (local.set $count (i64.add (local.get $count) (i64.extend_i32_u (i32.load8_u (local.get $at)))))
            (i32.store8 (local.get $at) (i32.const 3))
            (local.set $count (i64.add (local.get $count) (i64.extend_i32_u (i32.load8_u (local.get $at)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $at) (i32.const 20000))))
         (call $check (f64.eq (local.get $sum) (f64.const 199990000)))
         (call $check (i64.eq (local.get $count) (i64.const 60000)))",
    ));
    let cells: Vec<Cell> = (0..6)
        .map(|number| match number {
            0 | 1 => (&client, Some(&passive)),
            2 | 3 => (&client, Some(&active)),
            _ => (&sum, None),
        })
        .map(|(program, grant)| {
            let cell = world.cell("main", program, false);
            grant.map(|grant| world.grant(cell, grant));
            world.start(cell);
            cell
        })
        .collect();
    world.run_on_threads(CORES, &cells);
    assert_eq!(world.log(), "");
    let switches: Vec<u64> =
        (0..CORES).map(|core| world.kernel.picture_cores()[core as usize].switches).collect();
    assert!(switches.iter().all(|count| *count > 10_000), "no migration to speak of: {switches:?}");
}

#[test]
fn a_killed_client_inside_of_a_server_unwinds_and_the_server_lives() {
    let world = World::chaotic(1);
    // Takes its time: many checks.
    let (server, endpoint) = world.passive(&reactor(&format!(
        "(local $n i32) (loop $again (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000)))) {ECHO}"
    )));
    let client = world.cell("client", &world.program(&echo_client(1_000_000)), false);
    world.grant(client, &endpoint);
    world.start(client);
    // In chaos every step ends at a check: mostly inside of the server.
    for _ in 0..500 {
        assert!(world.kernel.step(CoreId(0)));
    }
    assert!(world.kernel.boot_kill(&world.right, client.id));
    world.run();
    assert_eq!(world.kernel.state(client.id), CellState::Dead);
    assert_eq!(world.kernel.state(server.id), CellState::Running);
    assert!(world.log().contains("was killed"));
    world.passes(&echo_client(5), &[&endpoint]);
}
