//! The world outside the page: the connection, timers, storage, chance.
//!
//! [`Outside`] does what [`update`](crate::update) wants done, and tells what comes of it as messages. Decides nothing.

use std::cell::Cell;

use encke_client_wasm::{AckError, Client, Socket, State, WaitReason};
use encke_protocol::chat::{Arrived, Left, Posted, Refused};
use encke_protocol::client::Transport;
use encke_protocol::cut;
use encke_protocol::socket::DisconnectReason;
use wasm_bindgen::prelude::*;
use web_sys::{Storage, Window};

use crate::app::App;
use crate::input;
use crate::model::{Carrier, Link, Trouble};
use crate::update::{Effect, Failed, Msg};

/// Where the name is kept for the next visit.
const NAME: &str = "encke.name";

/// Where the start of this tab's message keys is kept, so that a reload knows its own lines.
const AUTHOR: &str = "encke.author";

/// How long the server may take to answer before a message counts as not sent, in milliseconds.
const ANSWER_MS: u32 = 10_000;

/// A countdown's step.
const TICK_MS: i32 = 1_000;

/// How long screen readers get to pass over the history before the log is live. They take note of changes some frames late.
const SETTLE_MS: i32 = 500;

/// What the page can reach.
pub struct Outside {
    window: Window,
    client: Client,
    socket: Socket,
    /// A server that refuses this page can tell: by a request whose answer a page may read.
    told_refusals: bool,
    /// The running countdown's timer.
    tick: Cell<Option<i32>>,
}

impl Outside {
    /// The outside of a page in that window, whose server is at that origin. Nothing is connected yet.
    pub fn new(window: Window, server: &str) -> Option<Self> {
        let location = window.location();
        let transports = transports(&location.search().ok()?);
        let told_refusals = transports.is_empty() || transports.contains(&Transport::Polling);
        let client = Client::builder(server).transports(&transports).ack_timeout(ANSWER_MS).build();
        let socket = client.socket("/");
        Some(Self { window, client, socket, told_refusals, tick: Cell::new(None) })
    }

    /// Starts to hear the server, and to connect.
    pub fn connect(&'static self, app: &'static App) {
        self.client.on_state(move |_| app.happen(Msg::Link(self.link()))).keep();
        // Entering again on a connection that stayed, being put out, and being refused change no connection.
        self.socket.on_connect(move || app.happen(Msg::Link(self.link()))).keep();
        self.socket
            .on_disconnect(move |reason| {
                if reason == DisconnectReason::ByServer {
                    app.happen(Msg::Link(Link::Out));
                }
            })
            .keep();
        self.socket.on_refused(move |_| app.happen(Msg::Link(Link::Out))).keep();
        self.socket.on(move |event: Posted| app.happen(Msg::Posted(event))).keep();
        self.socket.on(move |event: Arrived| app.happen(Msg::Arrived(event))).keep();
        self.socket.on(move |event: Left| app.happen(Msg::Left(event))).keep();
        self.client.connect();
    }

    /// Does what the update wants done.
    pub fn perform(&self, app: &'static App, effect: Effect) {
        match effect {
            Effect::Join(join) => {
                self.socket.emit_then(&join, move |answer| app.happen(Msg::Joined(answer.map_err(failed))));
            }
            Effect::Say(say) => {
                let key = say.key.clone();
                self.socket.emit_then(&say, move |answer| {
                    app.happen(Msg::Said { key, answer: answer.map_err(failed) })
                });
            }
            Effect::RememberName(name) => keep(self.window.local_storage(), NAME, &name),
            Effect::Tick => {
                if let Some(earlier) = self.tick.take() {
                    self.window.clear_timeout_with_handle(earlier);
                }
                self.tick.set(self.after(TICK_MS, app, Msg::Tick));
            }
            Effect::Settle => {
                self.after(SETTLE_MS, app, Msg::Settled);
            }
            Effect::Reconnect => {
                self.client.connect();
                self.socket.join();
            }
            // A field that cannot take the focus leaves it where it is.
            Effect::FocusComposer => drop(app.page.message.focus()),
            Effect::FocusName => drop(app.page.name.focus()),
            Effect::ClearComposer => {
                app.page.message.set_value("");
                input::fit_composer(app.page);
            }
        }
    }

    /// How the connection is now.
    fn link(&self) -> Link {
        link(&self.client.state(), self.socket.is_connected(), self.told_refusals)
    }

    /// The window.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// This computer's time, milliseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        js_sys::Date::now() as u64
    }

    /// Sixteen hexadecimal digits that nobody guesses or draws twice.
    pub fn random(&self) -> String {
        let mut bytes = [0; 8];
        if let Ok(crypto) = self.window.crypto() {
            // Fails only for more than 65 536 bytes.
            let _ = crypto.get_random_values_with_u8_array(&mut bytes);
        }
        let mut digits = String::new();
        for byte in bytes {
            for half in [byte >> 4, byte & 15] {
                digits.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
            }
        }
        digits
    }

    /// The name of the last visit, or empty.
    pub fn remembered_name(&self) -> String {
        kept(self.window.local_storage(), NAME).unwrap_or_default()
    }

    /// What this tab's message keys start with: the same after a reload.
    pub fn author(&self) -> String {
        let store = || self.window.session_storage();
        kept(store(), AUTHOR).unwrap_or_else(|| {
            let author = self.random();
            keep(store(), AUTHOR, &author);
            author
        })
    }

    fn after(&self, ms: i32, app: &'static App, msg: Msg) -> Option<i32> {
        let then = Closure::once_into_js(move || app.happen(msg));
        self.window.set_timeout_with_callback_and_timeout_and_arguments_0(then.unchecked_ref(), ms).ok()
    }
}

/// Browsers may deny storage; then nothing is remembered, and all else works.
fn kept(store: Result<Option<Storage>, JsValue>, what: &str) -> Option<String> {
    store.ok()??.get_item(what).ok()?
}

fn keep(store: Result<Option<Storage>, JsValue>, what: &str, value: &str) {
    if let Ok(Some(store)) = store {
        // Full, or denied: see `kept`.
        let _ = store.set_item(what, value);
    }
}

/// The transports that the address asks for with `?transport=`, in that order; none if it does not.
fn transports(search: &str) -> Vec<Transport> {
    let mut transports = Vec::new();
    let mut rest = search.strip_prefix("?transport=");
    while let Some(names) = rest {
        let (name, behind) = cut(names, b',');
        rest = behind;
        if let Some(transport) = Transport::from_name(name) {
            transports.push(transport);
        }
    }
    transports
}

/// `inside`: the server has let the page in.
fn link(state: &State, inside: bool, told_refusals: bool) -> Link {
    match state {
        State::Connecting { .. } => Link::Connecting { after: None },
        State::Connected { transport, passed_over } if inside => {
            let mut better = passed_over.iter().copied();
            Link::Connected(Carrier { transport: *transport, passed_over: [better.next(), better.next()] })
        }
        // The client rests once it is out and the connection has ended as well.
        State::Connected { .. } | State::Idle => Link::Out,
        State::Waiting { delay, reason, .. } => Link::Waiting {
            seconds: u32::try_from(delay.div_ceil(1_000)).unwrap_or(u32::MAX),
            trouble: match reason {
                WaitReason::Forbidden => Trouble::Refused,
                WaitReason::Unreachable if !told_refusals => Trouble::Unclear,
                _ => Trouble::Away,
            },
        },
        State::Paused | State::Closed => Link::Closed,
    }
}

fn failed(error: AckError<Refused>) -> Failed {
    match error {
        AckError::Refused(refused) => Failed::Refused(refused),
        AckError::Malformed => Failed::Malformed,
        AckError::Timeout => Failed::NoAnswer,
        AckError::Disconnected => Failed::Disconnected,
        AckError::NotSent(_) => Failed::NotSent,
    }
}
