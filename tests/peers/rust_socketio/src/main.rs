//! The Rust client rust_socketio: `rust-socketio-peer URL FEATURE` tries one feature of the matrix and fails if anything is not as
//! with the official server.
//!
//! An event without arguments is none to it: it takes the name for an argument of `message`.

mod features;

use rust_socketio::client::Client;
use rust_socketio::{ClientBuilder, Event, Payload, TransportType};
use serde_json::Value;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(feature)) = (arguments.next(), arguments.next()) else { panic!("URL FEATURE") };
    features::run(&url, &feature);
    // Its threads go on.
    std::process::exit(0);
}

/// How a [`Talk`] begins.
struct Options<'a> {
    url: &'a str,
    transport: TransportType,
    namespace: &'a str,
    path: &'a str,
    auth: Option<Value>,
    reconnect: bool,
}

impl<'a> Options<'a> {
    fn over(url: &'a str, transport: TransportType) -> Self {
        Self { url, transport, namespace: "/", path: "/socket.io/", auth: None, reconnect: false }
    }

    fn within(self, namespace: &'a str) -> Self {
        Self { namespace, ..self }
    }
}

/// A client whose events are heard one after the other. It is dropped without a goodbye.
struct Talk {
    client: Client,
    heard: Receiver<(String, Payload)>,
}

impl Talk {
    /// Connects, and waits until the client is in its namespace.
    fn join(options: Options<'_>) -> Self {
        let talk = Self::knock(options);
        talk.next("open");
        talk
    }

    fn knock(options: Options<'_>) -> Self {
        let (sender, heard) = channel();
        let mut builder = ClientBuilder::new(format!("{}{}", options.url, options.path))
            .namespace(options.namespace)
            .transport_type(options.transport)
            .reconnect(options.reconnect)
            .reconnect_on_disconnect(options.reconnect)
            .reconnect_delay(20, 50);
        if let Some(auth) = options.auth {
            builder = builder.auth(auth);
        }
        for event in [Event::Connect, Event::Close, Event::Error] {
            let sender: Sender<_> = sender.clone();
            let name = String::from(event.clone());
            // Whoever does not listen any more has heard enough.
            builder = builder.on(event, move |payload, _| drop(sender.send((name.clone(), payload))));
        }
        let client = builder.on_any(move |event, payload, _| drop(sender.send((event.into(), payload))));
        Self { client: client.connect().expect("it connects"), heard }
    }

    /// The arguments of the next event of that name; others are passed over.
    fn next(&self, name: &str) -> Payload {
        loop {
            let (event, payload) = self.heard.recv_timeout(PATIENCE).expect("an event comes");
            if event == name {
                return payload;
            }
        }
    }

    fn emit(&self, name: &str, payload: impl Into<Payload>) {
        self.client.emit(name, payload).expect("it can be sent");
    }

    /// The arguments of the answer.
    fn ask(&self, name: &str, arguments: Vec<Value>) -> Vec<Value> {
        let (sender, answer) = channel();
        let tell = move |payload, _| drop(sender.send(payload));
        self.client.emit_with_ack(name, arguments, PATIENCE, tell).expect("it can be sent");
        match values(answer.recv_timeout(PATIENCE).expect("an answer comes")).as_slice() {
            // It takes the list of arguments for the one argument.
            [Value::Array(arguments)] => arguments.clone(),
            other => panic!("an answer is a list: {other:?}"),
        }
    }
}

fn values(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(values) => values,
        other => panic!("these are no values: {other:?}"),
    }
}

fn bytes(payload: Payload) -> Vec<u8> {
    match payload {
        Payload::Binary(bytes) => bytes.to_vec(),
        other => panic!("these are no bytes: {other:?}"),
    }
}
