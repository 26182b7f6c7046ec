//! The system calls that a running machine needs, each with its reason, as a seccomp filter.
//!
//! Everything else fails with `EPERM`. An error and not a kill: a library that probes for a call and can do without it
//! goes on, and code that breaks out learns nothing and reaches nothing either way.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

use super::JailError;

/// Calls that are allowed with any arguments.
const ANY_ARGUMENTS: &[libc::c_long] = &[
    // Parking, waking, sleeping, time.
    libc::SYS_futex,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    // The clock, where the vDSO cannot answer (counter not trusted).
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    // Descriptors that are open or that the parent sends: console, link, program files.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
    libc::SYS_close,
    libc::SYS_fstat,
    // Debug builds of the standard library check descriptors before closing them.
    libc::SYS_fcntl,
    // Memory: the allocator, and restocking slots off the hot path (see also `mmap` and `mprotect` below).
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_madvise,
    libc::SYS_mremap,
    // Keeping populated memory in memory.
    libc::SYS_mlock,
    libc::SYS_munlock,
    // Regions: files in memory, without a name.
    libc::SYS_memfd_create,
    libc::SYS_fallocate,
    // The held part of the budget: giving pages back.
    libc::SYS_ftruncate,
    // Seeds of hash maps.
    libc::SYS_getrandom,
    // Traps of programs end in signal handlers; panics block and unblock signals.
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    // Asking who one is, as `abort` does.
    libc::SYS_getpid,
    libc::SYS_gettid,
    // Ending.
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls whose arguments are looked at: `mmap`, `mprotect` (never writable and executable at once), `tgkill` (only
/// to the own process, as `abort` does).
const CHECKED_CALLS: usize = 3;

/// Calls that, where they are asked for, are allowed with these arguments alone: the argument's place, and what it must be.
const LIMITED: &[(libc::c_long, &[(u8, libc::c_int)])] = &[
    (libc::SYS_shutdown, &[(1, libc::SHUT_WR)]),
    (libc::SYS_setsockopt, &[(1, libc::SOL_SOCKET), (2, libc::SO_LINGER)]),
];

/// How many calls are allowed, with these beside the usual ones.
pub(super) fn allowed(more: &[libc::c_long]) -> usize {
    ANY_ARGUMENTS.len() + CHECKED_CALLS + more.iter().filter(|call| !ANY_ARGUMENTS.contains(call)).count()
}

/// Which argument of `mmap` and `mprotect` holds the protection (both: the third).
const PROTECTION_ARGUMENT: u8 = 2;

/// Whether this kernel has filters that answer with an error (seccomp(2)).
pub(super) fn is_available() -> bool {
    let action = libc::SECCOMP_RET_ERRNO;
    // SAFETY: with this operation the call reads four bytes from a valid address, and only answers.
    let answer =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
    answer == 0
}

/// Installs the filter on all threads of the process whose pid is `own_pid`: the usual calls and these.
pub(super) fn allow_only(own_pid: i32, more: &[libc::c_long]) -> Result<(), JailError> {
    let program =
        filter(own_pid, more).map_err(|error| JailError::step("compile the system call filter", error))?;
    apply_filter_all_threads(&program)
        .map_err(|error| JailError::step("install the system call filter", error))
}

fn filter(own_pid: i32, more: &[libc::c_long]) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: std::collections::BTreeMap<i64, Vec<SeccompRule>> =
        ANY_ARGUMENTS.iter().chain(more).map(|call| (*call, Vec::new())).collect();
    for (call, arguments) in LIMITED {
        if let Some(rule) = rules.get_mut(call) {
            let condition = |(place, value): &(u8, libc::c_int)| {
                let value = u64::from(value.cast_unsigned());
                SeccompCondition::new(*place, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
            };
            let conditions = arguments.iter().map(condition).collect::<Result<_, _>>()?;
            *rule = vec![SeccompRule::new(conditions)?];
        }
    }
    rules.insert(libc::SYS_mmap, write_xor_execute()?);
    rules.insert(libc::SYS_mprotect, write_xor_execute()?);
    rules.insert(
        libc::SYS_tgkill,
        vec![SeccompRule::new(vec![SeccompCondition::new(
            0,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Eq,
            u64::from(own_pid.cast_unsigned()),
        )?])?],
    );
    SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::EPERM.cast_unsigned()),
        SeccompAction::Allow,
        TargetArch::x86_64,
    )?
    .try_into()
}

/// One rule for each combination of writing and executing that is allowed: neither, only writing, only executing.
fn write_xor_execute() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    const BOTH: u64 = (libc::PROT_WRITE | libc::PROT_EXEC) as u64;
    let combinations = [0, libc::PROT_WRITE as u64, libc::PROT_EXEC as u64];
    let rule = |combination| {
        let condition = SeccompCondition::new(
            PROTECTION_ARGUMENT,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::MaskedEq(BOTH),
            combination,
        )?;
        SeccompRule::new(vec![condition])
    };
    combinations.into_iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Confined, JailError, JailMeans, LandlockState};
    use crate::host::test_support::in_child;

    /// Enters and seals in a child, then runs `body` there.
    fn jailed(body: impl FnOnce() -> bool) -> bool {
        jailed_with(&[], body)
    }

    /// The same, with these calls beside the usual ones.
    fn jailed_with(calls: &[libc::c_long], body: impl FnOnce() -> bool) -> bool {
        in_child(|| {
            let Ok(confined) = Confined::enter_with(&[], calls.to_vec()) else { return false };
            confined.seal().is_ok() && body()
        })
    }

    #[test]
    fn sockets_that_were_given_can_be_used_and_nothing_else_can_be_made_of_them() {
        use rustix::net::{SendFlags, Shutdown, sockopt};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        // Somebody else's, which listens.
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        assert!(jailed_with(crate::services::SOCKET_CALLS, || {
            let perm = |result: Result<(), rustix::io::Errno>| result == Err(rustix::io::Errno::PERM);
            let made =
                rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
            let fast_open = SendFlags::from_bits_retain(libc::MSG_FASTOPEN.cast_unsigned());
            sockopt::set_socket_linger(&socket, None).is_ok()
                && perm(sockopt::set_tcp_nodelay(&socket, true))
                && perm(made.map(drop))
                && perm(rustix::net::bind(&listener, &address))
                && perm(rustix::net::connect(&client, &address))
                && perm(rustix::net::listen(&listener, 1))
                && perm(rustix::net::shutdown(&listener, Shutdown::Both))
                && perm(rustix::net::shutdown(&listener, Shutdown::Read))
                && rustix::net::sendto(&listener, b"x", fast_open, &address).is_err()
                && rustix::net::sendto(&client, b"x", fast_open, &address).is_err()
                && rustix::net::shutdown(&socket, Shutdown::Write).is_ok()
        }));
        other.set_nonblocking(true).unwrap();
        assert!(other.accept().is_err(), "somebody has connected");
    }

    #[test]
    fn a_socket_of_af_xdp_can_be_called_and_changed_in_nothing() {
        use rustix::net::xdp::{SocketAddrXdp, SocketAddrXdpFlags};
        use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, sockopt};
        let made = rustix::net::socket(AddressFamily::XDP, SocketType::RAW, None);
        let Ok(socket) = made else {
            assert!(!rustix::process::geteuid().is_root(), "no AF_XDP: {made:?}");
            return;
        };
        assert!(jailed(|| {
            let perm = |result: Result<(), rustix::io::Errno>| result == Err(rustix::io::Errno::PERM);
            let address = SocketAddrXdp::new(SocketAddrXdpFlags::XDP_COPY, 1, 0);
            // Linux's word on one that is not bound, and not the jail's.
            let is_called = |result: Result<(), rustix::io::Errno>| result.is_err() && !perm(result);
            is_called(rustix::net::send(&socket, &[], SendFlags::DONTWAIT).map(drop))
                && is_called(rustix::net::recv(&socket, &mut [0_u8; 0], RecvFlags::DONTWAIT).map(drop))
                && perm(sockopt::set_xdp_rx_ring_size(&socket, 64))
                && perm(rustix::net::bind(&socket, &address))
                && perm(rustix::net::socket(AddressFamily::XDP, SocketType::RAW, None).map(drop))
                && is_refused(libc::SYS_bpf, [0; 4])
        }));
        sockopt::set_xdp_rx_ring_size(&socket, 64).expect("outside it can be changed");
    }

    fn errno() -> i32 {
        std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
    }

    /// Whether a raw system call fails with `EPERM`.
    fn is_refused(call: libc::c_long, arguments: [libc::c_long; 4]) -> bool {
        let [a, b, c, d] = arguments;
        // SAFETY: the callers pass arguments with which the call, if it were allowed, would be harmless to this
        // process's memory.
        (unsafe { libc::syscall(call, a, b, c, d) }) == -1 && errno() == libc::EPERM
    }

    #[test]
    fn files_sockets_programs_and_tracing_are_out_of_reach() {
        let path = c"/etc/passwd".as_ptr() as libc::c_long;
        assert!(jailed(|| is_refused(libc::SYS_open, [path, 0, 0, 0])), "open");
        assert!(jailed(|| is_refused(libc::SYS_openat, [libc::AT_FDCWD.into(), path, 0, 0])), "openat");
        assert!(jailed(|| is_refused(libc::SYS_socket, [libc::AF_INET.into(), 1, 0, 0])), "socket");
        let program = c"/bin/true".as_ptr() as libc::c_long;
        assert!(jailed(|| is_refused(libc::SYS_execve, [program, 0, 0, 0])), "execve");
        assert!(jailed(|| is_refused(libc::SYS_ptrace, [libc::PTRACE_TRACEME.into(), 0, 0, 0])), "ptrace");
        assert!(jailed(|| is_refused(libc::SYS_clone, [0, 0, 0, 0])), "clone");
        assert!(jailed(|| is_refused(libc::SYS_kill, [1, 0, 0, 0])), "kill");
        assert!(jailed(|| is_refused(libc::SYS_tgkill, [1, 1, 0, 0])), "tgkill of another process");
        assert!(jailed(|| is_refused(libc::SYS_sched_setaffinity, [0, 0, 0, 0])), "sched_setaffinity");
        assert!(jailed(|| is_refused(libc::SYS_io_uring_setup, [1, 0, 0, 0])), "io_uring_setup");
        assert!(jailed(|| is_refused(libc::SYS_process_vm_readv, [1, 0, 0, 0])), "process_vm_readv");
    }

    #[test]
    fn the_same_calls_do_something_else_outside() {
        // Without this, the test above would pass on a host that refuses them anyway.
        assert!(in_child(|| {
            let path = c"/etc/passwd".as_ptr() as libc::c_long;
            !is_refused(libc::SYS_open, [path, 0, 0, 0])
                && !is_refused(libc::SYS_socket, [libc::AF_UNIX.into(), 1, 0, 0])
                && !is_refused(libc::SYS_execve, [c"/nonexistent".as_ptr() as libc::c_long, 0, 0, 0])
                && !is_refused(libc::SYS_ptrace, [libc::PTRACE_TRACEME.into(), 0, 0, 0])
        }));
    }

    #[test]
    fn a_page_is_never_writable_and_executable() {
        let map = |protection: libc::c_int| {
            // SAFETY: a new private mapping at an address of the kernel's choice.
            unsafe {
                libc::mmap(
                    std::ptr::null_mut(),
                    4096,
                    protection,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            }
        };
        assert!(jailed(|| {
            let page = map(libc::PROT_READ | libc::PROT_WRITE);
            let all = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
            let both = map(all) == libc::MAP_FAILED && errno() == libc::EPERM;
            // SAFETY: the page was mapped above and holds nothing.
            let to_both = unsafe { libc::mprotect(page, 4096, all) } == -1 && errno() == libc::EPERM;
            // SAFETY: as above.
            let to_code = unsafe { libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_EXEC) } == 0;
            page != libc::MAP_FAILED && both && to_both && to_code
        }));
    }

    #[test]
    fn what_a_machine_does_goes_on_inside() {
        assert!(jailed(|| {
            let (read, write) = (std::time::Instant::now(), vec![0u8; 8 << 20]);
            std::thread::yield_now();
            std::thread::sleep(std::time::Duration::from_micros(1));
            let map: std::collections::HashMap<_, _> = [(1, read)].into();
            map.len() + write.len() > 1
        }));
        // `abort` must still be able to end the process by its signal.
        assert!(in_child(|| {
            // SAFETY: as in `in_child`.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let _ = Confined::enter().and_then(Confined::seal);
                std::process::abort();
            }
            let mut status = 0;
            // SAFETY: `status` is a valid place for the answer.
            unsafe { libc::waitpid(child, &mut status, 0) };
            libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT
        }));
    }

    #[test]
    fn threads_started_before_sealing_are_inside_too() {
        assert!(in_child(|| {
            let Ok(confined) = Confined::enter() else { return false };
            let (sealed, wait) = std::sync::mpsc::channel::<()>();
            let (started, is_started) = std::sync::mpsc::channel::<()>();
            let thread = std::thread::spawn(move || {
                drop(started);
                let _ = wait.recv();
                is_refused(libc::SYS_socket, [libc::AF_UNIX.into(), 1, 0, 0])
            });
            // Until the thread runs, the C library is still making calls for it that the jail refuses.
            let _ = is_started.recv();
            let report = confined.seal();
            drop(sealed);
            report.is_ok_and(|report| report.threads == 2 && report.open_descriptors >= 3)
                && thread.join().unwrap_or(false)
        }));
    }

    #[test]
    fn the_jail_reports_what_the_kernel_has() {
        assert!(in_child(|| {
            let Ok(confined) = Confined::enter() else { return false };
            // Landlock alone already refuses, with EACCES, if the kernel has it.
            let opened = std::fs::File::open("/etc/passwd").map_err(|error| error.kind());
            let denied = opened.is_err_and(|kind| kind == std::io::ErrorKind::PermissionDenied);
            let means = JailMeans::own();
            let has_landlock = !matches!(confined.landlock, LandlockState::Missing { .. });
            let is_full = matches!(confined.landlock, LandlockState::Full { .. });
            denied == has_landlock
                && (means.landlock > 0) == has_landlock
                && (means.landlock >= JailMeans::FULL_LANDLOCK) == is_full
                && means.has_seccomp
        }));
    }

    #[test]
    fn capabilities_and_new_privileges_are_gone() {
        assert!(in_child(|| {
            let status = std::fs::File::open("/proc/self/status").unwrap();
            let Ok(_confined) = Confined::enter() else { return false };
            let text = std::io::read_to_string(status).unwrap();
            let field =
                |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
            field("CapEff:").trim_matches('0').is_empty()
                && field("CapPrm:").trim_matches('0').is_empty()
                && field("NoNewPrivs:") == "1"
        }));
    }

    #[test]
    fn entering_late_is_refused() {
        let (_keep, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || wait.recv());
        assert!(matches!(Confined::enter(), Err(JailError::ThreadsRunning { .. })));
        drop(_keep);
        let _ = thread.join();
    }
}
