//! What becomes of something that was sent to many.
//!
//! Owns the difference between an emit that somebody else has yet to accept and one that is done when it returns. Sends
//! nothing itself.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Something that was sent to many, or that many were made to do: it is on its way since the call, also if this is never
/// polled. Resolves when it has been accepted: as long as all is in one process, at once. Dropped before that, an error is
/// logged.
///
/// ```
/// # async fn handler(socket: encke_server::Socket) -> Result<(), encke_server::EmitError> {
/// socket.broadcast().emit_named("news", &"whether it is accepted or not");
/// socket.broadcast().emit_named("news", &"known to be accepted").await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Emission {
    failed: Option<Box<Failed>>,
}

#[derive(Debug)]
struct Failed {
    event: Box<str>,
    error: EmitError,
}

/// Why something that was sent to many was not accepted.
///
/// ```
/// # use encke_server::EmitError;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
/// # let namespace = server.namespace("/").expect("it is always there");
/// let unwritable = std::collections::HashMap::from([([47, 11], "a list is no key in JSON")]);
/// let told = namespace.everybody().emit_named("map", &unwritable).await;
/// assert!(matches!(told, Err(EmitError::Unwritable(_))));
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum EmitError {
    /// The event cannot be written as JSON; nobody was sent anything.
    Unwritable(serde_json::Error),
}

/// What an emit to many gives: an [`Emission`], or, where nothing remains to be accepted, the result at once.
///
/// ```
/// # use encke_server::{Broadcast, Outcome};
/// fn greet<O: Outcome>(whom: &Broadcast<O>) -> O {
///     whom.emit_named("hello", &())
/// }
/// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
/// # let namespace = server.namespace("/").expect("it is always there");
/// greet(&namespace.to("red"));
/// assert!(greet(&namespace.to("red").volatile()).is_ok());
/// ```
pub trait Outcome: sealed::Outcome {}

impl<T: sealed::Outcome> Outcome for T {}

pub(super) mod sealed {
    pub trait Outcome {
        fn of(event: &str, result: Result<(), serde_json::Error>) -> Self;
    }
}

impl sealed::Outcome for Result<(), serde_json::Error> {
    fn of(_event: &str, result: Self) -> Self {
        result
    }
}

impl sealed::Outcome for Emission {
    fn of(event: &str, result: Result<(), serde_json::Error>) -> Self {
        let failed = |error| Box::new(Failed { event: event.into(), error: EmitError::Unwritable(error) });
        Self { failed: result.err().map(failed) }
    }
}

impl Future for Emission {
    type Output = Result<(), EmitError>;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.failed.take().map_or(Ok(()), |failed| Err(failed.error)))
    }
}

impl Drop for Emission {
    fn drop(&mut self) {
        if let Some(failed) = self.failed.take() {
            tracing::error!(event = &*failed.event, error = %failed.error, "an event to many was not accepted");
        }
    }
}

impl std::fmt::Display for EmitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unwritable(error) => write!(f, "the event cannot be written as JSON: {error}"),
        }
    }
}

impl std::error::Error for EmitError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::{Handlers, Namespace};
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tracing::span;

    /// Counts errors that are logged.
    struct Errors(Arc<AtomicUsize>);

    impl tracing::Subscriber for Errors {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() == tracing::Level::ERROR
        }
        fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
        fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
        fn event(&self, _event: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _span: &span::Id) {}
        fn exit(&self, _span: &span::Id) {}
    }

    #[tokio::test]
    async fn an_event_that_cannot_be_written_is_told_to_whoever_waits_and_logged_otherwise() {
        let logged = Arc::new(AtomicUsize::new(0));
        let _guard = tracing::subscriber::set_default(Errors(logged.clone()));
        let namespace = Namespace::on_trial(Handlers::default());
        let unwritable = HashMap::from([((), 1)]);
        let told = namespace.everybody().emit_named("n", &unwritable).await;
        assert!(matches!(told, Err(EmitError::Unwritable(_))), "{told:?}");
        assert!(namespace.everybody().volatile().emit_named("n", &unwritable).is_err());
        namespace.everybody().emit_named("n", &1);
        assert_eq!(logged.load(Ordering::Relaxed), 0);
        namespace.everybody().emit_named("n", &unwritable);
        assert_eq!(logged.load(Ordering::Relaxed), 1);
    }
}
