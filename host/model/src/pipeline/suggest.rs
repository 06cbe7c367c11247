//! "Did you mean ...?"

/// The candidate that was most likely meant: the nearest by edits, if it is near at all.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let at_most = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter(|candidate| !candidate.is_empty() && *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(edits, candidate)| {
            *edits <= at_most || (lower.len() >= 3 && (candidate.starts_with(&lower) || candidate.ends_with(&lower)))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Help for a word that is not one of the known ones: the nearest, or all of them.
pub fn help(word: &str, known: &[&str]) -> String {
    match closest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("known: {}", quoted(known)),
    }
}

/// Words in backticks, with commas between.
pub fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_meant() {
        assert_eq!(closest("plugn", ["plugin", "inputs"]), Some("plugin"));
        assert_eq!(closest("extract-cvs", ["load-csv", "extract-csv"]), Some("extract-csv"));
        assert_eq!(closest("csv", ["load-csv", "load-parquet"]), Some("load-csv"));
        assert_eq!(closest("zebra", ["plugin", "inputs"]), None);
        assert_eq!(help("zebra", &["plugin", "inputs"]), "known: `plugin`, `inputs`");
    }
}
