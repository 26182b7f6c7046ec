//! Everything about a compilation that changes the machine code, and so must match on the engine's side.
use crate::{CpuFeatures, Digest, ENGINE_VERSION};
use alloc::{format, string::String};
use core::fmt;

/// The operating system that the code is mapped under; the engine refuses another one's artefact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// A machine made of Linux threads (`x86_64-unknown-linux-gnu`).
    Linux,
    /// A bare machine (`x86_64-unknown-none`).
    Metal,
}

impl Platform {
    /// The target triple that the compiler is told.
    pub const fn triple(self) -> &'static str {
        match self {
            Platform::Linux => "x86_64-unknown-linux-gnu",
            Platform::Metal => "x86_64-unknown-none",
        }
    }

    /// The platform of a target triple.
    pub fn from_triple(triple: &str) -> Option<Platform> {
        [Platform::Linux, Platform::Metal].into_iter().find(|platform| platform.triple() == triple)
    }
}

/// How compiled code notices that it shall stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preemption {
    /// It reads its preemption word at function entries, loop headers and where the pass put a check.
    Word,
    /// Never: such code cannot be stopped. Only for measuring what the checks cost.
    None,
}

/// Bounds on what runs between two looks at the preemption word; the normalising pass enforces them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Weighted instructions on any path without a check; an ordinary instruction weighs 1, a memory access 4, a
    /// division up to 30 (see `hallows-normalise`). 1,000 is some 300 ns of arithmetic, at most 250 memory accesses.
    pub straight_line_units: u32,
    /// Weighted instructions after the last call of a function until it returns: a deep stack unwinds
    /// without a check, so each frame may only add this much.
    pub tail_units: u32,
    /// Bytes that one step of a bulk memory operation may touch.
    pub bulk_bytes: u32,
    /// Entries that one step of a bulk table operation may touch.
    pub bulk_elements: u32,
}

impl Bounds {
    /// What every program is compiled with.
    pub const DEFAULT: Bounds =
        Bounds { straight_line_units: 1_000, tail_units: 100, bulk_bytes: 32 << 10, bulk_elements: 512 };
}

/// The settings of a compilation. Two compilations of the same bytes with equal settings give equal code.
///
/// The engine must configure wasmtime from the same value, and from the constants below it, or wasmtime
/// refuses the artefact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Where the code will run.
    pub platform: Platform,
    /// What the code may use; at least [`CpuFeatures::BASELINE`].
    pub cpu_features: CpuFeatures,
    /// Whether the code looks at its preemption word (wasmtime: `epoch_interruption`).
    pub preemption: Preemption,
    /// The bounds that the normalising pass enforced.
    pub bounds: Bounds,
    /// Address space kept for a linear memory, so that no access needs a bounds check.
    pub memory_reservation_bytes: u64,
    /// Inaccessible bytes on each side of it, which catch a constant offset added to an address.
    pub memory_guard_bytes: u64,
}

/// Why settings were not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// The processor lacks features that correct code needs; these.
    BelowBaseline(CpuFeatures),
    /// A canonical form that this version does not write; the line that is wrong.
    NotCanonical(String),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingsError::BelowBaseline(missing) => {
                write!(formatter, "the processor lacks {missing}; compiled programs need at least x86-64-v2")
            }
            SettingsError::NotCanonical(line) => {
                write!(formatter, "not settings of this version of hallows: `{line}`")
            }
        }
    }
}

impl core::error::Error for SettingsError {}

/// What is the same in every compilation, by wasmtime's names; part of the fingerprint, so that a change here
/// makes every cached artefact stale. The WebAssembly features are what the engine, built without
/// wasmtime's `threads`, `gc` and `stack-switching`, can run; `threads` stands for atomic instructions only.
const FIXED: &str = "signals_based_traps=true memory_init_cow=false memory_may_move=false \
    guard_before_linear_memory=true concurrency_support=false table_lazy_init=true \
    preemption_check=word_not_zero,preserving_call relaxed_simd_deterministic=true debug_info=false wasm_backtrace_details=false generate_address_map=true \
    wasm=mvp,mutable-global,sat-float,sign-ext,bulk-memory,reference-types,multi-value,simd,relaxed-simd,\
    tail-call,extended-const,threads";

/// Counts up with every change of the normalising pass that changes its output.
const NORMALISER: u32 = 1;

impl Settings {
    /// The settings every program is compiled with on `platform`.
    ///
    /// # Errors
    /// [`SettingsError::BelowBaseline`] if `cpu_features` lacks part of the baseline.
    pub fn new(platform: Platform, cpu_features: CpuFeatures) -> Result<Settings, SettingsError> {
        let missing = CpuFeatures::BASELINE.difference(cpu_features);
        if !missing.is_empty() {
            return Err(SettingsError::BelowBaseline(missing));
        }
        Ok(Settings {
            platform,
            cpu_features,
            preemption: Preemption::Word,
            bounds: Bounds::DEFAULT,
            // All that 32-bit addresses reach.
            memory_reservation_bytes: 4 << 30,
            // wasmtime's default on 64-bit machines.
            memory_guard_bytes: 32 << 20,
        })
    }

    /// The canonical form: text, one `name=value` a line, in a fixed order.
    pub fn to_canonical(&self) -> String {
        let bounds = self.bounds;
        let preemption = match self.preemption {
            Preemption::Word => "word",
            Preemption::None => "none",
        };
        format!(
            "engine={ENGINE_VERSION}\ntarget={}\ncpu={}\npreemption={preemption}\nstraight-line-units={}\n\
             tail-units={}\nbulk-bytes={}\nbulk-elements={}\nmemory-reservation-bytes={}\n\
             memory-guard-bytes={}\nnormaliser={NORMALISER}\nfixed={FIXED}\n",
            self.platform.triple(),
            self.cpu_features,
            bounds.straight_line_units,
            bounds.tail_units,
            bounds.bulk_bytes,
            bounds.bulk_elements,
            self.memory_reservation_bytes,
            self.memory_guard_bytes,
        )
    }

    /// Reads what [`Settings::to_canonical`] of this version wrote, and nothing else.
    ///
    /// # Errors
    /// [`SettingsError::NotCanonical`] with the first line that differs from the canonical form;
    /// [`SettingsError::BelowBaseline`] as in [`Settings::new`].
    pub fn parse_canonical(text: &str) -> Result<Settings, SettingsError> {
        let value = |name: &str| {
            let line = text.lines().find(|line| line.split('=').next() == Some(name));
            line.and_then(|line| line.get(name.len() + 1..))
                .ok_or_else(|| SettingsError::NotCanonical(format!("{name}= is missing")))
        };
        let wrong = |name: &str, value: &str| SettingsError::NotCanonical(format!("{name}={value}"));
        let number = |name: &str| value(name).and_then(|v| v.parse::<u64>().map_err(|_| wrong(name, v)));
        let number32 = |name: &str| value(name).and_then(|v| v.parse::<u32>().map_err(|_| wrong(name, v)));
        let platform = value("target")
            .and_then(|triple| Platform::from_triple(triple).ok_or_else(|| wrong("target", triple)))?;
        let features =
            value("cpu").and_then(|list| CpuFeatures::parse(list).map_err(|name| wrong("cpu", name)))?;
        let settings = Settings {
            preemption: match value("preemption")? {
                "word" => Preemption::Word,
                "none" => Preemption::None,
                other => return Err(wrong("preemption", other)),
            },
            bounds: Bounds {
                straight_line_units: number32("straight-line-units")?,
                tail_units: number32("tail-units")?,
                bulk_bytes: number32("bulk-bytes")?,
                bulk_elements: number32("bulk-elements")?,
            },
            memory_reservation_bytes: number("memory-reservation-bytes")?,
            memory_guard_bytes: number("memory-guard-bytes")?,
            ..Settings::new(platform, features)?
        };
        // One text per value: what would not be written is not read either.
        let canonical = settings.to_canonical();
        if canonical == text {
            return Ok(settings);
        }
        let differing = text.lines().find(|line| !canonical.lines().any(|ours| ours == *line));
        Err(SettingsError::NotCanonical(differing.unwrap_or("the order of lines").into()))
    }

    /// The hash of the canonical form; artefacts carry it.
    pub fn fingerprint(&self) -> Digest {
        blake3::hash(self.to_canonical().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn a_processor_below_the_baseline_is_named_as_the_reason() {
        let refused = Settings::new(Platform::Linux, CpuFeatures::BASELINE.difference(CpuFeatures::SSE41));
        assert_eq!(refused, Err(SettingsError::BelowBaseline(CpuFeatures::SSE41)));
        assert!(refused.unwrap_err().to_string().contains("lacks sse4.1"));
    }

    proptest! {
        #[test]
        fn the_canonical_form_round_trips_and_tells_settings_apart(
            extra in 0u64..=CpuFeatures::all().bits(), metal: bool, stoppable: bool, units in 1u32.., tail: u32,
            bytes: u32, elements: u32, reservation: u64, guard: u64,
        ) {
            let features = CpuFeatures::BASELINE | CpuFeatures::from_bits_truncate(extra);
            let platform = if metal { Platform::Metal } else { Platform::Linux };
            let settings = Settings {
                preemption: if stoppable { Preemption::Word } else { Preemption::None },
                bounds: Bounds { straight_line_units: units, tail_units: tail, bulk_bytes: bytes, bulk_elements: elements },
                memory_reservation_bytes: reservation,
                memory_guard_bytes: guard,
                ..Settings::new(platform, features).unwrap()
            };
            prop_assert_eq!(Settings::parse_canonical(&settings.to_canonical()), Ok(settings));
            let other = Settings { memory_guard_bytes: guard ^ 1, ..settings };
            prop_assert_ne!(other.fingerprint(), settings.fingerprint());
        }

        #[test]
        fn text_that_was_not_written_here_is_refused(at in 0usize..400, byte in 0x20u8..0x7f) {
            let settings = Settings::new(Platform::Metal, CpuFeatures::BASELINE).unwrap();
            let mut text = settings.to_canonical().into_bytes();
            let at = at % text.len();
            prop_assume!(text[at] != byte);
            text[at] = byte;
            let text = String::from_utf8(text).unwrap();
            // Either another value of the same settings, written canonically, or an error.
            if let Ok(parsed) = Settings::parse_canonical(&text) {
                prop_assert_eq!(parsed.to_canonical(), text);
                prop_assert_ne!(parsed, settings);
            }
        }
    }
}
