//! Stackful fibers: a stack, and a switch that passes one word.
//!
//! A switch saves what the calling convention lets a callee change only if it is live where the switch is inlined, plus `rbx`
//! and `rbp`, which LLVM reserves. It saves neither `mxcsr` nor the x87 control word: nothing in the system changes them
//! (WebAssembly cannot, Rust code must not). It jumps instead of returning, so that the branch predictor sees one
//! target per place and not a return address that it never saw pushed. The idea and the shape are those of Boost.Context
//! and corosensei; shadow stacks (CET) are not supported, and not enabled for static executables by today's kernels.

use core::arch::{asm, naked_asm};

/// What a new fiber runs: its argument, and the word that the first switch to it passed. It never returns.
pub type Entry = extern "sysv64" fn(argument: *mut (), word: usize) -> !;

/// Makes a stack ready for a first [`switch`] to it, which calls `entry`. Returns what to switch to.
///
/// # Safety
///
/// `top` is the upper end of writable memory, aligned to 16, that nothing else uses until the fiber is over.
pub unsafe fn prepare(top: *mut u8, entry: Entry, argument: *mut ()) -> *mut u8 {
    // What the switch pops: where to go on, then what `start` pops.
    // SAFETY: the four words lie directly below `top`, which the caller vouches for.
    unsafe {
        let top = top.cast::<usize>();
        // Where a return address would be: none, for whoever walks the stack.
        top.sub(1).write(0);
        top.sub(2).write(entry as usize);
        top.sub(3).write(argument as usize);
        top.sub(4).write(start as *const () as usize);
        top.sub(4).cast()
    }
}

/// The first instructions of every fiber: fetches entry and argument, and ends the chain of frame pointers.
#[unsafe(naked)]
unsafe extern "sysv64" fn start() -> ! {
    naked_asm!(
        "pop rdi",      // the argument
        "pop rax",      // the entry; the stack pointer is now 8 below `top`, as after a call
        "mov rsi, rdx", // the word that came with the switch
        "xor ebp, ebp",
        "jmp rax",
    )
}

/// Leaves this stack for another one. Where it left off goes to `save`; `word` is what the other side's switch returns.
/// Returns, with the word of the other side, when something switches to what was saved.
///
/// # Safety
///
/// `to` was saved by an earlier switch or comes from [`prepare`], and is used once. `save` is valid until it is written,
/// which happens before the switch. Between leaving and coming back the thread of the host may have become another
/// one: the caller keeps nothing across that belongs to it.
#[inline(always)]
pub unsafe fn switch(save: *mut *mut u8, to: *mut u8, word: usize) -> usize {
    let other;
    // SAFETY: every register that is not pushed is declared as clobbered, so that the compiler keeps nothing in it; the stack
    // pointer comes back to what it was before `2:`, with everything pushed popped.
    unsafe {
        asm!(
            "push rbx",
            "push rbp",
            "lea rax, [rip + 2f]",
            "push rax",
            "mov [rdi], rsp",
            "mov rsp, rsi",
            "pop rax",
            "jmp rax",
            "2:",
            "pop rbp",
            "pop rbx",
            inout("rdi") save => _,
            inout("rsi") to => _,
            inout("rdx") word => other,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            clobber_abi("sysv64"),
        );
    }
    other
}

/// Leaves this stack for good.
///
/// # Safety
///
/// As [`switch`]. Nothing on this stack has a destructor that must still run, and nothing switches to it again.
#[inline(always)]
pub unsafe fn leave(to: *mut u8, word: usize) -> ! {
    // SAFETY: as `switch`; nothing comes back.
    unsafe {
        asm!(
            "mov rsp, rsi",
            "pop rax",
            "jmp rax",
            in("rsi") to,
            in("rdx") word,
            options(noreturn),
        );
    }
}

/// About where this stack is now.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// Both sides of a switch, and what came over.
    struct Sides {
        fiber: *mut u8,
        host: *mut u8,
        seen: Vec<usize>,
    }

    /// Says so many times what it got plus one, with values in every kind of register across the switches.
    extern "sysv64" fn counter(argument: *mut (), word: usize) -> ! {
        let sides = argument.cast::<Sides>();
        // SAFETY: the test passes its own record and stays below.
        unsafe {
            let mut word = word;
            let (mut sum, mut product) = (0_usize, 1.0_f64);
            for _ in 0..3 {
                (*sides).seen.push(word);
                sum += word;
                product *= word as f64;
                word = switch(&raw mut (*sides).fiber, (*sides).host, word + 1);
            }
            assert_eq!((sum, product), (10 + 20 + 30, 6_000.0));
            leave((*sides).host, word + 100)
        }
    }

    fn stack() -> (Vec<u128>, *mut u8) {
        let mut memory = vec![0_u128; 16_384];
        let top = memory.as_mut_ptr_range().end.cast();
        (memory, top)
    }

    #[test]
    fn words_go_both_ways_and_registers_survive() {
        let (_memory, top) = stack();
        let mut sides = Sides { fiber: core::ptr::null_mut(), host: core::ptr::null_mut(), seen: Vec::new() };
        let sides = &raw mut sides;
        // SAFETY: the stack is large enough and used by this fiber alone, which is left for good before it is freed.
        unsafe {
            (*sides).fiber = prepare(top, counter, sides.cast());
            let answers: Vec<usize> =
                [10, 20, 30, 40].map(|word| switch(&raw mut (*sides).host, (*sides).fiber, word)).into();
            assert_eq!(answers, [11, 21, 31, 140]);
            assert_eq!((*sides).seen, [10, 20, 30]);
        }
    }

    #[test]
    fn a_fiber_goes_on_on_another_thread() {
        struct Moved(*mut Sides);
        // SAFETY: only one thread at a time uses it.
        unsafe impl Send for Moved {}
        let (_memory, top) = stack();
        let mut sides = Sides { fiber: core::ptr::null_mut(), host: core::ptr::null_mut(), seen: Vec::new() };
        let sides = &raw mut sides;
        // SAFETY: as above.
        unsafe { (*sides).fiber = prepare(top, counter, sides.cast()) };
        for (word, expected) in [(10, 11), (20, 21), (30, 31), (40, 140)] {
            let moved = Moved(sides);
            let answer = std::thread::spawn(move || {
                let Moved(sides) = { moved };
                // SAFETY: as above; the other threads have ended.
                unsafe { switch(&raw mut (*sides).host, (*sides).fiber, word) }
            });
            assert_eq!(answer.join().unwrap(), expected);
        }
    }

    #[test]
    fn every_stack_starts_aligned_as_functions_expect() {
        extern "sysv64" fn aligned(argument: *mut (), _: usize) -> ! {
            // Faults if it is not: the compiler stores 16 bytes at once.
            let probe = std::hint::black_box([1_u128; 2]);
            // SAFETY: the test passes its own record and stays below.
            unsafe { leave(*argument.cast::<*mut u8>(), probe.as_ptr() as usize % 16) }
        }
        let (_memory, top) = stack();
        let mut host = core::ptr::null_mut();
        let host = &raw mut host;
        // SAFETY: as above.
        let remainder = unsafe { switch(host, prepare(top, aligned, host.cast()), 0) };
        assert_eq!(remainder, 0);
    }
}
