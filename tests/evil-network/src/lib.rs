//! A hostile extract: it reaches for the network in the one way that its options name, and answers with a row for each
//! thing that came of it.

mod options;
#[cfg(target_family = "wasm")]
mod requests;
#[cfg(target_family = "wasm")]
mod sockets;

pub use options::{Mode, Options};

use sluicebox_stage::{Batch, Column, Context, DataType, Extract, Fault, Field, Page, Schema};

/// The hostile stage.
pub struct EvilNetwork {
    options: Options,
    done: bool,
}

impl Extract for EvilNetwork {
    type Options = Options;

    fn open(_: &Context, options: Options, _: Option<&str>) -> Result<(Self, Schema), Fault> {
        Ok((Self { options, done: false }, schema()))
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        if self.done {
            return Ok(None);
        }
        self.done = true;
        let said = misbehave(&self.options)?;
        Ok(Some(Page::new(Batch::from_columns(schema(), vec![Column::from_strs(said)])?)))
    }
}

fn schema() -> Schema {
    Schema::new([Field::new("said", DataType::Utf8).not_null()])
}

#[cfg(not(target_family = "wasm"))]
fn misbehave(options: &Options) -> Result<Vec<String>, Fault> {
    Err(Fault::internal(format!("{:?} needs a host", options.mode)))
}

#[cfg(target_family = "wasm")]
fn misbehave(options: &Options) -> Result<Vec<String>, Fault> {
    let Options { url, urls, to, name, path, times, .. } = options;
    match options.mode {
        Mode::Get => Ok(vec![requests::get(url)?]),
        Mode::GetEach => Ok(urls.iter().map(|url| requests::told(requests::get(url))).collect()),
        Mode::Follow => requests::follow(url),
        Mode::AbsoluteForm => Ok(vec![requests::get_path(url, path)?]),
        Mode::Connect => Ok(vec![requests::connect(url)?]),
        Mode::HostHeader => Ok(vec![requests::with_header(url, "host", name)?]),
        Mode::TakeAll => Ok(vec![requests::take_all(url)?]),
        Mode::TakeAllAndHide => Ok(vec![requests::told(requests::take_all(url))]),
        Mode::SendForEver => Ok(vec![requests::send_for_ever(url)?]),
        Mode::ManyRequests => Ok(vec![requests::many(url, *times)?]),
        Mode::HoardFields => Ok(vec![requests::hoard_fields(*times)?]),
        Mode::HoardBodies => Ok(vec![requests::hoard_bodies(*times)?]),
        Mode::LongMethod => Ok(vec![requests::long_method()?]),
        Mode::PanicIfRefused => match requests::get(url) {
            Ok(answer) => Ok(vec![answer]),
            #[allow(clippy::panic, reason = "as asked for")]
            Err(fault) => panic!("evil: {fault}"),
        },
        Mode::Tcp => Ok(vec![sockets::tcp(to)?]),
        Mode::TcpRaw => Ok(vec![sockets::raw(to)?]),
        Mode::TcpForEver => Ok(vec![sockets::for_ever(to)?]),
        Mode::Resolve => sockets::resolve(name),
        Mode::ResolveAndConnectElsewhere => {
            let mut said = sockets::resolve(name)?;
            said.push(sockets::told(sockets::tcp(to)));
            Ok(said)
        }
        Mode::ManySockets => Ok(vec![sockets::many(*times)?]),
        Mode::Udp => Ok(vec![sockets::udp(to)?]),
        Mode::Listen => Ok(vec![sockets::listen(to)?]),
        Mode::ListenRaw => Ok(vec![sockets::listen_raw()?]),
    }
}

sluicebox_stage::export!(
    EvilNetwork,
    kind: extract,
    summary: "Reaches for the network in the one way that its options name"
);
