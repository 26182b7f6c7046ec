//! Traps of the processor as signals, on a stack of their own, handed to the engine; and last words for all others.

use std::mem::MaybeUninit;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use hallows_engine::{NoMemory, PAGE_BYTES, Protection, TrapHandler, is_stack_guard};

use super::memory;

/// The signals that a trap of the processor becomes.
const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// What the engine's handler may use, beside what Linux puts there (11 KiB with all vector registers): it walks the
/// program's frames and allocates.
const STACK_BYTES: usize = 128 << 10;

/// The engine's handler; set before any signal is handled here.
static HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Sends traps of the processor to the engine first.
pub(super) fn install(handler: TrapHandler) {
    HANDLER.store(handler as usize, Ordering::SeqCst);
    for signal in SIGNALS {
        // SAFETY: a valid action; the handler does only what a signal handler may, see there. No signal is blocked meanwhile, as
        // it leaves by a jump and not by returning.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = on_trap as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
            memory::count();
            libc::sigaction(signal, &raw const action, null_mut());
        }
    }
}

/// Runs on the thread's trap stack. A trap of WebAssembly code can happen at none of our own instructions, so no lock
/// and no allocator is in the middle of something; for any other trap it only writes and dies.
unsafe extern "C" fn on_trap(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: Linux passes valid pointers of these types to an action with SA_SIGINFO.
    let (instruction, frame, address) = unsafe {
        let registers = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let register = |index: libc::c_int| registers[index as usize].cast_unsigned() as usize;
        (register(libc::REG_RIP), register(libc::REG_RBP), (*info).si_addr() as usize)
    };
    // SAFETY: `install` stored a function of this type before it let any signal come here.
    let handler = unsafe { std::mem::transmute::<usize, TrapHandler>(HANDLER.load(Ordering::SeqCst)) };
    let has_address = signal == libc::SIGSEGV || signal == libc::SIGBUS;
    handler(instruction, frame, has_address, address);
    // It returned: not WebAssembly's.
    last_words(signal, instruction, has_address.then_some(address));
    // SAFETY: `abort` may be called here. Going on would repeat the trap, and a jailed machine may not change the signal's action.
    unsafe { libc::abort() };
}

/// Tells why the machine dies, without allocating.
fn last_words(signal: libc::c_int, instruction: usize, address: Option<usize>) {
    let mut words = Words { text: [0; 256], length: 0 };
    words.push(b"hallows: the machine itself trapped: signal ");
    words.push_number(signal.unsigned_abs() as usize, 10);
    words.push(b" at instruction 0x");
    words.push_number(instruction, 16);
    if let Some(address) = address {
        words.push(b", address 0x");
        words.push_number(address, 16);
        if is_stack_guard(address) {
            words.push(b" (host code overflowed a program's stack)");
        }
    }
    words.push(b"\n");
    // SAFETY: writes bytes of our own to standard error.
    unsafe { libc::write(libc::STDERR_FILENO, words.text.as_ptr().cast(), words.length) };
}

struct Words {
    text: [u8; 256],
    length: usize,
}

impl Words {
    fn push(&mut self, more: &[u8]) {
        let Some(room) = self.text.get_mut(self.length..) else { return };
        let count = more.len().min(room.len());
        for (place, byte) in room.iter_mut().zip(more) {
            *place = *byte;
        }
        self.length += count;
    }

    fn push_number(&mut self, number: usize, base: usize) {
        let mut digits = [0; 64];
        let mut rest = number;
        let mut from = digits.len();
        while rest > 0 || from == digits.len() {
            from -= 1;
            digits[from] = b"0123456789abcdef"[rest % base];
            rest /= base;
        }
        self.push(&digits[from..]);
    }
}

/// A thread's stack for traps. Every thread that runs programs keeps one: a program's own stack may be what overflowed.
#[derive(Debug)]
pub struct TrapStack {
    start: NonNull<u8>,
    bytes: usize,
    before: libc::stack_t,
}

impl TrapStack {
    /// Gives the calling thread a trap stack until the value is dropped, on the same thread.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn install() -> Result<Self, NoMemory> {
        let bytes = PAGE_BYTES + STACK_BYTES;
        let start = memory::reserve(bytes, PAGE_BYTES)?;
        // SAFETY: the mapping is new; its lowest page stays inaccessible. The stack is given up in `drop`, before it is
        // unmapped.
        unsafe {
            memory::protect(start.add(PAGE_BYTES), STACK_BYTES, Protection::ReadWrite)?;
            let stack = libc::stack_t {
                ss_sp: start.add(PAGE_BYTES).as_ptr().cast(),
                ss_flags: 0,
                ss_size: STACK_BYTES,
            };
            let mut before: libc::stack_t = MaybeUninit::zeroed().assume_init();
            memory::count();
            if libc::sigaltstack(&raw const stack, &raw mut before) != 0 {
                memory::release(start, bytes);
                return Err(NoMemory);
            }
            Ok(Self { start, bytes, before })
        }
    }
}

impl Drop for TrapStack {
    fn drop(&mut self) {
        // SAFETY: the thread's former trap stack is set again, then ours is nobody's.
        unsafe {
            libc::sigaltstack(&raw const self.before, null_mut());
            memory::release(self.start, self.bytes);
        }
    }
}
