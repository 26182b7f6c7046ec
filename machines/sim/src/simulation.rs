//! The simulation: who goes next, what goes wrong, and whether all is well when everything is quiet.

use std::rc::Rc;
use std::sync::Arc;

use hallows_abi::Rights;
use hallows_kernel::{
    BootCapability, CellId, CellSpecification, Configuration, CoreId, Kernel, Nanos, NextTick, Rooted,
    Service, Style, ThreadId,
};

use crate::engine::{SimEngine, SimProgram};
use crate::fiber::{self, CoreStopped};
use crate::program::{Code, Ending, Halt, Handler};
use crate::world::{self, Chances, Registered, World, world};
use crate::{Process, Random, SimKernel, SimMachine};

/// Bytes of a simulated program's memory: three areas for messages and three pages to map regions into.
pub const MEMORY_BYTES: usize = 24_576;

/// What goes wrong, and how often: in millionths of the chances that it has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The core is taken out of time at a way into or out of the kernel or at a check.
    pub pause: u64,
    /// Some thread's preemption word is set, at a step of the simulation.
    pub word: u64,
    /// A core does nothing for a while.
    pub stall: u64,
    /// The timekeeper, which is due, comes later.
    pub late_tick: u64,
    /// A parked core wakes without reason.
    pub spurious: u64,
    /// A core that sleeps until a time sleeps on, until it is woken.
    pub oversleep: u64,
    /// One of the victims is killed.
    pub kill: u64,
    /// So many kills at most.
    pub kills: u32,
    /// A fragile cell faults at a check.
    pub fault: u64,
    /// An activation finds the stack too short.
    pub too_deep: u64,
    /// The kernel preempts and migrates at every check.
    pub chaos: bool,
}

impl Faults {
    /// A calm machine that only interleaves.
    pub const CALM: Self = Self {
        pause: 100_000,
        word: 0,
        stall: 0,
        late_tick: 0,
        spurious: 0,
        oversleep: 0,
        kill: 0,
        kills: 0,
        fault: 0,
        too_deep: 0,
        chaos: false,
    };

    /// Everything goes wrong that a correct system survives without an error: pauses, words, stalls, late timers.
    #[must_use]
    pub fn rough(random: &mut Random) -> Self {
        let mut some = |most: u64| if random.chance(500_000) { random.below(most) } else { 0 };
        Self {
            pause: some(600_000),
            word: some(200_000),
            stall: some(20_000),
            late_tick: some(900_000),
            spurious: some(50_000),
            oversleep: some(500_000),
            chaos: some(100) > 60,
            ..Self::default()
        }
    }

    /// Kills among the victims as well.
    #[must_use]
    pub const fn with_kills(self, kill: u64, kills: u32) -> Self {
        Self { kill, kills, ..self }
    }

    /// Faults of the fragile as well.
    #[must_use]
    pub const fn with_faults(self, fault: u64) -> Self {
        Self { fault, ..self }
    }
}

/// Why a run did not come to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It took more steps than it may.
    NoEnd(String),
    /// It is quiet, and somebody should not be.
    Stuck(String),
}

/// A machine that is simulated on the calling host thread; one at a time.
pub struct Simulation {
    /// Its kernel.
    pub kernel: Arc<SimKernel>,
    /// The right to make the first objects.
    pub boot: BootCapability,
    /// Who may be killed.
    pub victims: Vec<CellId>,
    faults: Faults,
    kills_left: u32,
    next_tick: NextTick,
    looks: u64,
    cells: Vec<Rooted>,
    over: bool,
    memory_at_start: u64,
}

impl Simulation {
    /// A machine that obeys a seed.
    #[must_use]
    pub fn new(seed: u64, configuration: Configuration, faults: Faults) -> Self {
        let cores = configuration.cores.max(1);
        let mut fresh = World::new(cores, seed);
        // Some machines park at once, on others threads linger and meet in their lanes.
        let idle_looks = [configuration.idle_looks, 3, 30][fresh.random.below(3) as usize];
        let configuration = Configuration { idle_looks, ..configuration };
        let Faults { pause, fault, too_deep, oversleep, .. } = faults;
        fresh.chances = Chances { pause, fault, too_deep, oversleep };
        let other = world::exchange(Some(fresh));
        assert!(other.is_none(), "one simulation at a time on a host thread");
        let configuration = Configuration { chaos: faults.chaos, ..configuration };
        let (kernel, boot) = Kernel::new(SimEngine, SimMachine, configuration);
        let kernel = Arc::new(kernel);
        world(|world| world.kernel = Some(Arc::clone(&kernel)));
        for core in (0..cores).map(CoreId) {
            let kernel = Arc::clone(&kernel);
            let fiber = fiber::core_fiber(core, move || kernel.run_core(core));
            world(|world| world.core(core).fiber = Some(fiber));
        }
        let memory_at_start = kernel.memory().0;
        Self {
            kernel,
            boot,
            victims: Vec::new(),
            faults,
            kills_left: faults.kills,
            next_tick: NextTick { at: Nanos(0), spin: true, is_due: false },
            looks: 0,
            cells: Vec::new(),
            over: false,
            memory_at_start,
        }
    }

    fn register(&mut self, code: Code, style: Style, memory_bytes: usize) -> Rooted {
        let program = world(|world| {
            world.programs.push(Registered { code });
            SimProgram { index: world.programs.len() - 1, style, memory_bytes }
        });
        match self.kernel.boot_program(&self.boot, Arc::new(program)) {
            Ok(rooted) => rooted,
            Err(error) => panic!("no room for a program: {error}"),
        }
    }

    /// A main program.
    pub fn main(&mut self, main: impl Fn(&mut Process<'_>) -> Ending + 'static) -> Rooted {
        self.register(Code::Main(Rc::new(main)), Style::Main, MEMORY_BYTES)
    }

    /// A main program with so much memory.
    pub fn large_main(
        &mut self,
        memory_bytes: usize,
        main: impl Fn(&mut Process<'_>) -> Ending + 'static,
    ) -> Rooted {
        self.register(Code::Main(Rc::new(main)), Style::Main, memory_bytes)
    }

    /// A reactor: its init function, which makes the handler of a life.
    pub fn reactor(&mut self, init: impl Fn(&mut Process<'_>) -> Result<Handler, Halt> + 'static) -> Rooted {
        self.register(Code::Reactor(Rc::new(init)), Style::Reactor, MEMORY_BYTES)
    }

    /// A cell that runs a program; not started.
    pub fn cell(
        &mut self,
        name: &str,
        program: &Rooted,
        faults: Option<&Rooted>,
        passive: bool,
        priority: u8,
    ) -> (CellId, Rooted) {
        let specification = CellSpecification {
            name,
            memory_bytes: 1 << 20,
            slots: 0,
            class: Default::default(),
            priority,
            passive,
            pinned: None,
            pool: 0,
            time: None,
        };
        self.cell_of(program, faults, &specification)
    }

    /// A cell as specified; not started.
    pub fn cell_of(
        &mut self,
        program: &Rooted,
        faults: Option<&Rooted>,
        specification: &CellSpecification<'_>,
    ) -> (CellId, Rooted) {
        match self.kernel.boot_cell(&self.boot, program, faults, specification) {
            Ok((cell, rooted)) => {
                self.cells.push(rooted);
                (cell, rooted)
            }
            Err(error) => panic!("no room for cell {}: {error}", specification.name),
        }
    }

    /// An endpoint of an active cell.
    pub fn active(&mut self, server: CellId, limit: u32) -> Rooted {
        self.endpoint(server, Service::Active { limit })
    }

    /// An endpoint of a passive cell, with the machine's handler budget.
    pub fn passive(&mut self, server: CellId) -> Rooted {
        self.endpoint(server, Service::Passive { handler_budget_ns: 0 })
    }

    /// An endpoint.
    pub fn endpoint(&mut self, server: CellId, service: Service) -> Rooted {
        match self.kernel.boot_endpoint(&self.boot, server, service) {
            Ok(rooted) => rooted,
            Err(error) => panic!("no endpoint: {error}"),
        }
    }

    /// Gives a cell a capability with all rights: its handle there.
    pub fn grant(&mut self, cell: CellId, what: &Rooted) -> hallows_abi::Handle {
        self.grant_some(cell, what, Rights::ALL, 0)
    }

    /// Gives a cell a capability.
    pub fn grant_some(
        &mut self,
        cell: CellId,
        what: &Rooted,
        rights: Rights,
        badge: u64,
    ) -> hallows_abi::Handle {
        match self.kernel.boot_grant(&self.boot, cell, what, rights, badge) {
            Ok(handle) => handle,
            Err(error) => panic!("no grant: {error}"),
        }
    }

    /// Starts a cell.
    pub fn start(&mut self, cell: CellId) {
        if let Err(error) = self.kernel.boot_start(&self.boot, cell, b"") {
            panic!("cell {cell} does not start: {error}");
        }
    }

    /// Kills a cell.
    pub fn kill(&mut self, cell: CellId) -> bool {
        self.kernel.boot_kill(&self.boot, cell)
    }

    /// Starts a dead cell again, as an operator does; its life.
    ///
    /// # Errors
    /// The kernel's.
    pub fn restart(&mut self, cell: CellId) -> Result<u32, hallows_abi::Error> {
        self.kernel.boot_restart(&self.boot, cell)
    }

    /// Puts a message into an active endpoint that wants no answer, as an operator does.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send_as_operator(
        &mut self,
        endpoint: &Rooted,
        badge: u64,
        bytes: &[u8],
    ) -> Result<(), hallows_abi::Error> {
        self.kernel.boot_send(&self.boot, endpoint, badge, bytes)
    }

    /// Lets a cell fault at its checks, as often as [`Faults::fault`] says.
    pub fn make_fragile(&mut self, cell: CellId) {
        world(|world| world.fragile.push(cell.0));
    }

    /// From here on the machine has no aliased pages, as one without a memory management unit.
    pub fn forbid_regions(&mut self) {
        world(|world| world.regions = false);
    }

    /// The lines that were logged.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        world(|world| world.log.clone())
    }

    /// The clock jumps by so many ns, as where a host stood still or was moved.
    pub fn jump(&mut self, by_ns: i64) {
        world(|world| world.now_ns = world.now_ns.saturating_add_signed(by_ns));
    }

    /// The virtual time, in ns.
    #[must_use]
    pub fn time_ns(&self) -> u64 {
        world(|world| world.now_ns)
    }

    /// How often the timekeeper has looked.
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.looks
    }

    /// How many steps it has taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        world(|world| world.step)
    }

    /// No more faults from here on: what is under way may come to its end.
    pub fn calm(&mut self) {
        self.faults = Faults { chaos: self.faults.chaos, ..Faults::CALM };
        self.kills_left = 0;
        world(|world| {
            world.chances = Chances { pause: Faults::CALM.pause, ..Chances::default() };
            for core in &mut world.cores {
                core.stalled_until = 0;
            }
        });
    }

    fn tick(&mut self) {
        let now = world(|world| {
            world.alarm_ns = u64::MAX;
            world.now_ns
        });
        self.next_tick = self.kernel.tick(Nanos(now));
        self.looks += 1;
    }

    fn disturb(&mut self) {
        let Faults { word, stall, spurious, kill, .. } = self.faults;
        let (set, stalled, woken, killed) = world(|world| {
            let random = &mut world.random;
            (random.chance(word), random.chance(stall), random.chance(spurious), random.chance(kill))
        });
        let cores = world(|world| world.cores.len() as u64);
        if set {
            // Threads 1 to 15: the cells of a small machine.
            let thread = world(|world| 1 + world.random.below(15));
            self.kernel.word(ThreadId(thread as u32)).stop();
        }
        if stalled {
            world(|world| {
                let (core, long) = (world.random.below(cores), world.random.below(300));
                let until = world.step + long;
                world.cores[core as usize].stalled_until = until;
            });
        }
        if woken {
            let core = world(|world| world.random.below(cores));
            hallows_kernel::Machine::unpark(&SimMachine, CoreId(core as u32));
        }
        if killed && self.kills_left > 0 && !self.victims.is_empty() {
            let place = world(|world| world.random.below(self.victims.len() as u64));
            if self.kernel.boot_kill(&self.boot, self.victims[place as usize]) {
                self.kills_left -= 1;
            }
        }
    }

    /// One step: a core goes on, or the timekeeper has its turn, or time passes. False when nothing will ever happen again.
    pub fn step(&mut self) -> bool {
        self.disturb();
        enum Next {
            Core(u32),
            Tick,
            Nothing,
            Quiet,
        }
        let (next_tick, late) = (self.next_tick, self.faults.late_tick);
        let next = world(|world| {
            world.step += 1;
            world.now_ns += world.random.below(100);
            let now_ns = world.now_ns;
            for core in &mut world.cores {
                core.parked &= now_ns < core.until_ns;
            }
            let ready: Vec<u32> = (0u32..)
                .zip(&world.cores)
                .filter(|(_, core)| !core.parked && core.stalled_until <= world.step)
                .map(|(index, _)| index)
                .collect();
            let due_ns = next_tick.at.0.min(world.alarm_ns);
            let due = next_tick.spin || world.now_ns >= due_ns;
            if due && !world.random.chance(late) && world.random.chance(500_000) {
                return Next::Tick;
            }
            if !ready.is_empty() {
                let place = world.random.below(ready.len() as u64);
                return Next::Core(ready[place as usize]);
            }
            if world.cores.iter().any(|core| !core.parked) {
                return Next::Nothing;
            }
            if due {
                return Next::Tick;
            }
            let wakes_ns = world.cores.iter().map(|core| core.until_ns).min().unwrap_or(u64::MAX);
            if due_ns.min(wakes_ns) >= Nanos::NEVER.0 {
                return Next::Quiet;
            }
            world.now_ns = due_ns.min(wakes_ns);
            if due_ns <= wakes_ns { Next::Tick } else { Next::Nothing }
        });
        match next {
            Next::Core(core) => match fiber::run_core(CoreId(core)) {
                Some(CoreStopped::Paused | CoreStopped::Parked) => {}
                None => panic!("core {core} left its loop"),
            },
            Next::Tick => self.tick(),
            Next::Nothing => {}
            Next::Quiet => return false,
        }
        true
    }

    /// Runs until nothing will ever happen again without somebody from outside.
    ///
    /// # Errors
    /// It took more than `most` steps; or it came to rest and somebody has work.
    pub fn run(&mut self, most: u64) -> Result<(), Trouble> {
        let end = self.steps() + most;
        while self.steps() < end {
            if !self.step() {
                return self.look();
            }
        }
        Err(Trouble::NoEnd(format!("after {most} steps: {}", self.picture())))
    }

    /// Runs until `done` says so.
    ///
    /// # Errors
    /// It took more than `most` steps; or it came to rest before.
    pub fn run_until(&mut self, most: u64, mut done: impl FnMut(&Self) -> bool) -> Result<(), Trouble> {
        let end = self.steps() + most;
        while self.steps() < end {
            if done(self) {
                return Ok(());
            }
            if !self.step() {
                self.look()?;
                return if done(self) { Ok(()) } else { Err(Trouble::Stuck(self.picture())) };
            }
        }
        Err(Trouble::NoEnd(format!("after {most} steps: {}", self.picture())))
    }

    /// What must hold when everything is quiet.
    fn look(&self) -> Result<(), Trouble> {
        if !self.kernel.is_quiet() {
            return Err(Trouble::Stuck(format!("all cores sleep, and there is work: {}", self.picture())));
        }
        let wrong = self.kernel.contradictions();
        if wrong.is_empty() { Ok(()) } else { Err(Trouble::Stuck(format!("{wrong:?}: {}", self.picture()))) }
    }

    /// Everything, for people.
    #[must_use]
    pub fn picture(&self) -> String {
        let mut text = format!("time {} ns, next tick {:?}", self.time_ns(), self.next_tick);
        for core in self.kernel.picture_cores() {
            text.push_str(&format!("\n  {core:?}"));
        }
        for cell in self.kernel.picture_cells() {
            text.push_str(&format!(
                "\n  cell {} {} {:?} life {} passive {} core {} running {}",
                cell.cell, cell.name, cell.state, cell.life, cell.passive, cell.core, cell.running
            ));
        }
        text
    }

    /// Ends every cell and looks whether all that they took has come back.
    ///
    /// # Errors
    /// As [`Self::run`].
    ///
    /// # Panics
    /// Something was not given back.
    pub fn finish(mut self, most: u64) -> Result<(), Trouble> {
        self.calm();
        for cell in std::mem::take(&mut self.cells) {
            self.kernel.boot_destroy(&self.boot, &cell);
        }
        self.run(most)?;
        let usage = self.kernel.usage();
        assert_eq!(usage.cells, 0, "cells are left: {usage:?}\n{}", self.picture());
        assert_eq!(usage.endpoints, 0, "endpoints without servers are left: {usage:?}");
        assert_eq!(usage.timers, 0, "timers are left: {usage:?}");
        assert_eq!(usage.messages, 0, "messages are left: {usage:?}");
        assert_eq!(usage.pending, 0, "answers are owed to the dead: {usage:?}");
        assert_eq!(usage.held, 0, "capabilities are on their way to nobody: {usage:?}");
        assert_eq!(
            (usage.budgets, usage.regions),
            (0, 0),
            "what cells made of their budgets is left: {usage:?}"
        );
        // Notifications that boot made are the root's.
        let left = usage.notifications as u64 * hallows_kernel::OBJECT_BYTES;
        assert_eq!(self.memory_taken(), left, "memory did not come back: {usage:?}");
        self.kernel.shut_down();
        loop {
            let core = world(|world| {
                let left = (0u32..).zip(&world.cores).find(|(_, core)| core.fiber.is_some());
                left.map(|(index, _)| index)
            });
            let Some(core) = core else { break };
            assert!(self.steps() < u64::MAX, "unreachable");
            fiber::run_core(CoreId(core));
        }
        self.over = true;
        Ok(())
    }

    /// Bytes of the machine's memory that are taken beyond what was taken when it was made.
    #[must_use]
    pub fn memory_taken(&self) -> u64 {
        self.kernel.memory().0 - self.memory_at_start
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let world = world::exchange(None);
        if !self.over {
            // Threads stand somewhere in the middle of the kernel: unwinding them would run it in a state that it is never in.
            std::mem::forget(world);
        }
    }
}
