//! What the processor can do, and switching it on.

use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};
use core::fmt;

use x86_64::registers::{
    control::{Cr0, Cr0Flags, Cr4, Cr4Flags},
    xcontrol::{XCr0, XCr0Flags},
};

/// What every program's code may use and what the machine itself needs.
///
/// SSE3 to SSE4.2: without SSE4.1 the compiler calls library functions for some float operations, and their arguments are
/// passed in registers that this soft-float code does not look at. `rdrand`: the only source of randomness.
const REQUIRED: [&str; 6] = ["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "rdrand"];

/// MXCSR after reset: all exceptions masked, round to nearest (SDM vol. 1, 10.2.3). WebAssembly wants exactly that.
const DEFAULT_MXCSR: u32 = 0x1f80;

/// A feature that the machine cannot do without is missing.
#[derive(Clone, Copy, Debug)]
pub struct MissingFeature(&'static str);

impl fmt::Display for MissingFeature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "this processor has no {}; run on an x86-64-v2 one with rdrand (QEMU: -cpu max)",
            self.0
        )
    }
}

/// Switches SSE and, if there, AVX on, on this core.
///
/// # Errors
/// [`MissingFeature`] if a required one is not there.
pub fn enable() -> Result<(), MissingFeature> {
    if let Some(missing) = REQUIRED.into_iter().find(|name| has(name) != Some(true)) {
        return Err(MissingFeature(missing));
    }
    // SAFETY: ring 0; the bits only allow instructions that nobody uses yet (SDM vol. 3, 14.1).
    unsafe {
        Cr0::update(|flags| {
            flags.remove(Cr0Flags::EMULATE_COPROCESSOR | Cr0Flags::TASK_SWITCHED);
            flags.insert(Cr0Flags::MONITOR_COPROCESSOR | Cr0Flags::NUMERIC_ERROR);
        });
        Cr4::update(|flags| flags.insert(Cr4Flags::OSFXSR | Cr4Flags::OSXMMEXCPT_ENABLE));
    }
    if leaf(1).ecx & XSAVE != 0 {
        let mut state = XCr0Flags::X87 | XCr0Flags::SSE;
        if leaf(1).ecx & AVX != 0 {
            state |= XCr0Flags::AVX;
        }
        // SAFETY: the processor has XSAVE and, if it is in the set, AVX.
        unsafe {
            Cr4::update(|flags| flags.insert(Cr4Flags::OSXSAVE));
            XCr0::write(state);
        }
    }
    // SAFETY: a valid MXCSR value; the x87 state is nobody's yet.
    unsafe { asm!("fninit", "ldmxcsr [{}]", in(reg) &DEFAULT_MXCSR, options(nostack)) };
    Ok(())
}

/// Whether the processor has a feature, by its name in Cranelift's settings, and this machine has switched it on; `None` for
/// a name that is not known here, which the engine takes as a refusal.
pub fn has(name: &str) -> Option<bool> {
    let (basic, extended, newer) = (leaf(1), leaf(0x8000_0001), leaf(7));
    let avx = basic.ecx & AVX != 0 && basic.ecx & XSAVE != 0;
    Some(match name {
        "sse3" => basic.ecx & 1 != 0,
        "ssse3" => basic.ecx & 1 << 9 != 0,
        "sse4.1" => basic.ecx & 1 << 19 != 0,
        "sse4.2" => basic.ecx & 1 << 20 != 0,
        "popcnt" => basic.ecx & 1 << 23 != 0,
        "cmpxchg16b" => basic.ecx & 1 << 13 != 0,
        "rdrand" => basic.ecx & 1 << 30 != 0,
        "lzcnt" => extended.ecx & 1 << 5 != 0,
        "bmi1" => newer.ebx & 1 << 3 != 0,
        "bmi2" => newer.ebx & 1 << 8 != 0,
        "avx" => avx,
        "fma" => avx && basic.ecx & 1 << 12 != 0,
        "avx2" => avx && newer.ebx & 1 << 5 != 0,
        // The wider registers are not switched on.
        "avx512bitalg" | "avx512dq" | "avx512f" | "avx512vl" | "avx512vbmi" => false,
        _ => return None,
    })
}

/// Bits of leaf 1, ecx.
const XSAVE: u32 = 1 << 26;
const AVX: u32 = 1 << 28;

/// A leaf of the processor's description of itself, all zero if it has none of that number.
pub fn leaf(number: u32) -> CpuidResult {
    let highest = __cpuid(number & 0x8000_0000).eax;
    if number > highest {
        return CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    }
    __cpuid_count(number, 0)
}
