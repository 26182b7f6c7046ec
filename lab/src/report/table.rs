//! Columns of text.

/// Rows as lines whose columns stand below each other: the first `left` of them to the left, the others to the right.
#[must_use]
pub fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]], left: usize) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["name", "p50"], ["ö", "1"], ["longer", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows, 1), ["name    p50", "ö         1", "longer"]);
        assert_eq!(aligned::<2>(&[], 1), Vec::<String>::new());
    }
}
