//! What waits for an ack: a callback, or the sending half of a future.

use crate::driver::Driver;
use crate::{AckError, Args};
use encke_protocol::client::{AckFailure, SocketId};
use encke_protocol::contract::{self, Event};
use encke_protocol::json;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

/// An answer, or why there is none.
pub(crate) type Answer = Result<Args, AckFailure>;

/// What the core keeps until an ack has ended.
pub(crate) struct Waiter {
    /// Names it, so that it can be given up.
    pub(crate) key: u32,
    pub(crate) then: Box<dyn FnOnce(Answer)>,
}

/// The ack of a typed event.
pub(crate) fn typed<E: Event<Ack: contract::Ack>>(answer: Answer) -> Result<E::Ack, AckError<E::Error>> {
    let args = answer.map_err(AckError::failed)?;
    match answer_in(&args).ok_or(AckError::Malformed)? {
        Ok(ack) => json::from_str(ack).map_err(|_| AckError::Malformed),
        Err(error) => Err(json::from_str(error).map_or(AckError::Malformed, AckError::Refused)),
    }
}

/// The JSON of the ack or of the error.
fn answer_in(args: &Args) -> Option<Result<&str, &str>> {
    // Answered without arguments is not answered: it must not be taken for `null`, which an `Option` or `()` is.
    let first = args.iter().next()?;
    Some(contract::error_in(first).map_or(Ok(first), Err))
}

/// The ack of an event that was emitted by name.
pub(crate) fn untyped(answer: Answer) -> Result<Args, AckError> {
    answer.map_err(AckError::failed)
}

/// Waits for an ack. It always ends. Dropping it gives the ack up: an event that is still queued is not sent any more.
///
/// The event was emitted when this was made, not when it is first polled.
#[must_use = "dropping it gives the ack up"]
pub struct AckFuture<T> {
    place: Rc<RefCell<Place>>,
    decode: fn(Answer) -> T,
    driver: Weak<Driver>,
    socket: SocketId,
    key: u32,
}

/// Where the answer is put for the future.
enum Place {
    Empty(Option<Waker>),
    Full(Answer),
    Done,
}

impl<T> AckFuture<T> {
    /// The future, and what has to be given the answer.
    pub(crate) fn new(
        driver: &Rc<Driver>,
        socket: SocketId,
        key: u32,
        decode: fn(Answer) -> T,
    ) -> (Self, Box<dyn FnOnce(Answer)>) {
        let place = Rc::new(RefCell::new(Place::Empty(None)));
        let sender = Sender(Some(place.clone()));
        let future = Self { place, decode, driver: Rc::downgrade(driver), socket, key };
        (future, Box::new(move |answer| sender.send(answer)))
    }
}

impl<T> Future for AckFuture<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match self.place.replace(Place::Done) {
            Place::Full(answer) => Poll::Ready((self.decode)(answer)),
            Place::Empty(_) => {
                self.place.replace(Place::Empty(Some(context.waker().clone())));
                Poll::Pending
            }
            // Polled again after its end, which no executor does.
            Place::Done => Poll::Pending,
        }
    }
}

impl<T> Drop for AckFuture<T> {
    fn drop(&mut self) {
        // Giving up drops the sender, which has to find the place free.
        if let Place::Empty(_) = self.place.replace(Place::Done)
            && let Some(driver) = self.driver.upgrade()
        {
            driver.give_up(self.socket, self.key);
        }
    }
}

struct Sender(Option<Rc<RefCell<Place>>>);

impl Sender {
    fn send(mut self, answer: Answer) {
        self.put(answer);
    }

    fn put(&mut self, answer: Answer) {
        if let Some(place) = self.0.take()
            && let Place::Empty(Some(waker)) = place.replace(Place::Full(answer))
        {
            waker.wake();
        }
    }
}

impl Drop for Sender {
    /// The client itself is gone.
    fn drop(&mut self) {
        self.put(Err(AckFailure::Disconnected));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encke_protocol::contract::{Never, ToServer};

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Find;

    impl Event for Find {
        const NAME: &'static str = "find";
        type Direction = ToServer;
        type Ack = Option<u32>;
        type Error = Never;
    }

    fn answered(text: &str) -> Result<Option<u32>, AckError> {
        typed::<Find>(Ok(Args::from_text(text.to_owned())))
    }

    #[test]
    fn an_answer_without_arguments_is_malformed_also_where_null_would_do() {
        assert_eq!(answered(""), Err(AckError::Malformed));
        assert_eq!(answered("null"), Ok(None));
        assert_eq!(answered("7"), Ok(Some(7)));
    }
}
