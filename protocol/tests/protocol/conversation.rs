//! How the conversation tests talk to the machines: one line an input, with what it leads to.

use encke_protocol::Timestamp;
use encke_protocol::engine::{
    self, CloseReason, Data, Handshake, Packet, ProtocolError, Transport, Upgrades,
};

pub const POLLING: Transport = Transport::Polling;
pub const WEBSOCKET: Transport = Transport::WebSocket;

/// The reference server's times, in milliseconds.
pub const PING_INTERVAL: u64 = 25_000;
pub const PING_TIMEOUT: u64 = 20_000;
pub const UPGRADE_TIMEOUT: u64 = 10_000;

pub fn message(text: &str) -> Packet<'_> {
    Packet::Message(Data::Text(text))
}

pub fn handshake(upgrades: Upgrades) -> Handshake {
    Handshake {
        sid: "a".to_owned(),
        upgrades,
        ping_interval: PING_INTERVAL as u32,
        ping_timeout: PING_TIMEOUT as u32,
        max_payload: 1_000_000,
    }
}

macro_rules! conversation {
    ($name:ident, $role:ident) => {
        /// One session, and what its machine has asked for since it was last looked at.
        pub struct $name {
            pub session: engine::$role::Session,
            now: Timestamp,
        }

        impl $name {
            pub fn now(&self) -> u64 {
                self.now.as_millis()
            }

            /// Time goes on to that moment, without a word.
            pub fn at(&mut self, millis: u64) -> &mut Self {
                assert!(millis >= self.now(), "time does not go back");
                self.now = Timestamp::from_millis(millis);
                self
            }

            pub fn hear<'a>(
                &mut self,
                input: engine::$role::Input<'a>,
            ) -> Result<Option<engine::$role::Event<'a>>, ProtocolError> {
                self.session.handle_input(self.now, input)
            }

            /// An input that is no event for the layer above.
            #[track_caller]
            pub fn quietly(&mut self, input: engine::$role::Input<'_>) -> &mut Self {
                assert_eq!(self.hear(input), Ok(None));
                self
            }

            /// An input that ends the session.
            #[track_caller]
            pub fn closes(&mut self, input: engine::$role::Input<'_>, reason: CloseReason) -> &mut Self {
                assert_eq!(self.hear(input), Ok(Some(engine::$role::Event::Closed(reason))));
                self
            }

            /// An input that is refused; nothing comes of it.
            #[track_caller]
            pub fn refuses(&mut self, input: engine::$role::Input<'_>, error: ProtocolError) -> &mut Self {
                let before = format!("{:?}", self.session);
                assert_eq!(self.hear(input), Err(error));
                assert_eq!(format!("{:?}", self.session), before, "what is refused changes nothing");
                self
            }

            /// What the driver is told to do, all of it.
            #[track_caller]
            pub fn asks_for(&mut self, outputs: &[engine::$role::Output]) -> &mut Self {
                let told: Vec<_> = std::iter::from_fn(|| self.session.poll_output()).collect();
                assert_eq!(told, outputs);
                self
            }

            /// The moment at which it next wants to be woken.
            #[track_caller]
            pub fn waits_until(&mut self, millis: u64) -> &mut Self {
                assert_eq!(self.session.next_deadline(), Some(Timestamp::from_millis(millis)));
                self
            }

            /// Which transport takes queued packets, and which carries the session.
            #[track_caller]
            pub fn writes_on(
                &mut self,
                writable: Option<Transport>,
                carried: Option<Transport>,
            ) -> &mut Self {
                assert_eq!((self.session.writable(), self.session.transport()), (writable, carried));
                self
            }

            /// Nothing follows, whatever comes.
            #[track_caller]
            pub fn is_over(&mut self) -> &mut Self {
                assert_eq!(self.session.next_deadline(), None);
                self.writes_on(None, None);
                self.quietly(engine::$role::Input::Timeout);
                self.quietly(engine::$role::Input::Close(CloseReason::ForcedClose));
                self.asks_for(&[])
            }
        }
    };
}

conversation!(Server, server);
conversation!(Client, client);

impl Server {
    pub fn new(transport: Transport) -> Self {
        Self::with(engine::server::Config::default(), transport)
    }

    pub fn with(config: engine::server::Config, transport: Transport) -> Self {
        let now = Timestamp::default();
        Self { session: engine::server::Session::new(now, config, transport), now }
    }
}

impl Client {
    /// A client that has sent its first request.
    pub fn new(transport: Transport) -> Self {
        Self::with(engine::client::Config::default(), transport)
    }

    pub fn with(config: engine::client::Config, transport: Transport) -> Self {
        let now = Timestamp::default();
        let mut client = Self { session: engine::client::Session::new(now, config, transport), now };
        let first = match transport {
            Transport::Polling => engine::client::Output::Poll,
            Transport::WebSocket => engine::client::Output::OpenWebSocket,
        };
        client.asks_for(&[first]);
        client
    }

    /// The server's open packet comes.
    #[track_caller]
    pub fn opens(&mut self, transport: Transport, upgrades: Upgrades) -> &mut Self {
        let handshake = handshake(upgrades);
        let text = handshake.encode();
        let event = self.hear(engine::client::Input::Packet(transport, Packet::Open(&text)));
        assert_eq!(event, Ok(Some(engine::client::Event::Opened(handshake))));
        self
    }
}
