//! Running wasm test modules: in Node, or in one of three browser engines without a screen.
//!
//! Owns where the engines' drivers are and the settings of wasm-bindgen's test runner, which are environment variables
//! of the Cargo that starts it. Must not know the tests: a test module says itself whether it wants a browser.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::geckodriver;
use crate::layout::Layout;
use crate::program;

/// A browser engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Chromium,
    Firefox,
    /// The engine of Safari, in GTK's small browser. It has no headless mode and wants a [`super::display::Display`].
    WebKit,
}

/// Where Debian's packages put their programs.
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
const WEBKIT_WEBDRIVER: &str = "/usr/bin/WebKitWebDriver";

/// Seconds for all tests of one module; the runner's own 20 are too few for a busy machine. Only a hanging test takes
/// so long.
const TEST_TIMEOUT: &str = "300";

/// Seconds for the driver to open its port.
const DRIVER_TIMEOUT: &str = "60";

/// What Chromium is started with. No sandbox: the tests may run as root, where Chromium's does not work, and the
/// only page it sees is ours. No /dev/shm: it is tiny in containers. The rest keeps it from talking to anybody else.
const CHROMIUM_CAPABILITIES: &str = r#"{
  "goog:chromeOptions": {
    "binary": "/usr/bin/chromium",
    "args": [
      "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"
    ]
  }
}
"#;

/// Firefox becomes headless by the runner's own doing.
const FIREFOX_CAPABILITIES: &str = r#"{ "moz:firefoxOptions": { "binary": "/usr/bin/firefox-esr" } }"#;

impl Engine {
    pub const EACH: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKit",
        }
    }

    /// The program that steers it.
    pub fn driver(self, layout: &Layout) -> PathBuf {
        match self {
            Self::Chromium => CHROMEDRIVER.into(),
            Self::Firefox => geckodriver::program(layout),
            Self::WebKit => WEBKIT_WEBDRIVER.into(),
        }
    }

    /// The variable that tells the tests where [`Self::driver`] is.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Chromium => "CHROMEDRIVER",
            Self::Firefox => "GECKODRIVER",
            Self::WebKit => "WEBKITDRIVER",
        }
    }

    /// wasm-bindgen's test runner knows WebKit by the driver of Safari alone; it takes the first one it is told of.
    fn runners_variable(self) -> &'static str {
        match self {
            Self::WebKit => "SAFARIDRIVER",
            other => other.variable(),
        }
    }

    fn capabilities(self) -> &'static str {
        match self {
            Self::Chromium => CHROMIUM_CAPABILITIES,
            Self::Firefox => FIREFOX_CAPABILITIES,
            // The runner hands none on to this driver.
            Self::WebKit => "{}",
        }
    }
}

/// Makes `command`, a `cargo test` for wasm, hand its modules to our test runner, which is built when need be.
///
/// # Errors
/// When the runner does not compile.
pub fn test_runner<'a>(layout: &Layout, command: &'a mut Command) -> Result<&'a mut Command> {
    program::run(layout.cargo().args(["build", "--package", "xtask-runner", "--profile", "tool"]))?;
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", layout.tool("xtask-runner"));
    // A page that is isolated by its origin may show no frame of a server that does not ask for that.
    command.env("WASM_BINDGEN_TEST_NO_ORIGIN_ISOLATION", "1");
    Ok(command.env("WASM_BINDGEN_TEST_TIMEOUT", TEST_TIMEOUT))
}

/// Makes the test runner use that engine for the modules that want a browser.
///
/// # Errors
/// When its driver is not there, or the browser's settings cannot be written.
pub fn run_in(engine: Engine, layout: &Layout, command: &mut Command) -> Result<()> {
    let driver = engine.driver(layout);
    ensure!(driver.exists(), "{} is missing", driver.display());
    let folder = layout.test_environment();
    let capabilities = folder.join("webdriver.json");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&capabilities, engine.capabilities()))
        .with_context(|| format!("cannot write {}", capabilities.display()))?;
    for other in Engine::EACH {
        command.env_remove(other.runners_variable());
    }
    command.env(engine.runners_variable(), driver);
    command.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities);
    command.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", DRIVER_TIMEOUT);
    Ok(())
}

/// What the tests of the whole need to find all engines.
pub fn environment(layout: &Layout) -> Vec<(&'static str, PathBuf)> {
    Engine::EACH.iter().map(|engine| (engine.variable(), engine.driver(layout))).collect()
}
