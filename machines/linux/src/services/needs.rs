//! What the jail must leave to the host service: system calls, and what Landlock allows below a granted directory.

use landlock::{AccessFs, BitFlags, make_bitflags};

/// System calls that the service makes, each with its reason. Some of them the machine makes anyway.
pub const SYSTEM_CALLS: &[libc::c_long] = &[
    // Paths, kept below a directory.
    libc::SYS_openat2,
    libc::SYS_close,
    // What an open file is; what a name is; which kind of file system it is on.
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_fstatfs,
    // Bytes. `write` is for appending and for streams, `fcntl` switches to appending and back.
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_fcntl,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    // Names in directories.
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_readlinkat,
    libc::SYS_utimensat,
    // Streams that are not ready.
    libc::SYS_ppoll,
    // The clock, where the vDSO cannot answer.
    libc::SYS_clock_gettime,
    // Random numbers.
    libc::SYS_getrandom,
];

/// System calls that sockets of the host's network need. They can neither be made nor bound nor connected.
pub const SOCKET_CALLS: &[libc::c_long] = &[
    libc::SYS_io_uring_enter,
    // It begins on the thread that uses it.
    libc::SYS_io_uring_register,
    // Only to end writing: one that listens and is shut for reading could be connected, by a first `send` with `MSG_FASTOPEN`, which Landlock does not see.
    libc::SYS_shutdown,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    // Only for how a connection ends that somebody has not read to its end.
    libc::SYS_setsockopt,
];

/// What Landlock must allow below a granted directory. (Links and moves between directories need `Refer`, which Linux has from 5.19 on: where
/// Landlock is older, they are refused as if the directories were on different devices.)
#[must_use]
pub fn landlock_access(read_only: bool) -> BitFlags<AccessFs> {
    let reading = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let changing = make_bitflags!(AccessFs::{
        WriteFile | Truncate | MakeReg | MakeDir | MakeSym | RemoveFile | RemoveDir | Refer
    });
    if read_only { reading } else { reading | changing }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::pipe;
    use std::os::fd::AsFd;

    use hallows_sdk::stub::{Borrow, Client, Resource};
    use hallows_system::files::{Advice, Beginning, File, Moment, Opening, Refusal, Service};
    use hallows_system::{clock, console, random};
    use landlock::{
        ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetError, RulesetStatus,
    };
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

    use super::{SYSTEM_CALLS, landlock_access};
    use crate::host::test_support::{Scratch, in_child};
    use crate::services::badge::Badge;
    use crate::services::clock::Clock;
    use crate::services::console::Console;
    use crate::services::files::Files;
    use crate::services::own_endpoint::OwnEndpoint;
    use crate::services::random::Random;
    use crate::services::resources::GrantedDirectory;
    use crate::services::tests::{Space, grant, installed_with};

    /// What any code of the test's process needs: memory, locks, ending.
    const OTHER_CALLS: &[libc::c_long] = &[
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_exit_group,
    ];

    fn restrict(granted: &[GrantedDirectory]) -> Result<RulesetStatus, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(ABI::V6))?
            .create()?;
        for directory in granted {
            rules = rules.add_rule(PathBeneath::new(
                directory.descriptor.as_fd(),
                landlock_access(directory.read_only),
            ))?;
        }
        rules.restrict_self().map(|status| status.ruleset)
    }

    /// From now on, a system call that is not on a list fails, as in the jail. (The C library tries some, and does without.)
    fn allow_only_what_is_listed() {
        let calls = SYSTEM_CALLS.iter().chain(OTHER_CALLS);
        let rules: BTreeMap<i64, Vec<_>> = calls.map(|call| (*call, Vec::new())).collect();
        let (otherwise, listed) = (SeccompAction::Errno(libc::EPERM.cast_unsigned()), SeccompAction::Allow);
        let filter = SeccompFilter::new(rules, otherwise, listed, TargetArch::x86_64).unwrap();
        apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
    }

    /// Every function, done for real, one after another.
    fn everything(files: &mut Files<Space>, space: &Space) -> Result<(), Refusal> {
        const ROOT: Client = Client { badge: 2 << 56 };
        const FIXED: Client = Client { badge: 2 << 56 | 1 };
        let to = Borrow(File::from_capability(space.mint(ROOT.badge).expect("there is room")));
        files.file_make_directory(ROOT, b"sub")?;
        let new = Opening::READ | Opening::WRITE | Opening::CREATE | Opening::TRUNCATE;
        let opened = files.file_open(ROOT, b"sub/file", new, 0)?;
        let file = Client { badge: space.badge(opened.file.0.capability()) };
        assert_eq!(files.file_write(file, 0, b"text")?, 4);
        assert_eq!(files.file_append(file, b" more")?, 5);
        assert_eq!(files.file_read(file, 0, 99)?, b"text more");
        files.file_set_size(file, 4)?;
        files.file_allocate(file, 0, 10)?;
        files.file_advise(file, 0, 0, Advice::Sequential)?;
        files.file_sync(file, true)?;
        files.file_sync(file, false)?;
        files.file_set_times(file, Moment::At(1), Moment::Now)?;
        files.file_status(file)?;
        files.file_close(file);
        files.file_make_link(ROOT, b"sub/file", b"link")?;
        files.file_set_times_of(ROOT, b"link", true, Moment::At(1), Moment::Kept)?;
        assert_eq!(files.file_status_of(ROOT, b"link", true)?.accessed, 1);
        assert_eq!(files.file_link_target(ROOT, b"link")?, b"sub/file");
        files.file_link(ROOT, b"link", true, to, b"second")?;
        files.file_rename(ROOT, b"sub/file", to, b"moved")?;
        assert_eq!(files.file_entries(ROOT, 0)?.len(), 6);
        for name in [&b"link"[..], b"second", b"moved"] {
            files.file_remove_file(ROOT, name)?;
        }
        files.file_remove_directory(ROOT, b"sub")?;
        let opened = files.file_open(FIXED, b"file", Opening::READ, 99)?;
        assert_eq!(opened.beginning, Some(Beginning { bytes: b"fixed", is_all: true }));
        let file = Client { badge: space.badge(opened.file.0.capability()) };
        assert_eq!(files.file_read(file, 0, 99)?, b"fixed");
        assert_eq!(files.file_entries(FIXED, 0)?.len(), 3);
        Ok(())
    }

    #[test]
    fn the_service_works_with_these_system_calls_and_rights_alone() {
        let scratch = Scratch::new("services-needs");
        for directory in ["inside", "fixed", "beside"] {
            std::fs::create_dir(scratch.path().join(directory)).unwrap();
        }
        std::fs::write(scratch.path().join("fixed/file"), "fixed").unwrap();
        let walled = in_child(|| {
            let (reader, writer) = pipe().unwrap();
            let installed = installed_with(|resources| {
                resources.directories = vec![
                    grant(&scratch.path().join("inside"), false),
                    grant(&scratch.path().join("fixed"), true),
                    grant(&scratch.path().join("beside"), true),
                ];
                let [input, output, _] = &mut resources.streams;
                (*input, *output) = (reader.into(), writer.into());
            });
            let space = Space::default();
            rustix::thread::set_no_new_privs(true).unwrap();
            let (granted, forgotten) = installed.directories.split_at(2);
            let status = restrict(granted).unwrap();
            allow_only_what_is_listed();
            let forgotten = forgotten.iter().map(|directory| directory.descriptor.as_fd()).next().unwrap();
            let how = rustix::fs::OFlags::RDONLY;
            let refused = super::super::files::open_beneath(forgotten, b".", how, rustix::fs::Mode::empty());
            let mut console = Console::new(std::sync::Arc::clone(&installed));
            let [input, output] = [0, 1].map(|number| Client { badge: Badge::Stream(number).number() });
            let streams = console::Service::write(&mut console, output, b"x") == Ok(1)
                && console::Service::await_input(&mut console, input, 0) == Ok(true)
                && console::Service::read(&mut console, input, 9) == Ok(b"x");
            clock::Service::realtime(&mut Clock, input);
            random::Service::number(&mut Random::default(), input);
            let Ok(mut files) = Files::new(installed, space.clone()) else { return false };
            // Without Landlock, there is no second wall.
            let is_walled = refused.is_err() || status == RulesetStatus::NotEnforced;
            streams && is_walled && everything(&mut files, &space) == Ok(())
        });
        assert!(walled, "a call or right is missing: `strace -f` says which");
    }
}
