//! Text from outside - guests, data, servers - on its way to people.

/// Whether a character would steer what shows it, or turn its text around, instead of being seen: control characters, marks
/// and overrides of the direction of writing, separators of lines and paragraphs, the mark of byte order. Such are escaped
/// wherever text is shown.
pub fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_steers() {
        let control = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        // All that Unicode calls `Bidi_Control`, two separators, and the mark of byte order.
        let turns = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}'];
        let turns = turns.into_iter().chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        for c in control.chain(turns) {
            assert!(steers(c), "{c:?}");
        }
        // A joiner within a word or an emoji says something.
        for c in " aü東\u{200c}\u{200d}\u{2027}\u{202f}\u{2065}\u{206a}\u{1f468}".chars() {
            assert!(!steers(c), "{c:?}");
        }
    }
}
