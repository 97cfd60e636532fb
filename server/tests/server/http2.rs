//! HTTP/2, without TLS by prior knowledge: polling, and WebSockets as streams of a connection (RFC 8441).

use crate::echo;
use crate::support::{Ws, sid_in, start, within};
use encke_server::{CloseReason, DisconnectReason, Server};
use h2::client::{ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream};
use hyper::{Method, Request, StatusCode};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

type Bytes = hyper::body::Bytes;

/// One connection for all that it asks.
#[derive(Clone)]
struct Client(SendRequest<Bytes>);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a server");
        let (requests, connection) = h2::client::handshake(stream).await.expect("it speaks HTTP/2");
        tokio::spawn(connection);
        Self(requests)
    }

    /// Sends a request of a page of that origin, if any.
    async fn send(
        &self,
        method: Method,
        query: &str,
        origin: Option<&str>,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let uri = format!("http://server/socket.io/?EIO=4&{query}");
        let mut request = Request::builder().uri(uri).header("sec-websocket-version", "13");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let mut requests = self.0.clone().ready().await.expect("the connection lives");
        let ends = method == Method::GET;
        if method == Method::CONNECT {
            request = request.extension(Protocol::from_static("websocket"));
            // Said with the server's first settings, which may still be on their way.
            while !requests.is_extended_connect_protocol_enabled() {
                self.request(Method::GET, "transport=none", "").await;
            }
        }
        let request = request.method(method).body(()).expect("a request");
        requests.send_request(request, ends).expect("sent")
    }

    async fn request(&self, method: Method, query: &str, body: &str) -> (StatusCode, String) {
        let (response, mut upload) = Box::pin(self.send(method.clone(), query, None)).await;
        if method != Method::GET {
            upload.send_data(Bytes::copy_from_slice(body.as_bytes()), true).expect("sent");
        }
        let response = within(response).await.expect("an answer");
        let status = response.status();
        (status, read(response.into_body()).await)
    }

    async fn open(&self) -> String {
        let (status, opened) = self.request(Method::GET, "transport=polling", "").await;
        assert_eq!(status, StatusCode::OK);
        format!("transport=polling&sid={}", sid_in(&opened))
    }

    async fn websocket(&self, query: &str) -> Ws<DuplexStream> {
        let (response, upload) = self.send(Method::CONNECT, query, None).await;
        let response = within(response).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        // More than a test sends: what nobody reads would hold up the connection's other streams.
        let (near, far) = tokio::io::duplex(1024 * 1024);
        tokio::spawn(pump(response.into_body(), upload, far));
        Ws(near)
    }
}

async fn read(mut body: RecvStream) -> String {
    let mut text = Vec::new();
    while let Some(bytes) = within(body.data()).await {
        let bytes = bytes.expect("the body is whole");
        body.flow_control().release_capacity(bytes.len()).expect("as much as came");
        text.extend_from_slice(&bytes);
    }
    String::from_utf8(text).expect("text")
}

/// Carries what a stream brings to `far`, and the other way, until one of them ends.
async fn pump(mut download: RecvStream, mut upload: SendStream<Bytes>, far: DuplexStream) {
    let (mut reader, mut writer) = tokio::io::split(far);
    let down = async {
        while let Some(Ok(bytes)) = download.data().await {
            let _ = download.flow_control().release_capacity(bytes.len());
            if writer.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = writer.shutdown().await;
    };
    let up = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = reader.read(&mut buffer).await {
            let _ = upload.send_data(Bytes::copy_from_slice(&buffer[..count]), false);
        }
        let _ = upload.send_data(Bytes::new(), true);
    };
    tokio::join!(down, up);
}

#[tokio::test]
async fn a_client_polls_over_one_connection() {
    let running = start(echo()).await;
    let client = Client::connect(running.address).await;
    let session = client.open().await;
    let poll = client.request(Method::GET, &session, "");
    let post = client.request(Method::POST, &session, "40");
    let ((_, joined), (_, posted)) = tokio::join!(poll, post);
    assert!(joined.starts_with(r#"40{"sid":"#), "{joined}");
    assert_eq!(posted, "ok");
    client.request(Method::POST, &session, r#"421["echo","ä"]"#).await;
    assert_eq!(client.request(Method::GET, &session, "").await.1, r#"431["ä"]"#);
    let refused = client.request(Method::GET, "transport=pigeon", "").await;
    assert_eq!(refused, (StatusCode::BAD_REQUEST, r#"{"code":0,"message":"Transport unknown"}"#.to_owned()));
}

#[tokio::test]
async fn a_poll_that_is_reset_ends_the_session() {
    let (sender, mut reasons) = mpsc::unbounded_channel();
    let running = start(Server::builder().namespace("/", |on| {
        on.on_disconnect(move |_socket, reason| sender.send(reason).expect("the test listens"));
    }))
    .await;
    let client = Client::connect(running.address).await;
    let session = client.open().await;
    client.request(Method::POST, &session, "40").await;
    assert!(client.request(Method::GET, &session, "").await.1.starts_with("40"));
    let (_response, mut poll) = client.send(Method::GET, &session, None).await;
    // Answered behind the poll's beginning, on the same connection.
    assert_eq!(client.request(Method::POST, &session, "6").await.1, "ok");
    poll.send_reset(Reason::CANCEL);
    let reason = within(reasons.recv()).await;
    assert_eq!(reason, Some(DisconnectReason::Session(CloseReason::TransportError)));
    let (status, unknown) = client.request(Method::GET, &session, "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(unknown.contains("Session ID unknown"), "the connection goes on: {unknown}");
}

#[tokio::test]
async fn a_websocket_is_a_stream_among_others() {
    let running = start(echo()).await;
    let client = Client::connect(running.address).await;
    let mut first = client.websocket("transport=websocket").await.enter().await;
    let mut second = client.websocket("transport=websocket").await.enter().await;
    let long = "x".repeat(200_000);
    for ws in [&mut first, &mut second] {
        ws.text(&format!(r#"421["echo","{long}"]"#)).await;
    }
    for ws in [&mut second, &mut first] {
        assert_eq!(ws.next_text().await, format!(r#"431["{long}"]"#));
    }
    first.text(r#"42["chat","to the other"]"#).await;
    assert_eq!(second.next_text().await, r#"42["chat","to the other"]"#);
    first.raw(&crate::support::masked(0x88, &[0x03, 0xE8])).await;
    assert_eq!(first.close_code().await, 1000);
    second.text(r#"422["echo",2]"#).await;
    assert_eq!(second.next_text().await, "432[2]");
}

#[tokio::test]
async fn polling_changes_to_a_websocket_of_the_same_connection() {
    let running = start(echo()).await;
    let client = Client::connect(running.address).await;
    let session = client.open().await;
    client.request(Method::POST, &session, "40").await;
    client.request(Method::GET, &session, "").await;
    let mut ws = client.websocket(&session.replace("polling", "websocket")).await;
    ws.text("2probe").await;
    assert_eq!(ws.next_text().await, "3probe");
    ws.text("5").await;
    ws.text(r#"421["echo",1]"#).await;
    assert_eq!(ws.next_text().await, "431[1]");
}

#[tokio::test]
async fn pages_are_judged_by_the_host_that_the_address_names() {
    let running = start(echo()).await;
    let client = Client::connect(running.address).await;
    for (origin, polls, connects) in [
        ("http://server", StatusCode::OK, StatusCode::OK),
        ("http://evil", StatusCode::FORBIDDEN, StatusCode::FORBIDDEN),
    ] {
        let (poll, _) = client.send(Method::GET, "transport=polling", Some(origin)).await;
        assert_eq!(within(poll).await.expect("an answer").status(), polls, "{origin}");
        let (connect, _upload) = client.send(Method::CONNECT, "transport=websocket", Some(origin)).await;
        assert_eq!(within(connect).await.expect("an answer").status(), connects, "{origin}");
    }
}

#[tokio::test]
async fn a_websocket_whose_stream_is_reset_is_gone() {
    let (sender, mut reasons) = mpsc::unbounded_channel();
    let running = start(Server::builder().namespace("/", |on| {
        on.on_disconnect(move |_socket, reason| sender.send(reason).expect("the test listens"));
    }))
    .await;
    let client = Client::connect(running.address).await;
    let (response, mut upload) = client.send(Method::CONNECT, "transport=websocket", None).await;
    let mut download = within(response).await.expect("an answer").into_body();
    upload.send_data(crate::support::masked(0x81, b"40").into(), false).expect("sent");
    let mut heard = Vec::new();
    // The end of the answer to its asking to enter.
    while !heard.ends_with(br#""}"#) {
        heard.extend_from_slice(&within(download.data()).await.expect("more").expect("bytes"));
    }
    upload.send_reset(Reason::CANCEL);
    assert!(matches!(within(reasons.recv()).await, Some(DisconnectReason::Session(_))));
}
