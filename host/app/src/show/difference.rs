//! What a case expected beside what was seen.

use super::human::{clean, clean_line, cut};
use super::style::{Style, Tone};
use super::table::{Align, Cell, Table};
use sluicebox_cases::{Change, Difference, Line};

/// A cell of a difference is cut behind so many characters.
const CELL_MAX: usize = 60;

/// So many lines of a text are shown.
const LINES_MAX: usize = 40;

/// The differences of a case, each indented.
pub fn render(differences: &[Difference], style: Style) -> String {
    let mut out = String::new();
    for difference in differences {
        match difference {
            Difference::Told(what) => {
                for line in clean(what).lines() {
                    out.push_str(&format!("    {line}\n"));
                }
            }
            Difference::Text(what, expected, seen) => text(&mut out, what, expected, seen, style),
            Difference::Table(columns, lines) => table(&mut out, columns, lines, style),
        }
    }
    out
}

fn text(out: &mut String, what: &str, expected: &str, seen: &str, style: Style) {
    out.push_str(&format!("    {} is not as expected\n", clean_line(what)));
    for (sign, tone, text) in [("-", Tone::Bad, expected), ("+", Tone::Good, seen)] {
        for line in text.lines().take(LINES_MAX) {
            let line = format!("{sign} {}", clean_line(line));
            out.push_str(&format!("    {}\n", style.paint(tone, &line)));
        }
        let more = text.lines().count().saturating_sub(LINES_MAX);
        if more > 0 {
            out.push_str(&format!("    {sign} ({more} more lines)\n"));
        }
    }
}

fn table(out: &mut String, columns: &[String], lines: &[Line], style: Style) {
    out.push_str("    the rows are not as expected (- expected, + seen)\n");
    let names: Vec<String> = columns.iter().map(|name| clean_line(name)).collect();
    let headings: Vec<(&str, Align)> =
        std::iter::once(("", Align::Left)).chain(names.iter().map(|name| (name.as_str(), Align::Left))).collect();
    let mut table = Table::new(&headings);
    for line in lines {
        let (sign, tone) = match line.change {
            Change::Same => (" ".to_owned(), None),
            Change::Missing => ("-".to_owned(), Some(Tone::Bad)),
            Change::Extra => ("+".to_owned(), Some(Tone::Good)),
            Change::Skipped(rows) => (format!("({rows} more)"), Some(Tone::Quiet)),
        };
        let toned = |text: String| match tone {
            Some(tone) => Cell::toned(text, tone),
            None => Cell::from(text),
        };
        let cells = line.cells.iter().map(|cell| toned(shown(cell.as_deref())));
        table.row(std::iter::once(toned(sign)).chain(cells).collect());
    }
    for line in table.render(style).lines() {
        out.push_str(&format!("  {line}\n"));
    }
}

/// Null, and text that would look like it or like nothing, are told apart.
fn shown(cell: Option<&str>) -> String {
    match cell {
        None => "null".to_owned(),
        Some(text) if text.is_empty() || text == "null" || text.trim() != text => format!("{:?}", cut(text, CELL_MAX)),
        Some(text) => cut(&clean_line(text), CELL_MAX),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn tables_stand_beside_each_other() {
        let line = |change, cells: [Option<&str>; 2]| Line {
            change,
            cells: cells.map(|cell| cell.map(str::to_owned)).to_vec(),
        };
        let lines = [
            Line { change: Change::Skipped(3), cells: Vec::new() },
            line(Change::Same, [Some("JFK"), Some("1089")]),
            line(Change::Missing, [Some(""), None]),
            line(Change::Extra, [Some("null"), Some("1")]),
        ];
        let told = render(&[Difference::Table(vec!["origin".into(), "distance".into()], lines.to_vec())], Style::PLAIN);
        let expected = "    the rows are not as expected (- expected, + seen)\n    \
                        \x20         origin  distance\n    \
                        (3 more)\n    \
                        \x20         JFK     1089\n    \
                        -         \"\"      null\n    \
                        +         \"null\"  1\n";
        assert_eq!(told, expected, "{told}");
    }

    #[test]
    fn texts_stand_below_each_other() {
        let told =
            render(&[Difference::Text("file out.txt".into(), "a\nb".into(), "a\nc\x1b[31m".into())], Style::PLAIN);
        assert!(told.starts_with("    file out.txt is not as expected\n    - a\n    - b\n    + a\n    + c"), "{told}");
        assert!(!told.contains('\x1b'), "{told:?}");
    }
}
