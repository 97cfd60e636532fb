//! What an application keeps with its sockets: values of each client, and what is common to the whole server.

use super::Socket;
use std::any::{Any, type_name};
use std::sync::Arc;

/// A value of the application, found by its type.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

impl Socket {
    /// Keeps a value of the application with the socket, one of each type; gives back the one it replaces. Best given
    /// where the client is admitted, so that all handlers find it.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # use std::sync::atomic::{AtomicU32, Ordering};
    /// #[derive(Default)]
    /// struct Count(AtomicU32);
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.admit(|socket, _auth| {
    ///         socket.set(Count::default());
    ///         Ok(())
    ///     });
    ///     on.on_call("count", |socket, _args| {
    ///         let count = socket.find::<Count>().ok_or("not admitted")?;
    ///         Ok::<_, &str>(count.0.fetch_add(1, Ordering::Relaxed))
    ///     });
    /// });
    /// ```
    pub fn set<T: Any + Send + Sync>(&self, value: T) -> Option<Arc<T>> {
        let value: Value = Arc::new(value);
        let mut state = crate::lock(&self.inner.state);
        let old = state.values.iter_mut().find(|old| (***old).is::<T>());
        let Some(old) = old else {
            state.values.push(value);
            return None;
        };
        std::mem::replace(old, value).downcast().ok()
    }

    /// The value of that type, if one was [`Self::set`].
    ///
    /// ```
    /// # use encke_server::Server;
    /// struct Name(String);
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_call("who am I", |socket, _args| {
    ///         let name = socket.find::<Name>().ok_or("nobody")?;
    ///         Ok::<_, &str>(name.0.clone())
    ///     });
    /// });
    /// ```
    pub fn find<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let state = crate::lock(&self.inner.state);
        let value = state.values.iter().find(|value| (***value).is::<T>())?;
        value.clone().downcast().ok()
    }

    /// What the application has given to the server by [`ServerBuilder::state`](crate::ServerBuilder::state).
    ///
    /// ```
    /// # use encke_server::Server;
    /// struct Motto(&'static str);
    ///
    /// # let _ =
    /// Server::builder().state(Motto("be brief")).namespace("/", |on| {
    ///     on.on_connect(|socket| {
    ///         socket.emit_named("motto", &socket.state::<Motto>().0).expect("text can be written");
    ///     });
    /// });
    /// ```
    ///
    /// # Panics
    /// When nothing of that type was given.
    pub fn state<T: Any>(&self) -> &T {
        let values = &self.inner.namespace.settings.state;
        let value = values.iter().find_map(|value| value.downcast_ref());
        value.unwrap_or_else(|| panic!("the server was given no state of the type {}", type_name::<T>()))
    }
}
