//! The processor: what programs are compiled for, and whether somebody else runs below.

use hallows_artifact::CpuFeatures;

use super::finding::{Finding, Thing, Topic};

const FEATURES: Thing = Thing::new(
    Topic::Processor,
    "features",
    "Programs are compiled for what the processor can do; below the baseline their code would be wrong.",
);
const HYPERVISOR: Thing = Thing::new(
    Topic::Processor,
    "hypervisor",
    "A hypervisor stops a virtual processor when it likes, for tens of microseconds and more, and nothing here can prevent it.",
);

/// The processor, as programs and timing see it.
#[derive(Clone, Debug)]
pub(super) struct ProcessorFacts {
    /// Its name.
    pub(super) name: String,
    /// What it can do, of what the compiler uses.
    pub(super) features: CpuFeatures,
    /// Whether Linux runs in a virtual machine.
    pub(super) is_virtual: bool,
}

pub(super) fn judge(facts: &ProcessorFacts) -> Vec<Finding> {
    vec![features(facts), hypervisor(facts)]
}

fn features(facts: &ProcessorFacts) -> Finding {
    let name = &facts.name;
    let of_virtual =
        if facts.is_virtual { "; a virtual machine must be shown them (QEMU: `-cpu host`)" } else { "" };
    let lacking = CpuFeatures::BASELINE.difference(facts.features);
    if !lacking.is_empty() {
        return FEATURES.fail(
            format!("{name} lacks {lacking}"),
            format!("use a processor with SSE4.2 (x86-64-v2){of_virtual}"),
        );
    }
    let slower = CpuFeatures::all().difference(facts.features);
    if !slower.is_empty() {
        return FEATURES.warn(
            format!("{name} has {}, not {slower}: programs that compute much are slower", facts.features),
            format!("use a processor with AVX2 (x86-64-v3){of_virtual}"),
        );
    }
    FEATURES.pass(format!("{name}: {}", facts.features))
}

fn hypervisor(facts: &ProcessorFacts) -> Finding {
    if facts.is_virtual {
        return HYPERVISOR.warn(
            "this is a virtual machine",
            "run on the hardware, or have the hypervisor pin each virtual processor to a core of its own",
        );
    }
    HYPERVISOR.pass("none: Linux runs on the hardware")
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn judged(features: CpuFeatures, is_virtual: bool) -> (Verdict, String, Option<String>) {
        let facts = ProcessorFacts { name: "a processor".to_owned(), features, is_virtual };
        let finding = judge(&facts).remove(0);
        (finding.verdict, finding.found, finding.fix)
    }

    #[test]
    fn a_processor_below_the_baseline_fails_and_names_what_it_lacks() {
        let (verdict, found, fix) = judged(CpuFeatures::all() - CpuFeatures::SSE42, true);
        assert_eq!((verdict, found.as_str()), (Verdict::Fail, "a processor lacks sse4.2"));
        assert!(fix.unwrap().contains("-cpu host"));
    }

    #[test]
    fn a_processor_at_the_baseline_is_slower_and_one_above_passes() {
        assert_eq!(judged(CpuFeatures::BASELINE, false).0, Verdict::Warn);
        assert_eq!(judged(CpuFeatures::all(), false).0, Verdict::Pass);
    }
}
