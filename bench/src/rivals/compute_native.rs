//! `native`: the kernels of the `compute` bench compiled for the processor itself.

use std::hint::black_box;

use hallows_bench_kernels::{Kernel, Workload};
use sha2::{Digest, Sha256};

use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// A kernel as native code of this build; sandboxed code is compared with it.
pub struct NativeKernel {
    kernel: Kernel,
    workload: Option<Workload>,
}

impl NativeKernel {
    /// A rival that runs this kernel.
    #[must_use]
    pub const fn new(kernel: Kernel) -> Self {
        Self { kernel, workload: None }
    }
}

impl Contestant for NativeKernel {
    fn describe(&self) -> Description {
        Description {
            name: "native".to_owned(),
            configuration: format!(
                "the same Rust source ({}), optimised for baseline x86-64 (SSE2), pinned, {}",
                self.kernel.name(),
                super::priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let workload: &Workload = self.workload.get_or_insert_with(|| Workload::prepare(self.kernel));
        let expected = workload.run();
        on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
            turn.measure(|| match black_box(black_box(workload).run()) {
                sum if sum == expected => Ok(()),
                sum => Err(BenchError::Wrong(format!(
                    "{} gave {sum:#x}, then {expected:#x}",
                    self.kernel.name()
                ))),
            })
        })?
    }
}

/// SHA-256 with the processor's own instructions where it has them: what a native program would really use.
#[derive(Default)]
pub struct NativeShaInstructions {
    workload: Option<Workload>,
}

impl Contestant for NativeShaInstructions {
    fn describe(&self) -> Description {
        Description {
            name: "native-sha-instructions".to_owned(),
            configuration: format!(
                "the sha2 crate, which uses SHA-NI where the processor has it: other source than ours, for orientation \
                 only; pinned, {}",
                super::priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let workload: &Workload = self.workload.get_or_insert_with(|| Workload::prepare(Kernel::Sha256));
        let expected = workload.run();
        on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
            turn.measure(|| {
                let digest = Sha256::digest(black_box(workload.bytes()));
                let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = digest.into();
                match u64::from_be_bytes([a, b, c, d, e, f, g, h]) {
                    sum if sum == expected => Ok(()),
                    sum => Err(BenchError::Wrong(format!("sha2 gave {sum:#x} for {expected:#x}"))),
                }
            })
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn every_kernel_runs() {
        for kernel in Kernel::ALL {
            play_twice(&mut NativeKernel::new(kernel), Sampling::Single, 1);
        }
        play_twice(&mut NativeShaInstructions::default(), Sampling::Single, 1);
    }
}
