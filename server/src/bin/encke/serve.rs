//! `encke serve`: puts the chat, its page and a listener together, and takes them down on SIGTERM or Ctrl-C.

use super::{page, plain};
use encke_server::chat::{Chat, HistoryLimits};
use encke_server::{Limits, Origins, Server};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal;
use tokio::sync::watch;

/// For clients to say goodbye when the server stops.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// Directory of the built page.
    #[arg(long, value_name = "DIR", default_value = "target/site")]
    web: PathBuf,
    /// Origin of another site whose pages may use the server, such as `https://example.org`; may be given several times.
    /// '*' allows all. The log names those that are refused.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Time between two heartbeats, such as 25s or 300ms.
    #[arg(long, value_parser = duration, default_value = "25s")]
    ping_interval: Duration,
    /// Time for a client to answer a heartbeat.
    #[arg(long, value_parser = duration, default_value = "20s")]
    ping_timeout: Duration,
    /// Bytes of the longest message.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().max_payload, value_parser = clap::value_parser!(u32).range(1_000..))]
    max_payload: u32,
}

/// Why the chat cannot be served.
#[derive(Debug)]
pub(super) enum Error {
    NoPage(PathBuf, std::io::Error),
    Listen(SocketAddr, std::io::Error),
    Serve(std::io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPage(web, error) => write!(
                f,
                "there is no page in {} ({}: {error}): build it by `cargo xtask page`, or name its directory by --web",
                web.display(),
                page::INDEX
            ),
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::Serve(error) => write!(f, "the listener failed: {error}"),
        }
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Error> {
    let page = page::router(&arguments.web).map_err(|error| Error::NoPage(arguments.web.clone(), error))?;
    let address = arguments.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| Error::Listen(address, error))?;
    let address = listener.local_addr().map_err(Error::Serve)?;
    let chat = Chat::new(HistoryLimits::default());
    let server = server(&arguments, &chat);
    let namespace = server.namespace("/").expect("it has just been added");
    let app = server.router().merge(plain::router(chat, namespace)).merge(page);
    // Registered before anybody can know the address, so that no signal finds the default.
    let (stop, mut stopped) = watch::channel(false);
    let signals = signals().map_err(Error::Serve)?;
    tokio::spawn(async move {
        signals.await;
        stop.send_replace(true);
    });
    println!("listening on http://{address}");

    let mut closing = stopped.clone();
    let serving = axum::serve(server.listener(listener), app).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    });
    let closed = async {
        let _ = closing.wait_for(|stopped| *stopped).await;
        tracing::info!("stopping");
        server.close(PATIENCE).await;
        // Connections that are kept alive for no request may take their time; nobody waits for them.
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        result = serving.into_future() => {
            server.close(PATIENCE).await;
            result.map_err(Error::Serve)
        }
        () = closed => Ok(()),
    }
}

fn server(arguments: &Arguments, chat: &Chat) -> Server {
    let origins = if arguments.allow_origin.iter().any(|origin| origin == "*") {
        Origins::Any
    } else if arguments.allow_origin.is_empty() {
        Origins::Own
    } else {
        Origins::Listed(arguments.allow_origin.clone())
    };
    Server::builder()
        .ping_interval(arguments.ping_interval)
        .ping_timeout(arguments.ping_timeout)
        .limits(Limits { max_payload: arguments.max_payload, ..Limits::default() })
        .origins(origins)
        .namespace("/", |on| chat.register(on))
        .build()
}

/// Ends with the first signal to stop. Listens from the call on.
fn signals() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let (mut terminate, mut interrupt) = (
        signal::unix::signal(signal::unix::SignalKind::terminate())?,
        signal::unix::signal(signal::unix::SignalKind::interrupt())?,
    );
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = signal::ctrl_c().await;
    })
}

/// A number of `ms`, `s` or `m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|char: char| !char.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| "a number and ms, s or m is wanted".to_owned())?;
    let millis = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        unit => return Err(format!("the unit is ms, s or m, not {unit:?}")),
    };
    match number.checked_mul(millis) {
        Some(0) => Err("it must be longer than nothing".to_owned()),
        Some(total) if u32::try_from(total).is_ok() => Ok(Duration::from_millis(total)),
        _ => Err("it is too long".to_owned()),
    }
}

/// A scheme and a host, as in the address of a page; or `*`.
fn origin(text: &str) -> Result<String, String> {
    let authority = text.split_once("://").map(|(_, rest)| rest.strip_suffix('/').unwrap_or(rest));
    let plain = authority.is_some_and(|authority| {
        !authority.is_empty()
            && !authority.contains(['/', '?', '#', '@'])
            && !authority.contains(char::is_whitespace)
    });
    if plain || text == "*" {
        Ok(text.to_owned())
    } else {
        Err("such as https://example.org is wanted".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_its_unit() {
        assert_eq!(duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(duration("25s"), Ok(Duration::from_secs(25)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for text in ["", "s", "25", "0s", "-1s", "1h", "99999999999m", "1 s"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_nothing_else() {
        for text in ["https://example.org", "http://localhost:8000/", "*"] {
            assert_eq!(origin(text), Ok(text.to_owned()));
        }
        for text in ["", "example.org", "https://", "https://example.org/chat", "https://a b", "https://a@b"]
        {
            assert!(origin(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        <crate::Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
