//! What others published for their own machines: shown beside our figures in cycles, never compared by us as a ratio.

use serde::Serialize;

/// A figure from the literature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The system.
    pub name: &'static str,
    /// What was measured.
    pub what: &'static str,
    /// The figure, in cycles of the machine it was measured on.
    pub cycles: u32,
    /// Where it stands.
    pub source: &'static str,
}

/// Round trips between isolated components on one core.
pub const ROUND_TRIPS: &[Published] = &[
    Published {
        name: "seL4",
        what: "IPC call 718 + reply 576, page-table isolation, Intel Core i7-6700 (Skylake, 3.4 GHz)",
        cycles: 718 + 576,
        source: "sel4.systems/performance (seL4 Foundation, continuous sel4bench results)",
    },
    Published {
        name: "UnderBridge",
        what: "round trip between protection keys inside the kernel",
        cycles: 109,
        source: "Gu et al., Harmonizing Performance and Isolation in Microkernels with Efficient Intra-kernel \
                 Isolation and Communication, USENIX ATC 2020",
    },
    Published {
        name: "RedLeaf",
        what: "cross-domain invocation, isolation by the Rust language",
        cycles: 124,
        source: "Narayanan et al., RedLeaf: Isolation and Communication in a Safe Operating System, OSDI 2020, table 1",
    },
];
