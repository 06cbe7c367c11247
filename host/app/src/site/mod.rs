//! Pages about pipelines: one for each, and an index. They are files that stand for themselves: no script, nothing from
//! elsewhere, and the same for the same pipelines, runs and time.

mod facts;
mod html;
mod index;
mod output;
mod page;
mod picture;
mod runs;
mod stages;
mod words;

use crate::trouble::Trouble;
use html::{Html, base64};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sluicebox_sandbox::Compile;
use std::collections::BTreeMap;
use std::path::PathBuf;

const STYLE: &str = include_str!("style.css");

/// What pages are made of, and where they go.
pub struct Options {
    /// The folder with the pipeline files.
    pub dir: PathBuf,
    /// The folder of the pages.
    pub out: PathBuf,
    /// The state folder; none: the usual one. Without a store in it the pages tell of no runs.
    pub state: Option<PathBuf>,
    /// Folders with plugins, before the usual ones.
    pub plugins: Vec<PathBuf>,
    /// For when the pages are made: the next times of schedules are counted from here.
    pub at: Timestamp,
}

/// A page about a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The pipeline's name, or its file's if it tells none.
    pub pipeline: String,
    /// Its file, from the folder on.
    pub source: String,
    /// The page, from the folder of the pages on.
    pub file: String,
    /// What keeps it from running.
    pub errors: usize,
}

/// Makes the pages; `compiling` gives what hears of plugins that have to be compiled. Answers with what was made.
///
/// # Errors
/// The folder of pipelines has none or cannot be read, or the folder of pages is not ours or cannot be written.
pub fn build<T: Fn(Compile<'_>) + Send + Sync + 'static>(
    options: &Options,
    compiling: impl Fn() -> T,
) -> Result<Vec<Page>, Trouble> {
    let shown = crate::show::human::clean_line(&options.dir.display().to_string());
    let told = |error: std::io::Error| {
        Trouble::new(format!("{shown} cannot be read: {error}")).help("name the folder with the pipeline files")
    };
    let dir = options.dir.canonicalize().map_err(told)?;
    if !dir.is_dir() {
        return Err(Trouble::new(format!("{shown} is no folder")).help("name the folder with the pipeline files"));
    }
    let state = facts::state(options.state.as_deref(), &dir);
    let from = facts::Sources { dir: &dir, state: &state, plugins: &options.plugins, at: options.at };
    let house = facts::gather(&from, compiling)?;
    if house.members.is_empty() {
        return Err(Trouble::new(format!("there is no pipeline in {shown} or below"))
            .help("name the folder with the pipeline files"));
    }
    let mut files = BTreeMap::new();
    files.insert("index.html".to_owned(), index::page(&house));
    let mut pages = Vec::new();
    for member in &house.members {
        let file = format!("{}/{}.html", output::PIPELINES, member.page);
        files.insert(file.clone(), page::page(&house, member));
        let errors = member.problems.iter().filter(|told| told.is_error).count();
        pages.push(Page { pipeline: member.name.clone(), source: member.file.clone(), file, errors });
    }
    output::write(&options.out, &files)?;
    Ok(pages)
}

/// A whole page: its head, `main`, and its foot.
fn frame(title: &str, at: Timestamp, up: Option<&str>, main: impl FnOnce(&mut Html)) -> String {
    let mut html = Html::default();
    // Nothing is loaded, nothing runs, and no style but this one counts.
    let hash = base64(&Sha256::digest(STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    html.node("html", &[("lang", "en")], |html| {
        html.node("head", &[], |html| {
            html.empty("meta", &[("charset", "utf-8")]);
            html.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
            html.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
            html.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
            html.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            html.leaf("title", &[], title);
            html.style(STYLE);
        });
        html.node("body", &[], |html| {
            html.leaf("a", &[("class", "skip"), ("href", "#main")], "To the content");
            html.node("header", &[], |html| {
                if let Some(up) = up {
                    html.node("nav", &[("aria-label", "All pages")], |html| {
                        html.leaf("a", &[("href", up)], "All pipelines");
                    });
                }
            });
            html.node("main", &[("id", "main")], main);
            html.node("footer", &[], |html| {
                html.text(&format!("As of {}. Made by ", crate::show::human::time(at)));
                html.leaf("code", &[], "sluicebox docs");
                html.text(" from the pipeline files and the runs that they had; not kept up to date by itself.");
            });
        });
    });
    html.page()
}

/// A table whose head names its columns; `rows` writes `tr` elements. It scrolls where it is too wide.
fn table(html: &mut Html, caption: &str, columns: &[(&str, bool)], rows: impl FnOnce(&mut Html)) {
    html.node("div", &[("class", "wide"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption)], |html| {
        html.node("table", &[], |html| {
            html.node("thead", &[], |html| {
                html.node("tr", &[], |html| {
                    for (column, is_number) in columns {
                        let class = if *is_number { "number" } else { "word" };
                        html.leaf("th", &[("scope", "col"), ("class", class)], column);
                    }
                });
            });
            html.node("tbody", &[], rows);
        });
    });
}

/// A list of sentences.
fn sentences(html: &mut Html, said: &[String]) {
    match said {
        [] => {}
        [one] => {
            html.node("p", &[], |html| {
                html.words(one);
            });
        }
        many => {
            html.node("ul", &[], |html| {
                for one in many {
                    html.node("li", &[], |html| {
                        html.words(one);
                    });
                }
            });
        }
    }
}
