//! The program `encke`: it says where it listens, serves the page with its headers, and stops when it is told to.

#[path = "support/raw.rs"]
mod support;

#[path = "encke/plain.rs"]
mod plain;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::{Http, Ws};

const INDEX: &str = "<!doctype html><html data-server=\"https://chat.example\">";

struct Program {
    child: Child,
    address: std::net::SocketAddr,
    web: PathBuf,
}

/// A page in a directory of its own, whose index was edited after it was built.
fn page(name: &str) -> PathBuf {
    let web = std::env::temp_dir().join(format!("encke-test-{name}-{}", std::process::id()));
    std::fs::create_dir_all(web.join("assets")).expect("made");
    std::fs::write(web.join("index.html"), INDEX).expect("written");
    std::fs::write(web.join("index.html.br"), "as built").expect("written");
    std::fs::write(web.join("index.html.gz"), "as built").expect("written");
    std::fs::write(web.join("assets/page-1.wasm"), "plain").expect("written");
    std::fs::write(web.join("assets/page-1.wasm.br"), "smaller").expect("written");
    web
}

impl Program {
    fn start(name: &str) -> Self {
        Self::start_with(name, Stdio::null())
    }

    fn start_with(name: &str, log: Stdio) -> Self {
        let web = page(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_encke"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--web"]).arg(&web).env_remove("RUST_LOG");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect("where it listens");
        Self { address: address.parse().expect("an address"), child, web }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.web);
    }
}

#[tokio::test]
async fn the_page_is_served_with_its_headers() {
    let program = Program::start("headers");
    let mut http = Http::open(program.address).await;
    let index = http.request("GET", "/", "", b"").await;
    assert_eq!(index.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(index.header("cache-control"), Some("no-cache"));
    let policy = index.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"), "{policy}");
    assert_eq!(index.header("x-content-type-options"), Some("nosniff"));
    let wasm = http.request("GET", "/assets/page-1.wasm", "Accept-Encoding: br\r\n", b"").await;
    assert_eq!((wasm.status, wasm.body.as_str()), (200, "smaller"));
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));
    assert_eq!(wasm.header("content-encoding"), Some("br"));
    assert_eq!(wasm.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let missing = http.request("GET", "/assets/page-2.wasm", "", b"").await;
    assert_eq!((missing.status, missing.header("cache-control")), (404, Some("no-cache")));
    let outside = http.request("GET", "/../../../../etc/passwd", "", b"").await;
    assert_eq!(outside.status, 404);
}

#[tokio::test]
async fn an_edited_index_is_served_as_it_is_and_with_the_policy_it_needs() {
    let program = Program::start("edited");
    let mut http = Http::open(program.address).await;
    // What is done to it later counts from the next start on, as the policy does.
    std::fs::write(program.web.join("index.html"), "<!doctype html><html>").expect("written");
    for target in ["/", "/index.html"] {
        let compressed = http.request("HEAD", target, "Accept-Encoding: br, gzip\r\n", b"").await;
        assert_eq!(compressed.header("content-encoding"), Some("gzip"), "{target}");
        let index = http.request("GET", target, "Accept-Encoding: br\r\n", b"").await;
        assert_eq!((index.status, index.body.as_str()), (200, INDEX), "{target}");
        assert_eq!(index.header("content-encoding"), None, "{target}");
        let policy = index.header("content-security-policy").expect("a policy");
        assert!(policy.contains("connect-src 'self' https://chat.example wss://chat.example;"), "{policy}");
    }
}

#[tokio::test]
async fn the_log_says_once_which_page_is_refused_and_by_what() {
    let mut program = Program::start_with("log", Stdio::piped());
    let log = BufReader::new(program.child.stderr.take().expect("piped"));
    let target = format!("{}&transport=polling&j=0", support::PATH);
    let mut http = Http::open(program.address).await;
    let pages =
        ["Origin: https://other.example", "Sec-Fetch-Site: cross-site", "Origin: https://other.example"];
    for page in pages {
        assert_eq!(http.request("GET", &target, &format!("{page}\r\n"), b"").await.status, 403, "{page}");
    }
    drop(program);
    let lines: Vec<String> = log.lines().map(|line| line.expect("text")).collect();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("ServerBuilder::origins")).collect();
    let [origin, site] = told[..] else { panic!("{lines:?}") };
    assert!(origin.contains("https://other.example"), "{origin}");
    assert!(
        site.contains("cross-site") && !site.contains("origin="),
        "what is no origin is not called one: {site}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_stops_it_politely() {
    for signal in ["-TERM", "-INT"] {
        let mut program = Program::start(&format!("stop{signal}"));
        let mut client = Ws::join(program.address).await;
        let sent = Command::new("kill").args([signal, &program.child.id().to_string()]).status();
        assert!(sent.expect("a shell's kill").success());
        assert_eq!(client.close_code().await, 1001);
        drop(client);
        assert!(program.child.wait().expect("ended").success());
    }
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_encke")).args(arguments).output().expect("run");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).expect("text")
    };
    let missing = run(&["serve", "--web", "/nowhere"]);
    assert!(
        missing.contains("there is no page in /nowhere") && missing.contains("cargo xtask page"),
        "{missing}"
    );
    let broken = page("broken");
    std::fs::write(broken.join("index.html"), b"\xff").expect("written");
    let message = run(&["serve", "--listen", "127.0.0.1:0", "--web", broken.to_str().expect("text")]);
    assert!(message.contains("index.html: ") && message.lines().count() == 1, "{message}");
    std::fs::remove_dir_all(broken).expect("removed");
    let web = page("taken");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let message = run(&["serve", "--listen", &address, "--web", web.to_str().expect("text")]);
    assert!(message.contains(&format!("cannot listen on {address}")), "{message}");
    std::fs::remove_dir_all(web).expect("removed");
}
