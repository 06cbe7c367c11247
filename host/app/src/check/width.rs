//! Grants that reach further than a stage needs, whatever its plugin asks for.

use crate::places::STATE;
use sluicebox_model::net::HostPattern;
use sluicebox_model::pipeline::{Problem, StageSpec};
use std::path::{Path, PathBuf};

/// Names of one part that are nobody's but the machine's, or the network's that it stands in.
const OWN: [&str; 2] = ["localhost", "internal"];

/// Folders with all there is, or with the state folder, and hosts below a name that is everybody's. `state` is the state
/// folder of the pipeline whose file stands in `root`.
pub(super) fn check(stage: &StageSpec, root: &Path, state: &Path) -> Vec<Problem> {
    let grants = &stage.grants;
    let mut problems = Vec::new();
    for (key, doing, folders) in [("read", "read", &grants.read), ("write", "read and write", &grants.write)] {
        for (at, folder) in folders.iter().enumerate() {
            problems.extend(folder_problem(stage, &format!("/{key}/{at}"), doing, folder, root, state));
        }
    }
    let http = grants.http.iter().enumerate().map(|(at, grant)| (format!("/http/{at}"), &grant.hosts));
    let tcp = grants.tcp.iter().enumerate().map(|(at, grant)| (format!("/tcp/{at}"), &grant.hosts));
    for (pointer, hosts) in http.chain(tcp) {
        if let HostPattern::Below(name) = hosts
            && !name.contains('.')
            && !OWN.contains(&name.as_str())
        {
            let message = format!("stage `{}` is granted every host whose name ends with `.{name}`", stage.name);
            let help = format!("name the hosts that it needs, or all below one of them, e.g. \"*.example.{name}\"");
            problems.push(Problem::warning(stage.spans.grant(&pointer), message).help(help));
        }
    }
    problems
}

fn folder_problem(
    stage: &StageSpec,
    pointer: &str,
    doing: &str,
    folder: &str,
    root: &Path,
    state: &Path,
) -> Option<Problem> {
    let (granted, state) = (real(&root.join(folder)), real(state));
    let what = if granted.parent().is_none() {
        "which is all files of this machine".to_owned()
    } else if state.starts_with(&granted) || granted.starts_with(&state) {
        format!("and with it the state folder `{STATE}`: the runs of all pipelines, their logs, and the rows set aside")
    } else {
        return None;
    };
    let message = format!("stage `{}` is granted `{folder}` to {doing}, {what}", stage.name);
    let help = "grant it a folder with nothing in it but what it needs, e.g. \"data\"";
    Some(Problem::warning(stage.spans.grant(pointer), message).help(help))
}

/// The path without links and dots; of what is not there, that of the nearest folder above which is.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => real(parent).join(name),
        (Some(_), Some(name)) => real(Path::new(".")).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use sluicebox_model::pipeline::{self, ProblemLevel};

    /// What is told of these grants of a pipeline in `flows`, of a house with its state folder beside `flows`.
    fn told(lines: &str) -> Vec<String> {
        let house = tempfile::tempdir().unwrap();
        let root = house.path().join("flows");
        std::fs::create_dir_all(root.join("data")).unwrap();
        let text = format!("[pipeline]\nname = \"p\"\n[[stage]]\nname = \"s\"\nplugin = \"it\"\n{lines}\n");
        let problems = check(&pipeline::parse(&text).unwrap().stages[0], &root, &house.path().join(STATE));
        assert!(problems.iter().all(|problem| problem.level == ProblemLevel::Warning));
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn folders_that_are_too_wide() {
        for folder in ["/", "//", "../../../../../../../../../../.."] {
            let told = told(&format!("grants.read = [\"{folder}\"]"));
            assert_eq!(told, [format!("stage `s` is granted `{folder}` to read, which is all files of this machine")]);
        }
        for folder in ["..", "../.sluicebox", "../.sluicebox/runs", "data/../.."] {
            let told = told(&format!("grants.write = [\"data\", \"{folder}\"]"));
            let [one] = told.as_slice() else { panic!("{folder}: {told:?}") };
            assert!(
                one.starts_with(&format!("stage `s` is granted `{folder}` to read and write, and with it")),
                "{one}"
            );
        }
        for folder in [".", "data", "missing", "../flows", "../other"] {
            assert_eq!(told(&format!("grants.read = [\"{folder}\"]")), [] as [&str; 0], "{folder}");
        }
    }

    #[test]
    fn names_that_are_too_wide() {
        for (line, name) in [("http = [\"https://*.com\"]", "com"), ("tcp = [\"a.example:1\", \"*.org:5432\"]", "org")]
        {
            let ends = format!("stage `s` is granted every host whose name ends with `.{name}`");
            assert_eq!(told(&format!("grants.{line}")), [ends]);
        }
        for line in ["http = [\"https://*.example.com\", \"http://*.localhost\"]", "tcp = [\"*.internal:5432\"]"] {
            assert_eq!(told(&format!("grants.{line}")), [] as [&str; 0], "{line}");
        }
    }
}
