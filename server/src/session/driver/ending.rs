//! How a WebSocket ends from this side: what is queued goes out, then this end is closed, then the client has a moment to close
//! its own.

use super::{Presence, with_scratch};
use crate::frame::CloseCode;
use crate::session::Session;
use crate::session::channel::{self, Io, Stream};
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// For a client to answer the close of its WebSocket, and for what is still queued to go out.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Closes a WebSocket that no session takes.
pub(crate) async fn turn_away(io: Io) {
    let mut stream: Box<dyn Stream> = match io {
        Io::Tcp(stream) => Box::new(stream),
        Io::Other(stream) => stream,
    };
    let goodbye = async {
        stream.write_all(&CloseCode::Policy.frame()).await?;
        stream.shutdown().await?;
        // Until the client has closed its end, as in [`discard`].
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
}

/// Sees to it that what is queued goes out, then closes this end and waits for the client to close its own.
pub(super) async fn close(driver: Presence, number: u32, mut foreign: Option<Box<dyn Stream>>) {
    let session = &driver.0;
    let goodbye = async {
        if let Some(mut stream) = poll_fn(|cx| session.poll_shut(number, foreign.as_mut(), cx)).await {
            poll_fn(|cx| discard(&mut stream, cx)).await;
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
    session.let_go_of(number);
}

/// Waits for the client to close its end: closing with unread bytes would reset the connection and could cost the
/// client what it was sent last.
fn discard(stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
    with_scratch(|scratch| {
        loop {
            match channel::read(stream, cx, scratch) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    })
}

impl Session {
    /// Closes this end of the WebSocket of that number once all that is queued is written, to `foreign` unless the session has
    /// the stream.
    fn poll_shut(
        &self,
        number: u32,
        foreign: Option<&mut Box<dyn Stream>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<TcpStream>> {
        if let Some(stream) = foreign {
            self.write_to(stream, number, cx);
        }
        let mut state = crate::lock(&self.state);
        let Some((channel, outbox)) = state.channel(number) else { return Poll::Ready(None) };
        channel.attend(cx, outbox);
        // Blocked with nothing to write, it has to be flushed.
        match (channel.failed, outbox.is_empty() && !channel.blocked) {
            (true, _) => Poll::Ready(None),
            (false, false) => Poll::Pending,
            (false, true) => {
                let carrier = state.carrier.take_if(|carrier| carrier.number == number);
                Poll::Ready(carrier.and_then(|carrier| carrier.shut(cx)))
            }
        }
    }

    /// Nothing more is to be done for the WebSocket of that number.
    pub(super) fn let_go_of(&self, number: u32) {
        let mut state = crate::lock(&self.state);
        if let Some(carrier) = state.carrier.take_if(|carrier| carrier.number == number) {
            carrier.end();
            // Nobody will read it, and the application may keep a socket, and with it this, for long.
            state.outbox.clear();
        }
    }
}
