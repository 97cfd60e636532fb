//! What a server answers to right and wrong input, byte by byte.

mod error_table;
mod framing;
mod jsonp;
mod malformed;
mod malformed_msgpack;
mod malformed_v3;
mod origins;
mod polling;
mod stop;
mod upgrade;

use crate::PEER;
use encke_tests::engine::{Answer, Polling};
use encke_tests::program::Program;

/// A server with its usual limits.
async fn server() -> Program {
    Program::start(PEER, &["--listen", "127.0.0.1:0"]).await
}

/// Somebody who minds his own business while others misbehave.
struct Bystander(Polling);

impl Bystander {
    async fn new(server: &Program) -> Self {
        Self(Polling::join(server.url()).await)
    }

    /// Asserts that the server still serves him.
    async fn is_undisturbed(&self) {
        assert_eq!(self.0.post(r#"421["echo","still here"]"#).await, Answer::ok());
        assert_eq!(self.0.poll_for(|packet| packet.starts_with("431")).await, r#"431["still here"]"#);
    }
}
