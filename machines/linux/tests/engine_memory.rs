//! Memories of programs: exact bounds, no bytes of earlier programs, limits, regions, and starting without a system call.
//!
//! These tests share the process's pool of slots, and some look at what happens in it: they take turns.

mod engine_support;

use std::sync::{Mutex, MutexGuard, mpsc};

use engine_support::{Cell, World, main_program, module, reactor};
use hallows_abi::Function;
use hallows_engine::{Counters, clean, counters, populate_at_most};
use hallows_kernel::{CellState, Configuration};
use hallows_linux::platform::{TrapStack, system_calls};

static TURN: Mutex<()> = Mutex::new(());

/// Waits for its turn; a test that failed in its turn does not fail the others.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn clean_all() {
    while clean() {}
}

#[test]
fn a_memory_that_another_program_filled_and_grew_is_empty_and_small_again() {
    let _turn = turn();
    let world = World::new(1);
    // Grows to 40 pages, and writes into every page of 4 KiB.
    let dirty = world.program(&main_program(
        "(local $at i32)
         (call $check (i32.eq (memory.grow (i32.const 39)) (i32.const 1)))
         (loop $next (i64.store (local.get $at) (i64.const 0x5ec4e75ec4e7))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.const 2621440))))
         (i64.store (i32.const 2621432) (i64.const -1))",
    ));
    let empty = world.program(&main_program(
        "(local $at i32)
         (call $check (i32.eq (memory.size) (i32.const 1)))
         (loop $next (call $check (i64.eqz (i64.load (local.get $at))))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 65536))))",
    ));
    let beyond = world.program(&main_program("(drop (i32.load (i32.const 65536)))"));
    let run = |program| {
        let cell = world.cell("main", program, false);
        world.start(cell);
        world.run();
        assert_eq!(world.kernel.state(cell.id), CellState::Dead);
        world.kernel.boot_destroy(&world.right, &cell.capability);
    };
    let before = counters();
    for round in 0..300 {
        run(&dirty);
        // Every other time the cleaner comes in between.
        if round % 2 == 0 {
            clean_all();
        }
        run(&empty);
        assert_eq!(world.log(), "", "round {round}");
        run(&beyond);
        assert!(world.log().contains("accessed memory out of bounds"), "round {round}");
    }
    assert!(counters().cleaned > before.cleaned + 500, "slots were reused: {:?}", counters());
}

#[test]
fn growing_beyond_the_cells_limit_fails_in_that_cell_only() {
    let _turn = turn();
    let world = World::new(1);
    let program = world.program(&main_program(
        "(local $pages i32)
         (block $full (loop $more
            (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
            (local.set $pages (i32.add (local.get $pages) (i32.const 1)))
            (br $more)))
         ;; It has what it got, to the last byte, and can still work.
         (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
         (call $check (i32.eq (memory.size) (i32.add (local.get $pages) (i32.const 1))))
         (call $check (i32.gt_u (local.get $pages) (i32.const 5)))
         (call $check (i32.lt_u (local.get $pages) (i32.const 16)))
         (call $check (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)))
         (call $check (i32.eq (memory.grow (i32.const 0)) (memory.size)))",
    ));
    let cell = world.cell_with("hog", &program, false, 1 << 20);
    world.start(cell);
    world.run();
    assert_eq!(world.log(), "");
    // A program that needs more from the start does not start.
    let large = world.program(r#"(module (memory (export "memory") 20) (func (export "hallows_main")))"#);
    let cell = world.cell_with("large", &large, false, 1 << 20);
    assert!(world.kernel.boot_start(&world.right, cell.id, b"").is_err());
    world.passes(&main_program(""), &[]);
}

#[test]
fn tables_are_charged_like_memory() {
    let _turn = turn();
    let world = World::new(1);
    let program = world.program(&module(
        r#"(table $t 1 funcref)
           (func (export "hallows_main")
             ;; 8 bytes each: 64 Ki are half a MiB, which it has, 256 Ki are not.
             (call $check (i32.ne (table.grow $t (ref.null func) (i32.const 65536)) (i32.const -1)))
             (call $check (i32.eq (table.grow $t (ref.null func) (i32.const 262144)) (i32.const -1))))"#,
    ));
    let cell = world.cell_with("tables", &program, false, 1 << 20);
    world.start(cell);
    world.run();
    assert_eq!(world.log(), "");
}

#[test]
fn a_program_that_starts_from_stock_makes_no_system_call() {
    let _turn = turn();
    let (report, result) = mpsc::channel();
    // Its own thread, as a filter for system calls cannot be taken off again; it never ends, as ending needs system calls.
    std::thread::spawn(move || {
        // As the process of a machine does first: what the allocator gives is there, and what it gets back it keeps.
        hallows_linux::host::memory::heap::prepare();
        let world = World::with(Configuration { cells: 256, ..Configuration::default() });
        let _stack = TrapStack::install().unwrap();
        // Two calls into the kernel and a page of memory touched. The second is not made ahead: it makes its instance in a slot from stock.
        let source = main_program(
            "(drop (call $echo (i32.const 77) (i32.const 1))) (i32.store (i32.const 30000) (i32.const 1))",
        );
        let starts = source.replace("(func (export", "(func $first) (start $first) (func (export");
        let programs = [world.program(&source), world.program(&starts)];
        let cells: Vec<Cell> = (0..60)
            .flat_map(|_| programs.each_ref().map(|program| world.cell("main", program, false)))
            .collect();
        let (warm, measured) = cells.split_at(80);
        let run = |cells: &[Cell]| {
            for cell in cells {
                world.start(*cell);
                while world.kernel.step(hallows_kernel::CoreId(0)) {}
            }
        };
        // The allocator and the cleaner get to know how much is needed.
        for some in warm.chunks(40) {
            run(some);
            clean_all();
        }
        let (counted, before) = (system_calls(), counters());
        let traps = forbid::system_calls();
        run(measured);
        let made = traps();
        let ended = measured.iter().all(|cell| world.kernel.state(cell.id) == CellState::Dead);
        let found = |counters: Counters| (counters.instances_found, counters.from_stock);
        report.send((made, system_calls() - counted, found(before), found(counters()), ended)).unwrap();
        loop {
            std::thread::park();
        }
    });
    let (made, counted, before, after, ended) = result.recv().unwrap();
    assert!(ended);
    assert_eq!((made, counted), (0, 0));
    assert_eq!((after.0 - before.0, after.1 - before.1), (20, 20), "instances and slots from stock");
}

/// Faults of the calling thread that Linux served without reading anything.
fn faults() -> i64 {
    // SAFETY: all of it are numbers, for which zeroes are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: a place for the answer.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
    usage.ru_minflt
}

/// Populates while it exists. The pool is the process's, so the other tests of this file find it as it was.
struct Populating;

impl Populating {
    fn start(bytes: usize) -> Self {
        hallows_linux::platform::install();
        populate_at_most(bytes);
        Self
    }
}

impl Drop for Populating {
    fn drop(&mut self) {
        populate_at_most(0);
        clean_all();
    }
}

/// Stores into every page of 4 KiB from `$from` to `$to`.
const TOUCH: &str = "(func $touch (param $from i32) (param $to i32)
    (loop $next (i64.store (local.get $from) (i64.const -1))
        (br_if $next (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 4096))) (local.get $to)))))";

#[test]
fn a_program_that_starts_from_stock_and_touches_all_its_memory_takes_no_page_fault() {
    let _turn = turn();
    // A size that no other test has: its stock is this test's alone.
    const PAGES: u32 = 7;
    let program = module(&format!(
        r#"{TOUCH} (func (export "hallows_main") (call $touch (i32.const 0) (i32.const {})))"#,
        PAGES * 65_536
    ))
    .replace(r#"(memory (export "memory") 1"#, &format!(r#"(memory (export "memory") {PAGES}"#));
    let run = |populating: bool| {
        let _populating = populating.then(|| Populating::start(64 << 20));
        let world = World::with(Configuration { cells: 64, ..Configuration::default() });
        let _stack = TrapStack::install().unwrap();
        let program = world.program(&program);
        let cells: Vec<Cell> = (0..24).map(|_| world.cell("main", &program, false)).collect();
        let mut counted = Vec::new();
        for cells in cells.chunks(4) {
            clean_all();
            let before = faults();
            for cell in cells {
                world.start(*cell);
                while world.kernel.step(hallows_kernel::CoreId(0)) {}
            }
            counted.push(faults() - before);
            assert!(cells.iter().all(|cell| world.kernel.state(cell.id) == CellState::Dead));
        }
        assert_eq!(world.log(), "");
        counted
    };
    let without = run(false);
    let with = run(true);
    // The first rounds are the allocator's: it has no memory yet.
    assert!(without[2..].iter().all(|faults| *faults >= 4), "the test sees faults: {without:?}");
    assert_eq!(with[2..], [0; 4], "{with:?}; without: {without:?}");
}

/// A client that grows by so many pages, waits for an answer, and then touches all its memory; the world stands where it waits.
fn grown(pages: u32) -> (World, Cell, u64) {
    let world = World::new(1);
    let program = world.program(&module(&format!(
        r#"{TOUCH} (func (export "hallows_main")
            (call $check (i32.ne (memory.grow (i32.const {pages})) (i32.const -1)))
            (drop (call $echo (i32.const 3) (i32.const 7)))
            (call $touch (i32.const 0) (i32.const {})))"#,
        (pages + 1) * 65_536
    )));
    let server = world.cell("server", &world.program(&reactor(engine_support::ECHO)), false);
    let endpoint = world.endpoint(server, false);
    world.start(server);
    world.run();
    let client = world.cell("client", &program, false);
    world.grant(client, &endpoint);
    clean_all();
    let before = counters().populated;
    world.start(client);
    let _stack = TrapStack::install().unwrap();
    let in_use = || {
        let cells = world.kernel.picture_cells();
        cells.iter().find(|cell| cell.cell == client.id).map_or(0, |cell| cell.memory_bytes)
    };
    while in_use() < u64::from(pages) << 16 {
        assert!(world.kernel.step(hallows_kernel::CoreId(0)), "it has not grown");
    }
    assert_ne!(world.kernel.state(client.id), CellState::Dead);
    (world, client, before)
}

#[test]
fn what_a_memory_grows_by_is_populated_soon_and_given_back_in_the_end() {
    let _turn = turn();
    let _populating = Populating::start(256 << 20);
    let (world, client, before) = grown(16);
    let at_once = counters().populated - before;
    assert!(at_once < 1 << 20, "the program itself waits for {at_once} bytes, {before} before");
    clean_all();
    assert!(counters().populated >= before + (1 << 20), "{:?}", counters());
    let faulted = faults();
    world.run();
    assert!(faults() - faulted < 16, "{} faults in 256 touched pages", faults() - faulted);
    assert_eq!((world.log(), world.kernel.state(client.id)), (String::new(), CellState::Dead));
    clean_all();
    assert!(counters().populated < before + (1 << 20), "{:?}", counters());
}

#[test]
fn stocks_give_way_to_programs_that_grow() {
    let _turn = turn();
    const MOST: u64 = 1 << 20;
    let _populating = Populating::start(MOST as usize);
    let (world, client, before) = grown(15);
    assert!(before <= MOST && before + (15 << 16) > MOST, "not both have room: {before} bytes of stock");
    clean_all();
    assert!(counters().populated <= MOST, "{:?}", counters());
    assert!(counters().populated >= 15 << 16, "the program has its own: {:?}", counters());
    world.run();
    assert_eq!((world.log(), world.kernel.state(client.id)), (String::new(), CellState::Dead));
}

/// A filter that counts a thread's system calls and lets none but the waking of other threads through.
mod forbid {
    use std::sync::atomic::{AtomicU64, Ordering};

    static MADE: AtomicU64 = AtomicU64::new(0);

    unsafe extern "C" fn count(_: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
        MADE.fetch_add(1, Ordering::SeqCst);
    }

    /// From now on, every system call of this thread is counted and does nothing; but `futex`, by which the thread reports.
    pub fn system_calls() -> impl Fn() -> u64 {
        let statement = |code, k| libc::sock_filter { code, jt: 0, jf: 0, k };
        let jump = |k, jt| libc::sock_filter { code: 0x15, jt, jf: 0, k }; // equal
        let allowed = [libc::SYS_futex, libc::SYS_rt_sigreturn];
        let mut filter = [
            statement(0x20, 0), // load the call's number
            jump(allowed[0] as u32, 2),
            jump(allowed[1] as u32, 1),
            statement(0x06, libc::SECCOMP_RET_TRAP),
            statement(0x06, libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        // SAFETY: an action whose handler only counts, and a filter for this thread alone.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            assert_eq!(libc::sigaction(libc::SIGSYS, &raw const action, std::ptr::null_mut()), 0);
            assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
            assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
            // The filter works.
            libc::getppid();
        }
        assert_eq!(MADE.swap(0, Ordering::SeqCst), 1);
        || MADE.load(Ordering::SeqCst)
    }
}

#[test]
fn reactors_without_work_have_no_stack() {
    let _turn = turn();
    const SERVERS: usize = 200;
    let world = World::new(1);
    let program = world.program(&reactor("(call $span (i32.const 16384) (local.get $length))"));
    // Those that are passive, and those that have handled a message, too.
    let mut endpoints = Vec::new();
    let before = counters().stacks;
    for number in 0..SERVERS {
        let passive = number % 2 == 0;
        let server = world.cell_with("server", &program, passive, 512 << 10);
        endpoints.push(world.endpoint(server, passive));
        world.start(server);
    }
    world.run();
    let client =
        main_program("(call $check (i64.eq (call $echo (i32.const 3) (i32.const 7)) (i64.const 7)))");
    let client = world.program(&client);
    for endpoint in &endpoints {
        let cell = world.cell_with("client", &client, false, 512 << 10);
        world.grant(cell, endpoint);
        world.start(cell);
    }
    world.run();
    assert_eq!(world.log(), "");
    // Clients wait for servers that have not run yet, so they have stacks at the same time; servers one after another.
    assert!(counters().stacks - before <= SERVERS as u32 + 2, "{} stacks made", counters().stacks - before);
    // Once more, with the stacks that there are.
    let made = counters().stacks;
    for endpoint in &endpoints {
        let cell = world.cell_with("client", &client, false, 512 << 10);
        world.grant(cell, endpoint);
        world.start(cell);
        world.run();
    }
    assert_eq!(counters().stacks, made);
}

/// A main program that makes a region of 2 pages (handle 2 is its budget) and runs this; `$region` is the handle, `$map` shows it at an
/// address with an access (0 for reading, 1 for writing too), `$unmap` takes it out again, and `$now` reads the clock to an address.
fn with_region(body: &str) -> String {
    let [create, map, unmap, now] =
        [Function::BudgetCreateRegion, Function::RegionMap, Function::RegionUnmap, Function::SpaceNow]
            .map(Function::tag);
    module(&format!(
        r#"(func $operate (param $object i32) (param $tag i32) (param $a i64) (param $length i32) (param $reply i32) (result i64)
            (i32.store (i32.const 512) (local.get $tag))
            (i64.store (i32.const 516) (local.get $a))
            (call $call (local.get $object) (call $span (i32.const 512) (local.get $length)) (i64.const 0)
                (call $span (local.get $reply) (i32.const 16)) (call $span (i32.const 560) (i32.const 1)) (i64.const 0x7fffffffffffffff)))
        (func $map_answered_to (param $region i32) (param $address i64) (param $access i32) (param $reply i32) (result i64)
            (i32.store8 (i32.const 524) (local.get $access))
            (call $operate (local.get $region) (i32.const {map}) (local.get $address) (i32.const 13) (local.get $reply)))
        (func $map (param $region i32) (param $address i64) (param $access i32) (result i64)
            (call $map_answered_to (local.get $region) (local.get $address) (local.get $access) (i32.const 568)))
        (func $unmap (param $region i32) (param $address i64) (result i64)
            (call $operate (local.get $region) (i32.const {unmap}) (local.get $address) (i32.const 12) (i32.const 568)))
        (func $now (param $reply i32) (result i64)
            (call $operate (i32.const 1) (i32.const {now}) (i64.const 0) (i32.const 4) (local.get $reply)))
        (func (export "hallows_main") (local $region i32)
            (call $check (i64.ge_s (call $operate (i32.const 2) (i32.const {create}) (i64.const 8192) (i32.const 12) (i32.const 568)) (i64.const 0)))
            (local.set $region (i32.load (i32.const 560)))
            {body})"#
    ))
}

#[test]
fn a_region_shows_the_same_bytes_wherever_it_is_mapped_until_it_is_unmapped() {
    let _turn = turn();
    World::new(1).passes(
        &with_region(
            "(i32.store (i32.const 8192) (i32.const 99))
             ;; Twice in one memory, for reading and writing.
             (call $check (i64.ge_s (call $map (local.get $region) (i64.const 8192) (i32.const 1)) (i64.const 0)))
             (call $check (i64.ge_s (call $map (local.get $region) (i64.const 32768) (i32.const 1)) (i64.const 0)))
             (call $check (i32.eqz (i32.load (i32.const 8192))))
             (i32.store (i32.const 8192) (i32.const 1234))
             (i32.store (i32.const 40956) (i32.const 5678))
             (call $check (i32.eq (i32.load (i32.const 32768)) (i32.const 1234)))
             (call $check (i32.eq (i32.load (i32.const 16380)) (i32.const 5678)))
             (call $check (i64.ge_s (call $unmap (local.get $region) (i64.const 8192)) (i64.const 0)))
             (call $check (i32.eqz (i32.load (i32.const 8192))))
             (call $check (i32.eq (i32.load (i32.const 32768)) (i32.const 1234)))
             (call $check (i64.ge_s (call $unmap (local.get $region) (i64.const 32768)) (i64.const 0)))
             (call $check (i32.eqz (i32.or (i32.load (i32.const 8192)) (i32.load (i32.const 40956)))))
             (i32.store (i32.const 8192) (i32.const 7))
             (call $check (i32.eqz (i32.load (i32.const 32768))))
             ;; Not where there is no memory, and not between pages.
             (call $check (i64.lt_s (call $map (local.get $region) (i64.const 61440) (i32.const 1)) (i64.const 0)))
             (call $check (i64.lt_s (call $map (local.get $region) (i64.const 8193) (i32.const 1)) (i64.const 0)))
             (call $check (i64.lt_s (call $map (local.get $region) (i64.const -4096) (i32.const 1)) (i64.const 0)))",
        ),
        &[],
    );
}

#[test]
fn storing_into_a_region_that_is_only_readable_traps_the_program_and_not_the_machine() {
    let _turn = turn();
    let world = World::new(1);
    let map = "(call $check (i64.ge_s (call $map (local.get $region) (i64.const 8192) (i32.const 0)) (i64.const 0)))";
    let log = world.outcome(&with_region(&format!("{map} (i32.store (i32.const 8192) (i32.const 1))")), &[]);
    assert!(log.contains("accessed memory out of bounds"), "{log}");
    // The kernel would store there for the program: refused before, and after.
    world.passes(
        &with_region(&format!(
            "{map}
             (call $check (i64.eq (i64.const -7) (call $now (i32.const 8192))))
             (call $check (i64.eq (i64.const -7) (call $now (i32.const 16368))))
             (call $check (i64.ge_s (call $now (i32.const 16384)) (i64.const 0)))
             (call $check (i64.eq (i64.const -7) (call $wait (i32.const 8192) (i64.const 0) (i64.const 0) (i64.const 0))))
             (drop (i32.load (i32.const 8192)))"
        )),
        &[],
    );
    // The answer to the very call that makes its place read-only is lost, nothing else.
    world.passes(
        &with_region(
            "(call $check (i64.ge_s (call $map_answered_to (local.get $region) (i64.const 8192) (i32.const 0) (i32.const 8192)) (i64.const 0)))
             (call $check (i64.eqz (i64.load (i32.const 8192))))",
        ),
        &[],
    );
}

#[test]
fn a_memory_that_threads_can_share_shows_regions_for_writing_too_or_not_at_all() {
    let _turn = turn();
    let unsupported = hallows_abi::Error::Unsupported.number();
    let source = with_region(&format!(
        "(call $check (i64.eq (i64.const -{unsupported}) (call $map (local.get $region) (i64.const 8192) (i32.const 0))))
         (call $check (i64.ge_s (call $map (local.get $region) (i64.const 8192) (i32.const 1)) (i64.const 0)))
         (i32.store (i32.const 8192) (i32.const 7))
         (call $check (i64.ge_s (call $now (i32.const 8192)) (i64.const 0)))"
    ));
    World::new(1).passes(&source.replace("1 64)", "1 64 shared)"), &[]);
}

#[test]
fn a_slot_that_showed_a_region_shows_nothing_of_it_to_the_next_program() {
    let _turn = turn();
    let world = World::new(1);
    let shows = world.program(&with_region(
        "(call $check (i64.ge_s (call $map (local.get $region) (i64.const 8192) (i32.const 1)) (i64.const 0)))
         (i64.store (i32.const 8192) (i64.const -1)) (i64.store (i32.const 16376) (i64.const -1))",
    ));
    let looks = world.program(&main_program(
        "(call $check (i64.eqz (i64.or (i64.load (i32.const 8192)) (i64.load (i32.const 16376)))))
         (i64.store (i32.const 8192) (i64.const 5)) (i64.store (i32.const 0) (i64.const 5))",
    ));
    for _ in 0..50 {
        for program in [&shows, &looks, &looks] {
            let cell = world.cell("main", program, false);
            world.start(cell);
            world.run();
            world.kernel.boot_destroy(&world.right, &cell.capability);
        }
        clean_all();
    }
    assert_eq!(world.log(), "");
}
