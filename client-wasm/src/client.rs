//! The client as an application holds it.

use crate::builder::Builder;
use crate::driver::Driver;
use crate::listeners::{Guard, News, Topic};
use crate::{Args, Socket};
use encke_protocol::client::{Config, Input, ReplyTo, SocketId, State};
use std::rc::Rc;

/// A connection to one server, with all its namespaces. Cheap to clone; clones are the same client.
///
/// It reconnects by itself until [`Client::disconnect`]. When the last clone and the last [`Socket`] of it are dropped, it
/// says goodbye to the server and frees everything; a handler that has captured one keeps it alive until its [`Guard`] is
/// dropped.
#[derive(Clone)]
pub struct Client {
    driver: Rc<Driver>,
    ack_timeout: u32,
}

impl Client {
    /// Starts to describe a client of the server at that origin, for example `https://chat.example`. `""` is the server
    /// that the page came from.
    pub fn builder(origin: &str) -> Builder {
        Builder::new(origin)
    }

    pub(crate) fn new(config: Config, ack_timeout: u32) -> Self {
        Self { driver: Driver::new(config), ack_timeout }
    }

    /// The socket in that namespace, `/` being the main one. It joins whenever the client is connected. Asking again for a
    /// namespace gives the same socket.
    pub fn socket(&self, namespace: &str) -> Socket {
        let id = self.driver.ask(|core, _| core.socket(namespace));
        Socket::new(self.driver.clone(), id, self.ack_timeout)
    }

    /// Connects, or tries again at once when the client is waiting for its next attempt.
    pub fn connect(&self) {
        self.input(Input::Connect);
    }

    /// Disconnects for good: tells the server, ends all that waits for an ack, drops what is queued. [`Client::connect`]
    /// is the way back, and then all sockets join again that had not left.
    pub fn disconnect(&self) {
        self.input(Input::Disconnect);
    }

    /// How the connection is.
    pub fn state(&self) -> State {
        self.driver.look(|core| core.state().clone())
    }

    /// Calls `handler` whenever the state has changed.
    pub fn on_state(&self, handler: impl Fn(&State) + 'static) -> Guard {
        let listener = Rc::new(move |news: &News<'_>| {
            if let News::State(state) = news {
                handler(state);
            }
        });
        self.driver.listen(Topic::State, false, listener)
    }

    fn input(&self, input: Input<'_>) {
        self.driver.ask(|core, now| core.handle_input(now, input));
    }
}

pub(crate) fn reply(driver: &Driver, socket: SocketId, to: ReplyTo, args: Args) {
    driver.ask(|core, _| core.reply(socket, to, args.0));
}
