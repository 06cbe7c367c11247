//! Problems of a pipeline file, as reports that point into the file and as JSON.

use super::human::{self, clean};
use super::style::{self, Style, Tone};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode, ThemeCharacters,
    ThemeStyles,
};
use serde_json::{Value, json};
use sluicebox_model::pipeline::{Problem, ProblemLevel};
use sluicebox_model::text::steers;
use std::fmt;
use std::ops::Range;

/// A pipeline file as problems point into it.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// As the user wrote it.
    pub name: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

/// One problem, as miette wants it.
struct Diagnostic<'a> {
    problem: &'a Problem,
    source: &'a NamedSource<String>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Debug for Diagnostic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Diagnostic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clean(&self.problem.message))
    }
}

impl std::error::Error for Diagnostic<'_> {}

impl miette::Diagnostic for Diagnostic<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(match self.problem.level {
            ProblemLevel::Error => Severity::Error,
            ProblemLevel::Warning => Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(clean(help)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// The problems as text, each with its lines of the file, then how many there are.
pub fn render(file: File<'_>, problems: &[Problem], style: Style) -> String {
    // Control characters would go to the terminal, and others turn its text around; blanks of as many bytes keep every place
    // where it is.
    let text: String =
        file.text.chars().map(|c| if steers(c) && !"\n\r\t".contains(c) { blank(c) } else { c }).collect();
    let text = if text.len() == file.text.len() { text } else { file.text.to_owned() };
    let source = NamedSource::new(file.name, text);
    let styles = if style.is_coloured() { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let mut theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
    theme.characters.error = "error:".to_owned();
    theme.characters.warning = "warning:".to_owned();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(style::width())
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation);
    let mut out = String::new();
    for problem in problems {
        let mut labels = vec![LabeledSpan::new_primary_with_span(
            problem.label.as_deref().map(clean),
            source_span(one_line(file.text, &problem.span)),
        )];
        labels.extend(problem.also.iter().map(|(span, label)| {
            LabeledSpan::new_with_span(Some(clean(label)), source_span(one_line(file.text, span)))
        }));
        let diagnostic = Diagnostic { problem, source: &source, labels };
        if handler.render_report(&mut out, &diagnostic).is_err() {
            out.push_str(&format!("{}: {}\n", file.name, clean(&problem.message)));
        }
        out.push('\n');
    }
    out
}

/// "2 errors and 1 warning in flights.toml".
pub fn summary(file: File<'_>, problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.is_error()).count() as u64;
    let warnings = problems.len() as u64 - errors;
    let errors = (errors > 0).then(|| human::count(errors, "error", "errors"));
    let warnings = (warnings > 0).then(|| human::count(warnings, "warning", "warnings"));
    let both: Vec<String> = errors.into_iter().chain(warnings).collect();
    format!("{} in {}", both.join(" and "), file.name)
}

/// The problems as JSON: a list of objects with `level`, `message`, `label`, `help`, `file`, `line`, `column`,
/// `end-line`, `end-column` (all counted from 1; columns in characters, the end excluded) and `also`.
pub fn json(file: File<'_>, problems: &[Problem]) -> Value {
    let list = problems.iter().map(|problem| {
        let mut object = place(file, &problem.span);
        let also: Vec<Value> = problem
            .also
            .iter()
            .map(|(span, label)| {
                let mut object = place(file, span);
                object.insert("label".to_owned(), json!(label));
                Value::Object(object)
            })
            .collect();
        object.insert("level".to_owned(), json!(problem.level));
        object.insert("message".to_owned(), json!(problem.message));
        object.insert("label".to_owned(), json!(problem.label));
        object.insert("help".to_owned(), json!(problem.help));
        object.insert("also".to_owned(), json!(also));
        Value::Object(object)
    });
    list.collect()
}

fn place(file: File<'_>, span: &Range<usize>) -> serde_json::Map<String, Value> {
    let (line, column) = line_and_column(file.text, span.start);
    let (end_line, end_column) = line_and_column(file.text, span.end.max(span.start));
    let pairs = [
        ("file", json!(file.name)),
        ("line", json!(line)),
        ("column", json!(column)),
        ("end-line", json!(end_line)),
        ("end-column", json!(end_column)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Line and column of a place in a text, both counted from 1; columns in characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let at = text.floor_char_boundary(at);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The part of a range that stands on its first line, within the text and at whole characters: long values are shown
/// by their beginning.
fn one_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end.max(start));
    let shown = text.get(start..end).unwrap_or_default();
    let first = shown.split('\n').next().unwrap_or_default().trim_end();
    start..start + first.len()
}

fn source_span(span: Range<usize>) -> miette::SourceSpan {
    (span.start, span.len()).into()
}

/// A harmless character of as many bytes.
fn blank(c: char) -> char {
    match c.len_utf8() {
        1 => ' ',
        2 => '\u{a0}',
        _ => '\u{2003}',
    }
}

/// Writes the problems to standard error, if there are any.
pub fn tell(file: File<'_>, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    let style = Style::stderr();
    eprint!("{}", render(file, problems, style));
    let tone = if problems.iter().any(Problem::is_error) { Tone::Bad } else { Tone::Warn };
    eprintln!("{}", style.paint(tone, &summary(file, problems)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_one() {
        assert_eq!(line_and_column("ab\ncd", 0), (1, 1));
        assert_eq!(line_and_column("ab\ncd", 4), (2, 2));
        assert_eq!(line_and_column("ä\nb", 1), (1, 1));
        assert_eq!(line_and_column("ab", 99), (1, 3));
    }

    #[test]
    fn long_places_are_cut_at_the_end_of_their_line() {
        assert_eq!(one_line("ab  \ncd", &(1..7)), 1..2);
        assert_eq!(one_line("ab", &(1..99)), 1..2);
    }

    #[test]
    fn a_report_points_into_the_file() {
        let file = File { name: "p.toml", text: "a = 1\nplugn = 2\n\u{1b}" };
        let problem = Problem::error(6..11, "unknown key `plugn`").help("did you mean `plugin`?");
        let shown = render(file, &[problem], Style::PLAIN);
        assert!(shown.contains("p.toml:2:1"), "{shown}");
        assert!(shown.contains("did you mean"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}
