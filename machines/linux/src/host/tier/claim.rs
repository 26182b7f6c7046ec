//! One machine's claim on the host: taken, extended to its threads, given back.

use std::path::PathBuf;
use std::time::Instant;

use super::boot;
use super::cpuset::{self, CpusetError, CpusetTree};
use super::host_state::{Agreement, HostState, RestoreReport};
use super::idle::{self, IdleHold};
use super::journal::Claim;
use super::obstacle::{self, Caller, obstacle};
use super::placement::{self, TimekeeperPriority};
use super::report::{Outcome, StepName, Tier, TierReport};
use super::settings::{Applied, device_of, effective_cores};
use crate::host::core_set::CoreSet;
use crate::host::cores::{CoreChoice, Topology, siblings_of};
use crate::host::facts::KernelVersion;
use crate::host::files::FileError;
use crate::host::process_id::{ProcessId, threads_of};
use crate::host::runtime_dir::RuntimeDir;
use crate::host::threads::ThreadInfo;

/// How far a claim may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierLimit {
    /// The best tier available.
    Best,
    /// Only affinity: nothing on the host is changed.
    SharedOnly,
}

/// The cores of a running machine. Dropping it gives them back; [`release`](Self::release) also says how that went.
#[derive(Debug)]
pub struct HostClaim {
    state: HostState,
    claim: Claim,
    report: TierReport,
    timekeeper: TimekeeperPriority,
    /// Steps beyond affinity are taken.
    is_active: bool,
    /// The journal holds the claim.
    is_recorded: bool,
    idle: Option<IdleHold>,
}

impl HostClaim {
    /// Claims the cores at the best tier that the limit and this process's rights allow. Never fails: what cannot be
    /// had is in the [`report`](Self::report). Takes milliseconds (moving other processes waits for the kernel), so
    /// it is done beside the boot of the machine, whose process is `machine`.
    pub fn take(
        directory: &RuntimeDir,
        choice: &CoreChoice,
        topology: &Topology,
        kernel: KernelVersion,
        limit: TierLimit,
        machine: i32,
    ) -> Self {
        let start = Instant::now();
        let is_booted = boot::is_booted(&choice.programs, topology);
        let state = HostState {
            directory: directory.path().to_owned(),
            root: PathBuf::from("/"),
            online: topology.online.clone(),
            kernel,
        };
        let claim = Claim {
            parent: ProcessId::own(),
            machine: ProcessId::of(machine),
            cores: choice.programs.clone(),
            wants_cpuset: !is_booted,
        };
        let report = TierReport {
            tier: if is_booted { Tier::Booted } else { Tier::Shared },
            programs: choice.programs.clone(),
            housekeeping: choice.housekeeping.clone(),
            steps: Vec::new(),
            took_ns: 0,
        };
        let has_spare_core = choice.linux.len() > choice.linux.intersection(&choice.housekeeping).len();
        let timekeeper = if has_spare_core || kernel.has_fair_server() {
            TimekeeperPriority::RealTime
        } else {
            TimekeeperPriority::Nice
        };
        let mut own =
            Self { state, claim, report, timekeeper, is_active: false, is_recorded: false, idle: None };
        boot::record(&mut own.report, topology, siblings_of);
        match obstacle(choice, limit, Caller::own()) {
            Some(obstacle) => own.report_obstacle(&obstacle),
            None => own.change_host(machine),
        }
        own.report.took_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        own
    }

    /// What has been reached so far.
    pub fn report(&self) -> &TierReport {
        &self.report
    }

    /// Records a step that only the machine can take.
    pub fn set_step(&mut self, name: StepName, outcome: Outcome) {
        self.report.set(name, outcome);
    }

    /// Puts the machine's threads on their cores, with their priorities. Ids that are not threads of the process
    /// `machine`, and programs' threads on cores that were not claimed, are ignored: the machine is not trusted.
    pub fn place(&mut self, machine: i32, threads: &[ThreadInfo]) {
        let own = threads_of(machine);
        let is_ours = |thread: &&ThreadInfo| {
            let core = thread.role.core();
            own.contains(&thread.tid)
                && (self.report.programs.contains(core) || self.report.housekeeping.contains(core))
        };
        let threads: Vec<_> = threads.iter().filter(is_ours).collect();
        if !self.is_active {
            return self.report_unpinned(&threads);
        }
        let tree = if self.claim.wants_cpuset { CpusetTree::find(&self.state.root).ok() } else { None };
        let mut failures = Vec::new();
        for thread in &threads {
            let placed = placement::place(tree.as_ref().map(|tree| (tree, &self.claim)), thread);
            // A thread that has ended meanwhile (a cleaner whose work is done) has no place.
            failures.extend(placed.err().filter(|_| threads_of(machine).contains(&thread.tid)));
        }
        if let Some(tree) = &tree {
            // The rest of the process (its first thread) has no business on the programs' cores.
            let rest = own.iter().filter(|tid| threads.iter().all(|thread| thread.tid != **tid));
            rest.for_each(|tid| {
                let _ = tree.leave(*tid);
            });
        }
        if let Some(failure) = failures.into_iter().next() {
            self.report.tier = Tier::Shared;
            self.report.set(StepName::Cores, Outcome::missing(failure, "report this; it should not happen"));
        }
        let results: Vec<_> = threads
            .iter()
            .map(|thread| placement::prioritise(thread, self.timekeeper))
            .filter(|result| !matches!(result, Err(error) if error.raw_os_error() == Some(libc::ESRCH)))
            .collect();
        self.report.set(StepName::Scheduling, placement::scheduling_outcome(&results, self.timekeeper));
    }

    /// Puts a thread of the claim's process on the programs' cores, with those that it starts from now on, and without a machine's priorities: a program
    /// of Linux that is to run where a machine's would, to be compared with it. At tier `shared` nothing needs to be done.
    ///
    /// # Errors
    /// When Linux refuses, in words.
    pub fn lend(&self, thread: i32) -> Result<(), String> {
        if self.report.tier != Tier::Isolated {
            return Ok(());
        }
        let tree = CpusetTree::find(&self.state.root).map_err(|error| error.why)?;
        tree.enter(&self.claim, thread).map_err(|error| error.to_string())
    }

    /// Puts such a thread back on Linux's cores: one that only waits for others of its process.
    ///
    /// # Errors
    /// When Linux refuses, in words.
    pub fn take_back(&self, thread: i32) -> Result<(), String> {
        if self.report.tier != Tier::Isolated {
            return Ok(());
        }
        let tree = CpusetTree::find(&self.state.root).map_err(|error| error.why)?;
        tree.take_back(thread).map_err(|error| error.to_string())?;
        rustix::thread::sched_setaffinity(
            rustix::thread::Pid::from_raw(thread),
            &self.report.housekeeping.to_cpu_set(),
        )
        .map_err(|error| format!("cannot pin a thread to core {}: {error}", self.report.housekeeping))
    }

    /// Takes a machine process that was started in place of one that crashed.
    pub fn adopt(&mut self, machine: i32) {
        self.claim.machine = ProcessId::of(machine);
        if !self.is_recorded {
            return;
        }
        let claim = self.claim.clone();
        // A failure leaves the old process in the journal, which is gone: the kernel still ends the new one with us.
        let _ = self.state.update(Some(machine), |journal| {
            journal.claims.retain(|other| other.parent != claim.parent);
            journal.claims.push(claim);
        });
        self.free(machine);
    }

    /// Gives the cores back and says how that went.
    pub fn release(mut self) -> RestoreReport {
        self.give_back()
    }

    fn report_obstacle(&mut self, obstacle: &CpusetError) {
        obstacle::record(&mut self.report, obstacle);
    }

    fn change_host(&mut self, machine: i32) {
        self.is_active = true;
        if self.claim.wants_cpuset {
            // Its threads must be able to pin themselves to the programs' cores until they are placed.
            self.free(machine);
        }
        let claim = self.claim.clone();
        match self.state.update(Some(machine), |journal| journal.claims.push(claim)) {
            Ok(agreement) => {
                self.is_recorded = true;
                self.report_agreement(&agreement);
            }
            Err(error) => {
                self.claim.wants_cpuset = false;
                let why = format!("the journal of changes cannot be written, so nothing is changed: {error}");
                self.report_obstacle(&CpusetError {
                    why,
                    remedy: "free space in or mend /run/hallows".to_owned(),
                });
            }
        }
        let (hold, outcome) = idle::hold(&self.state.root);
        self.idle = hold;
        self.report.set(StepName::IdleStates, outcome);
    }

    fn free(&self, machine: i32) {
        if let Ok(tree) = CpusetTree::find(&self.state.root) {
            // Refused when it has ended; then there is nothing to free.
            let _ = tree.free(machine);
        }
    }

    fn report_agreement(&mut self, agreement: &Agreement) {
        match &agreement.cpusets {
            Some(Ok(())) if self.claim.wants_cpuset => {
                self.report.tier = Tier::Isolated;
                self.report.set(StepName::Cores, Outcome::done(cpuset::ISOLATED));
            }
            Some(Err(error)) => {
                self.claim.wants_cpuset = false;
                self.report.set(StepName::Cores, Outcome::missing(&*error.why, &*error.remedy));
            }
            _ => {}
        }
        for absent in &agreement.absent {
            self.report.set(absent.step, Outcome::not_needed(&*absent.why));
        }
        for step in [StepName::Interrupts, StepName::Workqueues, StepName::Watchdog, StepName::Throttling] {
            let results =
                agreement.settings.iter().filter(|(name, _)| *name == step).map(|(_, result)| result);
            let results: Vec<_> = results.collect();
            if !results.is_empty() {
                self.report.set(step, settings_outcome(&results, &self.claim.cores));
            }
        }
    }

    fn report_unpinned(&mut self, threads: &[&ThreadInfo]) {
        if let Some(why) = threads.iter().find_map(|thread| thread.not_pinned.clone()) {
            self.report.set(StepName::Cores, Outcome::missing(why, "choose cores that this process may use"));
        }
    }

    fn give_back(&mut self) -> RestoreReport {
        self.idle = None;
        if !std::mem::take(&mut self.is_recorded) {
            return RestoreReport::default();
        }
        let parent = self.claim.parent;
        match self.state.update(None, |journal| journal.claims.retain(|claim| claim.parent != parent)) {
            Ok(agreement) => agreement.into_restore_report(),
            Err(error) => RestoreReport { failures: vec![error.to_string()], ..RestoreReport::default() },
        }
    }
}

impl Drop for HostClaim {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn settings_outcome(results: &[&Result<Applied, FileError>], claimed: &CoreSet) -> Outcome {
    let errors = results.iter().filter_map(|result| result.as_ref().err());
    // An interrupt that cannot be moved does no harm while it goes elsewhere.
    let comes_here = |error: &&FileError| {
        effective_cores(&error.path).is_none_or(|cores| !cores.intersection(claimed).is_empty())
    };
    let refused: Vec<_> = errors.filter(comes_here).collect();
    if refused.is_empty() {
        return Outcome::done(format!("{} settings", results.len()));
    }
    let devices: Vec<_> = refused.iter().filter_map(|error| device_of(&error.path)).collect();
    let of_devices = if devices.is_empty() { String::new() } else { format!(" ({})", devices.join(", ")) };
    Outcome::missing(
        format!("{} of {} were refused{of_devices}: {}", refused.len(), results.len(), refused[0].source),
        "what a driver has bound to its cores moves only at boot: `isolcpus=managed_irq,domain,…`",
    )
}
