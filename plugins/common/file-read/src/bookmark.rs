//! What an extract of files remembers from run to run, as text.

use crate::new_files::Known;
use crate::{FileSettings, Incremental, Layout, Mark};
use serde::{Deserialize, Serialize};
use sluicebox_stage::Fault;

/// The form of bookmarks that is written and understood.
const VERSION: u32 = 1;
/// A bookmark has at most this many bytes.
pub(crate) const BYTES_MAX: usize = 1_000_000;

/// What an extract of files remembers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Bookmark {
    version: u32,
    plugin: String,
    /// columns and types as the first run found them
    pub(crate) columns: Layout,
    pub(crate) read: Read,
}

/// What was read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Read {
    /// files, wholly
    NewFiles(Known),
    /// a file, up to a mark
    Appended { path: String, mark: Mark },
}

/// What is read before anything else, so that a newer form is told from a broken one.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Bookmark {
    pub(crate) fn new(plugin: &str, columns: &Layout, read: Read) -> Self {
        Self { version: VERSION, plugin: plugin.into(), columns: columns.clone(), read }
    }

    /// As text; none where it is too large.
    pub(crate) fn encode(&self) -> Result<Option<String>, Fault> {
        let text = serde_json::to_string(self)
            .map_err(|error| Fault::internal(format!("the bookmark cannot be written: {error}")))?;
        Ok((text.len() <= BYTES_MAX).then_some(text))
    }

    /// The bookmark of a run of this plugin in this mode.
    pub(crate) fn decode(text: &str, plugin: &str, settings: &FileSettings) -> Result<Self, Fault> {
        let refuse = |what: String| {
            Err(Fault::invalid_config(format!(
                "{what}; to begin anew, with everything that is there now: {}",
                settings.reset
            )))
        };
        if text.len() > BYTES_MAX {
            return refuse(format!(
                "the bookmark is not one of this plugin: it has {} bytes, and at most {BYTES_MAX} are written",
                text.len()
            ));
        }
        match serde_json::from_str::<Version>(text) {
            Ok(Version { version: VERSION }) => {}
            Ok(Version { version }) => {
                return refuse(format!(
                    "the bookmark was written by another version of this plugin (form {version}; this one knows {VERSION})"
                ));
            }
            Err(error) => return refuse(format!("the bookmark is not one of this plugin: {error}")),
        }
        let bookmark = match serde_json::from_str::<Self>(text) {
            Ok(bookmark) => bookmark,
            Err(error) => return refuse(format!("the bookmark is not understood: {error}")),
        };
        if bookmark.plugin != plugin {
            return refuse(format!("the bookmark was written by {}, and this is {plugin}", bookmark.plugin));
        }
        if bookmark.columns.selected.is_empty() {
            return refuse("the bookmark is not understood: it has no columns".into());
        }
        let mode = match &bookmark.read {
            Read::NewFiles(_) => Incremental::NewFiles,
            Read::Appended { .. } => Incremental::Appended,
        };
        if mode != settings.incremental {
            let name = |mode| if mode == Incremental::NewFiles { "new-files" } else { "appended" };
            return refuse(format!(
                "the bookmark is of incremental = \"{}\", and the stage says \"{}\"",
                name(mode),
                name(settings.incremental)
            ));
        }
        Ok(bookmark)
    }
}
