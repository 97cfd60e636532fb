//! The chat page: Rust that renders into the DOM, on top of the browser client.
//!
//! `model` is what the page knows, `update` what happens to it (both pure, tested on any machine), `view` draws it, `input`
//! turns what people do into messages, `effects` does what the update wants done: the connection, timers, storage. `app`
//! turns the wheel: message, update, render, effects.
//!
//! Size is a feature here. So no `format!`, no `HashMap`, no std sort and no slicing of strings that can panic: each pulls in
//! kilobytes. The page is `index.html` and `style.css`; both belong to this package and must work under a strict content policy
//! (no inline script, no inline style).

mod app;
mod effects;
mod input;
mod model;
mod update;
mod view;
mod words;

use wasm_bindgen::prelude::*;

/// Less than half the code of the standard one.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Runs when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() -> Result<(), JsValue> {
    app::start().ok_or_else(|| JsValue::from_str("this page is not the one this program was built for"))
}
