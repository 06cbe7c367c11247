//! The extract of any format of files.

use crate::appended::{self, Appended};
use crate::bookmark::{Bookmark, Read};
use crate::format::{FileFormat, mark_of};
use crate::input::digest_of;
use crate::new_files::{self, NewFiles};
use crate::reader::{Reader, Track};
use crate::{Incremental, Layout, Source, deal_out, find};
use serde::{Deserialize, Serialize};
use sluicebox_stage::{Context, Fault, Page, Plan, Schema};

/// An extract of files of the format `F`: a stage, but for the name. [`file_extract!`](crate::file_extract) makes the stage.
#[derive(Debug)]
pub struct FileExtract<F: FileFormat> {
    reader: Reader<F>,
}

/// What there is to do.
struct Work {
    /// files to find the columns in, where they are not known
    look: Vec<Source>,
    read: Vec<Source>,
    columns: Option<Layout>,
    track: Track,
}

impl Work {
    fn plan<F: FileFormat>(format: &F, bookmark: Option<&str>) -> Result<Self, Fault> {
        let settings = format.settings();
        if settings.incremental == Incremental::None {
            let sources = find(&settings.paths)?;
            return Ok(Self { look: sources.clone(), read: sources, columns: None, track: Track::None });
        }
        let bookmark = bookmark.map(|text| Bookmark::decode(text, F::PLUGIN, settings)).transpose()?;
        let (columns, read) = bookmark.map(|bookmark| (bookmark.columns, bookmark.read)).unzip();
        let (track, all, new) = if settings.incremental == Incremental::NewFiles {
            let known = match (read, &columns) {
                (Some(Read::NewFiles(known)), Some(columns)) => Some((known, columns)),
                _ => None,
            };
            let new_files::Found { track, all, new } = NewFiles::plan(settings, known, F::PLUGIN)?;
            (Track::NewFiles(track), all, new)
        } else {
            let read = match read {
                Some(Read::Appended { path, mark }) => Some((path, mark)),
                _ => None,
            };
            let appended::Found { track, all, new } = Appended::plan(settings, read, F::PLUGIN)?;
            (Track::Appended(track), all, new)
        };
        // A part of a file does not show its columns as the whole does.
        let look = if new.is_empty() || new.iter().any(Source::is_marked) { all } else { new.clone() };
        Ok(Self { look, read: new, columns, track })
    }
}

impl<F: FileFormat> FileExtract<F> {
    /// Opens the files that are to be read after `bookmark`.
    ///
    /// # Errors
    /// Where they cannot be read, do not have the columns, or the bookmark is not one of this stage.
    pub fn begin(format: F, bookmark: Option<&str>) -> Result<(Self, Schema), Fault> {
        let work = Work::plan(&format, bookmark)?;
        let layout = format.layout(&work.look, work.columns.as_ref())?;
        Self::of(Reader::new(format, layout, work.read, work.track)?)
    }

    fn of(reader: Reader<F>) -> Result<(Self, Schema), Fault> {
        let schema = reader.schema().clone();
        Ok((Self { reader }, schema))
    }

    /// As [`Extract::open`](sluicebox_stage::Extract::open).
    ///
    /// # Errors
    /// Those of [`FileExtract::begin`], and where the options do not fit.
    pub fn open(context: &Context, options: F::Options, bookmark: Option<&str>) -> Result<(Self, Schema), Fault> {
        Self::begin(F::new(options, context)?, bookmark)
    }

    /// As [`Extract::next`](sluicebox_stage::Extract::next).
    ///
    /// # Errors
    /// Where a file cannot be read on, or a record is broken.
    pub fn next_page(&mut self) -> Result<Option<Page>, Fault> {
        self.reader.next()
    }

    /// As [`SplitExtract::split`](sluicebox_stage::SplitExtract::split).
    ///
    /// # Errors
    /// Those of [`FileExtract::open`].
    pub fn split(context: &Context, options: F::Options, bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault> {
        let mut format = F::new(options, context)?;
        let Work { look, read, columns, mut track } = Work::plan(&format, bookmark)?;
        let layout = format.layout(&look, columns.as_ref())?;
        let schema = layout.schema(format.settings());
        let (groups, bookmark) = match &mut track {
            Track::None => (deal_out(read, at_most as usize), None),
            Track::NewFiles(track) => {
                let mut new = Vec::new();
                for source in read {
                    if track.is_new(&source)? {
                        let (bytes, digest) = digest_of(&source)?;
                        track.read(&source, bytes, digest.clone());
                        new.push(Source { end: Some(bytes), digest: Some(digest), ..source });
                    }
                }
                (deal_out(new, at_most as usize), track.bookmark(&layout, format.settings())?)
            }
            Track::Appended(track) => {
                format.begin(&layout)?;
                let mut new = Vec::new();
                for source in read {
                    let mut file = format.open(&layout, &source)?;
                    let from = mark_of(&file);
                    format.pass_over(&mut file)?;
                    let mark = mark_of(&file);
                    track.read(&from, mark.clone());
                    if mark != from {
                        let part = Some(Box::new((source.from().cloned(), Some(mark.clone()))));
                        new.push(Source { end: Some(mark.offset), part, ..source });
                    }
                }
                let groups = if new.is_empty() { Vec::new() } else { vec![new] };
                (groups, track.bookmark(&layout)?)
            }
        };
        let splits = groups.into_iter().map(|files| Split::encode(files, &layout)).collect::<Result<_, _>>()?;
        Ok(Plan { schema, splits, bookmark })
    }

    /// As [`SplitExtract::open_split`](sluicebox_stage::SplitExtract::open_split).
    ///
    /// # Errors
    /// Where the split is not one of this plugin, or its files cannot be read.
    pub fn open_split(context: &Context, options: F::Options, split: &str) -> Result<(Self, Schema), Fault> {
        let split: Split = serde_json::from_str(split)
            .map_err(|error| Fault::internal(format!("the split is not one of this plugin: {error}")))?;
        Self::of(Reader::new(F::new(options, context)?, split.layout, split.files, Track::None)?)
    }
}

/// A split, as it travels as text.
#[derive(Debug, Serialize, Deserialize)]
struct Split {
    files: Vec<Source>,
    layout: Layout,
}

impl Split {
    fn encode(files: Vec<Source>, layout: &Layout) -> Result<String, Fault> {
        serde_json::to_string(&Self { files, layout: layout.clone() })
            .map_err(|error| Fault::internal(format!("a split cannot be written: {error}")))
    }
}

/// Makes `$stage`, a stage that can be split, of the format `$format`.
#[macro_export]
macro_rules! file_extract {
    ($stage:ident, $format:ty) => {
        /// The stage.
        #[derive(Debug)]
        pub struct $stage($crate::FileExtract<$format>);

        impl From<$crate::FileExtract<$format>> for $stage {
            fn from(extract: $crate::FileExtract<$format>) -> Self {
                Self(extract)
            }
        }

        impl $crate::stage::Extract for $stage {
            type Options = <$format as $crate::FileFormat>::Options;

            fn open(
                context: &$crate::stage::Context,
                options: Self::Options,
                bookmark: Option<&str>,
            ) -> Result<(Self, $crate::stage::Schema), $crate::stage::Fault> {
                let (extract, schema) = $crate::FileExtract::open(context, options, bookmark)?;
                Ok((Self(extract), schema))
            }

            fn next(&mut self) -> Result<Option<$crate::stage::Page>, $crate::stage::Fault> {
                self.0.next_page()
            }
        }

        impl $crate::stage::SplitExtract for $stage {
            fn split(
                context: &$crate::stage::Context,
                options: Self::Options,
                bookmark: Option<&str>,
                at_most: u32,
            ) -> Result<$crate::stage::Plan, $crate::stage::Fault> {
                $crate::FileExtract::<$format>::split(context, options, bookmark, at_most)
            }

            fn open_split(
                context: &$crate::stage::Context,
                options: Self::Options,
                split: &str,
            ) -> Result<(Self, $crate::stage::Schema), $crate::stage::Fault> {
                let (extract, schema) = $crate::FileExtract::open_split(context, options, split)?;
                Ok((Self(extract), schema))
            }
        }
    };
}
