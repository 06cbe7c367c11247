//! A certificate that is renewed while the host runs.

use super::tls;
use crate::trouble::Trouble;
use jiff::Timestamp;
use rustls::ServerConfig;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What tells one state of the files from another.
type Stamps = [Option<(SystemTime, u64)>; 2];

/// Certificate and key, read again when their files have changed.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    now: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    stamps: Stamps,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// As of [`tls::read`].
    pub fn open(certificate: &Path, key: &Path, now: Timestamp) -> Result<Self, Trouble> {
        // Before they are read: what changes meanwhile is read again.
        let stamps = stamps(certificate, key);
        let config = tls::read(certificate, key, now)?;
        let now = Mutex::new(Current { stamps, config });
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), now })
    }

    /// What a connection that begins now is answered with: the files as they are, or, where they cannot be used, as they
    /// last could. Two looks at files for each connection, which costs less than its keys.
    pub fn current(&self, now: Timestamp) -> Arc<ServerConfig> {
        let mut current = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.certificate, &self.key);
        if stamps != current.stamps {
            // Told once for each state of the files.
            current.stamps = stamps;
            match tls::read(&self.certificate, &self.key, now) {
                Ok(config) => {
                    tracing::info!("the certificate {} was renewed", self.certificate.display());
                    current.config = config;
                }
                Err(trouble) => {
                    tracing::error!(
                        "the renewed certificate is not used: {}; the one before it goes on",
                        trouble.message
                    );
                }
            }
        }
        Arc::clone(&current.config)
    }
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}
