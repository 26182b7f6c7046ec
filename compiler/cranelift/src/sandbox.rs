//! The jail around the compiler: what a process that reads hostile programs may still do.
//!
//! Order matters. First limits on memory, time and files; then Landlock (no path of the file system, no network), which only
//! binds the calling thread and those it creates; then the threads; last seccomp, on all threads, which leaves
//! reading standard input, writing standard output and error, memory that is never executable, and waiting.
//! Only then is the first byte of the program read.
use hallows_compiler_protocol::{CompileError, Limit, Limits};
use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};
use std::{collections::BTreeMap, fmt::Display, fs::File, sync::mpsc};

/// Stack of the compiling thread; Cranelift recurses on nothing that a program nests, this is a reserve.
const STACK_BYTES: usize = 64 << 20;
/// Stack of a helping thread, for the same reason.
const HELPER_STACK_BYTES: usize = 16 << 20;
/// Address space beyond the memory limit: stacks, the allocator's reservations, the executable itself.
const ADDRESS_SPACE_RESERVE_BYTES: u64 = 1 << 30;

/// Whether the jail is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jail {
    /// Nothing leaves but the result.
    Closed,
    /// For debugging the compiler itself: limits hold, system calls are free.
    Open,
}

/// Closes the jail around this process and then runs `work` on a thread of its own, with `threads` threads for Cranelift.
///
/// # Errors
/// [`CompileError::Sandbox`] if the jail cannot be closed; `work` does not run then.
pub fn run<T: Send + 'static>(
    jail: Jail,
    limits: &Limits,
    threads: u32,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CompileError> {
    limit_resources(limits, threads)?;
    if jail == Jail::Closed {
        forget_inherited_files()?;
        rustix::thread::set_no_new_privs(true).map_err(failed("no_new_privs"))?;
        close_file_system()?;
    }
    if threads > 1 {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads as usize).stack_size(HELPER_STACK_BYTES);
        pool.build_global().map_err(failed("creating threads"))?;
        // Each has started, and made the system calls of starting, before they are forbidden.
        rayon::broadcast(|_| ());
    }
    let (open, opened) = mpsc::sync_channel::<()>(0);
    let worker = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Twice: started, and go. An error means that the jail could not be closed.
            (opened.recv().is_ok() && opened.recv().is_ok()).then(work)
        })
        .map_err(failed("creating threads"))?;
    open.send(()).map_err(failed("creating threads"))?;
    if jail == Jail::Closed {
        close_system_calls()?;
    }
    open.send(()).map_err(failed("creating threads"))?;
    match worker.join() {
        Ok(Some(result)) => Ok(result),
        _ => Err(CompileError::Crashed { how: "the compiling thread panicked".into() }),
    }
}

fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> CompileError {
    move |error| CompileError::Sandbox { message: format!("{what}: {error}") }
}

/// Memory, time, and the size of files; no core dumps, which would hold the program.
fn limit_resources(limits: &Limits, threads: u32) -> Result<(), CompileError> {
    // Stacks are not the program's doing.
    let stacks = STACK_BYTES as u64 + u64::from(threads).saturating_mul(HELPER_STACK_BYTES as u64);
    let memory = limits.get(Limit::CompilerMemoryBytes).saturating_add(stacks);
    let seconds = limits.get(Limit::CompilerSeconds);
    let both = |value| Rlimit { current: Some(value), maximum: Some(value) };
    let all = [
        (Resource::Data, both(memory)),
        (Resource::As, both(memory.saturating_add(ADDRESS_SPACE_RESERVE_BYTES))),
        // At the soft limit the process gets SIGXCPU, which says why it died; at the hard one it is killed.
        (Resource::Cpu, Rlimit { current: Some(seconds), maximum: Some(seconds.saturating_add(1)) }),
        (Resource::Core, both(0)),
    ];
    for (resource, limit) in all {
        setrlimit(resource, limit).map_err(failed("setting limits"))?;
    }
    Ok(())
}

/// Closes what a careless parent left open.
fn forget_inherited_files() -> Result<(), CompileError> {
    // SAFETY: descriptors from 3 on belong to nobody in this process: it was just started and opens its files before
    // as 0 and 1 only.
    let result = unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
    if result == 0 { Ok(()) } else { Err(failed("closing inherited files")(std::io::Error::last_os_error())) }
}

/// No path may be opened, no address connected to. Kernels without Landlock leave this to seccomp, which is enough.
fn close_file_system() -> Result<(), CompileError> {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(|ruleset| ruleset.create())
        .map_err(failed("Landlock"))?;
    ruleset.restrict_self().map_err(failed("Landlock"))?;
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(failed("setting limits"))?;
    Ok(())
}

fn close_system_calls() -> Result<(), CompileError> {
    // The one that kills last: it forbids installing filters, too.
    let filters = [filter(refused(), SeccompAction::Allow), filter(allowed(), SeccompAction::KillProcess)];
    for filter in filters {
        apply_filter_all_threads(&filter.map_err(failed("seccomp"))?).map_err(failed("seccomp"))?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The strictest of several filters wins: one kills what is on no list, another turns some of what is left
/// into an error.
fn filter((rules, matched): (Rules, SeccompAction), otherwise: SeccompAction) -> Result<BpfProgram, String> {
    let architecture = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    SeccompFilter::new(rules, otherwise, matched, architecture)
        .and_then(BpfProgram::try_from)
        .map_err(|error| error.to_string())
}

/// What does not kill: the system calls that compiling makes, with their arguments.
fn allowed() -> (Rules, SeccompAction) {
    let equals = |argument, value| condition(argument, SeccompCmpOp::Eq, value);
    let never_executable =
        || vec![rule(vec![condition(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0)])];
    let anywhere = Vec::new;
    let ours = u64::from(std::process::id());
    let mut rules: Rules = [
        (libc::SYS_read, vec![rule(vec![equals(0, 0)])]),
        (libc::SYS_write, vec![rule(vec![equals(0, 1)]), rule(vec![equals(0, 2)])]),
        (libc::SYS_mmap, never_executable()),
        (libc::SYS_mprotect, never_executable()),
        // Aborting is raising a signal in oneself.
        (libc::SYS_tgkill, vec![rule(vec![equals(0, ours)])]),
    ]
    .into();
    for call in [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_restart_syscall,
    ] {
        rules.insert(call, anywhere());
    }
    for call in REFUSED {
        rules.insert(call, anywhere());
    }
    (rules, SeccompAction::Allow)
}

/// What libraries try and can do without: how many processors there are, whether a descriptor is a terminal.
const REFUSED: [i64; 6] = [
    libc::SYS_openat,
    libc::SYS_sched_getaffinity,
    libc::SYS_ioctl,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_lseek,
];

fn refused() -> (Rules, SeccompAction) {
    (REFUSED.into_iter().map(|call| (call, Vec::new())).collect(), SeccompAction::Errno(libc::EACCES as u32))
}

/// All conditions together.
fn rule(conditions: Vec<SeccompCondition>) -> SeccompRule {
    // Fails for an empty list only.
    SeccompRule::new(conditions).unwrap_or_else(|error| unreachable!("a rule has conditions: {error}"))
}

/// A condition on one argument; descriptors and flags are 32-bit numbers.
fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> SeccompCondition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .unwrap_or_else(|error| unreachable!("system calls have six arguments: {error}"))
}

/// Standard output as a file of the user's is limited like any artefact; a pipe is limited by who reads it.
///
/// # Errors
/// [`CompileError::Sandbox`] if the limit cannot be set.
pub fn limit_file_size(bytes: u64) -> Result<(), CompileError> {
    setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum: Some(bytes) })
        .map_err(failed("setting limits"))
}

/// Makes `file` the standard stream `descriptor` (0 or 1).
///
/// # Errors
/// [`CompileError::Host`] if the host refuses.
pub fn become_stream(file: &File, descriptor: i32) -> Result<(), CompileError> {
    use std::os::fd::AsRawFd;
    // SAFETY: replaces a standard stream of this process, which nothing has buffered from or to yet.
    let result = unsafe { libc::dup2(file.as_raw_fd(), descriptor) };
    if result == descriptor {
        return Ok(());
    }
    let message = std::io::Error::last_os_error().to_string();
    Err(CompileError::Host { what: "redirecting a standard stream".into(), message })
}
