//! What a periodic program says of itself: the cell of ours and the thread of Linux write the same lines (`programs/jitter`).

use super::distribution::Distribution;

/// What became of its periods.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// How late it was.
    pub late: Distribution,
    /// Gaps that it saw; none if it slept.
    pub gaps: Distribution,
    /// How long all gaps together were, in ns.
    pub lost_ns: u64,
    /// How many periods there were.
    pub periods: u64,
    /// How often it looked at the clock.
    pub looks: u64,
    /// The mean time between two looks, gaps not counted, in ns.
    pub look_ns: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its periods begin, and take so many microseconds from now.
    Begins(u64),
    /// It has told all.
    Ends,
    /// Part of what it tells.
    Part,
    /// Something else.
    Other,
}

impl Told {
    /// Takes a line, whatever a machine's log puts in front of it.
    pub fn hear(&mut self, line: &str) -> Line {
        // Behind the log's mark, or at the beginning.
        let line = line.rsplit_once(": ").map_or(line, |(_, line)| line).trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let heard = match word {
            "begins" => rest.parse().ok().map(Line::Begins),
            "late" => add(&mut self.late, rest),
            "gaps" => add(&mut self.gaps, rest),
            "sums" => self.sums(rest),
            "ends" if rest.is_empty() => Some(Line::Ends),
            _ => None,
        };
        heard.unwrap_or(Line::Other)
    }

    fn sums(&mut self, text: &str) -> Option<Line> {
        let mut fields = text.split(' ').map(str::parse);
        let mut next = || fields.next()?.ok();
        let sums = [next()?, next()?, next()?, next()?];
        [self.periods, self.lost_ns, self.looks, self.look_ns] = sums;
        Some(Line::Part)
    }
}

/// Adds `TIME:COUNT TIME:COUNT …`.
fn add(distribution: &mut Distribution, text: &str) -> Option<Line> {
    let counts = text.split_whitespace().map(|word| {
        let (time_ns, count) = word.split_once(':')?;
        Some((time_ns.parse().ok()?, count.parse().ok()?))
    });
    for (time_ns, count) in counts.collect::<Option<Vec<(u64, u64)>>>()? {
        distribution.add(time_ns, count);
    }
    Some(Line::Part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood_with_and_without_a_mark_in_front() {
        let mut told = Told::default();
        let lines = [
            ("hallows: jitter is no word", Line::Other),
            ("[    0.512] jitter: begins 1020000", Line::Begins(1_020_000)),
            ("late 100:5 2000:1", Line::Part),
            ("[    1.9] jitter: late 70000:2", Line::Part),
            ("[    1.9] jitter: gaps 5000:3", Line::Part),
            ("[    1.9] jitter: sums 10 15000 900 40", Line::Part),
            ("[    1.9] jitter: ends", Line::Ends),
            ("late 1:2 three:4", Line::Other),
            ("sums 1 2", Line::Other),
            ("ends with something", Line::Other),
            ("", Line::Other),
        ];
        for (line, expected) in lines {
            assert_eq!(told.hear(line), expected, "{line}");
        }
        assert_eq!((told.late.total(), told.late.max_ns()), (8, 70_000.0));
        assert_eq!((told.gaps.total(), told.lost_ns, told.periods), (3, 15_000, 10));
        assert_eq!((told.looks, told.look_ns), (900, 40));
    }
}
