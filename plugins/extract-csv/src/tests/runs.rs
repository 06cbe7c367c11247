//! Runs one after another, each from the bookmark of the one before.

use super::{Folder, cells};
use crate::options::Settings;
use crate::{Csv, ExtractCsv, Options};
use sluicebox_file_read::FileExtract;
use sluicebox_stage::testing::{context, options, report};
use sluicebox_stage::{Extract, Fault, Level, SplitExtract};
use std::time::{Duration, SystemTime};

/// A stage that is run again and again.
pub(super) struct Job {
    pub(super) folder: Folder,
    pub(super) json: String,
    pub(super) bookmark: Option<String>,
    pub(super) block: usize,
    /// when files were last changed: each change a second after the one before
    now: u64,
}

/// What a run came to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Run {
    pub(super) schema: String,
    /// `a|b`
    pub(super) rows: Vec<String>,
    pub(super) pages: usize,
    pub(super) warnings: Vec<String>,
    pub(super) aside: usize,
    /// it gave a new bookmark
    pub(super) moved: bool,
}

impl Job {
    pub(super) fn new(json: &str) -> Self {
        Self { folder: Folder::with(&[]), json: json.into(), bookmark: None, block: 1 << 18, now: 1_700_000_000 }
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.root().join(name)
    }

    pub(super) fn write(&mut self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
        self.touch(name);
    }

    pub(super) fn append(&mut self, name: &str, content: impl AsRef<[u8]>) {
        let mut all = std::fs::read(self.path(name)).unwrap_or_default();
        all.extend_from_slice(content.as_ref());
        self.write(name, all);
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(super) fn touch(&mut self, name: &str) {
        self.now += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now);
        std::fs::File::options().write(true).open(self.path(name)).unwrap().set_modified(time).unwrap();
    }

    fn options(&self) -> Result<Options, Fault> {
        options::<Options>(&self.folder.json(&self.json))
    }

    /// Runs; the bookmark moves only if all went well.
    pub(super) fn run(&mut self) -> Result<Run, String> {
        self.run_pages(usize::MAX)
    }

    /// Reads so many pages at most; the bookmark is that of the last of them.
    pub(super) fn run_pages(&mut self, most: usize) -> Result<Run, String> {
        let _ = report();
        let bookmark = self.bookmark.clone();
        let run = || {
            let mut settings = Settings::new(self.options()?, &context())?;
            settings.files.block_bytes = self.block;
            let (stage, schema) = FileExtract::begin(Csv::with(settings), bookmark.as_deref())?;
            let mut stage = ExtractCsv::from(stage);
            let mut run = Run { schema: schema.to_string(), ..Run::default() };
            let mut last = None;
            while run.pages < most {
                let Some(page) = stage.next()? else { break };
                assert_eq!(page.batch.schema(), &schema);
                run.pages += 1;
                run.rows.extend(lines(&page.batch));
                last = page.bookmark.or(last);
            }
            if run.pages < most {
                assert!(stage.next()?.is_none());
            }
            Ok((run, last))
        };
        self.end(run())
    }

    /// The same through `split`.
    pub(super) fn run_split(&mut self, at_most: u32) -> Result<Run, String> {
        let _ = report();
        let bookmark = self.bookmark.clone();
        let run = || {
            let plan = ExtractCsv::split(&context(), self.options()?, bookmark.as_deref(), at_most)?;
            let mut run = Run { schema: plan.schema.to_string(), ..Run::default() };
            for split in &plan.splits {
                let (mut stage, schema) = ExtractCsv::open_split(&context(), self.options()?, split)?;
                assert_eq!(schema, plan.schema);
                while let Some(page) = stage.next()? {
                    assert_eq!(page.bookmark, None);
                    run.pages += 1;
                    run.rows.extend(lines(&page.batch));
                }
            }
            Ok((run, plan.bookmark))
        };
        self.end(run())
    }

    fn end(&mut self, result: Result<(Run, Option<String>), Fault>) -> Result<Run, String> {
        let report = report();
        let (mut run, last) = result.map_err(|fault| self.folder.message(&fault))?;
        let root = self.folder.root().to_str().unwrap();
        run.warnings = report
            .log
            .iter()
            .filter(|(level, _)| *level >= Level::Warn)
            .map(|(_, line)| line.replace(root, "DIR"))
            .collect();
        run.aside = report.quarantined.len();
        run.moved = last.is_some();
        self.bookmark = last.or(self.bookmark.take());
        Ok(run)
    }
}

fn lines(batch: &sluicebox_stage::Batch) -> Vec<String> {
    let cell = |cell: Option<String>| cell.unwrap_or_else(|| "-".into());
    cells(batch).into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}
