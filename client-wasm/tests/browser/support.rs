//! What the browser tests are written with: the address of the real server, and values that are awaited instead of slept for.

use encke_client_wasm::{Backoff, Builder, Client, Guard, State, Transport};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Poll, Waker};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

#[path = "../../../tests/src/contract.rs"]
pub mod contract;

/// All transports; each test that is about none of them runs over all.
pub const EACH: [Transport; 3] = [Transport::WebSocket, Transport::Polling, Transport::Jsonp];

/// The program `peer` of encke-tests. `cargo xtask test` starts it and says where.
pub fn server() -> &'static str {
    match option_env!("ENCKE_TEST_SERVER") {
        Some(url) => url,
        None => panic!("ENCKE_TEST_SERVER must be set when the tests are compiled, as cargo xtask test does"),
    }
}

/// Where nothing listens: at the peer's port, but at another address of this machine.
pub fn nobody() -> String {
    server().replace("127.0.0.1", "127.0.0.2")
}

/// A client of that server that is in no hurry for anything but the next attempt, and knows nothing of earlier ones.
pub fn client() -> Builder {
    storage().clear().expect("it can be cleared");
    Client::builder(server()).backoff(Backoff { min: 10, max: 50, jitter: 50 })
}

/// A client that can use only that transport.
pub fn client_over(transport: Transport) -> Builder {
    client().transports(&[transport])
}

/// Where clients keep what they have found out.
pub fn storage() -> web_sys::Storage {
    let window = web_sys::window().expect("the tests run in a page");
    window.session_storage().expect("it is allowed").expect("it is there")
}

/// Waits until that is true, of what nobody tells.
pub async fn until(is_true: impl Fn() -> bool) {
    while !is_true() {
        let (inbox, window) = (Inbox::new(), web_sys::window().expect("the tests run in a page"));
        let slot = inbox.slot();
        let again = Closure::once_into_js(move || slot(()));
        window.set_timeout_with_callback(again.unchecked_ref()).expect("there are timers");
        inbox.next().await;
    }
}

/// Values from callbacks, to be awaited one by one. The test runner's time limit is the guard against waiting for ever.
pub struct Inbox<T>(Rc<RefCell<Letters<T>>>);

struct Letters<T> {
    values: VecDeque<T>,
    waker: Option<Waker>,
}

impl<T: 'static> Inbox<T> {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(Letters { values: VecDeque::new(), waker: None })))
    }

    /// A callback that puts what it is given into the inbox.
    pub fn slot(&self) -> impl Fn(T) + 'static {
        let letters = self.0.clone();
        move |value| {
            letters.borrow_mut().values.push_back(value);
            let waker = letters.borrow_mut().waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// The next value.
    pub async fn next(&self) -> T {
        std::future::poll_fn(|context| {
            let mut letters = self.0.borrow_mut();
            match letters.values.pop_front() {
                Some(value) => Poll::Ready(value),
                None => {
                    letters.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Waits for a value that fits; those before it are passed over.
    pub async fn until(&self, fits: impl Fn(&T) -> bool) -> T {
        loop {
            let value = self.next().await;
            if fits(&value) {
                return value;
            }
        }
    }

    /// Whether nothing is in it now.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().values.is_empty()
    }
}

/// The states of that client from now on.
pub fn states(client: &Client) -> (Inbox<State>, Guard) {
    let inbox = Inbox::new();
    let slot = inbox.slot();
    let guard = client.on_state(move |state| slot(state.clone()));
    (inbox, guard)
}

/// Waits until the client is connected over that transport.
pub async fn connected_over(states: &Inbox<State>, transport: Transport) {
    states.until(|state| is_connected_over(state, transport)).await;
}

/// Whether that transport carries the client.
pub fn is_connected_over(state: &State, over: Transport) -> bool {
    matches!(state, State::Connected { transport, .. } if *transport == over)
}

/// Lets something happen to the page.
pub fn tell_page(name: &str) {
    let window = web_sys::window().expect("the tests run in a page");
    let event = web_sys::Event::new(name).expect("an event can be made");
    window.dispatch_event(&event).expect("it is heard");
}

/// Calls `act` for each error that nobody has caught, while what it returns lives.
pub fn on_page_error(act: impl Fn() + 'static) -> impl Sized {
    struct Listening(Closure<dyn Fn()>);

    impl Drop for Listening {
        fn drop(&mut self) {
            let window = web_sys::window().expect("the tests run in a page");
            let listener = self.0.as_ref().unchecked_ref();
            window.remove_event_listener_with_callback("error", listener).expect("it was there");
        }
    }

    let window = web_sys::window().expect("the tests run in a page");
    let listener = Closure::new(act);
    window.add_event_listener_with_callback("error", listener.as_ref().unchecked_ref()).expect("it is heard");
    Listening(listener)
}
