//! Programs under test: started, awaited until they listen, and ended by their own process id; and folders that go with them.

use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

/// How long a program may take for what it should do at once. Only a guard: nothing waits this long when all is well.
pub const GUARD: Duration = Duration::from_secs(30);

/// A port that nobody listens at now. Somebody else may take it before it is used: whoever uses it must look.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it listens").port()
}

/// Programs on a [`free_port`] may die because somebody else has taken it: so often they are started.
pub(crate) const ATTEMPTS: u32 = 3;

/// Waits until somebody listens at that port; `false` when the program that should has ended before.
pub(crate) async fn listens(port: u16, mut has_ended: impl FnMut() -> bool) -> bool {
    /// Between two looks. Not a synchronisation: the look decides.
    const LOOK: Duration = Duration::from_millis(20);
    let looks = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if has_ended() {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    };
    tokio::time::timeout(GUARD, looks).await.unwrap_or(false)
}

/// A new folder for temporary files. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// One for that purpose.
    pub fn new(purpose: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Short: sockets in it have a limit of some hundred bytes.
        let path = env::temp_dir().join(format!("encke-{purpose}-{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    url: String,
    /// Kept open: a closed pipe would end a program that prints.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts the program and waits for its line `listening on http://…`.
    pub async fn start(path: &str, args: &[&str]) -> Self {
        let mut child = Command::new(path)
            .args(args)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{path} does not start: {error}"));
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut output = BufReader::new(stdout).lines();
        let url = tokio::time::timeout(GUARD, async {
            loop {
                let line = output.next_line().await.expect("its output is text");
                let line = line.unwrap_or_else(|| panic!("{path} ended before it listened"));
                if let Some(at) = line.find("http://").filter(|_| line.contains("listening")) {
                    break line[at..].trim_end_matches('/').to_owned();
                }
            }
        });
        let url = url.await.unwrap_or_else(|_| panic!("{path} does not listen"));
        Self { child, url, _output: output }
    }

    /// Where it listens: `http://host:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens: `host:port`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub async fn stop(self) -> ExitStatus {
        self.end_by(Signal::SIGTERM).await
    }

    /// The same, as Ctrl-C does.
    pub async fn interrupt(self) -> ExitStatus {
        self.end_by(Signal::SIGINT).await
    }

    async fn end_by(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let ended = tokio::time::timeout(GUARD, self.child.wait()).await;
        ended.expect("it stops when asked").expect("it can be waited for")
    }

    /// Kills it, as a crash would, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it runs");
    }

    /// Holds it, as if its machine were gone: nothing is answered, nothing is closed.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().expect("it has not been waited for");
        let pid = nix::unistd::Pid::from_raw(pid.try_into().expect("a process id fits"));
        nix::sys::signal::kill(pid, signal).expect("it runs");
    }
}
