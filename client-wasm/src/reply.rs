//! Answers to events of the server.

use crate::args::Arguments;
use crate::driver::Driver;
use crate::{Args, client};
use encke_protocol::client::{ReplyTo, SocketId};
use encke_protocol::contract::{self, Event, NoAck};
use encke_protocol::json;
use std::cell::Cell;
use std::rc::{Rc, Weak};

/// What a handler of the typed event `E` may return: `Result<E::Ack, E::Error>`, or nothing when the event has no ack.
#[diagnostic::on_unimplemented(
    message = "a handler of `{E}` cannot return `{Self}`",
    label = "an event with an ack is answered by `Result<E::Ack, E::Error>`, one without by `()`"
)]
pub trait Reply<E: Event> {
    #[doc(hidden)]
    fn reply(self, ack: &Ack);
}

impl<E: Event<Ack = NoAck>> Reply<E> for () {
    fn reply(self, _: &Ack) {}
}

impl<E: Event<Ack: contract::Ack>> Reply<E> for Result<E::Ack, E::Error> {
    fn reply(self, ack: &Ack) {
        if !ack.is_wanted() {
            return;
        }
        let text = match self {
            Ok(answer) => json::to_string(&answer),
            Err(error) => json::to_string(&error).map(failure),
        };
        // What cannot be written leaves the ack to its drop, which answers without arguments.
        if let Ok(text) = text {
            ack.answer(Args::from_text(text));
        }
    }
}

/// `{"error": …}`
fn failure(error: String) -> String {
    let mut text = String::from("{\"error\":");
    text.push_str(&error);
    text.push('}');
    text
}

/// The ack of an event that the server has sent. It may be kept and answered later; the first answer of all clones and all
/// handlers counts. When the last clone is dropped unanswered, it answers without arguments, so that no server waits for ever.
#[derive(Clone)]
pub struct Ack(Option<Rc<Wanted>>);

struct Wanted {
    driver: Weak<Driver>,
    socket: SocketId,
    to: Cell<Option<ReplyTo>>,
}

impl Ack {
    pub(crate) fn new(driver: &Weak<Driver>, socket: SocketId, to: Option<ReplyTo>) -> Self {
        let wanted = |to| Wanted { driver: driver.clone(), socket, to: Cell::new(Some(to)) };
        Self(to.map(|to| Rc::new(wanted(to))))
    }

    /// Whether the server waits for it.
    pub fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|wanted| wanted.to.get().is_some())
    }

    /// Answers. Nothing happens when the server does not want an answer, has one already, or the socket has been
    /// disconnected since.
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON.
    pub fn send(&self, args: &(impl Arguments + ?Sized)) -> Result<(), json::Error> {
        args.to_args().map(|args| self.answer(args))
    }

    fn answer(&self, args: Args) {
        if let Some(wanted) = &self.0 {
            wanted.answer(args);
        }
    }
}

impl Wanted {
    fn answer(&self, args: Args) {
        if let (Some(to), Some(driver)) = (self.to.take(), self.driver.upgrade()) {
            client::reply(&driver, self.socket, to, args);
        }
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.answer(Args::default());
    }
}
