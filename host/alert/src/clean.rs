//! Text from outside - guests, servers, commands - made fit for people: nothing in it steers a terminal, a chat or a mail.

use sluicebox_model::text::steers;

/// Control characters, and those that turn the direction of writing, are escaped so that they are seen; newlines stay. Cut
/// to so many bytes, which is told.
pub(crate) fn lines(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut chars = text.trim_end().chars().peekable();
    while let Some(c) = chars.next() {
        if out.len() >= most {
            out.push_str(" [...]");
            break;
        }
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            c if is_harmless(c) => out.push(c),
            c => out.extend(c.escape_default()),
        }
    }
    out
}

/// The same on one line.
pub(crate) fn line(text: &str, most: usize) -> String {
    lines(text, most).replace('\n', " \u{21b5} ")
}

fn is_harmless(c: char) -> bool {
    // Joiners and tags could keep words of a message from being found.
    let is_hidden = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{e0000}'..='\u{e0fff}');
    !steers(c) && !is_hidden
}

/// Keeps chat tools from reading orders out of the text: nobody is called (`@all`, `<!channel>`), no link has another
/// text than its address. What is put between is not seen.
pub(crate) fn for_chat(text: &str) -> String {
    const NOTHING_SEEN: char = '\u{200b}';
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        out.push(c);
        let in_word = before.is_alphanumeric();
        before = c;
        let Some(next) = chars.peek() else { break };
        let steers = match c {
            '<' => matches!(next, '!' | '@' | '#' | '/') || next.is_ascii_alphabetic(),
            // Not within an address.
            '@' => !in_word && next.is_alphanumeric(),
            ']' => *next == '(',
            _ => false,
        };
        if steers {
            out.push(NOTHING_SEEN);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(lines("a\u{1b}[31mred\u{7}\r\nb\t\u{202e}c\n\n", 100), "a\\u{1b}[31mred\\u{7}\nb    \\u{202e}c");
        assert_eq!(line("a\nb\u{0}", 100), "a \u{21b5} b\\u{0}");
        assert_eq!(lines("größe", 100), "größe");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(lines("abcdef", 3), "abc [...]");
        assert_eq!(lines("abc", 3), "abc");
        // Never within a character.
        assert_eq!(lines("ööö", 3), "öö [...]");
        assert!(lines(&"\u{1}".repeat(1_000_000), 100).len() < 120);
    }

    #[test]
    fn nobody_is_called_by_a_guest() {
        let text = for_chat("@all <!channel> <https://evil.example|ok> [ok](https://evil.example) a < b, you@b.org");
        for steering in ["@all", "<!", "<https", "](", "@channel"] {
            assert!(!text.contains(steering), "{text}");
        }
        assert!(text.ends_with("a < b, you@b.org"));
    }
}
