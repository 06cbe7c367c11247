//! `serve`: running the pipelines of a folder by themselves.
//!
//! One thread turns (`service.rs`): it looks at the clock, decides, and begins runs, each on a thread of its own. Another
//! looks at the folder, another delivers alerts, and the API has a small runtime. What is decided is in the store before
//! anything follows from it, so that the next host goes on where this one ends, however it does.

mod after;
mod clockwork;
mod commits;
mod desk;
mod files;
pub mod folder;
mod follow;
mod hosts;
pub mod log;
mod looks;
mod messenger;
mod overdue;
mod plugins;
mod rows;
mod service;
mod stated;
mod takeover;
pub mod timing;
mod unbegun;
pub(crate) mod waits;
mod work;

pub(crate) use files::fixed_part;
pub use stated::stated;

use crate::api::{self, ApiLimits, ApiSettings, Token};
use crate::house::House;
use crate::trouble::Trouble;
use desk::OfService;
use hosts::Hosts;
use jiff::Timestamp;
use service::{Service, Wake};
use sluicebox_model::house::{HouseEvent, NewHouseEvent};
use sluicebox_store::HouseFilter;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The file in the state folder that says where a running host answers.
pub const ADDRESS_FILE: &str = "serve.json";

/// How long runs under way may go on when the host is asked to stop, unless the settings say otherwise.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// The loop turns at least so often.
const TURN_EVERY: Duration = Duration::from_secs(1);

/// What is too old is forgotten so often.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// What `serve` is asked for.
pub struct Options {
    /// The folder with the pipeline files.
    pub dir: PathBuf,
    /// The state folder.
    pub state: PathBuf,
    /// Plugin folders that count before all others.
    pub plugins: Vec<PathBuf>,
    /// Whether only the plugins of `sluicebox.lock` may be used.
    pub locked: bool,
    /// Where the API listens.
    pub address: SocketAddr,
    /// Names under which the API may be addressed.
    pub hosts: Vec<String>,
    /// Whether the API may listen beyond this machine without TLS.
    pub insecure: bool,
    /// Certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// Where a running host answers, as its file says it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Address {
    /// Of the API for the commands of this machine, without a slash at its end.
    pub url: String,
    /// The process.
    pub process: u32,
    /// Whether it uses locked plugins only.
    #[serde(default)]
    pub locked: bool,
    /// The folder that it serves.
    #[serde(default)]
    pub dir: Option<PathBuf>,
}

/// Runs the pipelines of a folder until it is asked to stop.
///
/// # Errors
/// It cannot begin: another host has the state folder, the address is taken or not allowed, the settings are none.
pub fn serve(options: Options) -> Result<(), Trouble> {
    api::may_bind(options.address, options.tls.is_some(), options.insecure)?;
    let tls = match &options.tls {
        Some((certificate, key)) => Some(Arc::new(api::Certificate::open(certificate, key, Timestamp::now())?)),
        None => None,
    };
    let settings = crate::settings::read(&options.dir)?;
    let mut house = House::open(&options.state, "sluicebox serve")?;
    house.quiet = true;
    let random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|error| error.to_string());
    let token = Token::of_state(&options.state, random)?;
    let listener = std::net::TcpListener::bind(options.address).map_err(|error| {
        Trouble::new(format!("{} cannot be listened at: {error}", options.address))
            .help("another program may have it: name another one with `--address 127.0.0.1:PORT`")
    })?;
    let hosts = Hosts::open(&options.plugins, &options.dir, options.locked, log::compiling)?;
    let (wake, woken) = channel();
    stop_on_signal(&wake)?;
    let service = Arc::new(Service::new(house, hosts, options.dir.clone(), wake));
    service.set_settings(settings);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("the API cannot be started: {error}")))?;
    let api_settings =
        ApiSettings { token: token.clone(), tls, hosts: options.hosts.clone(), limits: ApiLimits::default() };
    let own = own_listener(&options)?;
    let address = Answering::begin(&service, &options, &listener, own.as_ref())?;
    let (close, closed) = tokio::sync::oneshot::channel::<()>();
    let answering = {
        let _inside = runtime.enter();
        let (listener, own) = (of_tokio(listener)?, own.map(of_tokio).transpose()?);
        let desk: Arc<dyn api::Desk> = Arc::new(OfService(Arc::clone(&service)));
        let store = Arc::clone(&service.house.store);
        runtime.spawn(api::serve(listener, own, api_settings, desk, store, async {
            let _ = closed.await;
        }))
    };
    crate::telemetry::of_host(&service.dir, {
        let desk = OfService(Arc::clone(&service));
        move || api::Desk::gauges(&desk)
    });
    let (alerts, alerts_due) = channel::<()>();
    service.house.store.on_change({
        let alerts = std::sync::Mutex::new(alerts);
        move |change| {
            if matches!(change, sluicebox_store::Change::Alerts) {
                let _ = alerts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(());
            }
        }
    });
    let worked = begin(&service).and_then(|()| {
        spawn("alerts", {
            let service = Arc::clone(&service);
            move || messenger::deliver_all(&service, &alerts_due)
        })?;
        spawn("folder", {
            let service = Arc::clone(&service);
            move || looks::keep_looking(&service)
        })?;
        spawn("plugins", {
            let service = Arc::clone(&service);
            move || plugins::keep_watching(&service)
        })?;
        tracing::info!("the API answers at {}; its token is in {}", address.url, token.file().display());
        Ok(turn_until_stopped(&service, &woken))
    });
    drop(close);
    runtime.block_on(async {
        let _ = tokio::time::timeout(Duration::from_secs(6), answering).await;
    });
    drop(address);
    runtime.shutdown_background();
    let why = worked?;
    let left = service.lock().running.len();
    let told = if left == 0 {
        format!("stopped: {why}")
    } else {
        format!("stopped: {why}; the next start finishes {left} runs that are under way")
    };
    tracing::info!("{told}");
    let event = NewHouseEvent { pipeline: None, event: HouseEvent::ServeStopped { reason: told } };
    service.house.store.house_append(Timestamp::now(), &[event])?;
    if left > 0 {
        crate::telemetry::end();
        // Their threads end with the process; the journal says how far they came.
        std::process::exit(0);
    }
    Ok(())
}

/// Where the commands of this machine ask, if the API itself listens elsewhere or speaks TLS: they know neither the name that
/// its certificate is for nor who vouches for it. Nothing of what is said there leaves the machine.
fn own_listener(options: &Options) -> Result<Option<std::net::TcpListener>, Trouble> {
    if options.tls.is_none() && options.address.ip().to_canonical().is_loopback() {
        return Ok(None);
    }
    let told = |error: std::io::Error| {
        Trouble::new(format!("127.0.0.1 cannot be listened at, for the commands of this machine: {error}"))
    };
    std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).map(Some).map_err(told)
}

fn of_tokio(listener: std::net::TcpListener) -> Result<tokio::net::TcpListener, Trouble> {
    let listener = listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
    listener.map_err(|error| Trouble::new(format!("the API cannot be started: {error}")))
}

/// Finishes what an earlier host left, reads the folder, and opens.
fn begin(service: &Arc<Service>) -> Result<(), Trouble> {
    let now = Timestamp::now();
    let host = service.hosts.of(&service.dir);
    let last = last_known(service)?;
    let again = service.house.finish_interrupted(&host)?;
    looks::first_look(service)?;
    service.take_over(&again, now)?;
    service.wait_again(last, now)?;
    for record in service.house.store.unfinished()?.iter().filter(|record| record.in_commit()) {
        service.commit_again_later(&record.pipeline);
    }
    let pipelines = service.lock().offered.len() as u64;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let event = NewHouseEvent { pipeline: None, event: HouseEvent::ServeStarted { version, pipelines } };
    service.house.store.house_append(Timestamp::now(), &[event])?;
    tracing::info!("serving {pipelines} pipelines of {}", service.dir.display());
    service.lock().open = true;
    Ok(())
}

/// When the host before last kept something that it decided; none: no host has served here.
fn last_known(service: &Service) -> Result<Option<Timestamp>, Trouble> {
    // Commands pause and resume without a host.
    let of_host = HouseEvent::NAMES.into_iter().filter(|name| !matches!(*name, "paused" | "resumed"));
    let kinds = of_host.map(str::to_owned).collect();
    let filter = HouseFilter { kinds, newest_first: true, limit: Some(1), ..HouseFilter::default() };
    Ok(service.house.store.house_events(&filter)?.first().map(|entry| entry.at))
}

/// Forgets what the house has no use for any more.
fn prune(service: &Service, now: Timestamp) {
    let before = now.checked_sub(service.settings().retention.runs_for);
    let pruned = before.map_err(|error| error.to_string());
    let pruned = pruned.and_then(|before| service.house.store.prune(before).map_err(|error| error.to_string()));
    if let Err(why) = pruned {
        tracing::warn!("what is too old cannot be forgotten: {why}");
    }
}

/// Turns until somebody wants it to stop; then waits for the runs under way as long as they may go on. Answers with why.
fn turn_until_stopped(service: &Arc<Service>, woken: &Receiver<Wake>) -> &'static str {
    let mut looked = Instant::now();
    let mut pruned: Option<Instant> = None;
    let why = loop {
        let now = Timestamp::now();
        if pruned.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
            pruned = Some(Instant::now());
            prune(service, now);
        }
        let turned = service.turn(now).and_then(|next| {
            if looked.elapsed() >= TURN_EVERY {
                looked = Instant::now();
                service.look_for_files(now)?;
                service.give_up_waiting(now)?;
                service.commit_again();
            }
            Ok(next)
        });
        let next = match turned {
            Ok(next) => {
                service.lock().trouble = None;
                next
            }
            Err(trouble) => {
                let is_new = service.lock().trouble.replace(trouble.clone()).as_ref() != Some(&trouble);
                if is_new {
                    tracing::error!("nothing can be decided: {}", work::told(&trouble));
                }
                None
            }
        };
        let until = next.map_or(TURN_EVERY, |next| service::since(Timestamp::now(), next).min(TURN_EVERY));
        match woken.recv_timeout(until) {
            Ok(Wake::Stop(why)) => break why,
            Ok(Wake::Turn) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break "nobody is left to wake it",
        }
        // Many may have woken it at once.
        let mut stop = None;
        while let Ok(wake) = woken.try_recv() {
            if let Wake::Stop(why) = wake {
                stop = Some(why);
            }
        }
        if let Some(why) = stop {
            break why;
        }
    };
    let grace = service.settings().serve.grace.unwrap_or(GRACE);
    let end = Instant::now() + grace;
    let under_way = service.begin_no_more(why);
    if under_way > 0 {
        tracing::info!("stopping: {under_way} runs under way may go on for {}", crate::show::human::duration(grace));
    }
    while !service.lock().running.is_empty() && Instant::now() < end {
        let left = end.saturating_duration_since(Instant::now());
        match woken.recv_timeout(left) {
            // Asked again: at once.
            Ok(Wake::Stop(_)) => break,
            Ok(Wake::Turn) => {}
            Err(_) => break,
        }
    }
    why
}

/// SIGTERM and Ctrl-C.
fn stop_on_signal(wake: &std::sync::mpsc::Sender<Wake>) -> Result<(), Trouble> {
    let wake = wake.clone();
    ctrlc::set_handler(move || {
        let _ = wake.send(Wake::Stop("asked to by a signal"));
    })
    .map_err(|error| Trouble::new(format!("signals cannot be listened to: {error}")))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Trouble> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).map_err(|error| Trouble::new(format!("no thread for {name}: {error}")))
}

/// The file that says where the host answers; gone with it.
struct Answering {
    file: PathBuf,
    url: String,
}

impl Answering {
    fn begin(
        service: &Service,
        options: &Options,
        listener: &std::net::TcpListener,
        own: Option<&std::net::TcpListener>,
    ) -> Result<Self, Trouble> {
        let bound = listener.local_addr().unwrap_or(options.address);
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{bound}");
        let own = own.and_then(|own| own.local_addr().ok()).map_or_else(|| url.clone(), |own| format!("http://{own}"));
        let file = service.house.state.join(ADDRESS_FILE);
        let dir = Some(options.dir.clone());
        let address = Address { url: own, process: std::process::id(), locked: options.locked, dir };
        let text = serde_json::to_string(&address).unwrap_or_default();
        let half = file.with_extension("half");
        std::fs::write(&half, text)
            .and_then(|()| std::fs::rename(&half, &file))
            .map_err(|error| Trouble::new(format!("{} cannot be written: {error}", file.display())))?;
        Ok(Self { file, url })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}
