//! What becomes of what a handler returns: the ack of its event.

use crate::namespace::{Ack, Args, Arguments, ack};
use encke_protocol::contract::{self, Event, NoAck};
use serde::Serialize;

/// What a handler of the typed event `E` may return: `Result<E::Ack, E::Error>`, or nothing when the event has no ack.
/// Nothing else can implement it.
///
/// ```
/// # use encke_server::Server;
/// # use encke_server::contract::{Event, Never, NoAck, ToServer};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # struct Halve(u32);
/// # #[derive(Serialize, Deserialize)]
/// # struct Wave;
/// impl Event for Halve {
///     // …
/// #     const NAME: &'static str = "halve";
/// #     type Direction = ToServer;
///     type Ack = u32;
///     type Error = String;
/// }
/// impl Event for Wave {
///     // …
/// #     const NAME: &'static str = "wave";
/// #     type Direction = ToServer;
///     type Ack = NoAck;
///     type Error = Never;
/// }
///
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.on(|_socket, Halve(n)| if n % 2 == 0 { Ok(n / 2) } else { Err("odd".to_owned()) });
///     on.on(|_socket, _: Wave| println!("somebody waves"));
/// });
/// ```
pub trait Reply<E: Event>: sealed::Sealed<E> {
    #[doc(hidden)]
    fn reply(self, ack: Ack);
}

impl<E: Event<Ack: contract::Ack>> Reply<E> for Result<E::Ack, E::Error> {
    fn reply(self, ack: Ack) {
        ack.send_result::<E>(&self);
    }
}

impl<E: Event<Ack = NoAck>> Reply<E> for () {
    fn reply(self, ack: Ack) {
        drop(ack);
    }
}

mod sealed {
    pub trait Sealed<E> {}
}

impl<E: Event<Ack: contract::Ack>> sealed::Sealed<E> for Result<E::Ack, E::Error> {}

impl<E: Event<Ack = NoAck>> sealed::Sealed<E> for () {}

/// Answers an event that has no contract: what there is to say, or `{"error": …}`.
pub(super) fn answer<T: Arguments, E: Serialize>(name: &str, result: Result<T, E>, ack: Ack) {
    let sent = match result {
        Ok(args) => ack.send(&args),
        Err(error) => ack.send(&failure(name, &error)),
    };
    if let Err(error) = sent {
        tracing::error!(event = name, %error, "the ack cannot be written as JSON");
    }
}

/// `{"error": …}`, or nothing when that cannot be written.
pub(super) fn failure(name: &str, error: &impl Serialize) -> Args<'static> {
    ack::failure(error).unwrap_or_else(|error| {
        tracing::error!(event = name, %error, "the error cannot be written as JSON");
        Args::default()
    })
}
