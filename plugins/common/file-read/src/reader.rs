//! From files to pages.

use crate::appended::Appended;
use crate::format::{FileFormat, FormatFile, Rows, mark_of};
use crate::new_files::NewFiles;
use crate::{FileError, Layout, Mark, Queue, Source};
use sluicebox_stage::{Fault, Page, Schema, count};

/// What is kept account of for the next run.
#[derive(Debug)]
pub(crate) enum Track {
    /// nothing
    None,
    NewFiles(NewFiles),
    Appended(Appended),
}

/// Reads files into pages.
#[derive(Debug)]
pub(crate) struct Reader<F: FileFormat> {
    format: F,
    layout: Layout,
    schema: Schema,
    queue: Queue,
    /// a file that could not be opened, for the next attempt
    again: Option<Source>,
    open: Option<(Source, F::File)>,
    /// where reading it started
    start: Mark,
    rows: Rows,
    track: Track,
}

impl<F: FileFormat> Reader<F> {
    pub(crate) fn new(mut format: F, layout: Layout, sources: Vec<Source>, track: Track) -> Result<Self, Fault> {
        format.begin(&layout)?;
        Ok(Self {
            schema: layout.schema(format.settings()),
            rows: Rows::new(&layout, format.settings(), F::ROWS_AT_FIRST),
            format,
            layout,
            queue: Queue::new(sources),
            again: None,
            open: None,
            start: Mark::default(),
            track,
        })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The next page; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Page>, Fault> {
        let mut at_end = false;
        while !self.rows.is_full() {
            if self.open.is_none() && !self.open_next()? {
                at_end = true;
                break;
            }
            let Some((_, file)) = &mut self.open else { break };
            if !self.format.read(&self.layout, file, &mut self.rows)? {
                self.close()?;
            }
        }
        self.rows.rejects.flush();
        let bookmark = self.bookmark(at_end)?;
        if self.rows.count == 0 && bookmark.is_none() {
            return Ok(None);
        }
        let batch = self.rows.take(&self.schema)?;
        let progress = self.queue.progress(self.open.as_ref().map(|(_, file)| file.input()));
        Ok(Some(Page { bookmark, ..Page::new(batch).with_progress(progress) }))
    }

    /// False: there are no more files.
    fn open_next(&mut self) -> Result<bool, Fault> {
        while let Some(source) = self.again.take().or_else(|| self.queue.next_source()) {
            match self.open_one(&source) {
                Ok(Some(file)) => {
                    if matches!(self.track, Track::Appended(_)) {
                        self.start = mark_of(&file);
                    }
                    self.open = Some((source, file));
                    return Ok(true);
                }
                Ok(None) => {}
                Err(fault) => {
                    self.again = Some(source);
                    return Err(fault);
                }
            }
        }
        Ok(false)
    }

    /// None: it is not to be read.
    fn open_one(&mut self, source: &Source) -> Result<Option<F::File>, Fault> {
        if let Track::NewFiles(track) = &mut self.track
            && !track.is_new(source)?
        {
            return Ok(None);
        }
        self.format.open(&self.layout, source).map(Some)
    }

    /// The file that is open was read to its end.
    fn close(&mut self) -> Result<(), Fault> {
        let Some((source, file)) = self.open.take() else { return Ok(()) };
        if !file.is_empty() {
            count("files", 1);
        }
        let digest = file.input().digest();
        if let (Some(should), Some((_, is))) = (&source.digest, &digest)
            && should != is
        {
            return Err(changed(&source).into());
        }
        if source.until().is_some_and(|until| *until != mark_of(&file)) {
            return Err(changed(&source).into());
        }
        match (&mut self.track, digest) {
            (Track::NewFiles(track), Some((bytes, digest))) => track.read(&source, bytes, digest),
            (Track::Appended(track), _) => track.read(&self.start, mark_of(&file)),
            _ => {}
        }
        Ok(())
    }

    fn bookmark(&mut self, at_end: bool) -> Result<Option<String>, Fault> {
        match &mut self.track {
            Track::None => Ok(None),
            // Files count when they are read wholly, and the bookmark is large: it comes once, in the end.
            Track::NewFiles(track) if at_end => track.bookmark(&self.layout, self.format.settings()),
            Track::NewFiles(_) => Ok(None),
            Track::Appended(track) => {
                if let Some((_, file)) = &self.open {
                    track.read(&self.start, mark_of(file));
                }
                track.bookmark(&self.layout)
            }
        }
    }
}

fn changed(source: &Source) -> FileError {
    FileError::Unavailable(format!(
        "{} was changed while it was being read; run again when it is complete",
        source.path
    ))
}
