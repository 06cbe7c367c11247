//! `sluicebox bookmarks`

use super::run::cancel_on_signal;
use super::{Exit, Format, Output, State, print, print_json};
use crate::client::Client;
use crate::house::House;
use crate::journal;
use crate::places;
use crate::show::compiling::compiling;
use crate::show::human::{self, clean_line};
use crate::show::style::Style;
use crate::show::table::{Align, Table};
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::pipeline::suggest;
use sluicebox_model::run::RunRecord;
use sluicebox_store::{Bookmark, Store};
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  sluicebox bookmarks                          where every extract resumes
  sluicebox bookmarks show logs read           one of them, whole
  sluicebox bookmarks reset logs read          the next run reads everything again
  sluicebox bookmarks set logs read \"$(cat saved.json)\"

A bookmark says where an extract resumes. A run moves it together with its data: when all of its loads are committed.";

/// Show and set where extracts resume
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Bookmarks {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the bookmarks (this is also what `sluicebox bookmarks` alone does)
    List(List),
    /// Show a bookmark as it is
    Show(One),
    /// Set a bookmark by hand
    Set(Set),
    /// Take a bookmark away: the extract begins at its beginning
    Reset(One),
}

#[derive(Debug, Args)]
struct List {
    /// Only those of this pipeline
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct One {
    /// The pipeline's name
    pipeline: String,
    /// The stage
    stage: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Set {
    #[command(flatten)]
    one: One,
    /// The bookmark, as the stage gives it
    bookmark: String,
}

impl Bookmarks {
    pub(super) fn format(&self) -> Format {
        match &self.command {
            Some(Command::List(list)) => list.output.format,
            Some(Command::Show(one) | Command::Reset(one)) => one.output.format,
            Some(Command::Set(set)) => set.one.output.format,
            None => self.list.output.format,
        }
    }

    pub(super) fn run(self) -> Result<Exit, Trouble> {
        match self.command {
            Some(Command::List(list)) => show_list(&list),
            Some(Command::Show(one)) => show(&one),
            Some(Command::Set(set)) => change(&set.one, Some(&set.bookmark)),
            Some(Command::Reset(one)) => change(&one, None),
            None => show_list(&self.list),
        }
    }
}

fn show_list(command: &List) -> Result<Exit, Trouble> {
    let store = journal::open(&places::state(command.state.state.as_deref())?)?;
    let bookmarks = store.bookmarks(command.pipeline.as_deref())?;
    if command.output.format == Format::Json {
        print_json(&json!({ "bookmarks": bookmarks }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("pipeline", Align::Left),
        ("stage", Align::Left),
        ("since", Align::Left),
        ("by run", Align::Left),
        ("bookmark", Align::Left),
    ]);
    for bookmark in &bookmarks {
        table.row(vec![
            clean_line(&bookmark.pipeline).into(),
            clean_line(&bookmark.stage).into(),
            human::time(bookmark.at).into(),
            bookmark.run.map_or_else(|| "(by hand)".to_owned(), |run| run.to_string()).into(),
            human::cut(&clean_line(&bookmark.bookmark), 60).into(),
        ]);
    }
    let none = "no bookmarks: no extract has said where it is to resume\n".to_owned();
    print(&if table.is_empty() { none } else { table.render(Style::stdout()) });
    Ok(Exit::Done)
}

fn find(store: &Store, one: &One) -> Result<Option<Bookmark>, Trouble> {
    Ok(store.bookmarks(Some(&one.pipeline))?.into_iter().find(|bookmark| bookmark.stage == one.stage))
}

fn show(command: &One) -> Result<Exit, Trouble> {
    let store = journal::open(&places::state(command.state.state.as_deref())?)?;
    let Some(bookmark) = find(&store, command)? else {
        let message = format!("stage `{}` of pipeline `{}` has no bookmark", command.stage, command.pipeline);
        return Err(
            Trouble::new(message).help("`sluicebox bookmarks` lists all; without one an extract reads everything")
        );
    };
    if command.output.format == Format::Json {
        print_json(&json!(bookmark));
    } else {
        print(&format!("{}\n", human::clean(&bookmark.bookmark)));
    }
    Ok(Exit::Done)
}

/// Sets a bookmark, or takes it away.
fn change(command: &One, bookmark: Option<&str>) -> Result<Exit, Trouble> {
    let state = places::state(command.state.state.as_deref())?;
    let state = state.canonicalize().unwrap_or(state);
    let (pipeline, stage) = (&command.pipeline, &command.stage);
    let before = match Client::of(&state)? {
        Some(client) => {
            let ask = json!({ "pipeline": pipeline, "stage": stage, "bookmark": bookmark });
            let answer = client.post("/api/v1/bookmarks", &ask)?;
            let before = answer.get("before").cloned().unwrap_or_default();
            serde_json::from_value(before)
                .map_err(|error| Trouble::new(format!("the host does not say what was there before: {error}")))?
        }
        None => {
            // A run under way would move it again, or has begun at the old one; so would one that was interrupted.
            let house = House::open(&state, "sluicebox bookmarks")?;
            let last = last_of(&house.store, pipeline)?;
            let host = Host::open(&[], last.file.parent().unwrap_or(Path::new(".")), compiling(false))?;
            let cancel = Cancel::new();
            cancel_on_signal(&cancel)?;
            house.recover(&host, None, &cancel)?;
            set(&house.store, pipeline, stage, bookmark, Timestamp::now())?
        }
    };
    if command.output.format == Format::Json {
        print_json(&json!({ "before": before, "now": find(&journal::open(&state)?, command)? }));
        return Ok(Exit::Done);
    }
    let mut out = match bookmark {
        Some(_) => format!("stage `{stage}` of `{pipeline}` resumes at the bookmark that was given\n"),
        None => format!("stage `{stage}` of `{pipeline}` reads everything with the next run\n"),
    };
    match before {
        Some(before) => out.push_str(&format!("before: {}\n", human::clean(&before.bookmark))),
        None => out.push_str("before: none\n"),
    }
    print(&out);
    Ok(Exit::Done)
}

/// The last run of a pipeline. A name that no run knows is a slip.
fn last_of(store: &Store, pipeline: &str) -> Result<RunRecord, Trouble> {
    store.last_of(pipeline)?.ok_or_else(|| {
        Trouble::new(format!("no pipeline `{pipeline}` has run here"))
            .help("`sluicebox runs` lists the runs, `sluicebox bookmarks` the bookmarks")
    })
}

/// Sets a bookmark, or takes it away; answers with what was there before. For whoever keeps runs of the pipeline from moving it.
///
/// # Errors
/// No run knows the pipeline or the stage; the store cannot be written.
pub(crate) fn set(
    store: &Store,
    pipeline: &str,
    stage: &str,
    bookmark: Option<&str>,
    now: Timestamp,
) -> Result<Option<Bookmark>, Trouble> {
    let last = last_of(store, pipeline)?;
    let names: Vec<&str> = last.stages.iter().map(|stage| stage.entry.name.as_str()).collect();
    if !names.contains(&stage) {
        return Err(
            Trouble::new(format!("pipeline `{pipeline}` has no stage `{stage}`")).help(suggest::help(stage, &names))
        );
    }
    Ok(store.set_bookmark(pipeline, stage, now, bookmark)?)
}
