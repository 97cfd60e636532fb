//! One client tries one feature: its program is started with the server's address and the feature's name, and fails if
//! anything is not as it should be. It may have the server stopped and started by saying so on its standard output.

use super::matrix::STOPPING;
use crate::from_environment;
use encke_tests::program::{GUARD, Program};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::OnceLock;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

const SERVER: &str = env!("CARGO_BIN_EXE_interop");

/// Somebody else's implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name and version, as in the documentation.
    pub name: &'static str,
    /// What runs its program.
    interpreter: Interpreter,
    /// The program in `peers/`, and what it is given before the address.
    program: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interpreter {
    Node,
    Python,
    /// The program is built and stands in the environment.
    None,
}

/// The clients, as the matrix calls them.
pub mod clients {
    use super::{Client, Interpreter};

    const fn client(
        name: &'static str,
        interpreter: Interpreter,
        program: &'static [&'static str],
    ) -> Client {
        Client { name, interpreter, program }
    }

    pub const fn js() -> Client {
        client("socket.io-client 4.8", Interpreter::Node, &["socket_io_client/main.cjs", "4"])
    }

    pub const fn js_msgpack() -> Client {
        let program = &["socket_io_client/main.cjs", "msgpack"];
        client("socket.io-client 4.8, socket.io-msgpack-parser 3", Interpreter::Node, program)
    }

    pub const fn js_2() -> Client {
        client("socket.io-client 2.5", Interpreter::Node, &["socket_io_client/main.cjs", "2"])
    }

    pub const fn engine() -> Client {
        client("engine.io-client 6.6", Interpreter::Node, &["engine_io_client.cjs"])
    }

    pub const fn python() -> Client {
        client("python-socketio 5, asyncio", Interpreter::Python, &["python_socketio/main.py", "async"])
    }

    pub const fn python_msgpack() -> Client {
        let program = &["python_socketio/main.py", "msgpack"];
        client("python-socketio 5, msgpack", Interpreter::Python, program)
    }

    pub const fn python_sync() -> Client {
        client("python-socketio 5, threads", Interpreter::Python, &["python_socketio/main.py", "sync"])
    }

    pub const fn rust() -> Client {
        client("rust_socketio 0.6", Interpreter::None, &["ENCKE_RUST_PEER"])
    }
}

/// Runs the client's program; it ends with success when all it expected came true.
pub async fn agrees(client: Client, feature: &str) {
    let mut own = if STOPPING.contains(&feature) { Some(Own::start().await) } else { None };
    let url = own.as_ref().map_or_else(|| shared().to_owned(), |own| own.url.clone());
    let mut child = client.start(&url, feature);
    let talk = tokio::time::timeout(2 * GUARD, heed(&mut child, &mut own));
    let (talk, mut complaint) = (talk.await, String::new());
    if talk.is_err() {
        child.kill().await.expect("it is ours");
    }
    let mut stderr = child.stderr.take().expect("it is piped");
    let _ = stderr.read_to_string(&mut complaint).await;
    let said = talk.unwrap_or_else(|_| panic!("{} does not end: {feature}\n{complaint}", client.name));
    let status = child.wait().await.expect("it is ours");
    assert!(status.success(), "{}, {feature}: {status}\n{said}{complaint}", client.name);
}

impl Client {
    fn start(self, url: &str, feature: &str) -> Child {
        let script = |program| format!("{}/peers/{program}", env!("CARGO_MANIFEST_DIR"));
        let mut command = match self.interpreter {
            Interpreter::Node => Command::new("node"),
            Interpreter::Python => Command::new(from_environment("ENCKE_PYTHON")),
            Interpreter::None => Command::new(from_environment(self.program[0])),
        };
        if self.interpreter != Interpreter::None {
            command.arg(script(self.program[0]));
        }
        if let Ok(modules) = std::env::var("ENCKE_PEERS") {
            command.env("NODE_PATH", modules);
        }
        command
            .args(&self.program[1..])
            .args([url, feature])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.name))
    }
}

/// Does to the server what the client asks for, until it ends. Gives back what else it has said.
async fn heed(child: &mut Child, own: &mut Option<Own>) -> String {
    let (stdout, mut stdin) = (child.stdout.take(), child.stdin.take().expect("it is piped"));
    let mut lines = tokio::io::BufReader::new(stdout.expect("it is piped")).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("its output is text") {
        let Some(order) = line.strip_prefix("server ") else {
            said.push_str(&format!("{line}\n"));
            continue;
        };
        own.as_mut().expect("only who has a server of its own may order it about").obey(order).await;
        // It may have ended meanwhile; then its exit code says more.
        let _ = stdin.write_all(b"done\n").await;
    }
    said
}

/// A server for one cell, at one address for as long as the cell lasts.
struct Own {
    url: String,
    program: Option<Program>,
}

impl Own {
    async fn start() -> Self {
        let program = Program::start(SERVER, &[]).await;
        Self { url: program.url().to_owned(), program: Some(program) }
    }

    async fn obey(&mut self, order: &str) {
        let running = "it runs";
        match order {
            "start" => {
                let address = self.url.trim_start_matches("http://");
                self.program = Some(Program::start(SERVER, &["--listen", address]).await);
            }
            "stop" => assert!(self.program.take().expect(running).stop().await.success()),
            "kill" => self.program.take().expect(running).kill().await,
            "freeze" => self.program.as_ref().expect(running).freeze(),
            "thaw" => self.program.as_ref().expect(running).thaw(),
            _ => panic!("nobody can {order} a server"),
        }
    }
}

/// The address of the server that all cells share. It ends with this process, whose end of its input it sees.
fn shared() -> &'static str {
    static SHARED: OnceLock<(String, std::process::Child)> = OnceLock::new();
    let (url, _) = SHARED.get_or_init(|| {
        let mut command = std::process::Command::new(SERVER);
        let command = command.arg("--until-input-ends").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("its output is text");
        let url = line.trim().strip_prefix("listening ").expect("it says where it listens").to_owned();
        (url, child)
    });
    url
}
