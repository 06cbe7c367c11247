//! Where traces and metrics go: as the settings say, else as the standard variables of OpenTelemetry do.

use crate::secrets;
use sluicebox_model::pipeline::Otlp;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A collector.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Where traces are posted.
    pub(super) traces: String,
    /// Where metrics are posted.
    pub(super) metrics: String,
    /// With every request. They may hold secrets.
    pub(super) headers: BTreeMap<String, String>,
    /// Calls of a run that are sent.
    pub(super) calls: usize,
    /// What the service calls itself.
    pub(super) service: String,
}

// An address and headers may hold secrets.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

/// The collector that is meant; none if none is.
///
/// # Errors
/// A value cannot be filled in.
pub(super) fn of(
    otlp: Option<&Otlp>,
    root: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Target>, String> {
    let variable = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let service = variable("OTEL_SERVICE_NAME").unwrap_or_else(|| "sluicebox".to_owned());
    if let Some(otlp) = otlp {
        let fill = |what: &str, text: &str| {
            let filled = secrets::fill_one(text, root);
            filled
                .map(|text| text.trim().to_owned())
                .map_err(|why| format!("{what} of `[otlp]` cannot be filled in: {why}"))
        };
        let mut headers = BTreeMap::new();
        for (name, value) in &otlp.headers {
            headers.insert(name.clone(), fill(&format!("the header `{name}`"), value)?);
        }
        let base = fill("`endpoint`", &otlp.endpoint)?;
        let calls = usize::try_from(otlp.calls).unwrap_or(usize::MAX);
        return Ok(Some(Target {
            traces: below(&base, "traces"),
            metrics: below(&base, "metrics"),
            headers,
            calls,
            service,
        }));
    }
    // An address for one kind is taken as it is; what it does not name, the common one does.
    let own = |kind: &str| {
        let own = variable(&format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", kind.to_uppercase()));
        own.or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| below(&base, kind)))
    };
    let (Some(traces), Some(metrics)) = (own("traces"), own("metrics")) else { return Ok(None) };
    let headers = variable("OTEL_EXPORTER_OTLP_HEADERS").map(|text| headers(&text)).unwrap_or_default();
    let calls = usize::try_from(Otlp::CALLS).unwrap_or(usize::MAX);
    Ok(Some(Target { traces, metrics, headers, calls, service }))
}

fn below(base: &str, kind: &str) -> String {
    format!("{}/v1/{kind}", base.trim_end_matches('/'))
}

/// `name=value,name=value`, values escaped as in an address.
fn headers(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), unescaped(value.trim()))).collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
