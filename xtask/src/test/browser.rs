//! Running wasm test modules: in Node, or in a headless Chromium.
//!
//! Owns the settings of wasm-bindgen's test runner, which are environment variables of the Cargo that starts it. Must
//! not know the tests: a test module says itself whether it wants a browser.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::program;

/// Where Debian's `chromium-driver` puts its program.
pub const DRIVER: &str = "/usr/bin/chromedriver";

/// Seconds for all tests of one module; the runner's own 20 are too few for a busy machine. Only a hanging test takes
/// so long.
const TEST_TIMEOUT: &str = "300";

/// Seconds for the driver to open its port.
const DRIVER_TIMEOUT: &str = "60";

/// What the browser is started with. No sandbox: the tests may run as root, where Chromium's does not work, and the
/// only page it sees is ours. No /dev/shm: it is tiny in containers. The rest keeps it from talking to anybody else.
const CAPABILITIES: &str = r#"{
  "goog:chromeOptions": {
    "binary": "/usr/bin/chromium",
    "args": [
      "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"
    ]
  }
}
"#;

/// Makes `command`, a `cargo test` for wasm, hand its modules to our test runner, which is built when need be.
///
/// # Errors
/// When the runner does not compile.
pub fn test_runner<'a>(layout: &Layout, command: &'a mut Command) -> Result<&'a mut Command> {
    program::run(layout.cargo().args(["build", "--package", "xtask-runner", "--profile", "tool"]))?;
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", layout.tool("xtask-runner"));
    Ok(command.env("WASM_BINDGEN_TEST_TIMEOUT", TEST_TIMEOUT))
}

/// Makes the test runner use a headless Chromium for the modules that want a browser.
///
/// # Errors
/// When the browser's settings cannot be written.
pub fn chromium(layout: &Layout, command: &mut Command) -> Result<()> {
    let folder = layout.test_environment();
    let capabilities = folder.join("webdriver.json");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&capabilities, CAPABILITIES))
        .with_context(|| format!("cannot write {}", capabilities.display()))?;
    command.env("CHROMEDRIVER", DRIVER);
    command.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities);
    command.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", DRIVER_TIMEOUT);
    Ok(())
}
