//! Breaks long sentences into lines.

/// Columns of a report: what fits a terminal of ordinary width beside nothing else.
const COLUMNS: usize = 110;

/// A `head` and its `text`, broken between words; later lines are indented like the text's beginning.
#[must_use]
pub fn wrapped(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let mut result = head.to_owned();
    let mut column = indent;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > indent {
            if column + 1 + width > COLUMNS {
                result.push('\n');
                result.push_str(&" ".repeat(indent));
                column = indent;
            } else {
                result.push(' ');
                column += 1;
            }
        }
        result.push_str(word);
        column += width;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_indented_and_lose_no_word() {
        let text = "seven words of nine letters, more or less ".repeat(9);
        let lines = wrapped("  path: ", &text);
        assert!(lines.lines().count() > 3);
        for (index, line) in lines.lines().enumerate() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
            assert!(
                index == 0 || line.starts_with("        s") || line.starts_with(&" ".repeat(8)),
                "{line}"
            );
        }
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(lines.trim_start().trim_start_matches("path: ")), words(&text));
    }

    #[test]
    fn a_word_that_is_too_long_gets_its_own_line_and_is_not_cut() {
        let long = "x".repeat(2 * COLUMNS);
        assert_eq!(wrapped("a ", &format!("b {long} c")), format!("a b\n  {long}\n  c"));
    }
}
