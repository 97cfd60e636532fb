//! The test suites that the protocols' own repositories publish, as tests of ours: they are in no package registry. They talk
//! to the servers of the example `suite`, which is what those suites ask for.
//!
//! [`engine`] holds the cases that both suites have, each run at both paths; what one has alone stands in [`engine_io`] and
//! [`socket_io`]. Each case ends with what it waits for, not after a time.

mod engine;
mod engine_io;
mod socket_io;

#[expect(dead_code, reason = "started from here and not by its main function")]
#[path = "../../../server/examples/suite.rs"]
mod example;

use encke_server::{Listener, ServerBuilder};
use encke_tests::engine::{Answer, Polling, answer, http};
use encke_tests::frames::Frames;
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;

/// One of the two servers.
#[derive(Debug)]
struct Suite {
    address: String,
    path: &'static str,
}

impl Suite {
    async fn start(server: ServerBuilder, path: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        tokio::spawn(example::serve(Listener::from(listener), server));
        Self { address, path }
    }

    fn target(&self, query: &str) -> String {
        format!("{}?{query}", self.path)
    }

    async fn request(&self, method: Method, query: &str) -> Answer {
        let url = format!("http://{}{}", self.address, self.target(query));
        answer(http().request(method, url).send().await.expect("the server answers")).await
    }

    async fn polling(&self) -> Polling {
        self.polling_with_handshake().await.0
    }

    async fn polling_with_handshake(&self) -> (Polling, Value) {
        Polling::open_at(format!("http://{}{}", self.address, self.path)).await
    }

    /// A WebSocket that has read its handshake.
    async fn websocket(&self) -> Frames {
        self.websocket_with_handshake().await.0
    }

    async fn websocket_with_handshake(&self) -> (Frames, Value) {
        let mut socket = self.try_websocket("EIO=4&transport=websocket").await.expect("it is let in");
        let handshake = socket.read().await;
        let handshake = handshake.text().strip_prefix('0').expect("an open packet comes first");
        let handshake = serde_json::from_str(handshake).expect("the handshake is JSON");
        (socket, handshake)
    }

    /// None when the server does not make it one.
    async fn try_websocket(&self, query: &str) -> Option<Frames> {
        let (stream, head) = Frames::request_at(&self.address, &self.target(query), "").await;
        head.starts_with("HTTP/1.1 101 ").then(|| Frames::over(stream))
    }
}

/// The cases of [`engine`] as tests of the module's own `suite`.
macro_rules! cases_of_both {
    () => {
        super::cases_of_both! {
            polling_opens_a_session, polling_needs_the_right_protocol, polling_needs_a_transport,
            polling_needs_the_right_method, a_websocket_opens_a_session, a_websocket_needs_the_right_protocol,
            a_websocket_needs_a_transport, polling_has_a_heartbeat, who_polls_and_has_no_heartbeat_is_gone,
            a_websocket_has_a_heartbeat, a_websocket_without_heartbeat_is_closed, a_goodbye_ends_polling,
            a_goodbye_ends_a_websocket, polling_changes_to_a_websocket, there_is_no_polling_after_the_change,
            there_is_no_second_websocket_after_the_change
        }
    };
    ($($case:ident),*) => {$(
        #[tokio::test]
        async fn $case() {
            engine::$case(suite().await).await;
        }
    )*};
}
use cases_of_both;
