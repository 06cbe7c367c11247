//! The versions of the contract that this host speaks at once, one adapter each.
//!
//! Components are matched by track: 0.1.x is one, 0.2.x another, 1.x a third. Within a track a component works with every
//! host that is at least as new. When a new track comes, the one before it stays: freeze its text in `wit/frozen/`, give it
//! bindings of its own beside `contract.rs` (its resource bound to the same `HeldBatch`), write an [`Adapter`] that links its
//! imports and finds its exports, and add that to [`ADAPTERS`]. The host calls all tracks in the nouns of the newest
//! ([`crate::calls`]): where a record has changed, the adapter of the old track translates, and gives what the new one says more
//! its default; so nothing above `ready.rs` knows how many there are. `tests/next.rs` does all of it for a track that is none yet.

use crate::calls::{Finds, PluginCalls};
use crate::contract::{self, extractor, loader, plugin, splittable, transformer, validator};
use crate::ready::Exports;
use crate::state::State;
use sluicebox_model::plugin::Kind;
use std::fmt;
use wasmtime::component::{HasSelf, InstancePre, Linker};

/// The package of the contract as it stands in the names of interfaces.
const PACKAGE: &str = "sluicebox:stage/";

/// A version of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    pub(crate) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    fn parse(text: &str) -> Option<Self> {
        let core = text.split(['-', '+']).next()?;
        let mut parts = core.split('.').map(|part| part.parse().ok());
        let version = Self::new(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }

    /// Whether both are of one track: the same major version, before 1.0 the same minor version.
    fn same_track(self, other: Self) -> bool {
        self.major == other.major && (self.major > 0 || self.minor == other.minor)
    }

    /// The track, as people write it.
    fn track(self) -> String {
        if self.major == 0 { format!("0.{}", self.minor) } else { self.major.to_string() }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// One track of the contract: what this host offers to components of it, and what it asks of them.
pub(crate) trait Adapter: Sync {
    /// The newest version of the track that this host speaks.
    fn version(&self) -> Version;

    /// Offers the interfaces that components of the track import.
    fn link(&self, linker: &mut Linker<State>) -> wasmtime::Result<()>;

    /// Finds the functions of a component of the track.
    fn exports(&self, pre: &InstancePre<State>, kind: Kind, splits: bool) -> wasmtime::Result<Found>;
}

/// The functions of a component.
pub(crate) struct Found {
    pub(crate) plugin: Box<dyn Finds<dyn PluginCalls>>,
    pub(crate) exports: Exports,
}

/// What this host speaks, the oldest first.
#[cfg(not(test))]
pub(crate) static ADAPTERS: &[&dyn Adapter] = &[&Track01];

/// In tests also a track that is to come.
#[cfg(test)]
pub(crate) static ADAPTERS: &[&dyn Adapter] = &[&Track01, &crate::tests::next::Track02];

/// Version 0.1.
struct Track01;

impl Adapter for Track01 {
    fn version(&self) -> Version {
        Version::new(0, 1, 0)
    }

    fn link(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        contract::types::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
        contract::batches::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
        contract::report::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
    }

    fn exports(&self, pre: &InstancePre<State>, kind: Kind, splits: bool) -> wasmtime::Result<Found> {
        let exports = match kind {
            Kind::Extract => {
                let splittable = splits.then(|| splittable::GuestIndices::new(pre)).transpose()?;
                Exports::Extract(Box::new(extractor::GuestIndices::new(pre)?), splittable.map(|it| Box::new(it) as _))
            }
            Kind::Transform => Exports::Transform(Box::new(transformer::GuestIndices::new(pre)?)),
            Kind::Validate => Exports::Validate(Box::new(validator::GuestIndices::new(pre)?)),
            Kind::Load => Exports::Load(Box::new(loader::GuestIndices::new(pre)?)),
        };
        Ok(Found { plugin: Box::new(plugin::GuestIndices::new(pre)?), exports })
    }
}

/// What a component says by the names of what it exports and imports.
pub(crate) struct Asked {
    /// The version that it was built for.
    pub(crate) version: Version,
    pub(crate) kind: Kind,
    /// Whether it can be split.
    pub(crate) splits: bool,
}

/// Finds the adapter of a component, by names alone. The error says, for people, why there is none.
pub(crate) fn adapter_of<'a>(
    adapters: &[&'a dyn Adapter],
    exports: &[String],
    imports: &[String],
) -> Result<(&'a dyn Adapter, Asked), String> {
    let ours = of_package(exports)?;
    let Some((_, newest)) = ours.iter().max_by_key(|(_, version)| *version).copied() else {
        return Err(NO_STAGE.to_owned());
    };
    let needs = of_package(imports)?;
    let every = || ours.iter().chain(&needs);
    if let Some((name, other)) = every().find(|(_, version)| !version.same_track(newest)) {
        return Err(format!(
            "it mixes versions of the contract: it exports {newest}, and names `{name}` of {other}; build it anew against one"
        ));
    }
    let newest = every().map(|(_, version)| *version).max().unwrap_or(newest);
    let adapter = adapters.iter().find(|adapter| adapter.version().same_track(newest)).copied();
    let adapter = adapter.ok_or_else(|| not_spoken(adapters, newest))?;
    let names: Vec<&str> = ours.iter().map(|(name, _)| *name).collect();
    Ok((adapter, Asked { version: newest, kind: kind_of(&names)?, splits: names.contains(&"splittable") }))
}

const NO_STAGE: &str = "it exports none of `sluicebox:stage/extractor`, `transformer`, `validator` and `loader`";

/// The interfaces of our package among the names of others.
fn of_package(names: &[String]) -> Result<Vec<(&str, Version)>, String> {
    let ours = names.iter().filter_map(|name| name.strip_prefix(PACKAGE)?.split_once('@'));
    let version = |(name, version)| {
        let unknown = || format!("it names `{PACKAGE}{name}@{version}`, which is no version of the contract");
        Version::parse(version).map(|version| (name, version)).ok_or_else(unknown)
    };
    ours.map(version).collect()
}

fn kind_of(names: &[&str]) -> Result<Kind, String> {
    let kind = |name: &&str| match *name {
        "extractor" => Some(Kind::Extract),
        "transformer" => Some(Kind::Transform),
        "validator" => Some(Kind::Validate),
        "loader" => Some(Kind::Load),
        _ => None,
    };
    let kinds: Vec<Kind> = names.iter().filter_map(kind).collect();
    match (kinds.as_slice(), names.contains(&"plugin")) {
        ([kind], true) => Ok(*kind),
        ([], _) => Err(NO_STAGE.to_owned()),
        ([_], false) => Err("it does not export `sluicebox:stage/plugin`, which says what it is".to_owned()),
        (several, _) => {
            let several: Vec<String> = several.iter().map(Kind::to_string).collect();
            Err(format!("it is of several kinds ({}); a plugin is of one", several.join(", ")))
        }
    }
}

/// Why a component of this version cannot be used.
fn not_spoken(adapters: &[&dyn Adapter], asked: Version) -> String {
    let tracks: Vec<String> = adapters.iter().map(|adapter| adapter.version().track()).collect();
    let tracks = tracks.join(", ");
    let newer = adapters.iter().all(|adapter| adapter.version() < asked);
    let or = if newer { "use a newer sluicebox, or " } else { "" };
    let asked = asked.track();
    format!(
        "it was built for version {asked} of the contract, and this host speaks {tracks}: {or}build it anew for {tracks}"
    )
}

/// Why a component cannot be linked, though its track is spoken.
pub(crate) fn cannot_link(adapter: &dyn Adapter, asked: &Asked, error: &wasmtime::Error) -> String {
    let (has, asks) = (adapter.version(), asked.version);
    let newer = if asks > has {
        format!(" (it was built for version {asks} of the contract, this host has {has}: use a newer sluicebox)")
    } else {
        String::new()
    };
    format!("it imports what this host does not offer: {error:#}{newer}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// A track that links nothing: which adapter is found is a matter of names.
    struct Other(Version);

    impl Adapter for Other {
        fn version(&self) -> Version {
            self.0
        }

        fn link(&self, _: &mut Linker<State>) -> wasmtime::Result<()> {
            Ok(())
        }

        fn exports(&self, _: &InstancePre<State>, _: Kind, _: bool) -> wasmtime::Result<Found> {
            Err(wasmtime::Error::msg("not linked"))
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| format!("{PACKAGE}{name}")).collect()
    }

    fn found(adapters: &[&dyn Adapter], exports: &[&str], imports: &[&str]) -> Result<(String, String, Kind), String> {
        let (adapter, asked) = adapter_of(adapters, &names(exports), &names(imports))?;
        Ok((adapter.version().to_string(), asked.version.to_string(), asked.kind))
    }

    #[test]
    fn each_component_finds_the_adapter_of_its_track() {
        let next = Other(Version::new(0, 2, 3));
        let one = Other(Version::new(1, 4, 0));
        let adapters: &[&dyn Adapter] = &[&Track01, &next, &one];
        let at = |version: &str| {
            let exports = [format!("plugin@{version}"), format!("loader@{version}")];
            found(adapters, &exports.each_ref().map(String::as_str), &[])
        };
        let spoken = |adapter: &str, asked: &str| Ok((adapter.to_owned(), asked.to_owned(), Kind::Load));
        assert_eq!(at("0.1.0"), spoken("0.1.0", "0.1.0"));
        assert_eq!(at("0.1.7"), spoken("0.1.0", "0.1.7"));
        assert_eq!(at("0.2.0"), spoken("0.2.3", "0.2.0"));
        assert_eq!(at("1.9.1"), spoken("1.4.0", "1.9.1"));
        let refused = at("0.3.0").unwrap_err();
        assert_eq!(
            refused,
            "it was built for version 0.3 of the contract, and this host speaks 0.1, 0.2, 1: build it anew for 0.1, 0.2, 1"
        );
        assert!(at("2.0.0").unwrap_err().contains("this host speaks 0.1, 0.2, 1: use a newer sluicebox, or build"));
        assert!(at("new").unwrap_err().contains("`sluicebox:stage/plugin@new`, which is no version of the contract"));
    }

    #[test]
    fn what_is_no_stage_says_why() {
        let why = |exports: &[&str], imports: &[&str]| found(ADAPTERS, exports, imports).unwrap_err();
        assert_eq!(why(&[], &["batches@0.1.0"]), NO_STAGE);
        assert_eq!(why(&["plugin@0.1.0"], &[]), NO_STAGE);
        assert!(why(&["loader@0.1.0"], &[]).contains("does not export `sluicebox:stage/plugin`"));
        assert!(why(&["plugin@0.1.0", "loader@0.1.0", "extractor@0.1.0"], &[]).contains("(load, extract)"));
        assert_eq!(
            why(&["plugin@0.1.0", "loader@0.1.0"], &["batches@0.2.0"]),
            "it mixes versions of the contract: it exports 0.1.0, and names `batches` of 0.2.0; build it anew against one"
        );
    }
}
