//! Real proxies in front of a server, each with a configuration from `proxies/`.
//!
//! Owns their processes and folders; both end with the test, and a failing test shows what the proxy has logged.

use crate::program::{ATTEMPTS, Folder, free_port, listens};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{env, fs, thread};

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    child: Child,
    folder: Folder,
    port: u16,
}

impl Proxy {
    /// nginx with the scene `proxies/<scene>`, in which the words are filled in.
    pub async fn nginx(scene: &str, words: &[(&str, &str)]) -> Self {
        let scene = configuration(scene);
        let words = [&[("scene", scene.as_str())], words].concat();
        Self::start("ENCKE_NGINX", "nginx.conf", &words, |command, file| {
            command.args(["-e", "stderr", "-p"]).args([
                file.parent().expect("it lies in a folder"),
                Path::new("-c"),
                file,
            ]);
        })
        .await
    }

    /// HAProxy, which cuts what was upgraded after that long, such as `200ms`.
    pub async fn haproxy(upstream: &str, tunnel: &str) -> Self {
        let words = [("upstream", upstream), ("tunnel", tunnel)];
        Self::start("ENCKE_HAPROXY", "haproxy.cfg", &words, |command, file| {
            command.arg("-db").arg("-f").arg(file);
        })
        .await
    }

    /// Where people reach it: `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same under a name that makes it another site for a browser: `http://localhost:port`.
    pub fn other_site(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Its own folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder().join(name)).unwrap_or_default();
        [read(OUTPUT), read("access.log")].concat()
    }

    async fn start(
        variable: &str,
        template: &str,
        words: &[(&str, &str)],
        arguments: impl Fn(&mut Command, &Path),
    ) -> Self {
        let path = env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} says where it is; `cargo xtask test` sets it"));
        for _ in 0..ATTEMPTS {
            let (folder, port) = (Folder::new("proxy"), free_port());
            let (own_folder, own_port) = (folder.path().display().to_string(), port.to_string());
            let own = [("folder", own_folder.as_str()), ("port", own_port.as_str())];
            let file = folder.path().join(template);
            fs::write(&file, filled_in(configuration(template), &[words, &own].concat()))
                .expect("it is ours");
            let output = fs::File::create(folder.path().join(OUTPUT)).expect("it is ours");
            let mut command = Command::new(&path);
            arguments(&mut command, &file);
            command.stdin(Stdio::null()).stdout(output.try_clone().expect("it is open")).stderr(output);
            let child = command.spawn().unwrap_or_else(|error| panic!("{path} does not start: {error}"));
            let mut proxy = Self { child, folder, port };
            if listens(port, || proxy.child.try_wait().expect("it is ours").is_some()).await {
                return proxy;
            }
            println!("{}", proxy.log());
        }
        panic!("{path} does not listen");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It fails only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            println!("what {} has logged:\n{}", self.url(), self.log());
        }
    }
}

/// What it says on both its outputs.
const OUTPUT: &str = "output.log";

fn configuration(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("proxies").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text with each `{{word}}` replaced; the first word may bring others.
fn filled_in(text: String, words: &[(&str, &str)]) -> String {
    words.iter().fold(text, |text, (word, value)| text.replace(&format!("{{{{{word}}}}}"), value))
}
