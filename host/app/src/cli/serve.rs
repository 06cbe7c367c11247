//! `sluicebox serve`

use super::{Exit, Format, LockedOnly, Output, PluginFolders, State};
use crate::places;
use crate::serve::log::{self, LogFormat};
use crate::serve::{Options, serve};
use crate::trouble::Trouble;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox serve                      the pipelines of this folder and of those below it
  sluicebox serve pipelines --log json
  sluicebox serve --address 0.0.0.0:7717 --tls-cert cert.pem --tls-key key.pem --host etl.example.com

Files are looked at every second: an edit takes effect with the next run; a broken one is told, and the last good version
stays. SIGTERM or Ctrl-C: no new runs; those under way may go on for a while (`[serve] grace` in sluicebox.toml, 30s unless
given), the rest is finished at the next start. Twice: at once. SLUICEBOX_LOG says how much is told: error, warn, info, debug.";

/// Run the pipelines of a folder by themselves: on time, in order, with alerts and an HTTP API
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// The folder with the pipeline files
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Where the API listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7717")]
    address: SocketAddr,
    /// A name under which the API may be addressed, beside those of this machine; may be given more than once
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The certificate of the API, with those that vouch for it, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen beyond this machine without TLS
    #[arg(long)]
    insecure: bool,
    /// How the log is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    log: LogFormat,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    only: LockedOnly,
    #[command(flatten)]
    state: State,
}

impl Serve {
    pub(super) fn output(&self) -> Output {
        Output { format: Format::Table }
    }

    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let told = |error: std::io::Error| {
            Trouble::new(format!("{} cannot be served: {error}", self.dir.display()))
                .help("name the folder with the pipeline files")
        };
        let dir = self.dir.canonicalize().map_err(told)?;
        if !dir.is_dir() {
            return Err(Trouble::new(format!("{} is no folder", self.dir.display()))
                .help("name the folder with the pipeline files; one file is run by `sluicebox run`"));
        }
        let state = places::state_of_pipeline(self.state.state.as_deref(), &dir);
        log::begin(self.log);
        serve(Options {
            dir,
            state,
            plugins: self.plugins.plugins,
            locked: self.only.locked,
            address: self.address,
            hosts: self.hosts,
            insecure: self.insecure,
            tls: self.tls_cert.zip(self.tls_key),
        })?;
        Ok(Exit::Done)
    }
}
