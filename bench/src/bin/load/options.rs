//! What every mode is told: which server, and how this program runs beside it.

use crate::crowd::Transport;
use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::str::FromStr;

/// Files beside one for each connection.
const FILES: u64 = 100;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Server {
    /// Its endpoint: http://IPV4:PORT/path/.
    #[arg(long, default_value = "http://127.0.0.1:3000/socket.io/")]
    pub(crate) url: Url,
    /// Its process id: what it and its descendants use is measured.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Prints one JSON object in place of a table; then a fault is a field of it and no exit status.
    #[arg(long)]
    pub(crate) json: bool,
    /// Text that stands in the output.
    #[arg(long, default_value = "")]
    pub(crate) label: String,
    /// How many clients may be connecting at once; in `handshake` how many there are.
    #[arg(long, default_value_t = 128)]
    pub(crate) conc: usize,
    /// How many loopback addresses the clients come from in turn; each has some 28,000 ports.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..60_000))]
    pub(crate) srcs: u32,
    /// Runs on this CPU only.
    #[arg(long)]
    pub(crate) cpu: Option<usize>,
}

impl Server {
    /// Sees to it that every client can have a connection, and that many connections if the system allows it; and that this
    /// program runs where it should.
    ///
    /// # Errors
    /// The system does not allow it.
    pub(crate) fn prepare(&self, clients: usize, connections: usize) -> Result<()> {
        let (needed, wanted) = (clients as u64 + FILES, connections as u64 + FILES);
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_some_and(|current| current < wanted) {
            let raised =
                Rlimit { current: Some(wanted), maximum: maximum.map(|maximum| maximum.max(wanted)) };
            if setrlimit(Resource::Nofile, raised).is_err() {
                // Only who may do everything goes beyond the maximum.
                setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
                    .context("no file limit is set")?;
            }
            let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
            ensure!(
                allowed >= needed,
                "{needed} open files are needed, {allowed} are allowed: see ulimit -Hn"
            );
        }
        if let Some(cpu) = self.cpu {
            let mut set = CpuSet::new();
            set.set(cpu);
            sched_setaffinity(None, &set).with_context(|| format!("there is no CPU {cpu} to run on"))?;
        }
        Ok(())
    }
}

/// Where a server's endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) address: SocketAddrV4,
    pub(crate) path: String,
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("http://").ok_or("it must begin with http://")?;
        let (host, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/socket.io/"),
        };
        let (host, port) = host.split_once(':').unwrap_or((host, "80"));
        let host = if host == "localhost" { "127.0.0.1" } else { host };
        let ip: Ipv4Addr = host.parse().map_err(|_| "the host must be an IPv4 address")?;
        let port = port.parse().map_err(|_| "the port must be a number below 65,536")?;
        Ok(Self { address: SocketAddrV4::new(ip, port), path: path.to_owned() })
    }
}

/// A transport that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lasting {
    Websocket,
    Polling,
}

impl Lasting {
    pub(crate) fn transport(self) -> Transport {
        match self {
            Self::Websocket => Transport::WebSocket,
            Self::Polling => Transport::Polling,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Websocket => "websocket",
            Self::Polling => "polling",
        }
    }

    /// Connections of one client.
    pub(crate) fn connections(self) -> usize {
        match self {
            Self::Websocket => 1,
            Self::Polling => 2,
        }
    }
}

/// How long is measured.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10.0)]
    pub(crate) secs: f64,
    /// Seconds before that.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) warmup: f64,
}

/// Bytes of a text or attachment: at least what holds its number, at most what every server under test takes.
pub(crate) fn payload(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 16..=262_144) => Ok(bytes),
        _ => Err("it is a number of bytes from 16 to 262,144".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_numeric_host_and_may_lack_the_rest() {
        let url = |port, path: &str| {
            Ok(Url { address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), path: path.to_owned() })
        };
        assert_eq!("http://127.0.0.1:3000/socket.io/".parse(), url(3_000, "/socket.io/"));
        assert_eq!("http://localhost".parse(), url(80, "/socket.io/"));
        assert_eq!("http://localhost:81/chat".parse(), url(81, "/chat"));
        for text in ["https://127.0.0.1/", "http://example.org/", "http://127.0.0.1:x/", ""] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_payload_has_room_for_its_number_and_no_more_than_servers_take() {
        assert_eq!((payload("16"), payload("262144")), (Ok(16), Ok(262_144)));
        for text in ["15", "262145", "", "x"] {
            assert!(payload(text).is_err(), "{text}");
        }
    }
}
