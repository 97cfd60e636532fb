//! Streams that an application brings itself: whatever they do when they are read, written or dropped, nobody stands still.

use crate::echo;
use crate::support::{PATH, Polling, Ws, within};
use encke_server::{Server, ServerBuilder};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Tells everybody what becomes of it, and writes only when it has been asked often to flush.
struct Noisy {
    stream: TcpStream,
    server: Server,
    held: Vec<u8>,
    asked: u8,
}

impl Noisy {
    fn tell(&self, name: &str) {
        self.server.namespace("/").expect("there").everybody().emit_named(name, &());
    }
}

impl AsyncRead for Noisy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.tell("noisy-read");
        }
        polled
    }
}

impl AsyncWrite for Noisy {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Else there is no end of it.
        if !bytes.windows(5).any(|word| word == b"noisy") {
            self.tell("noisy-write");
        }
        self.held.extend_from_slice(bytes);
        self.asked = 0;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, held, asked, .. } = self.get_mut();
        if *asked < 9 {
            *asked += 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while !held.is_empty() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, held))?;
            held.drain(..count);
        }
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        self.tell("noisy-drop");
    }
}

struct Listener {
    tcp: TcpListener,
    server: Server,
}

impl axum::serve::Listener for Listener {
    type Io = Noisy;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Noisy, SocketAddr) {
        let (stream, address) = self.tcp.accept().await.expect("a client");
        (Noisy { stream, server: self.server.clone(), held: Vec::new(), asked: 0 }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn start(builder: ServerBuilder) -> SocketAddr {
    let server = builder.build();
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = tcp.local_addr().expect("bound");
    let router = server.router();
    tokio::spawn(async move { axum::serve(Listener { tcp, server }, router).await });
    address
}

/// Runs a test in threads of its own: one that stands still for ever is seen, and takes only those with it.
fn unless_stuck(test: impl Future<Output = ()> + Send + 'static) {
    let (done, ends) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(test);
        drop(runtime);
        let _ = done.send(());
    });
    ends.recv_timeout(Duration::from_secs(30)).expect("it ends well, and nobody stands still");
}

async fn hear(client: &mut Polling, event: &str) {
    while !within(client.poll()).await.contains(event) {}
}

#[test]
fn a_stream_may_send_to_everybody_when_it_is_read_and_written() {
    unless_stuck(async {
        let address = start(echo()).await;
        let mut witness = Polling::join(address).await;
        let mut client = Ws::join(address).await;
        client.text(r#"421["echo",1]"#).await;
        let mut awaited = vec![r#"42["noisy-read""#, r#"42["noisy-write""#, "431[1]"];
        while !awaited.is_empty() {
            let text = client.next_text().await;
            awaited.retain(|awaited| !text.starts_with(awaited));
        }
        hear(&mut witness, "noisy-write").await;
    });
}

#[test]
fn a_stream_may_send_to_everybody_when_its_upgrade_takes_too_long() {
    unless_stuck(async {
        let address = start(echo().upgrade_timeout(Duration::from_millis(500))).await;
        let mut client = Polling::join(address).await;
        let target = format!("{PATH}&transport=websocket&sid={}", client.sid);
        let _silent = Ws::open(address, &target).await;
        hear(&mut client, "noisy-drop").await;
    });
}

#[test]
fn a_stream_is_flushed_and_may_send_to_everybody_when_its_session_ends() {
    unless_stuck(async {
        let address = start(echo()).await;
        let mut witness = Polling::join(address).await;
        let mut client = Ws::join(address).await;
        client.text("1").await;
        assert_eq!(client.close_code().await, 1000);
        hear(&mut witness, "noisy-drop").await;
    });
}
