//! What to call with: mostly nearly right, because what is wrong everywhere gets no further than the first check.
//!
//! The program does not saw off the branch that it sits on. It never asks its own cell to exit or to log (the
//! log would be full of it), never maps a region over anything but a part of the arena that it does not write to itself,
//! and waits only until very soon.

use hallows_sdk::abi::{Code, Handle, ObjectKind, Operation, Rights, Span};
use hallows_sdk::raw::{Arguments, Call};

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
    asked: Option<Code>,
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
        let kind = match self.asked {
            Some(Code::CreateEndpoint) => Some(ObjectKind::Endpoint),
            Some(Code::CreateNotification) => Some(ObjectKind::Notification),
            Some(Code::CreateTimer) => Some(ObjectKind::Timer),
            Some(Code::CreateRegion) => Some(ObjectKind::Region),
            Some(Code::Split) => Some(ObjectKind::Budget),
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
        if self.random.percent(85) {
            let operation = self.operation(target);
            let bytes = operation.emit();
            memory[..bytes.len()].copy_from_slice(&bytes);
            self.asked = Some(operation.code);
        } else {
            let noise = self.random.next().to_le_bytes();
            memory[..8].copy_from_slice(&noise);
        }
        let code = u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]]);
        if to_self && (code == Code::Exit as u32 || code == Code::Log as u32) {
            memory[..4].copy_from_slice(&(Code::Yield as u32).to_le_bytes());
        }
        let length = mostly(&mut self.random, &[32, 32, 32, 64], &[0, 1, 31, 33, 65_536, 65_537]);
        let span = place(&mut self.random, Span { offset: 0, length });
        // Bytes that were not looked at could ask for the exit.
        if to_self && span.offset != 0 { Span { length: u32::MAX, ..span } } else { span }
    }

    fn operation(&mut self, target: Target) -> Operation {
        let suitable = target.kind.map_or(&[][..], codes_of);
        let mut code = match suitable {
            [_, ..] if self.random.percent(80) => self.random.one_of(suitable),
            _ => self.random.one_of(&Code::ALL),
        };
        // Natively a region would be mapped anywhere in the machine's own memory.
        if cfg!(not(target_arch = "wasm32")) && matches!(code, Code::Map | Code::Unmap) {
            code = Code::Size;
        }
        let mut arguments = [0; 3];
        for argument in &mut arguments {
            *argument = self.number();
        }
        match code {
            Code::Map => arguments[0] = self.map_address(),
            Code::CreateRegion => {
                arguments[0] = self.random.one_of(&[0, 1, 4_096, REGION_BYTES, 1 << 40, u64::MAX])
            }
            _ => {}
        }
        Operation { code, arguments }
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
        // Those that go with the operation, as far as it wants any.
        let wanted = match self.asked {
            Some(Code::CreateTimer | Code::Watch) => Some(ObjectKind::Notification),
            Some(Code::CreateCell) => Some(ObjectKind::Program),
            _ => None,
        };
        let random = &mut self.random;
        if random.percent(if wanted.is_some() { 10 } else { 70 }) {
            return Span::EMPTY;
        }
        let count = mostly(random, &[1, 1, 1, 2], &[8, 9, 64]);
        for number in 0..count {
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

/// What can be asked of an object of this kind. Of endpoints nothing: a message to one goes to its server.
fn codes_of(kind: ObjectKind) -> &'static [Code] {
    match kind {
        ObjectKind::Endpoint | ObjectKind::Program => &[],
        ObjectKind::Notification => &[Code::Signal, Code::Signal, Code::Bind, Code::Poll, Code::Destroy],
        ObjectKind::Timer => &[Code::Arm, Code::Arm, Code::Disarm, Code::Destroy],
        ObjectKind::Region => &[Code::Map, Code::Map, Code::Unmap, Code::Size, Code::Destroy],
        ObjectKind::Budget => &[
            Code::CreateEndpoint,
            Code::CreateNotification,
            Code::CreateNotification,
            Code::CreateTimer,
            Code::CreateRegion,
            Code::CreateCell,
            Code::Split,
            Code::Query,
            Code::Destroy,
        ],
        // Of its own: others are kept without their kind.
        ObjectKind::Cell => &[
            Code::Identify,
            Code::Copy,
            Code::Mint,
            Code::Move,
            Code::Delete,
            Code::Revoke,
            Code::StartInfo,
            Code::Yield,
            Code::Now,
            Code::Random,
            Code::Recognise,
            Code::Watch,
            Code::Destroy,
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

    use hallows_sdk::abi::{Code, Handle};

    use super::{EVENT, Generator, HANDLES, Layout, MAPPABLE, NEAR_NS, REGION_BYTES};

    const BASE: usize = 1 << 20;
    const NOW_NS: u64 = 5_000_000_000;

    /// Makes many arguments and looks at each.
    fn each(mut look: impl FnMut(&hallows_sdk::raw::Arguments, &[u8])) {
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
            let code = u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]]);
            let looked_at = arguments.bytes.offset == 0 && code != Code::Exit as u32;
            assert!(looked_at || arguments.bytes.length == u32::MAX, "{arguments:?}");
        });
        assert!(to_self > 100, "only {to_self} calls to itself");
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
            let code = u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]]);
            let bytes = u64::from_le_bytes(memory[8..16].try_into().expect("eight bytes"));
            // 2^40 is more than any machine has.
            assert!(code != Code::CreateRegion as u32 || bytes <= REGION_BYTES || bytes >= 1 << 40);
        });
    }
}
