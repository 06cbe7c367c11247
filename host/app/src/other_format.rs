//! What somebody gave instead of a pipeline file.

use serde::de::IgnoredAny;

/// The format of a text that is no TOML but clearly something else; none if it may be meant as TOML.
pub(crate) fn of(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines().next()?;
    // A table of TOML begins with a bracket, too.
    if text.starts_with('{') || (text.starts_with('[') && serde_json::from_str::<IgnoredAny>(text).is_ok()) {
        return Some("JSON");
    }
    if text.starts_with('<') {
        return Some("XML or HTML");
    }
    if first == "---" || first.starts_with("%YAML") || is_yaml_key(first) {
        return Some("YAML");
    }
    is_table(lines()).then_some("a table of data (CSV)")
}

/// `key:` or `key: value`, which TOML never begins with.
fn is_yaml_key(line: &str) -> bool {
    let Some((key, rest)) = line.split_once(':') else { return false };
    let is_word = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    !key.is_empty() && key.chars().all(is_word) && (rest.is_empty() || rest.starts_with(' '))
}

/// Two lines or more with as many separators each, and none of the signs that TOML cannot do without.
fn is_table<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let lines: Vec<&str> = lines.take(5).collect();
    let Some(first) = lines.first().filter(|first| !first.contains('=') && !first.starts_with('[')) else {
        return false;
    };
    [',', ';', '\t', '|'].into_iter().any(|separator| {
        let many = first.matches(separator).count();
        lines.len() > 1 && many > 0 && lines.iter().all(|line| line.matches(separator).count() == many)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_toml_is_known_by_its_looks() {
        assert_eq!(of("{\"pipeline\": {"), Some("JSON"));
        assert_eq!(of("[{\"name\": 1}]"), Some("JSON"));
        assert_eq!(of("# a comment\npipeline:\n  name: orders\n"), Some("YAML"));
        assert_eq!(of("---\n- a\n"), Some("YAML"));
        assert_eq!(of("name: orders"), Some("YAML"));
        assert_eq!(of("id,name\n1,ada\n2,grace\n"), Some("a table of data (CSV)"));
        assert_eq!(of("id;name\n1;ada\n"), Some("a table of data (CSV)"));
        assert_eq!(of("<!DOCTYPE html><html>"), Some("XML or HTML"));
    }

    #[test]
    fn what_may_be_toml_is_left_to_its_reader() {
        for text in [
            "",
            "# nothing\n",
            "[pipeline]\nname = \"a\"\n",
            "[pipeline\nname = 1",
            "name = \"a: b\"\n",
            "[[stage]]\nname = \"a\"",
            "\u{feff}[pipeline]\n",
            "pipeline\nname",
            "a = [1, 2]\nb = [3, 4]\n",
            "[a]\n[b]\n",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
