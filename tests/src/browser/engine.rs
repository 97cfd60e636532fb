//! The three browser engines and the driver programs that steer them.
//!
//! Owns their processes: each browser has a driver of its own, since two of the three drivers steer one browser only,
//! and both end with it.

use crate::program::{ATTEMPTS, Folder, GUARD, free_port, listens};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// A browser engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// Chromium, headless.
    Chromium,
    /// Firefox, headless.
    Firefox,
    /// WebKit in GTK's small browser, on the screen that `DISPLAY` names.
    WebKit,
}

impl Engine {
    /// The variable that says where its driver is.
    fn variable(self) -> &'static str {
        match self {
            Self::Chromium => "CHROMEDRIVER",
            Self::Firefox => "GECKODRIVER",
            Self::WebKit => "WEBKITDRIVER",
        }
    }

    /// What the browser is started with: without a screen, as root too, in a container too, without talking to anybody
    /// else.
    fn capabilities(self) -> Value {
        match self {
            Self::Chromium => json!({ "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": [
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ] } }),
            Self::Firefox => json!({ "moz:firefoxOptions": {
                "binary": "/usr/bin/firefox-esr",
                "args": ["-headless"],
            } }),
            Self::WebKit => json!({}),
        }
    }
}

/// A driver program and the browser that it has started. Dropping it ends both.
#[derive(Debug)]
pub(super) struct Driver {
    program: Child,
    address: String,
    session: Option<String>,
    /// For whatever the two put on disk: not every driver takes all of it away.
    _folder: Folder,
}

impl Driver {
    /// Opens a browser with nothing remembered.
    pub(super) async fn open(engine: Engine) -> (Self, Client) {
        let mut driver = Self::start(engine).await;
        let Value::Object(capabilities) = engine.capabilities() else {
            unreachable!("an object was written");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{}", driver.address))
            .await
            .unwrap_or_else(|error| panic!("{engine:?} does not open: {error}"));
        driver.session = client.session_id().await.expect("it is open");
        (driver, client)
    }

    async fn start(engine: Engine) -> Self {
        let variable = engine.variable();
        let path = std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} says where it is; `cargo xtask test` sets it"));
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut driver = Self::spawn(&path, port);
            if listens(port, || driver.program.try_wait().expect("it is ours").is_some()).await {
                return driver;
            }
        }
        panic!("{path} does not listen");
    }

    fn spawn(path: &str, port: u16) -> Self {
        let folder = Folder::new("browser");
        let program = Command::new(path)
            .env("TMPDIR", folder.path())
            .arg(format!("--port={port}"))
            // Not every driver can be told to be quiet, and what they say would stand between the tests' own lines.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, with the browser it starts in it.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{path} does not start: {error}"));
        Self { program, address: format!("127.0.0.1:{port}"), session: None, _folder: folder }
    }

    /// Asks the driver to close its browser.
    fn close_session(&self, session: &str) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(GUARD))?;
        let head = format!(
            "DELETE /session/{session} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes())?;
        // Answered when it is done. Not every driver closes the connection then.
        stream.read_exact(&mut [0])
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(session) = &self.session {
            // What does not follow is killed.
            let _ = self.close_session(session);
        }
        if let Some(group) = self.program.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }
}

/// Makes of each test named, an `async fn(Engine)`, one for each engine: `name::chromium`, `name::firefox`,
/// `name::webkit`.
#[macro_export]
macro_rules! in_each_engine {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                use $crate::browser::Engine;

                #[tokio::test]
                async fn chromium() {
                    super::$test(Engine::Chromium).await;
                }

                #[tokio::test]
                async fn firefox() {
                    super::$test(Engine::Firefox).await;
                }

                #[tokio::test]
                async fn webkit() {
                    super::$test(Engine::WebKit).await;
                }
            }
        )+
    };
}
