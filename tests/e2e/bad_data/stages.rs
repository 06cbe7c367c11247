//! Data that the stages behind the extract cannot work on, and targets that cannot be written.

use super::{Case, are_told, csv, is_told, read};

const SELECT: &str = "name = 'derive'\nplugin = 'transform-select'\n";
const RULES: &str = "name = 'check'\nplugin = 'validate-rules'\n";

fn select(name: &'static str, content: &[u8], config: &str) -> Case {
    csv(name, content, "").stage(&format!("{SELECT}{config}"))
}

fn rules(name: &'static str, content: &[u8], rules: &str, more: &str) -> Case {
    csv(name, content, "").stage(&format!("{RULES}config.rules = [{rules}]\n{more}"))
}

/// A stream of orders and a table of products.
fn lookup(name: &'static str, products: &[u8], config: &str) -> Case {
    let mut case = csv(name, b"order,product\n1,tea\n2,milk\n3,tea\n", "").file("data/products.csv", products);
    case.stages += &read("products", "extract-csv", "data/products.csv", "");
    case.stage(&format!(
        "name = 'joined'\nplugin = 'transform-lookup'\ninputs = ['read', 'products']\n\
         config = {{ on = 'product', take = 'price', {config} }}"
    ))
}

fn transforms() -> Vec<Case> {
    vec![
        select("select-cast-that-fails", b"id,t\n1,2\n2,two\n", "config.cast = { t = 'int64' }"),
        select(
            "select-cast-in-an-expression-that-fails",
            b"id,t\n1,2\n2,two\n",
            "config.columns = { n = 'cast(t as int64)' }",
        ),
        select("select-overflow", b"a\n1\n9223372036854775807\n", "config.columns = { b = 'a + 1' }"),
        select("select-cast-to-smaller-that-fails", b"a\n1\n300\n", "config.cast = { a = 'int8' }"),
        select("select-drops-every-column", b"a\n1\n", "config.drop = ['a']"),
        select("select-keeps-a-column-twice", b"a,b\n1,2\n", "config.keep = ['a', 'a']"),
        select("select-renames-to-a-name-that-is-there", b"a,b\n1,2\n", "config.rename = { a = 'b' }"),
        lookup("lookup-missing-key", b"product,price\ntea,1.5\n", "missing = 'fail'"),
        lookup("lookup-key-twice", b"product,price\ntea,1.5\nmilk,1\ntea,2\n", ""),
        lookup("lookup-keys-of-two-types", b"product,price\n1,1.5\n2,1\n", ""),
        lookup("lookup-column-that-is-not-there", b"product,cost\ntea,1.5\n", ""),
    ]
}

fn validates() -> Vec<Case> {
    let three = b"id,n\n1,5\n1,\n3,700\n";
    vec![
        rules("rules-one-row-fails", three, "{ column = 'n', between = [0, 100], severity = 'fail' }", ""),
        rules("rules-more-rows-than-may", three, "{ column = 'n', not-null = true, at-most = '10%' }", ""),
        rules("rules-not-unique", three, "{ column = 'id', unique = true, severity = 'fail' }", ""),
        rules("rules-too-few-rows", three, "{ row-count = { at-least = 1000 } }", ""),
        rules("rules-too-many-nulls", three, "{ column = 'n', null-rate = { at-most = '5%' } }", ""),
        rules(
            "rules-several-fail",
            three,
            "{ column = 'id', unique = true, severity = 'fail' }, { row-count = { at-least = 9 } }",
            "",
        ),
        rules("rules-reject-more-than-may", three, "{ column = 'n', not-null = true }", "reject = { at-most = 0 }"),
    ]
}

#[test]
fn what_a_transform_cannot_work_on_is_told() {
    are_told(&transforms());
}

#[test]
fn rules_that_do_not_hold_are_told() {
    are_told(&validates());
}

/// Broken records of an extract are bounded, too.
#[test]
fn more_broken_records_than_may_be() {
    let config = "types = { n = 'int64' }, broken-rows = 'quarantine'";
    let case = csv("reject-more-broken-records-than-may", b"n\n1\ntwo\nthree\n4\n", config);
    let project = case.project();
    let text = project.read("pipeline.toml").replacen("grants.read", "reject = { at-most = 1 }\ngrants.read", 1);
    project.file("pipeline.toml", text);
    is_told(case.name, &project);
}

/// The file to write is a folder.
#[test]
fn a_target_that_is_a_folder() {
    let case = csv("load-target-is-a-folder", b"id\n1\n", "");
    let project = case.project();
    let text = project.read("pipeline.toml").replace("out/rows.csv", "out/folder");
    project.file("pipeline.toml", text).file("out/folder/kept", "here before");
    is_told(case.name, &project);
    assert_eq!(project.read("out/folder/kept"), "here before");
}

/// A folder that nobody may write.
#[cfg(unix)]
#[test]
fn a_target_below_a_file() {
    let case = csv("load-target-below-a-file", b"id\n1\n", "");
    let project = case.project();
    let text = project.read("pipeline.toml").replace("out/rows.csv", "out/file/rows.csv");
    project.file("pipeline.toml", text).file("out/file", "here before");
    is_told(case.name, &project);
    assert_eq!(project.read("out/file"), "here before");
}
