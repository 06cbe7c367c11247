//! Tables of aligned columns without borders.

use super::style::{Style, Tone};
use unicode_width::UnicodeWidthStr;

/// To which side a column's cells are pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// A cell that says something by its colour.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone: Some(tone) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: None }
    }
}

/// A table under way.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self {
            columns: columns.iter().map(|(heading, align)| ((*heading).to_owned(), *align)).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; one cell a column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, each indented by two spaces and ended by a newline. Columns whose cells are all empty are left out.
    pub fn render(&self, style: Style) -> String {
        let shown: Vec<(usize, &str, Align, usize)> = self
            .columns
            .iter()
            .enumerate()
            .filter_map(|(at, (heading, align))| {
                let widest = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.text.width()).max();
                let widest = widest.filter(|widest| *widest > 0)?;
                Some((at, heading.as_str(), *align, widest.max(heading.width())))
            })
            .collect();
        let mut out = String::new();
        if shown.iter().any(|(_, heading, _, _)| !heading.is_empty()) {
            let headings = shown.iter().map(|(_, heading, align, width)| (*heading, Some(Tone::Quiet), *align, *width));
            line(&mut out, headings, style);
        }
        for row in &self.rows {
            let cells = shown.iter().map(|(at, _, align, width)| {
                let cell = row.get(*at);
                (cell.map_or("", |cell| &cell.text), cell.and_then(|cell| cell.tone), *align, *width)
            });
            line(&mut out, cells, style);
        }
        out
    }
}

fn line<'a>(out: &mut String, cells: impl Iterator<Item = (&'a str, Option<Tone>, Align, usize)>, style: Style) {
    // Blanks are held back until something follows, so that no line ends with them.
    let mut blanks = 2;
    for (text, tone, align, width) in cells {
        let missing = width.saturating_sub(text.width());
        if align == Align::Right {
            blanks += missing;
        }
        if !text.is_empty() {
            out.extend(std::iter::repeat_n(' ', blanks));
            blanks = 0;
            out.push_str(&tone.map_or_else(|| text.to_owned(), |tone| style.paint(tone, text)));
        } else {
            blanks += width - missing;
        }
        if align == Align::Left {
            blanks += missing;
        }
        blanks += 2;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let mut table =
            Table::new(&[("name", Align::Left), ("rows", Align::Right), ("notes", Align::Left), ("", Align::Left)]);
        table.row(vec!["read".into(), "6,099".into(), Cell::default(), "a".into()]);
        table.row(vec!["Zürich".into(), "1".into(), Cell::default(), Cell::default()]);
        assert_eq!(table.render(Style::PLAIN), "  name     rows\n  read    6,099  a\n  Zürich      1\n");
    }
}
