//! Batches as tables, and whether two hold the same.

use super::Batch;
use crate::{Column, Field, Values};
use std::fmt;

/// A value for people; none where it is null.
fn cell(column: &Column, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    macro_rules! number {
        ($($variant:ident),*) => {
            match &column.values {
                $(Values::$variant(values) => values.get(row).map(|value| format!("{value:?}")),)*
                Values::Bits(_) => column.bits()?.get(row).map(|value| value.to_string()),
                Values::FixedBytes(_) => column.decimals()?.get(row).map(|value| value.to_string()),
                _ => match column.strs() {
                    Some(text) => text.get(row).map(|value| format!("{value:?}")),
                    None => column.bytes()?.get(row).map(|value| format!("{value:02x?}")),
                },
            }
        };
    }
    number!(Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, Float32, Float64)
}

/// Two batches are equal if they have the same schema and the same rows. What stands in place of a null does not count;
/// NaN is NaN.
impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.0.schema == other.0.schema
            && self.rows() == other.rows()
            && self.0.columns.iter().zip(&other.0.columns).all(|(a, b)| same(a, b))
    }
}

fn same(a: &Column, b: &Column) -> bool {
    (0..a.rows().max(b.rows())).all(|row| cell(a, row) == cell(b, row))
}

/// A table of at most 40 rows.
impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        writeln!(f, "{} rows", self.rows())?;
        let columns: Vec<Vec<String>> = self
            .0
            .schema
            .iter()
            .zip(&self.0.columns)
            .map(|(field, column)| {
                let head = Field::to_string(field);
                let rows = (0..self.rows().min(SHOWN)).map(|row| cell(column, row).unwrap_or_else(|| "null".into()));
                std::iter::once(head).chain(rows).collect()
            })
            .collect();
        let widths: Vec<usize> =
            columns.iter().map(|cells| cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
        for line in 0..=self.rows().min(SHOWN) {
            let cells = columns.iter().zip(&widths).map(|(cells, width)| {
                let cell = cells.get(line).map_or("", String::as_str);
                format!("{cell:width$}")
            });
            writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
        }
        if self.rows() > SHOWN {
            writeln!(f, "... {} more", self.rows() - SHOWN)?;
        }
        Ok(())
    }
}

impl Clone for Batch {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
