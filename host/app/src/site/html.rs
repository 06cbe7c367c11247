//! HTML that is well-formed and escaped by the way it is made: names of elements and attributes are ours, text is always
//! escaped.

use crate::show::human;

/// A piece of a page.
#[derive(Debug, Default)]
pub(super) struct Html {
    out: String,
}

/// An attribute and its value.
pub(super) type Attribute<'a> = (&'static str, &'a str);

impl Html {
    /// Text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.out);
        self
    }

    /// An element with what `inside` puts into it.
    pub(super) fn node(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.begin(name, attributes);
        self.out.push('>');
        inside(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        if is_block(name) {
            self.out.push('\n');
        }
        self
    }

    /// An element with text.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) -> &mut Self {
        self.node(name, attributes, |html| {
            html.text(text);
        })
    }

    /// An element with nothing in it; XML needs the slash, HTML bears it.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) -> &mut Self {
        self.begin(name, attributes);
        self.out.push_str("/>");
        self
    }

    /// Text in which what stands between backticks is code.
    pub(super) fn words(&mut self, text: &str) -> &mut Self {
        let parts: Vec<&str> = text.split('`').collect();
        // Without a partner a backtick is a backtick.
        if parts.len().is_multiple_of(2) {
            return self.text(text);
        }
        for (at, part) in parts.into_iter().enumerate() {
            if at.is_multiple_of(2) {
                self.text(part);
            } else {
                self.leaf("code", &[], part);
            }
        }
        self
    }

    /// The style of the page, which is ours and holds nothing that would have to be escaped.
    pub(super) fn style(&mut self, style: &'static str) -> &mut Self {
        self.out.push_str("<style>");
        self.out.push_str(style);
        self.out.push_str("</style>\n");
        self
    }

    /// The whole page.
    pub(super) fn page(self) -> String {
        format!("<!DOCTYPE html>\n{}", self.out)
    }

    fn begin(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in attributes {
            self.out.push(' ');
            self.out.push_str(attribute);
            self.out.push_str("=\"");
            escape(value, &mut self.out);
            self.out.push('"');
        }
    }
}

fn is_block(name: &str) -> bool {
    !matches!(name, "a" | "code" | "strong" | "span" | "text" | "title" | "summary" | "tspan")
}

fn escape(text: &str, out: &mut String) {
    for c in human::clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No characters of HTML.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

/// Base64, as the hash of a style has to be written.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) & 63;
            let digit = DIGITS.get(digit as usize).copied().unwrap_or(b'=');
            out.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_taken_for_html() {
        let mut html = Html::default();
        html.node("p", &[("title", "\" onload='x'")], |html| {
            html.text("<script>alert(1)</script> & \u{1b}[31m\u{202e}").words("a `<b>` c").words("one ` only");
        });
        assert_eq!(
            html.out,
            "<p title=\"&quot; onload=&#39;x&#39;\">&lt;script&gt;alert(1)&lt;/script&gt; &amp; \\u{1b}[31m\\u{202e}a \
             <code>&lt;b&gt;</code> cone ` only</p>\n"
        );
    }

    #[test]
    fn bytes_are_written_in_base64() {
        let told = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, text) in told {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
