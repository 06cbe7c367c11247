//! `sluicebox plugins list`

use crate::show::human::{self, clean_line};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::wiring::Host;
use serde_json::{Value, json};
use sluicebox_sandbox::Plugin;

pub(super) fn list(host: &Host, style: Style) -> String {
    let mut plugins: Vec<&Plugin> = host.catalog.plugins().collect();
    plugins.sort_by_key(|plugin| (plugin.description.kind, plugin.description.name.clone()));
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("kind", Align::Left),
        ("version", Align::Left),
        ("what it does", Align::Left),
    ]);
    for plugin in plugins {
        let description = &plugin.description;
        table.row(vec![
            Cell::toned(clean_line(&description.name), Tone::Strong),
            description.kind.to_string().into(),
            clean_line(&description.version).into(),
            human::cut(&clean_line(&description.summary), 100).into(),
        ]);
    }
    let mut out = if table.is_empty() { "no plugins\n".to_owned() } else { table.render(style) };
    if table.is_empty() {
        out.push_str("\nlooked in:\n");
        for folder in &host.folders {
            out.push_str(&format!("  {}\n", clean_line(&folder.display().to_string())));
        }
    }
    if !host.catalog.refused().is_empty() {
        out.push_str(&format!("\n{}\n", style.paint(Tone::Warn, "not usable:")));
        for refused in host.catalog.refused() {
            let path = clean_line(&refused.path.display().to_string());
            out.push_str(&format!("  {path}: {}\n", clean_line(&refused.reason)));
        }
    }
    out
}

pub(super) fn list_json(host: &Host) -> Value {
    let plugins = host.catalog.plugins().map(|plugin| {
        json!({
            "name": plugin.description.name,
            "version": plugin.description.version,
            "kind": plugin.description.kind,
            "summary": plugin.description.summary,
            "digest": plugin.digest,
            "path": plugin.path,
        })
    });
    let refused =
        host.catalog.refused().iter().map(|refused| json!({ "path": refused.path, "reason": refused.reason }));
    json!({ "plugins": plugins.collect::<Vec<_>>(), "refused": refused.collect::<Vec<_>>() })
}
