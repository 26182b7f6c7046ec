//! What somebody who mistyped a name may have meant.

/// Names that are no further from it than a third of its length differ by a slip.
const SLIP: usize = 3;

/// The known name that is nearest to a word that is none, if it is near enough.
#[must_use]
pub fn near_miss<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / SLIP).max(1);
    let near = known.into_iter().map(|name| (distance(word, name), name));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

/// How many characters are put in, left out, changed, or swapped with their neighbour (Damerau's and Levenshtein's distance, each place
/// changed once).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for (row, character) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let changed = rows[row][column] + usize::from(character != other);
            let mut least = changed.min(rows[row][column + 1] + 1).min(next[column] + 1);
            let swaps = row > 0 && column > 0 && *character == to[column - 1] && from[row - 1] == *other;
            if swaps {
                least = least.min(rows[row - 1][column - 1] + 1);
            }
            next.push(least);
        }
        rows.push(next);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, near_miss};

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let known = ["calculator", "counter", "client", "supervisor"];
        for (word, meant) in [
            ("calcluator", Some("calculator")),
            ("countr", Some("counter")),
            ("cleint", Some("client")),
            ("supervisors", Some("supervisor")),
            ("spin", None),
            ("", None),
        ] {
            assert_eq!(near_miss(word, known), meant, "{word}");
        }
        assert_eq!(near_miss("ps", ["top", "ps", "ls"]), Some("ps"));
    }

    #[test]
    fn distances_count_slips() {
        for (from, to, slips) in
            [("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "xbc", 1), ("äb", "b", 1)]
        {
            assert_eq!((distance(from, to), distance(to, from)), (slips, slips), "{from} {to}");
        }
    }
}
