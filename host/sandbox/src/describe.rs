//! What a component says of itself, asked once for each digest and checked.

use crate::contract::plugin;
use crate::error::SandboxError;
use crate::network::NetworkFiles;
use crate::ready::Ready;
use crate::sandbox::{Sandbox, StageSetup, TOO_MUCH_FOR};
use crate::stage::ComponentStage;
use serde::{Deserialize, Serialize};
use sluicebox_model::fault::FaultKind;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::{CONFIG_SCHEMA_BYTES_MAX, Limits};
use sluicebox_model::plugin::{Capability, Description, Digest, Kind};
use sluicebox_model::stage::RunContext;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is known of a digest, whichever file it is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Known {
    /// It is a plugin.
    Plugin { description: Description, imports: Vec<String>, contract: String },
    /// It is none, and will be none whenever it is looked at again; if `again` is given, only until then (in seconds
    /// since 1970), since a slow machine may have been the cause.
    Refused { reason: String, again: Option<u64> },
}

/// Goes up with every change of what is kept of a component, or of the words in which one is refused.
const FORM: u32 = 3;

/// Time for a component to describe itself, which is to say what it has in its memory.
pub(crate) const DESCRIBE_MAX: Duration = Duration::from_secs(2);
/// How long a component that did not describe itself in time is left alone, in seconds.
pub(crate) const AGAIN_AFTER: u64 = TOO_MUCH_FOR.as_secs();

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What is known of the component: from the cache, or by asking it now. The error is for people.
pub(crate) fn known(sandbox: &Sandbox, path: &Path, digest: &Digest, limits: &Limits) -> Result<Known, String> {
    let compatibility = sandbox.compatibility().map_err(|error| error.to_string())?;
    let name = format!("{digest}-{compatibility:016x}-{}-{FORM}.json", env!("CARGO_PKG_VERSION"));
    match sandbox.cache().get(&name) {
        Some(Known::Refused { again: Some(again), .. }) if again <= now() => {}
        Some(known) => return Ok(known),
        None => {}
    }
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let known = match sandbox.ready(path, digest, &stem, limits) {
        Ok(ready) => ask(sandbox, digest, &ready, limits),
        Err(SandboxError::NotAPlugin { reason, .. }) => Known::Refused { reason, again: None },
        Err(SandboxError::TooMuchToCompile { reason, .. }) => {
            Known::Refused { reason, again: Some(now() + AGAIN_AFTER) }
        }
        // What is wrong with the machine may be right the next time.
        Err(error) => return Err(error.to_string()),
    };
    sandbox.cache().put(&name, &known);
    Ok(known)
}

pub(crate) fn ask(sandbox: &Sandbox, digest: &Digest, ready: &Arc<Ready>, limits: &Limits) -> Known {
    let nothing = Description {
        name: String::new(),
        version: String::new(),
        kind: ready.exports.kind(),
        summary: String::new(),
        config_schema: serde_json::Value::Null,
        capabilities: Vec::new(),
        stateless: false,
        splittable: ready.exports.splittable(),
    };
    let setup = StageSetup {
        name: "describe".to_owned(),
        config: "{}".to_owned(),
        grants: Grants::default(),
        limits: Limits { call_max: limits.call_max.min(DESCRIBE_MAX), ..limits.clone() },
        network: NetworkFiles::default(),
        root: PathBuf::new(),
    };
    let context = RunContext {
        run_id: "describe".to_owned(),
        randomness: String::new(),
        pipeline: "describe".to_owned(),
        stage: "describe".to_owned(),
        attempt: 1,
        interval_start: jiff::Timestamp::UNIX_EPOCH,
        interval_end: jiff::Timestamp::UNIX_EPOCH,
    };
    let runtime = Arc::clone(sandbox.runtime());
    let stage = ComponentStage::new(nothing.clone(), digest.clone(), setup, Arc::clone(ready), runtime, None);
    let said = match stage.describe(&context) {
        Ok(said) => said,
        Err(fault) => {
            let again = (fault.kind == FaultKind::Timeout).then(|| now() + AGAIN_AFTER);
            return Known::Refused { reason: format!("it cannot describe itself: {fault}"), again };
        }
    };
    match check(nothing, said) {
        Ok(description) => {
            Known::Plugin { description, imports: ready.imports.clone(), contract: ready.contract.clone() }
        }
        Err(reason) => Known::Refused { reason: format!("it describes itself wrongly: {reason}"), again: None },
    }
}

fn check(mut description: Description, said: plugin::Description) -> Result<Description, String> {
    let kind = match said.kind {
        plugin::Kind::Extract => Kind::Extract,
        plugin::Kind::Transform => Kind::Transform,
        plugin::Kind::Validate => Kind::Validate,
        plugin::Kind::Load => Kind::Load,
    };
    if kind != description.kind {
        return Err(format!("it says that it is of kind {kind}, but exports a {}", description.kind));
    }
    if !is_name(&said.name) {
        return Err(format!(
            "its name {:?} is not lower-case words joined by hyphens, e.g. `extract-csv`",
            cut(&said.name)
        ));
    }
    if !is_version(&said.version) {
        return Err(format!("its version {:?} is not semver, e.g. `1.2.0`", cut(&said.version)));
    }
    if said.config_schema.len() > CONFIG_SCHEMA_BYTES_MAX {
        let bytes = said.config_schema.len();
        return Err(format!("its config-schema has {bytes} bytes; there is room for {CONFIG_SCHEMA_BYTES_MAX}"));
    }
    let schema: serde_json::Value =
        serde_json::from_str(&said.config_schema).map_err(|error| format!("its config-schema is not JSON: {error}"))?;
    if !schema.is_object() {
        return Err("its config-schema is not a JSON object".to_owned());
    }
    description.name = said.name;
    description.version = said.version;
    description.summary = crate::console::escape(&said.summary, 4096);
    description.config_schema = schema;
    description.stateless = said.stateless;
    description.capabilities = said.capabilities.into_iter().map(capability).collect();
    description.capabilities.sort();
    description.capabilities.dedup();
    Ok(description)
}

fn capability(capability: plugin::Capability) -> Capability {
    match capability {
        plugin::Capability::ReadFiles => Capability::ReadFiles,
        plugin::Capability::WriteFiles => Capability::WriteFiles,
        plugin::Capability::Http => Capability::Http,
        plugin::Capability::Tcp => Capability::Tcp,
        plugin::Capability::Environment => Capability::Environment,
        plugin::Capability::Clock => Capability::Clock,
        plugin::Capability::Random => Capability::Random,
    }
}

fn cut(text: &str) -> String {
    crate::console::escape(text, 100)
}

/// Lower-case words of letters and digits, joined by hyphens, beginning with a letter.
fn is_name(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('-').all(word)
}

/// Three numbers, and perhaps a pre-release and a build.
fn is_version(version: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.len() < 20 && part.bytes().all(|byte| byte.is_ascii_digit());
    let label = |part: &str| {
        !part.is_empty()
            && part
                .split('.')
                .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    };
    let (version, build) = version.split_once('+').map_or((version, None), |(version, build)| (version, Some(build)));
    let (core, pre) = version.split_once('-').map_or((version, None), |(core, pre)| (core, Some(pre)));
    let parts: Vec<&str> = core.split('.').collect();
    version.len() <= 100
        && parts.len() == 3
        && parts.into_iter().all(number)
        && pre.is_none_or(label)
        && build.is_none_or(label)
}
