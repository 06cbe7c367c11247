//! The columns that go on.

use sluicebox_expression::{Columns, Expression, ExpressionError, find_column};
use sluicebox_stage::{Batch, Fault, Field, Schema};

use crate::{Options, Pairs};

/// How the columns of a batch become those that go on.
pub(crate) struct Output {
    computed: Vec<Computed>,
    /// Where each column stands: among those of the input, or behind them among the computed ones. None: as they come in.
    select: Option<Vec<(usize, String)>>,
}

struct Computed {
    expression: Expression,
    /// The field, under a name that no column of the input has.
    field: Field,
    /// The option that asks for it, for messages: `columns.speed`.
    option: String,
}

/// A column that goes on.
struct Slot {
    field: Field,
    /// As in `Output::select`.
    from: usize,
    /// The column of the input that it is, by whatever name and type.
    origin: Option<usize>,
}

fn within(option: impl std::fmt::Display) -> impl FnOnce(ExpressionError) -> Fault {
    move |error| Fault::from(error).within(format!("`{option}`"))
}

impl Output {
    pub(crate) fn plan(options: &Options, input: &Schema) -> Result<(Self, Schema), Fault> {
        let Options { filter, keep, drop, rename: Pairs(rename), cast: Pairs(cast), columns: Pairs(columns) } = options;
        if filter.is_none()
            && keep.is_none()
            && drop.is_empty()
            && rename.is_empty()
            && cast.is_empty()
            && columns.is_empty()
        {
            return Err(Fault::invalid_config(
                "nothing to do; write at least one of filter, keep, drop, rename, cast and columns",
            ));
        }
        if keep.is_some() && !drop.is_empty() {
            return Err(Fault::invalid_config("`keep` and `drop` say the same in two ways; write one of them"));
        }
        let mut slots: Vec<Slot> =
            input.iter().cloned().enumerate().map(|(from, field)| Slot { field, from, origin: Some(from) }).collect();
        let mut computed: Vec<Computed> = Vec::new();

        for (name, data_type) in cast {
            let at = find_column(name, input).map_err(within("cast"))?;
            let name = input.get(at).map_or(name.as_str(), |field| field.name.as_str());
            let expression =
                Expression::plan_cast(name, data_type, input).map_err(within(format_args!("cast.{name}")))?;
            if let Some(slot) = slots.get_mut(at) {
                // A cast to the type that it has is none.
                if slot.field.data_type != expression.data_type() || slot.field.detail != expression.detail() {
                    *slot =
                        Slot { field: expression.field(name), from: input.len() + computed.len(), origin: Some(at) };
                    computed.push(Computed {
                        field: expression.field(name),
                        expression,
                        option: format!("cast.{name}"),
                    });
                }
            }
        }
        for name in drop {
            let at = find_column(name, input).map_err(within("drop"))?;
            let name = input.get(at).map_or(name.as_str(), |field| field.name.as_str());
            if cast.iter().any(|(cast, _)| cast == name) {
                return Err(Fault::invalid_config(format!(
                    "`{name}` is under `cast` and under `drop`; write one of them"
                )));
            }
            slots.retain(|slot| slot.field.name != name);
        }
        for (new, old) in rename {
            let at = find_column(old, input).map_err(within(format_args!("rename.{new}")))?;
            let old = input.get(at).map_or(old.as_str(), |field| field.name.as_str());
            if let Some(slot) = slots.iter_mut().find(|slot| slot.origin == Some(at)) {
                slot.field.name.clone_from(new);
            } else {
                return Err(Fault::invalid_config(format!("`rename.{new}`: `{old}` is dropped")));
            }
        }
        for (name, text) in columns {
            if cast.iter().any(|(cast, _)| cast == name) {
                return Err(Fault::invalid_config(format!(
                    "`{name}` is under `cast` and under `columns`; write the cast into the expression"
                )));
            }
            let expression = Expression::plan(text, input).map_err(within(format_args!("columns.{name}")))?;
            let slot = Slot { field: expression.field(name), from: input.len() + computed.len(), origin: None };
            computed.push(Computed { field: expression.field(name), expression, option: format!("columns.{name}") });
            match slots.iter_mut().find(|slot| slot.field.name == *name) {
                Some(old) => *old = slot,
                None => slots.push(slot),
            }
        }
        if let Some(keep) = keep {
            slots = kept(keep, slots, input, columns)?;
        }
        if let Some(twice) = slots
            .iter()
            .enumerate()
            .find_map(|(at, slot)| slots.iter().take(at).find(|other| other.field.name == slot.field.name))
        {
            let name = &twice.field.name;
            return Err(Fault::invalid_config(format!(
                "two columns would be called `{name}`; rename or drop one of them"
            )));
        }
        if slots.is_empty() {
            return Err(Fault::invalid_config("no column is left; keep at least one"));
        }
        let same = |at: usize, slot: &Slot| {
            slot.from == at && input.get(at).is_some_and(|field| field.name == slot.field.name)
        };
        let unchanged = slots.len() == input.len() && slots.iter().enumerate().all(|(at, slot)| same(at, slot));
        let schema = slots.iter().map(|slot| slot.field.clone()).collect();
        let select = (!unchanged).then(|| slots.into_iter().map(|slot| (slot.from, slot.field.name)).collect());
        for (at, computed) in computed.iter_mut().enumerate() {
            computed.field.name = free_name(at, input);
        }
        Ok((Self { computed, select }, schema))
    }

    pub(crate) fn make(&self, batch: Batch) -> Result<Batch, Fault> {
        let Some(select) = &self.select else { return Ok(batch) };
        let select: Vec<(usize, &str)> = select.iter().map(|(from, name)| (*from, name.as_str())).collect();
        if self.computed.is_empty() {
            return batch.select(&select);
        }
        let columns = Columns::of(&batch);
        let fields = self.computed.iter().map(|computed| computed.field.clone()).collect();
        let values = self.computed.iter().map(|computed| {
            computed
                .expression
                .evaluate_over(&columns)
                .map_err(|fault| fault.within(format_args!("`{}`", computed.option)))
        });
        let values = values.collect::<Result<_, _>>()?;
        batch.with_columns(fields, values)?.select(&select)
    }
}

/// The slots that `keep` names, in its order, and behind them the computed columns that it does not name.
fn kept(
    keep: &[String],
    mut slots: Vec<Slot>,
    input: &Schema,
    columns: &[(String, String)],
) -> Result<Vec<Slot>, Fault> {
    let mut kept: Vec<Slot> = Vec::with_capacity(keep.len());
    for name in keep {
        let exact = slots.iter().position(|slot| slot.field.name == *name);
        let at = match exact {
            Some(at) => at,
            // By its name in the input: in other letter case, or before it was renamed.
            None => {
                if kept.iter().any(|slot| slot.field.name == *name) {
                    return Err(Fault::invalid_config(format!("`keep` names `{name}` twice")));
                }
                let from = find_column(name, input).map_err(within("keep"))?;
                slots.iter().position(|slot| slot.origin == Some(from)).ok_or_else(|| {
                    Fault::invalid_config(format!(
                        "`keep` names `{name}`, which is kept already, or computed under `columns`"
                    ))
                })?
            }
        };
        kept.push(slots.remove(at));
    }
    kept.extend(slots.into_iter().filter(|slot| columns.iter().any(|(name, _)| *name == slot.field.name)));
    Ok(kept)
}

/// A name that no column of the input has.
fn free_name(at: usize, input: &Schema) -> String {
    let mut name = format!("computed {at}");
    while input.field(&name).is_some() {
        name.push('\'');
    }
    name
}
