//! Which columns there are, and of which types.

use crate::lines::Lines;
use crate::options::{Settings, first_twice};
use crate::sample::Sample;
use sluicebox_file_read::{Layout, Selected, Source, shown};
use sluicebox_stage::{Fault, log};

/// Headers of more files than this are looked at only when their turn comes.
const HEADERS_LOOKED_AT_MAX: usize = 100;

/// The columns that are known, as the options want them; none where one has not been read before.
pub(crate) fn reuse(known: &Layout, settings: &Settings) -> Option<Layout> {
    let has = |name: &String| known.names.contains(name);
    let named = settings.names.as_ref().is_none_or(|names| *names == known.names);
    if !named || !settings.files.types.keys().all(has) {
        return None;
    }
    let wanted = settings.columns.as_ref().unwrap_or(&known.names);
    if !wanted.iter().all(has) {
        return None;
    }
    let selected = known.select(wanted.iter(), &settings.files)?;
    Some(Layout { selected, all: settings.columns.is_none(), ..known.clone() })
}

/// Looks into the files.
pub(crate) fn find(sources: &[Source], settings: &Settings) -> Result<Layout, Fault> {
    let mut layout: Option<Layout> = None;
    let mut sample = Sample::default();
    for (i, source) in sources.iter().enumerate() {
        let wanting = layout.as_ref().is_none_or(|layout| sample.wants_more(layout, settings));
        if !wanting && (!settings.header || i >= HEADERS_LOOKED_AT_MAX) {
            break;
        }
        let mut lines = Lines::open(source, settings)?;
        let Some(names) = names_of(&mut lines, settings)? else { continue };
        let layout = match &mut layout {
            Some(layout) => layout,
            None => layout.insert(of_names(names.clone(), settings, &source.path)?),
        };
        let order = order(layout, &names, &source.path, settings, None)?;
        if sample.wants_more(layout, settings) {
            sample.add(&mut lines, layout, names.len(), &order, settings)?;
        }
    }
    let Some(mut layout) = layout else {
        let which = match sources {
            [] => "there is no file: there is".into(),
            [one] => format!("{} is empty: it has", one.path),
            _ => "all files are empty: they have".into(),
        };
        return match &settings.names {
            Some(names) => {
                let path = sources.first().map_or("", |source| &source.path);
                of_names(names.clone(), settings, path)
            }
            None => Err(Fault::invalid_data(format!("{which} no header that names the columns; give `names`"))),
        };
    };
    sample.give_kinds(&mut layout);
    Ok(layout)
}

fn of_names(names: Vec<String>, settings: &Settings, path: &str) -> Result<Layout, Fault> {
    if let Some(name) = first_twice(&names) {
        return Err(Fault::invalid_data(format!(
            "{path}: the header names {} twice; give other names by `names`",
            shown(name.as_bytes())
        )));
    }
    let known = |name: &String, option: &str| {
        if names.contains(name) {
            return Ok(());
        }
        Err(Fault::invalid_config(format!("`{option}`: {path} has no column {name:?}; it has {}", list(&names))))
    };
    for name in settings.files.types.keys() {
        known(name, "types")?;
    }
    let wanted = settings.columns.as_ref().unwrap_or(&names);
    for name in wanted {
        known(name, "columns")?;
    }
    let selected = wanted.iter().map(|name| Selected::new(name, &settings.files)).collect();
    let layout = Layout { selected, names, from: path.into(), all: settings.columns.is_none() };
    layout.check_file_column(&settings.files)?;
    Ok(layout)
}

/// For each column that is read, the number of its field in a file whose fields are called `names`. `warned`: the columns
/// besides those that are known, which were told of.
pub(crate) fn order(
    layout: &Layout,
    names: &[String],
    path: &str,
    settings: &Settings,
    warned: Option<&mut Vec<String>>,
) -> Result<Vec<usize>, Fault> {
    let added = || names.iter().filter(|name| !layout.names.contains(name));
    if settings.files.keeps_columns() {
        let lacks = |name: &&String| !names.contains(name);
        let missing: Vec<String> = layout.selected.iter().map(|column| &column.name).filter(lacks).cloned().collect();
        if !missing.is_empty() {
            return Err(Fault::invalid_data(format!(
                "{path} lacks {}, which {} has; if that is meant to be, name the columns that are to be read in `columns`, or, to \
                 begin anew with other columns: {}",
                list(&missing),
                layout.from,
                settings.files.reset
            )));
        }
        if let Some(name) = first_twice(names).filter(|name| layout.kind_of(name).is_some()) {
            return Err(Fault::invalid_data(format!("{path}: the header names {} twice", shown(name.as_bytes()))));
        }
        if let Some(warned) = warned {
            let new: Vec<String> = added().filter(|name| !warned.contains(name)).cloned().collect();
            warned.extend(new.iter().cloned());
            if !new.is_empty() {
                log::warn(format_args!(
                    "{path} has {} besides the columns of {}, which is not read; to read it, name all columns that are wanted in \
                     `columns`, or begin anew: {}",
                    list(&new),
                    layout.from,
                    settings.files.reset
                ));
            }
        }
    } else {
        same_columns(layout, names, &added().cloned().collect::<Vec<_>>(), path)?;
    }
    Ok(layout.selected.iter().filter_map(|selected| names.iter().position(|name| *name == selected.name)).collect())
}

fn same_columns(layout: &Layout, names: &[String], added: &[String], path: &str) -> Result<(), Fault> {
    let missing: Vec<String> = layout.names.iter().filter(|name| !names.contains(name)).cloned().collect();
    if missing.is_empty() && added.is_empty() && names.len() == layout.names.len() {
        return Ok(());
    }
    let mut how = Vec::new();
    if !missing.is_empty() {
        how.push(format!("lacks {}", list(&missing)));
    }
    if !added.is_empty() {
        how.push(format!("has {} besides", list(added)));
    }
    if how.is_empty() {
        how.push("names a column twice".into());
    }
    Err(Fault::invalid_data(format!(
        "{path} has not the columns of {}: it {}; read files of another form in a stage of their own",
        layout.from,
        how.join(" and ")
    )))
}

/// The names of a file's fields; its header is passed over. None: the file is empty.
pub(crate) fn names_of(lines: &mut Lines, settings: &Settings) -> Result<Option<Vec<String>>, Fault> {
    let Some((line, first)) = lines.one_record(settings.header)? else { return Ok(None) };
    if first.iter().any(|text| text.contains('\r') && !text.contains('\n')) {
        return Err(Fault::invalid_data(format!(
            "{}:{line}: lines end with a carriage return alone, as on old Macs; convert them first",
            lines.path
        )));
    }
    if let Some(names) = &settings.names {
        if names.len() != first.len() {
            return Err(Fault::invalid_config(format!(
                "`names` names {} columns, and {}:{line} has {} fields",
                names.len(),
                lines.path,
                first.len()
            )));
        }
        return Ok(Some(names.clone()));
    }
    let numbered = |i: usize| format!("column_{}", i + 1);
    let mut names: Vec<String> = if settings.header { first } else { vec![String::new(); first.len()] };
    for (i, name) in names.iter_mut().enumerate() {
        if name.is_empty() {
            *name = numbered(i);
        }
    }
    Ok(Some(names))
}

/// Names for a message, some of them.
fn list(names: &[String]) -> String {
    const SHOWN_MAX: usize = 30;
    let mut text = names.iter().take(SHOWN_MAX).map(|name| shown(name.as_bytes())).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN_MAX {
        text.push_str(&format!(" and {} more", names.len() - SHOWN_MAX));
    }
    text
}
