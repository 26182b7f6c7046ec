//! What to call with: mostly nearly right, because what is wrong everywhere gets no further than the first check.
//!
//! The program does not saw off the branch that it sits on. It never asks its own cell to exit or to log (the
//! log would be full of it), never maps a region over anything but a part of the arena that it does not write to itself,
//! and waits only until very soon.

use hallows::abi::{Function, Handle, ObjectKind, Operation, Rights, Span};
use hallows::raw::{Arguments, Call};

use crate::random::Random;

/// Targets kept at a time.
const TARGETS: usize = 64;
/// Tokens kept at a time.
const TOKENS: usize = 16;
/// A deadline that lies ahead lies at most so far ahead: a million waits shall not take a minute.
const NEAR_NS: u64 = 20_000;

/// The arena: a part for what is sent, which this program writes, and a part for what is received, which only the kernel writes.
#[derive(Clone, Copy)]
pub struct Layout {
    sent: u32,
    received: u32,
}

impl Layout {
    /// Each part takes the longest message and something more, in whole pages.
    pub const USUAL: Self = Self { sent: 80 << 10, received: 80 << 10 };

    /// Bytes of both parts.
    pub const fn bytes(self) -> usize {
        (self.sent + self.received) as usize
    }

    /// What it is aligned to, so that regions can be mapped into it.
    pub const fn page(self) -> usize {
        4_096
    }
}

/// Where the lists start in the part that is sent: behind the longest message and one byte.
const TRANSFERS: u32 = 72 << 10;
/// Where the event, the handles and the buffer start in the part that is received.
const EVENT: u32 = 0;
const HANDLES: u32 = 64;
const BUFFER: u32 = 1 << 10;
/// Regions are mapped from here on, so that event and handles can be read afterwards whatever a region held.
const MAPPABLE: u32 = 8 << 10;
/// The largest region that is made with success, so that it fits behind [`MAPPABLE`].
const REGION_BYTES: u64 = 8 << 10;

/// A capability to try things on.
#[derive(Clone, Copy)]
pub struct Target {
    pub handle: Handle,
    /// What it names, as far as that is known.
    kind: Option<ObjectKind>,
}

/// Makes arguments.
pub struct Generator {
    random: Random,
    layout: Layout,
    base: u64,
    targets: [Target; TARGETS],
    kept: usize,
    tokens: [u64; TOKENS],
    /// What the last message asked for: of what kind a capability is that its answer brings.
    asked: Option<Operation>,
}

impl Generator {
    /// From a seed, for an arena at an address.
    pub fn new(seed: u64, layout: Layout, base: usize) -> Self {
        let mut targets = [Target { handle: Handle::NULL, kind: None }; TARGETS];
        targets[0] = Target { handle: Handle::SELF, kind: Some(ObjectKind::Cell) };
        targets[1] = Target { handle: Handle::BUDGET, kind: Some(ObjectKind::Budget) };
        let random = Random::new(seed);
        Self { random, layout, base: base as u64, targets, kept: 2, tokens: [0; TOKENS], asked: None }
    }

    /// Keeps a handle of something unknown as a target.
    pub fn keep(&mut self, handle: Handle) {
        self.keep_target(Target { handle, kind: None });
    }

    /// Keeps a handle that the last call brought as a target.
    pub fn keep_made(&mut self, handle: Handle) {
        let kind = match self.asked.map(|operation| operation.function()) {
            Some(Function::BudgetCreateEndpoint) => Some(ObjectKind::Endpoint),
            Some(Function::BudgetCreateNotification) => Some(ObjectKind::Notification),
            Some(Function::BudgetCreateTimer) => Some(ObjectKind::Timer),
            Some(Function::BudgetCreateRegion) => Some(ObjectKind::Region),
            Some(Function::BudgetSplit) => Some(ObjectKind::Budget),
            _ => None,
        };
        self.keep_target(Target { handle, kind });
    }

    fn keep_target(&mut self, target: Target) {
        let place = if self.kept < TARGETS {
            self.kept += 1;
            self.kept - 1
        } else {
            // Not the first two: its own cell and budget.
            2 + self.random.below(TARGETS as u64 - 2) as usize
        };
        self.targets[place] = target;
    }

    /// How many targets there are.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Forgets all targets but the first ones.
    pub fn forget(&mut self, first: usize, mut delete: impl FnMut(Handle)) {
        self.targets[first..self.kept].iter().for_each(|target| delete(target.handle));
        self.kept = first;
    }

    /// Keeps a token, instead of another one.
    pub fn keep_token(&mut self, token: u64) {
        let place = self.random.below(TOKENS as u64) as usize;
        self.tokens[place] = token;
    }

    /// The arguments of the next call; what they point to is written to the arena.
    pub fn arguments(&mut self, memory: &mut [u8], now_ns: u64) -> Arguments {
        let random = &mut self.random;
        // The calls that take the most arguments the most often.
        let call = random.one_of(&[
            Call::Call,
            Call::Call,
            Call::Call,
            Call::Send,
            Call::Answer,
            Call::Wait,
            Call::AnswerWait,
        ]);
        let target = self.target();
        let endpoint = target.handle;
        let bytes = self.message(memory, target);
        let transfers = self.transfers(memory);
        let deadline = self.deadline(now_ns);
        let random = &mut self.random;
        let received = self.layout.sent;
        let buffer_length = mostly(random, &[16, 64, 4_096], &[0, 1, 65_536, 65_537]);
        Arguments {
            call,
            endpoint,
            token: if random.percent(60) { random.one_of(&self.tokens) } else { random.next() },
            room: mostly(random, &[16, 64, 4_096], &[0, 65_536, 65_537, u32::MAX]),
            bytes,
            transfers,
            event: if random.percent(95) { received + EVENT } else { random.next_u32() },
            buffer: place(random, Span { offset: received + BUFFER, length: buffer_length }),
            handles: {
                let length = mostly(random, &[8], &[0, 1, 9]);
                place(random, Span { offset: received + HANDLES, length })
            },
            deadline,
        }
    }

    /// A capability: real, near a real one, or anything.
    fn target(&mut self) -> Target {
        let random = &mut self.random;
        let handle = match random.below(100) {
            0..80 => return self.targets[random.below(self.kept as u64) as usize],
            80..90 => Handle::new(random.below(80) as u32, random.below(3) as u32),
            _ => Handle(random.next_u32()),
        };
        Target { handle, kind: None }
    }

    /// A real capability of this kind, if one is known; else any.
    fn target_of(&mut self, kind: ObjectKind) -> Target {
        let start = self.random.below(self.kept as u64) as usize;
        let known = self.targets[..self.kept].iter().cycle().skip(start).take(self.kept);
        let found = known.into_iter().find(|target| target.kind == Some(kind)).copied();
        found.unwrap_or_else(|| self.target())
    }

    fn message(&mut self, memory: &mut [u8], target: Target) -> Span {
        let to_self = target.handle.index() == Handle::SELF.index();
        self.asked = None;
        let mut usual = 12;
        if self.random.percent(85) {
            let operation = self.operation(target, to_self);
            let bytes = operation.emit();
            memory[..bytes.len()].copy_from_slice(&bytes);
            usual = (bytes.len() + operation.text_bytes()) as u32;
            self.spoil(memory, operation, bytes.len());
            self.asked = Some(operation);
        } else {
            let noise = self.random.next().to_le_bytes();
            memory[..8].copy_from_slice(&noise);
            if to_self && is_never_asked(tag(memory)) {
                memory[..4].copy_from_slice(&Function::SpaceYield.tag().to_le_bytes());
            }
        }
        let rare = [0, 1, 3, usual.saturating_sub(1), usual + 1, 64, 65_536, 65_537];
        let length = mostly(&mut self.random, &[usual], &rare);
        let span = place(&mut self.random, Span { offset: 0, length });
        // Bytes that were not looked at could ask for the exit.
        if to_self && span.offset != 0 { Span { length: u32::MAX, ..span } } else { span }
    }

    /// Seldom makes one byte of the parameters another one: another operation, or none.
    fn spoil(&mut self, memory: &mut [u8], operation: Operation, length: usize) {
        // Where a region is shown, and how large it is, is chosen with care.
        let is_of_memory = matches!(
            operation.function(),
            Function::RegionMap | Function::RegionUnmap | Function::BudgetCreateRegion
        );
        if length > Operation::TAG_BYTES && !is_of_memory && self.random.percent(6) {
            let place = self.random.below((length - Operation::TAG_BYTES) as u64) as usize;
            memory[Operation::TAG_BYTES + place] = self.random.next_u32() as u8;
        }
    }

    fn operation(&mut self, target: Target, to_self: bool) -> Operation {
        let suitable = target.kind.map_or(&[][..], functions_of);
        let mut function = match suitable {
            [_, ..] if self.random.percent(80) => self.random.one_of(suitable),
            _ => self.random.one_of(&Function::ALL),
        };
        // Natively a region would be mapped anywhere in the machine's own memory.
        if cfg!(not(target_arch = "wasm32"))
            && matches!(function, Function::RegionMap | Function::RegionUnmap)
        {
            function = Function::RegionSize;
        }
        if to_self && is_never_asked(function.tag()) {
            function = Function::SpaceYield;
        }
        let mut first = match function {
            Function::RegionMap => Some(self.map_address()),
            Function::BudgetCreateRegion => {
                Some(self.random.one_of(&[0, 1, 4_096, REGION_BYTES, 1 << 40, u64::MAX]))
            }
            // A text that there is: what stands in the memory behind it.
            Function::CellStart | Function::SpaceLog => Some(self.random.below(64)),
            _ => None,
        };
        Operation::from_words(function, || first.take().unwrap_or_else(|| self.number()))
    }

    /// A number that means something somewhere, or nothing anywhere.
    fn number(&mut self) -> u64 {
        let random = &mut self.random;
        match random.below(100) {
            0..30 => random.below(4),
            30..60 => u64::from(self.targets[random.below(self.kept as u64) as usize].handle.0),
            60..75 => random.one_of(&[8, 63, 64, 4_095, 4_096, 4_097, 65_536, 1 << 20, 1 << 32]),
            75..85 => random.one_of(&[u64::MAX, i64::MAX as u64, 1 << 63, u64::from(u32::MAX)]),
            _ => random.next(),
        }
    }

    /// An address to map to: a page of the arena that only the kernel writes, beyond the memory, or crooked.
    fn map_address(&mut self) -> u64 {
        let random = &mut self.random;
        let first = self.base + u64::from(self.layout.sent + MAPPABLE);
        let pages = (u64::from(self.layout.received - MAPPABLE) - REGION_BYTES) / 4_096;
        match random.below(3) {
            0 => first + 4_096 * random.below(pages),
            1 => u64::MAX - 4_095 * random.below(3),
            _ => first + random.below(4_095) + 1,
        }
    }

    fn transfers(&mut self, memory: &mut [u8]) -> Span {
        // Those that go with the operation, mostly as many as it wants.
        let (function, fitting) = match self.asked {
            Some(operation) => (Some(operation.function()), operation.capabilities() as u32),
            None => (None, 0),
        };
        let random = &mut self.random;
        let count = match function {
            Some(_) => mostly(random, &[fitting], &[0, 1, 2, 8, 9, 64]),
            None if random.percent(70) => 0,
            None => mostly(random, &[1, 1, 1, 2], &[8, 9, 64]),
        };
        if count == 0 {
            return Span::EMPTY;
        }
        for number in 0..count {
            let wanted = match (function, number) {
                (Some(Function::BudgetCreateTimer | Function::EndpointWatch), _) => {
                    Some(ObjectKind::Notification)
                }
                (Some(Function::BudgetCreateCell), 0) => Some(ObjectKind::Program),
                (Some(Function::BudgetCreateCell), _) => Some(ObjectKind::Endpoint),
                (Some(Function::BudgetCreateEndpoint | Function::EndpointReassign), _) => {
                    Some(ObjectKind::Cell)
                }
                _ => None,
            };
            let handle = match wanted {
                Some(kind) if self.random.percent(90) => self.target_of(kind).handle,
                _ => self.target().handle,
            };
            let random = &mut self.random;
            let rights = if random.percent(70) { Rights::ALL.0 } else { random.next_u32() as u16 };
            // 0 copies, 1 moves, others mean nothing.
            let mode = random.one_of(&[0, 0, 0, 1, 2, u16::MAX]);
            let start = (TRANSFERS + 8 * number) as usize;
            memory[start..start + 4].copy_from_slice(&handle.0.to_le_bytes());
            memory[start + 4..start + 6].copy_from_slice(&rights.to_le_bytes());
            memory[start + 6..start + 8].copy_from_slice(&mode.to_le_bytes());
        }
        place(&mut self.random, Span { offset: TRANSFERS, length: count })
    }

    /// A deadline: past, soon, or no time at all; never far ahead.
    fn deadline(&mut self, now_ns: u64) -> i64 {
        let random = &mut self.random;
        match random.below(100) {
            0..40 => 0,
            40..60 => random.one_of(&[-1, i64::MIN, -1_000_000_000]),
            60..90 => now_ns.saturating_add(random.below(NEAR_NS)).cast_signed(),
            _ => random.below(now_ns.max(1)).cast_signed(),
        }
    }
}

/// What this program would not survive, or would fill the log with.
const fn is_never_asked(tag: u32) -> bool {
    tag == Function::SpaceExit.tag() || tag == Function::SpaceLog.tag()
}

/// What the message in the arena calls.
fn tag(memory: &[u8]) -> u32 {
    u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]])
}

/// What can be asked of an object of this kind. Of endpoints nothing: a message to one goes to its server.
fn functions_of(kind: ObjectKind) -> &'static [Function] {
    match kind {
        ObjectKind::Endpoint | ObjectKind::Program => &[],
        ObjectKind::Notification => &[
            Function::NotificationSignal,
            Function::NotificationSignal,
            Function::NotificationBind,
            Function::NotificationPoll,
            Function::ObjectDestroy,
        ],
        ObjectKind::Timer => {
            &[Function::TimerArm, Function::TimerArm, Function::TimerDisarm, Function::ObjectDestroy]
        }
        ObjectKind::Region => &[
            Function::RegionMap,
            Function::RegionMap,
            Function::RegionUnmap,
            Function::RegionSize,
            Function::ObjectDestroy,
        ],
        ObjectKind::Budget => &[
            Function::BudgetCreateEndpoint,
            Function::BudgetCreateNotification,
            Function::BudgetCreateNotification,
            Function::BudgetCreateTimer,
            Function::BudgetCreateRegion,
            Function::BudgetCreateCell,
            Function::BudgetSplit,
            Function::BudgetQuery,
            Function::ObjectDestroy,
        ],
        // Of its own: others are kept without their kind.
        ObjectKind::Cell => &[
            Function::SpaceCopy,
            Function::SpaceMint,
            Function::SpaceMove,
            Function::SpaceDelete,
            Function::SpaceRevoke,
            Function::SpaceIdentify,
            Function::SpaceStartInfo,
            Function::SpaceYield,
            Function::SpaceExpect,
            Function::SpaceNow,
            Function::SpaceRandom,
            Function::EndpointRecognise,
            Function::EndpointWatch,
            Function::EndpointDestroy,
            Function::ObjectIdentify,
        ],
    }
}

/// Mostly one of the usual values, so that most calls get to the checks behind this one.
fn mostly(random: &mut Random, usual: &[u32], rare: &[u32]) -> u32 {
    let rarely = random.percent(6);
    random.one_of(if rarely { rare } else { usual })
}

/// Mostly this range; else one that is crooked, or lies partly or wholly outside of the memory.
fn place(random: &mut Random, span: Span) -> Span {
    match random.below(100) {
        0..92 => span,
        92..94 => Span { offset: random.next_u32(), length: span.length },
        94..96 => Span { offset: span.offset, length: random.next_u32() },
        96..98 => Span { offset: span.offset + 1 + random.below(7) as u32, length: span.length },
        _ => Span { offset: random.next_u32(), length: random.next_u32() },
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use hallows::abi::{Function, Handle, Operation};
    use std::collections::BTreeMap;

    use super::{EVENT, Generator, HANDLES, Layout, MAPPABLE, NEAR_NS, REGION_BYTES, tag};

    const BASE: usize = 1 << 20;
    const NOW_NS: u64 = 5_000_000_000;

    /// Makes many arguments and looks at each.
    fn each(mut look: impl FnMut(&hallows::raw::Arguments, &[u8])) {
        let mut memory = vec![0; Layout::USUAL.bytes()];
        let mut generator = Generator::new(7, Layout::USUAL, BASE);
        for number in 0..100_000_u32 {
            generator.keep_made(Handle::new(3 + number % 50, 0));
            let arguments = generator.arguments(&mut memory, NOW_NS);
            look(&arguments, &memory);
        }
    }

    #[test]
    fn no_wait_is_long() {
        each(|arguments, _| assert!(arguments.deadline < (NOW_NS + NEAR_NS).cast_signed()));
    }

    #[test]
    fn it_never_asks_its_own_cell_to_exit() {
        let mut to_self = 0;
        each(|arguments, memory| {
            if arguments.endpoint.index() != Handle::SELF.index() {
                return;
            }
            to_self += 1;
            let looked_at = arguments.bytes.offset == 0 && tag(memory) != Function::SpaceExit.tag();
            assert!(looked_at || arguments.bytes.length == u32::MAX, "{arguments:?}");
        });
        assert!(to_self > 100, "only {to_self} calls to itself");
    }

    /// A message that is not understood gets no further than that: most are, and each function is among them.
    #[test]
    fn most_messages_are_operations_and_every_function_is_called() {
        let (mut understood, mut all) = (BTreeMap::new(), 0);
        each(|arguments, memory| {
            let length = arguments.bytes.length as usize;
            if arguments.bytes.offset == 0 && length <= memory.len() {
                all += 1;
                let front = &memory[..length.min(Operation::MOST_BYTES)];
                if let Ok(operation) = Operation::parse(front, length)
                    && operation.capabilities() == arguments.transfers.length as usize
                {
                    *understood.entry(operation.function().tag()).or_insert(0) += 1;
                }
            }
        });
        let sum: u32 = understood.values().sum();
        assert!(sum > all / 2, "only {sum} of {all} are operations");
        for function in Function::ALL {
            let count = understood.get(&function.tag()).copied().unwrap_or(0);
            // Natively regions are not mapped.
            let is_avoided = matches!(function, Function::RegionMap | Function::RegionUnmap);
            assert_eq!(count > 20, !is_avoided, "{function:?} is called {count} times");
        }
    }

    #[test]
    fn regions_are_mapped_only_where_the_program_does_not_write_or_read() {
        let mut generator = Generator::new(7, Layout::USUAL, BASE);
        let first = BASE as u64 + u64::from(Layout::USUAL.sent + MAPPABLE);
        let end = BASE as u64 + Layout::USUAL.bytes() as u64;
        let mut mapped = 0;
        for _ in 0..10_000 {
            let address = generator.map_address();
            if address.is_multiple_of(4_096) && address < 1 << 32 {
                assert!(address >= first && address + REGION_BYTES <= end, "{address:#x}");
                mapped += 1;
            }
        }
        assert!(mapped > 1_000, "only {mapped} of 10,000 addresses can be mapped to");
        const { assert!(EVENT + 48 <= HANDLES && HANDLES + 64 < MAPPABLE) };
    }

    #[test]
    fn regions_that_can_be_made_fit_where_they_are_mapped() {
        each(|_, memory| {
            let bytes = u64::from_le_bytes(memory[4..12].try_into().expect("eight bytes"));
            // 2^40 is more than any machine has.
            let made = tag(memory) == Function::BudgetCreateRegion.tag();
            assert!(!made || bytes <= REGION_BYTES || bytes >= 1 << 40);
        });
    }
}
