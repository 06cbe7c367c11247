//! Random files, read as the `csv` crate reads them.

use super::Folder;
use proptest::prelude::*;

fn csv_records(text: &str) -> Vec<Vec<String>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(text.as_bytes())
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// Where the line of an origin begins.
fn place(text: &str, origin: &str) -> usize {
    let line: usize = origin.rsplit(':').next().unwrap().parse().unwrap();
    text.split_inclusive('\n').take(line - 1).map(str::len).sum()
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(",".to_owned()),
        4 => Just("\n".to_owned()),
        3 => Just("\"".to_owned()),
        1 => Just("\"\"".to_owned()),
        4 => "[a-zé ]{1,5}",
        1 => "[a-z]{60,70}",
        3 => "\"[a-z,\né]{0,8}\"",
        4 => Just("a,b,c\n".to_owned()),
        2 => Just("\"a,\n\",\"b\"\"b\",\"\"\n".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Every record of three fields is a row, or set aside for its quotes; the others are set aside for their fields.
    #[test]
    fn any_text_is_read_as_the_csv_crate_reads_it(pieces in proptest::collection::vec(piece(), 0..40), block in 1_usize..200) {
        let text = pieces.concat();
        let json = r#"{"path":"DIR/x.csv","null":[],"broken-rows":"quarantine","batch-rows":5,
            "types":{"a":"utf8","b":"utf8","c":"utf8"}}"#;
        // The first record says how many fields there should be.
        let text = format!("a,b,c\n{text}");
        let folder = Folder::with(&[("x.csv", text.as_bytes())]);
        let mut read = folder.read_in_blocks(json, block).unwrap();
        let mut text = text.as_str();
        let open = read.quarantined.iter().find(|bad| bad.reason.contains("never closed")).cloned();
        if let Some(open) = open {
            // The csv crate takes the rest for one field; here, reading goes on in the next line. Compare what is before.
            let at = place(text, &open.origin);
            prop_assert!(text[at..].starts_with(&open.content), "{:?} in {:?}", open, text);
            text = &text[..at];
            std::fs::write(folder.root().join("x.csv"), text).unwrap();
            read = folder.read_in_blocks(json, block).unwrap();
        }
        let rows: Vec<Vec<String>> = read.rows.iter().map(|row| row.iter().map(|cell| cell.clone().unwrap()).collect()).collect();
        for bad in &read.quarantined {
            // Where it says it stands, there it stands.
            prop_assert!(text[place(text, &bad.origin)..].starts_with(&bad.content), "{:?} in {:?}", bad, text);
        }
        let is_aside = |k: usize, record: &Vec<String>| {
            read.quarantined.get(k).is_some_and(|bad| {
                let reason = if record.len() == 3 { "closing quote" } else { "where there should be 3" };
                csv_records(&bad.content).first() == Some(record) && bad.reason.contains(reason)
            })
        };
        // Rows and what was set aside, put together in some order, are the records. `taken`: how many rows can have been used.
        let mut taken = std::collections::BTreeSet::from([0]);
        let records = csv_records(text);
        for (k, record) in records.iter().skip(1).enumerate() {
            taken = taken
                .into_iter()
                .flat_map(|used: usize| {
                    let row = (rows.get(used) == Some(record)).then_some(used + 1);
                    let aside = is_aside(k - used, record).then_some(used);
                    row.into_iter().chain(aside)
                })
                .collect();
            prop_assert!(!taken.is_empty(), "{:?} is missing: {:?}, {:?}", record, rows, read.quarantined);
        }
        prop_assert_eq!(rows.len() + read.quarantined.len() + 1, records.len());
    }

    /// What the csv crate writes comes back, whatever is quoted and wherever blocks end.
    #[test]
    fn values_come_back(
        rows in proptest::collection::vec((any::<Option<i64>>(), any::<Option<f64>>(), any::<Option<bool>>(), "[ -~\né]{0,20}"), 1..40),
        all_quoted: bool, crlf: bool, block in 1_usize..300, batch_rows in 1_usize..20,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .quote_style(if all_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(["i", "f", "b", "s"]).unwrap();
        let text = |value: Option<String>| value.unwrap_or_default();
        for (i, f, b, s) in &rows {
            writer.write_record([text(i.map(|v| v.to_string())), text(f.map(|v| format!("{v:e}"))), text(b.map(|v| v.to_string())), s.clone()]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let folder = Folder::with(&[("x.csv", &bytes)]);
        let json = format!(r#"{{"path":"DIR/x.csv","batch-rows":{batch_rows},"types":{{"i":"int64","f":"float64","b":"boolean","s":"utf8"}}}}"#);
        let read = folder.read_in_blocks(&json, block).unwrap();
        let expected: Vec<Vec<Option<String>>> = rows
            .iter()
            .map(|(i, f, b, s)| {
                let null = !all_quoted && (s.is_empty() || s == "NA");
                vec![i.map(|v| v.to_string()), f.map(|v| v.to_string()), b.map(|v| v.to_string()), (!null).then(|| s.clone())]
            })
            .collect();
        prop_assert_eq!(read.rows, expected);
    }
}
