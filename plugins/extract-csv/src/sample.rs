//! Finding the types of columns in some of the records.

use crate::field::Text;
use crate::lines::{Lines, Part};
use crate::options::Settings;
use crate::records::{Segment, segments};
use sluicebox_file_read::{Guess, Layout};
use sluicebox_stage::Fault;

/// What the values looked at could be.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    guesses: Vec<Guess>,
    records: usize,
}

impl Sample {
    pub(crate) fn wants_more(&self, layout: &Layout, settings: &Settings) -> bool {
        self.records < settings.files.sample_rows && layout.selected.iter().any(|column| column.inferred)
    }

    /// Looks at records of a file; they have `width` fields.
    pub(crate) fn add(
        &mut self,
        lines: &mut Lines,
        layout: &Layout,
        width: usize,
        order: &[usize],
        settings: &Settings,
    ) -> Result<(), Fault> {
        self.guesses.resize(layout.selected.len(), Guess::Nothing);
        let mut parts = Vec::new();
        let mut scratch = Vec::new();
        while self.records < settings.files.sample_rows {
            match lines.advance()? {
                Part::End => break,
                // The reading tells of it.
                Part::Unclosed => break,
                Part::Records => {}
            }
            let fields = lines.fields(width);
            let scan = lines.scan();
            segments(&fields, scan.records, scan.ascii, &mut parts);
            for part in &parts {
                let Segment::Good { first, records } = *part else { continue };
                let records = records.min(settings.files.sample_rows - self.records);
                self.records += records;
                for ((selected, guess), field) in layout.selected.iter().zip(&mut self.guesses).zip(order) {
                    if !selected.inferred {
                        continue;
                    }
                    for record in 0..records {
                        if *guess == Guess::Text {
                            break;
                        }
                        let (start, end) = fields.span(first + record * width + field, field + 1 == width);
                        if let Text::Plain(text) | Text::Quoted(text) = fields.text(start, end, &mut scratch)
                            && !settings.nulls.has(text)
                        {
                            *guess = guess.join(Guess::of(text));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives the columns the types that were found.
    pub(crate) fn give_kinds(self, layout: &mut Layout) {
        for (selected, guess) in layout.selected.iter_mut().zip(self.guesses) {
            if selected.inferred {
                selected.kind = guess.kind();
            }
        }
    }
}
