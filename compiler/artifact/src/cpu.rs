//! Which processor features compiled code may use.
use alloc::string::String;
use core::fmt;

bitflags::bitflags! {
    /// Processor features that the compiler may use; the machine that maps the artefact must have all of them.
    ///
    /// AVX-512 is left out on purpose: it lowers the clock of many server processors, which a
    /// latency-bound machine feels in every other program.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct CpuFeatures: u64 {
        /// SSE3.
        const SSE3 = 1 << 0;
        /// Supplemental SSE3.
        const SSSE3 = 1 << 1;
        /// SSE4.1; without it float rounding becomes a library call with the wrong ABI on bare metal.
        const SSE41 = 1 << 2;
        /// SSE4.2.
        const SSE42 = 1 << 3;
        /// Population count.
        const POPCNT = 1 << 4;
        /// AVX.
        const AVX = 1 << 5;
        /// AVX2.
        const AVX2 = 1 << 6;
        /// Fused multiply-add.
        const FMA = 1 << 7;
        /// Bit manipulation, first set.
        const BMI1 = 1 << 8;
        /// Bit manipulation, second set.
        const BMI2 = 1 << 9;
        /// Leading-zero count.
        const LZCNT = 1 << 10;
    }
}

/// One row per feature: the flag, the name Rust's detection macros and wasmtime's `detect_host_feature`
/// use, and the name of Cranelift's setting.
const NAMES: [(CpuFeatures, &str, &str); 11] = [
    (CpuFeatures::SSE3, "sse3", "has_sse3"),
    (CpuFeatures::SSSE3, "ssse3", "has_ssse3"),
    (CpuFeatures::SSE41, "sse4.1", "has_sse41"),
    (CpuFeatures::SSE42, "sse4.2", "has_sse42"),
    (CpuFeatures::POPCNT, "popcnt", "has_popcnt"),
    (CpuFeatures::AVX, "avx", "has_avx"),
    (CpuFeatures::AVX2, "avx2", "has_avx2"),
    (CpuFeatures::FMA, "fma", "has_fma"),
    (CpuFeatures::BMI1, "bmi1", "has_bmi1"),
    (CpuFeatures::BMI2, "bmi2", "has_bmi2"),
    (CpuFeatures::LZCNT, "lzcnt", "has_lzcnt"),
];

impl CpuFeatures {
    /// What every machine must have (x86-64-v2): below it, compiled code is wrong on bare metal.
    pub const BASELINE: CpuFeatures = CpuFeatures::SSE3
        .union(CpuFeatures::SSSE3)
        .union(CpuFeatures::SSE41)
        .union(CpuFeatures::SSE42)
        .union(CpuFeatures::POPCNT);

    /// Asks `has` for every known feature by its Rust detection name (`"sse4.1"`).
    pub fn detect(mut has: impl FnMut(&str) -> bool) -> CpuFeatures {
        NAMES.iter().filter(|row| has(row.1)).fold(CpuFeatures::empty(), |all, row| all | row.0)
    }

    /// The Rust detection names of the features in this set, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |row| self.contains(row.0)).map(|row| row.1)
    }

    /// Cranelift's setting names of the features in this set, in a fixed order.
    pub fn cranelift_flags(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |row| self.contains(row.0)).map(|row| row.2)
    }

    /// Parses a comma-separated list of detection names; the unknown name is the error.
    pub fn parse(list: &str) -> Result<CpuFeatures, &str> {
        list.split(',').filter(|name| !name.is_empty()).try_fold(CpuFeatures::empty(), |all, name| {
            NAMES.iter().find(|row| row.1 == name).map(|row| all | row.0).ok_or(name)
        })
    }

    /// The comma-separated list that [`CpuFeatures::parse`] reads.
    pub fn to_list(self) -> String {
        let mut list = String::new();
        for name in self.names() {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(name);
        }
        list
    }
}

impl fmt::Display for CpuFeatures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_list())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_a_row_and_lists_round_trip() {
        assert_eq!(NAMES.iter().fold(CpuFeatures::empty(), |all, row| all | row.0), CpuFeatures::all());
        for bits in 0..=CpuFeatures::all().bits() {
            let set = CpuFeatures::from_bits(bits).unwrap();
            assert_eq!(CpuFeatures::parse(&set.to_list()), Ok(set));
        }
        assert_eq!(CpuFeatures::parse("sse3,mmx"), Err("mmx"));
    }

    #[test]
    fn detection_asks_by_the_names_rust_uses() {
        let found = CpuFeatures::detect(|name| name == "sse4.1" || name == "bmi2");
        assert_eq!(found, CpuFeatures::SSE41 | CpuFeatures::BMI2);
        assert_eq!(found.cranelift_flags().collect::<std::vec::Vec<_>>(), ["has_sse41", "has_bmi2"]);
    }
}
