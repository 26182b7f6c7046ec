//! Programs of WASI with files of Linux: through the host service, as every capability of a file goes.

mod engine_support;

use std::fs::File;
use std::path::PathBuf;
use std::sync::LazyLock;

use engine_support::wasi::{program_with, start_cell, start_cell_with};
use engine_support::{Cell, World};
use hallows_engine::Program;
use hallows_kernel::{CellSpecification, CellState, Rooted};
use hallows_linux::services::{
    Badge, ENDPOINT_GRANT, ENDPOINT_RIGHTS, GrantedDirectory, HOST, HostResources, PASSIVELY, install,
};
use hallows_sdk::Rights;

/// What the process is granted, once: a directory in which each test has its own.
static GRANTED: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("wasi-files-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    let null = || File::open("/dev/null").unwrap().into();
    let directory = GrantedDirectory {
        descriptor: File::open(&path).unwrap().into(),
        read_only: false,
        name: "tests".into(),
    };
    install(vec![HostResources {
        directories: vec![directory],
        streams: [null(), null(), null()],
        carried_input: None,
        arguments: vec![b"test".to_vec()],
        variables: Vec::new(),
    }])
    .unwrap();
    path
});

/// A machine with the host service.
struct Host {
    world: World,
    service: Cell,
    endpoint: Rooted,
}

impl Host {
    /// On a thread of its own.
    fn new() -> Self {
        Self::that_serves(false)
    }

    /// On a thread of its own, and on its clients'.
    fn both() -> [Self; 2] {
        [false, true].map(Self::that_serves)
    }

    fn that_serves(passively: bool) -> Self {
        LazyLock::force(&GRANTED);
        let world = World::new(1);
        let service = world.cell("host", &world.known(Program::native(&HOST)), passively);
        let endpoint = world.endpoint(service, passively);
        let own = world.kernel.boot_grant(&world.right, service.id, &endpoint, ENDPOINT_RIGHTS, 0).unwrap();
        let how: &[&str] = if passively { &["0", PASSIVELY] } else { &[] };
        start_cell_with(&world, service, how, &[(ENDPOINT_GRANT, own)]);
        world.run();
        Self { world, service, endpoint }
    }

    /// Starts a program that knows the granted directory as descriptor 3, in a cell with so many capability slots.
    fn start(&self, source: &str, slots: u32) -> Cell {
        let World { kernel, right, .. } = &self.world;
        let specification = CellSpecification {
            name: "main",
            memory_bytes: 8 << 20,
            slots,
            class: Default::default(),
            priority: 3,
            passive: false,
            pinned: None,
            pool: 0,
            time: None,
        };
        let program = self.world.program(source);
        let (id, capability) = kernel.boot_cell(right, &program, None, &specification).unwrap();
        let cell = Cell { id, capability };
        let rights = Rights::SEND | Rights::TRANSFER;
        let directory =
            kernel.boot_grant(right, id, &self.endpoint, rights, Badge::Directory(0).number()).unwrap();
        start_cell(&self.world, cell, &[("dir:/", directory)]);
        cell
    }

    /// Runs such a program to its end; what was logged.
    fn outcome(&self, source: &str, slots: u32) -> String {
        let cell = self.start(source, slots);
        self.world.run();
        assert_eq!(self.world.kernel.state(cell.id), CellState::Dead, "it has not ended");
        self.world.log()
    }
}

/// Opens a path of so many bytes at a place, for all that can be done; the descriptor, or more than 1,000: the error.
const OPEN: &str = r#"
    (func $open (param $path i32) (param $length i32) (param $how i32) (result i32) (local $error i32)
        (local.set $error (call $path_open (i32.const 3) (i32.const 1) (local.get $path) (local.get $length)
            (local.get $how) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 0)))
        (if (result i32) (local.get $error)
            (then (i32.add (i32.const 1000) (local.get $error)))
            (else (i32.load (i32.const 0)))))"#;

#[test]
fn files_are_made_written_read_listed_moved_and_removed() {
    let directory = GRANTED.join("made");
    let source = program_with(
        &format!(r#"{OPEN} (data (i32.const 100) "made/file" "made/there" "made" "made/moved")"#),
        r#"(local $fd i32)
        ;; `made/file`, which is not there, and then is.
        (call $check (call $open (i32.const 100) (i32.const 9) (i32.const 0)) (i32.const 1044))
        (local.set $fd (call $open (i32.const 100) (i32.const 9) (i32.const 5)))
        (call $check (local.get $fd) (i32.const 0))
        (call $check (call $open (i32.const 100) (i32.const 9) (i32.const 5)) (i32.const 1020))
        ;; More than a message holds.
        (memory.fill (i32.const 1000) (i32.const 66) (i32.const 64000))
        (call $check (call $write (local.get $fd) (i32.const 1000) (i32.const 64000)) (i32.const 64000))
        (call $check (call $write (local.get $fd) (i32.const 1000) (i32.const 64000)) (i32.const 64000))
        (memory.fill (i32.const 1000) (i32.const 0) (i32.const 64000))
        (call $check (call $fd_seek (local.get $fd) (i64.const -64000) (i32.const 1) (i32.const 0)) (i32.const 0))
        (call $check (i32.load (i32.const 0)) (i32.const 64000))
        (call $check (call $read (local.get $fd) (i32.const 1000) (i32.const 64500)) (i32.const 64000))
        (call $check (i32.load (i32.const 64996)) (i32.const 0x42424242))
        ;; What was there.
        (call $check (call $open (i32.const 109) (i32.const 10) (i32.const 0)) (i32.const 1))
        (call $check (call $read (i32.const 1) (i32.const 1000) (i32.const 100)) (i32.const 14))
        (call $check (i32.load8_u (i32.const 1013)) (i32.const 101))
        ;; The directory holds these two, itself and the one above: heads of 24 bytes, and the names.
        (call $check (call $open (i32.const 119) (i32.const 4) (i32.const 2)) (i32.const 1031))
        (call $check (call $path_open (i32.const 3) (i32.const 1) (i32.const 119) (i32.const 4) (i32.const 2)
            (i64.const 0x4002) (i64.const -1) (i32.const 0) (i32.const 0)) (i32.const 0))
        (call $check (call $fd_readdir (i32.load (i32.const 0)) (i32.const 1000) (i32.const 1000) (i64.const 0) (i32.const 4))
            (i32.const 0))
        (call $check (i32.load (i32.const 4)) (i32.const 108))
        ;; It is moved, and what was there removed.
        (call $check (call $path_rename (i32.const 3) (i32.const 100) (i32.const 9) (i32.const 3) (i32.const 123) (i32.const 10))
            (i32.const 0))
        (call $check (call $path_unlink_file (i32.const 3) (i32.const 109) (i32.const 10)) (i32.const 0))
        (call $check (call $path_unlink_file (i32.const 3) (i32.const 109) (i32.const 10)) (i32.const 44))"#,
    );
    for host in Host::both() {
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("there"), "what was there").unwrap();
        assert_eq!(host.outcome(&source, 0), "");
        assert_eq!(std::fs::read(directory.join("moved")).unwrap(), [b'B'; 128_000]);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

#[test]
fn a_space_that_is_full_takes_no_more_files_and_none_is_left_open() {
    std::fs::write(GRANTED.join("many"), "").unwrap();
    let source = program_with(
        &format!(r#"{OPEN} (data (i32.const 100) "many")"#),
        r#"(local $count i32) (local $n i32) (local $fd i32)
        (block $full (loop $more
            (local.set $fd (call $open (i32.const 100) (i32.const 4) (i32.const 0)))
            (br_if $full (i32.gt_u (local.get $fd) (i32.const 1000)))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br $more)))
        (call $check (local.get $fd) (i32.const 1041))
        (call $check (i32.gt_u (local.get $count) (i32.const 8)) (i32.const 1))
        ;; More often than the service has places: it opens nothing that nobody gets.
        (loop $again
            (call $check (call $open (i32.const 100) (i32.const 4) (i32.const 0)) (i32.const 1041))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 20000))))
        ;; One for another, as often as it goes: no slot is lost.
        (loop $exchange
            (call $check (call $fd_close (i32.const 1)) (i32.const 0))
            (call $check (call $open (i32.const 100) (i32.const 4) (i32.const 0)) (i32.const 1))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $exchange (i32.lt_u (local.get $n) (i32.const 40000))))"#,
    );
    for host in Host::both() {
        // Its own, its budget, the directory, and what is left for files.
        assert_eq!(host.outcome(&source, 16), "");
        // What it had open was closed when it ended: others find descriptors.
        for _ in 0..3 {
            assert_eq!(host.outcome(&source, 16), "");
        }
    }
}

#[test]
fn what_a_program_has_open_is_closed_however_it_ends_and_the_service_goes_on() {
    let open = |then: &str| {
        program_with(
            &format!(r#"{OPEN} (data (i32.const 100) "ends")"#),
            &format!(
                "(call $check (call $open (i32.const 100) (i32.const 4) (i32.const 1)) (i32.const 0)) {then}"
            ),
        )
    };
    let host = Host::new();
    // Only what a test looks for: the descriptors of this process that are this file.
    let is_open = || {
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        links
            .filter(|link| {
                std::fs::read_link(link.as_ref().unwrap().path()).is_ok_and(|to| to.ends_with("ends"))
            })
            .count()
    };
    for (then, log) in [
        ("", ""),
        ("(call $proc_exit (i32.const 3))", "with status 3"),
        ("unreachable", "unreachable"),
        ("(drop (call $fd_close (i32.const 3)))", ""),
    ] {
        let logged = host.outcome(&open(then), 0);
        assert!(logged.contains(log) && logged.is_empty() == log.is_empty(), "{logged}");
        assert_eq!(is_open(), 0, "{then}");
    }
    // A service that has died is told of; what it had open is gone.
    assert!(host.world.kernel.boot_kill(&host.world.right, host.service.id));
    host.world.run();
    host.world.log();
    assert!(host.outcome(&open(""), 0).contains("with status 2029"));
}
