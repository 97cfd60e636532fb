//! From the module that the compiler made to a module and its JavaScript glue.
//!
//! Owns the choice of wasm-bindgen's settings. It must not write files or shrink anything.

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

/// A module that a browser can load, and the JavaScript module that loads it.
pub struct Bound {
    pub wasm: Vec<u8>,
    pub glue: String,
}

/// Binds `wasm` for `<script type="module">`.
///
/// # Errors
/// When the module was not built with the version of wasm-bindgen that this package has, and when a dependency
/// brings JavaScript files of its own: the page has none, and they would need names and preloading of their own.
pub fn bind(wasm: Vec<u8>) -> Result<Bound> {
    let mut output = Bindgen::new()
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The start file says where the module is: under a name that the glue cannot know.
        .omit_default_module_path(true)
        .input_bytes("encke", wasm)
        .generate_output()?;
    // Every crate has a list of snippets, most an empty one.
    let has_snippets = output.snippets().values().any(|snippets| !snippets.is_empty());
    if has_snippets || !output.local_modules().is_empty() || !output.npm_dependencies().is_empty() {
        bail!("a dependency of the page brings JavaScript of its own; the page is Rust and its glue alone");
    }
    Ok(Bound { wasm: output.wasm_mut().emit_wasm(), glue: output.js().to_owned() })
}
