//! An Engine.IO client that does exactly what a test says, right or wrong, request by request.

use crate::program::GUARD;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

/// What a request was answered with.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The answer a refusal of the error table has.
    pub fn refusal(status: u16, code: u8, message: &str) -> Self {
        Self { status, body: format!(r#"{{"code":{code},"message":"{message}"}}"#) }
    }

    /// `ok` to a POST.
    pub fn ok() -> Self {
        Self { status: 200, body: "ok".to_owned() }
    }
}

/// A polling session.
#[derive(Clone, Debug)]
pub struct Polling {
    http: Client,
    endpoint: String,
    /// The session's id.
    pub sid: String,
}

/// The endpoint of a server.
pub fn endpoint(server: &str) -> String {
    format!("{server}/socket.io/")
}

/// An HTTP client whose requests end.
pub fn http() -> Client {
    Client::builder().timeout(GUARD).no_proxy().build().expect("an HTTP client can be made")
}

/// The status and body of an answer.
pub async fn answer(response: Response) -> Answer {
    let status = response.status().as_u16();
    Answer { status, body: response.text().await.expect("the body is text") }
}

/// GET of the endpoint with that query.
pub async fn get(server: &str, query: &str) -> Answer {
    let url = format!("{}?{query}", endpoint(server));
    answer(http().get(url).send().await.expect("the server answers")).await
}

impl Polling {
    /// Opens a session.
    pub async fn open(server: &str) -> Self {
        let (session, _) = Self::open_with_handshake(server).await;
        session
    }

    /// Opens a session; the handshake too.
    pub async fn open_with_handshake(server: &str) -> (Self, Value) {
        Self::open_at(endpoint(server)).await
    }

    /// As [`Self::open_with_handshake`], at any endpoint.
    pub async fn open_at(endpoint: String) -> (Self, Value) {
        let http = http();
        let response = http.get(format!("{endpoint}?EIO=4&transport=polling")).send().await;
        let response = response.expect("the server answers");
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.text().await.expect("the handshake is text");
        let handshake: Value = serde_json::from_str(&body[1..]).expect("the handshake is JSON");
        let sid = handshake["sid"].as_str().expect("a session has an id").to_owned();
        (Self { http, endpoint, sid }, handshake)
    }

    /// Opens a session and joins the main namespace.
    pub async fn join(server: &str) -> Self {
        let session = Self::open(server).await;
        assert_eq!(session.post("40").await, Answer::ok());
        let connected = session.poll().await;
        assert!(connected.body.starts_with("40{\"sid\":"), "{connected:?}");
        session
    }

    /// The URL of its requests.
    pub fn url(&self) -> String {
        format!("{}?EIO=4&transport=polling&sid={}", self.endpoint, self.sid)
    }

    /// A GET that waits for packets.
    pub async fn poll(&self) -> Answer {
        answer(self.http.get(self.url()).send().await.expect("the poll is answered")).await
    }

    /// A GET in the background.
    pub fn start_poll(&self) -> tokio::task::JoinHandle<Answer> {
        let session = self.clone();
        tokio::spawn(async move { session.poll().await })
    }

    /// A POST of packets.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.http.post(self.url()).body(body).send().await.expect("the post is answered")).await
    }

    /// Polls until a packet comes that `wanted` takes. Heartbeats are answered on the way.
    pub async fn poll_for(&self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let answer = self.poll().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            for packet in answer.body.split('\u{1e}') {
                if wanted(packet) {
                    return packet.to_owned();
                }
                if packet == "2" {
                    assert_eq!(self.post("3").await, Answer::ok());
                }
            }
        }
    }
}
