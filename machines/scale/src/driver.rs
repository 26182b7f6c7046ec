//! Where requests come from: for each core a queue of a device's, which the core polls, and cells that work on them.
//!
//! A request becomes a message to a free cell of the core that it has come to. Where that cell then runs is the kernel's decision.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hallows_counted_kernel::{BootCapability, CoreId, Kernel, Rooted};
use hallows_lab::Request;

use crate::engine::ScaleEngine;
use crate::lines::Picoseconds;
use crate::machine::PS;
use crate::world::{Box, now_ps, pass, world};

/// The simulated kernel.
pub type ScaleKernel = Kernel<ScaleEngine>;

/// What has come to one core.
#[derive(Debug, Default)]
pub struct Come {
    /// Numbers of requests, in the order in which they come.
    pub requests: Vec<u32>,
    /// The next one that is to be handed over.
    pub next: Cell<usize>,
    /// Its cells: the first one's number, and how many.
    pub first: u32,
    pub count: u32,
    /// Those that are known to be free, the warmest last: memory of this core's alone.
    pub free: RefCell<Vec<u32>>,
}

/// Everything about requests.
pub struct Driver {
    pub kernel: Arc<ScaleKernel>,
    pub boot: BootCapability,
    pub requests: Vec<Request>,
    /// When each was done, in ps; 0 before that.
    pub done_ps: RefCell<Vec<Picoseconds>>,
    pub cores: Vec<Come>,
    /// For each cell, by its number: its endpoint, and whether it has a request.
    pub endpoints: Vec<Rooted>,
    pub boxes: Vec<Box>,
    /// The number of the first of these cells in the kernel.
    pub first_cell: u32,
    /// Requests that are done, and those that cells have.
    pub done: Cell<usize>,
    pub running: Cell<usize>,
}

thread_local! {
    static DRIVER: RefCell<Option<Rc<Driver>>> = const { RefCell::new(None) };
}

/// The driver of this host thread's simulation.
pub fn driver() -> Rc<Driver> {
    DRIVER.with_borrow(|driver| match driver {
        Some(driver) => Rc::clone(driver),
        None => panic!("no simulation on this host thread"),
    })
}

/// Puts a driver in, or takes it away.
pub fn install(driver: Option<Rc<Driver>>) {
    DRIVER.set(driver);
}

impl Driver {
    /// How long a request takes, in ps.
    pub fn service_ps(&self, request: u32) -> Picoseconds {
        self.requests[request as usize].service_ns * PS
    }

    /// When the next request comes to a core, or came that was not handed over, in ps.
    pub fn comes_at(&self, core: CoreId) -> Option<Picoseconds> {
        if world(|world| world.over) {
            return None;
        }
        let come = &self.cores[core.index()];
        let next = come.requests.get(come.next.get())?;
        Some(self.requests[*next as usize].arrival_ns * PS)
    }

    /// Hands over all requests that have come to a core, as far as there are cells; when the next one comes that can be, in ps. By that core.
    pub fn hand_over(&self, core: CoreId) -> Option<Picoseconds> {
        loop {
            let at = self.comes_at(core)?;
            if at > now_ps() {
                return Some(at);
            }
            let idle = world(|world| std::mem::take(&mut world.here().idle));
            let cell = self.free_cell(core);
            if let Some(cell) = cell {
                self.send(core, cell);
            }
            world(|world| world.here().idle = idle);
            // Whoever frees one tells by its box, which is looked at when the core looks again.
            cell?;
        }
    }

    /// Hands over the next request of a core, whenever it comes.
    pub fn hand_over_one(&self, core: CoreId) {
        if let Some(cell) = self.free_cell(core) {
            self.send(core, cell);
        }
    }

    fn free_cell(&self, core: CoreId) -> Option<u32> {
        let come = &self.cores[core.index()];
        let mut free = come.free.borrow_mut();
        if free.is_empty() {
            // Other cores tell by the boxes, which are looked at when no cell is left.
            let boxes = (come.first..come.first + come.count).rev().filter(|cell| {
                // Acquire: as in a real driver, which then writes to it.
                self.boxes[*cell as usize].0.load(Ordering::Acquire) == Box::FREE
            });
            free.extend(boxes);
        }
        free.pop()
    }

    fn send(&self, core: CoreId, cell: u32) {
        let come = &self.cores[core.index()];
        let request = u64::from(come.requests[come.next.get()]);
        come.next.set(come.next.get() + 1);
        self.running.set(self.running.get() + 1);
        // The device has written what came: it is in nobody's cache.
        let transfer_ps = world(|world| {
            let transfer_ps = world.costs.transfer_ps;
            world.here().spent.transfers += transfer_ps;
            transfer_ps
        });
        pass(transfer_ps);
        self.boxes[cell as usize].0.store(request, Ordering::Release);
        let endpoint = &self.endpoints[cell as usize];
        if let Err(error) = self.kernel.boot_send_on(&self.boot, core, endpoint, 0, &request.to_le_bytes()) {
            panic!("a request was refused: {error}");
        }
    }

    /// A request is done.
    pub fn done(&self, request: u32) {
        self.done_ps.borrow_mut()[request as usize] = now_ps();
        self.done.set(self.done.get() + 1);
    }

    /// A cell, by its number in the kernel, has no request any more. By the core that it ran on.
    pub fn free(&self, core: CoreId, cell: u32) {
        let cell = cell - self.first_cell;
        self.running.set(self.running.get() - 1);
        let come = &self.cores[core.index()];
        if (come.first..come.first + come.count).contains(&cell) {
            come.free.borrow_mut().push(cell);
        } else {
            self.boxes[cell as usize].0.store(Box::FREE, Ordering::Release);
        }
    }
}
