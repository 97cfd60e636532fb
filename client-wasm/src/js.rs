//! What the browser gives to pages and workers alike, so without a `window`: timers, microtasks, beacons, clock, chance.
//!
//! Owns the bindings and the one type of closure that is handed to JavaScript. Each further type would cost the page bytes.

use wasm_bindgen::prelude::*;
use web_sys::{Element, Window};

/// A handler of anything: of a DOM event, or of a timer (then the argument is `undefined`). Dropping it while it runs is
/// allowed: it is freed when it returns.
pub(crate) type Handler = Closure<dyn Fn(JsValue)>;

/// Makes a handler.
pub(crate) fn handler(act: impl Fn(JsValue) + 'static) -> Handler {
    wrap(Box::new(act))
}

/// One function for all of them, whatever they capture.
fn wrap(act: Box<dyn Fn(JsValue)>) -> Handler {
    Closure::wrap(act)
}

/// A task for later. One type for all of them, as above.
pub(crate) type Task = Box<dyn FnOnce()>;

/// A function that does the task when it is called first, and frees itself then.
pub(crate) fn once(task: Task) -> JsValue {
    Closure::once_into_js(task)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = globalThis)]
    type Global;

    #[wasm_bindgen(static_method_of = Global, getter)]
    fn origin() -> String;

    #[wasm_bindgen(static_method_of = Global, getter)]
    fn window() -> Option<Window>;

    /// Not `Window`'s, which workers do not have.
    #[wasm_bindgen(js_name = setTimeout)]
    pub(crate) fn set_timeout(handler: &js_sys::Function, milliseconds: i32) -> i32;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub(crate) fn clear_timeout(id: i32);

    #[wasm_bindgen(js_name = queueMicrotask)]
    pub(crate) fn queue_microtask(task: &js_sys::Function);

    /// A copy of the array's bytes: `Object` gives back the object that it is given.
    #[wasm_bindgen(js_name = Object)]
    pub(crate) fn bytes(array: &js_sys::Uint8Array) -> Vec<u8>;

    /// Fails where there are no beacons (workers), says `false` when the body is too long for one.
    #[wasm_bindgen(catch, js_namespace = navigator, js_name = sendBeacon)]
    pub(crate) fn send_beacon(url: &str, body: &JsValue) -> Result<bool, JsValue>;
}

/// The server that the page or worker came from: `http…://host`.
pub(crate) fn origin() -> String {
    Global::origin()
}

/// Whether the page's own server is at that address.
pub(crate) fn is_own(url: &str) -> bool {
    url.strip_prefix(&*origin()).is_some_and(|rest| rest.starts_with('/'))
}

/// The page's window; none in a worker. `web_sys::window` finds it in five ways, each of which costs the page bytes.
pub(crate) fn window() -> Option<Window> {
    Global::window()
}

/// A new element, which is not in the page yet; none in a worker.
pub(crate) fn element(name: &str) -> Option<Element> {
    window()?.document()?.create_element(name).ok()
}

/// Puts an element into the page.
pub(crate) fn show(element: &Element) {
    if let Some(root) = window().and_then(|window| window.document()?.document_element()) {
        // Fails never: it is no ancestor of the root.
        let _ = root.append_child(element);
    }
}

/// Sets a property. One function for all of them: each setter of its own would cost the page bytes.
pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Fails for none of the properties that it is used for.
    let _ = js_sys::Reflect::set(object, &name.into(), value);
}

/// Calls `task` when the JavaScript that is running now has returned.
pub(crate) fn soon(task: Task) {
    queue_microtask(once(task).unchecked_ref());
}

/// A number that differs between pages. It spreads reconnects and is no secret.
pub(crate) fn seed() -> u64 {
    js_sys::Math::random().to_bits()
}
