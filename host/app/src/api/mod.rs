//! The HTTP API: one file a noun. It reads the store, and asks the [`Desk`] for what is to be done.

mod bookmarks;
mod certificate;
mod desk;
mod error;
mod events;
mod extract;
mod feed;
mod files;
mod guard;
mod health;
mod house;
mod io;
mod metrics;
mod openapi;
mod pipelines;
mod plain;
mod plugins;
mod quarantine;
mod runs;
mod schemas;
mod serve;
mod settings;
mod stated;
#[cfg(test)]
mod tests;
pub mod tls;
mod token;

pub use certificate::Certificate;
pub use desk::{
    BookmarkAsk, Desk, DeskError, Fire, Gauges, Pause, PipelineView, PluginView, PluginsView, RefusedView, ReplayAsk,
    RerunAsk, ResolveAsk, ScheduleView, StageView, StartAsk, Timing,
};
pub use openapi::openapi;
pub use serve::serve;
pub use settings::{ApiLimits, ApiSettings, may_bind};
pub use stated::stated;
pub use token::{TOKEN_FILE, Token};

use axum::Router;
use axum::http::StatusCode;
use error::Problem;
use feed::Feed;
use sluicebox_store::Store;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Requests that read the store or ask the desk at once: others wait, so that they take neither all threads nor all memory.
pub(crate) const AT_WORK: usize = 16;

/// What the endpoints have.
#[derive(Clone)]
struct Api {
    desk: Arc<dyn Desk>,
    store: Arc<Store>,
    feed: Arc<Feed>,
    limits: ApiLimits,
    at_work: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// Becomes true as the host ends.
    closed: watch::Receiver<bool>,
}

impl Api {
    fn new(desk: Arc<dyn Desk>, store: Arc<Store>, limits: ApiLimits, closed: watch::Receiver<bool>) -> Self {
        let feed = Feed::of(&store);
        let (at_work, streams) = (Semaphore::new(AT_WORK).into(), Semaphore::new(limits.streams).into());
        Self { desk, store, feed, limits, at_work, streams, closed }
    }

    /// Asks the store.
    async fn read<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, Problem> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        self.blocking(move || work(&store)).await
    }

    /// Asks the desk.
    async fn ask<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Desk) -> Result<T, DeskError> + Send + 'static,
    {
        let desk = Arc::clone(&self.desk);
        self.blocking(move || Ok(work(&*desk)?)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let broken = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the host failed on this request");
        // The permit goes with the work: a client that does not wait leaves the work under way.
        let permit = Arc::clone(&self.at_work).acquire_owned().await.map_err(|_| broken())?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|_| broken())?
    }
}

/// All routes.
fn router(api: Api) -> Router {
    let (router, _) = openapi::documented();
    router.fallback(error::no_such_path).method_not_allowed_fallback(error::no_such_method).with_state(api)
}
