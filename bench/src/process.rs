//! Programs that are measured or that measure: each on a core of its own, ended when nobody needs it any more.
//!
//! Owns the processes from start to end, and the last lines that they said, for the error when they fail. Must not know
//! what they do.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::thread::CpuSet;

/// How many lines of what a program said are kept for an error.
const KEPT_LINES: usize = 12;

/// How often a process is asked whether it has ended.
const ASK: Duration = Duration::from_millis(5);

/// How long a program may take to end when it is asked to.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// How long what a program has said may take to be read when it has ended; longer only when a child of its own lives on.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Files that the largest row needs with some to spare: 19,000 clients.
const OPEN_FILES: u64 = 20_000;

/// The cores that servers and driver run on, one each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cores {
    pub server: usize,
    pub driver: usize,
}

impl Cores {
    /// The first two that this process may use.
    ///
    /// # Errors
    /// When there are fewer: what measures would take the time of what is measured.
    pub fn of_this_machine() -> Result<Self> {
        let allowed = rustix::thread::sched_getaffinity(None).context("cannot tell which cores there are")?;
        Self::first_two((0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)))
    }

    fn first_two(mut allowed: impl Iterator<Item = usize>) -> Result<Self> {
        match (allowed.next(), allowed.next()) {
            (Some(server), Some(driver)) => Ok(Self { server, driver }),
            _ => bail!("two cores are needed, one for the server and one for the driver"),
        }
    }
}

/// Lets this process, and those it starts, hold as many connections as the rows need.
///
/// # Errors
/// When it may not: says which limit has to be raised.
pub fn allow_many_files() -> Result<()> {
    let now = rustix::process::getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= OPEN_FILES) {
        return Ok(());
    }
    // Only root may raise the maximum, and not everywhere.
    let maximum = now.maximum.map(|maximum| maximum.max(OPEN_FILES));
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(OPEN_FILES), maximum }).with_context(
        || format!("{OPEN_FILES} open files are needed: raise the limit that `ulimit -Hn` prints"),
    )
}

/// A running program; dropping it ends it.
pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    /// Ends when everything that it said has been read.
    reading: Receiver<Infallible>,
}

impl Process {
    /// Starts a program on that core.
    ///
    /// # Errors
    /// When it cannot be started, or not on that core.
    pub fn start(command: &mut Command, core: usize) -> Result<Self> {
        let name = shown(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pinned(command, core).with_context(|| format!("cannot start `{name}`"))?;
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        let (said, lines) = mpsc::channel();
        let (unfinished, reading) = mpsc::channel();
        if let Some(errors) = child.stderr.take() {
            listen(errors, Arc::clone(&last_words), None, unfinished.clone());
        }
        if let Some(output) = child.stdout.take() {
            listen(output, Arc::clone(&last_words), Some(said), unfinished);
        }
        Ok(Self { name, child, lines, last_words, reading })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().context("cannot ask for a program of ours")?.is_none())
    }

    /// Waits for the first line that satisfies `wanted`, and hands it back.
    ///
    /// # Errors
    /// When the program ends without it or does not say it in time, with what it said.
    pub fn wait_for_line(&mut self, wanted: impl Fn(&str) -> bool, guard: Duration) -> Result<String> {
        let until = Instant::now() + guard;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if wanted(&line) => return Ok(line),
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    bail!(self.failure(&format!("said nothing in {guard:?}")))
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => bail!(self.failure("ended")),
            }
        }
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn wait_for_end(&mut self, guard: Duration) -> Result<ExitStatus> {
        let until = Instant::now() + guard;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().context("cannot wait for a program of ours")? {
                return Ok(status);
            }
            thread::sleep(ASK);
        }
        bail!(self.failure(&format!("did not end in {guard:?}")))
    }

    /// An error's words: what became of the program, and what it said last.
    pub fn failure(&mut self, what: &str) -> String {
        if self.is_running().is_ok_and(|running| !running) {
            // Nothing is ever sent: this waits until all is read.
            let _ = self.reading.recv_timeout(READ_TIMEOUT);
        }
        let said = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let said = said.iter().map(String::as_str).collect::<Vec<_>>().join("\n  ");
        let said = if said.is_empty() { "it said nothing".to_owned() } else { format!("it said\n  {said}") };
        format!("`{}` {what}; {said}", self.name)
    }

    fn end(&mut self) -> Result<()> {
        if !self.is_running()? {
            return Ok(());
        }
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        ensure!(id.is_some_and(|id| rustix::process::kill_process(id, Signal::TERM).is_ok()));
        self.wait_for_end(END_TIMEOUT).map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.end().is_err() {
            // Both fail only when the process has ended already.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Starts a program on one core: it inherits that from the thread which starts it.
fn pinned(command: &mut Command, core: usize) -> Result<Child> {
    let start = || {
        let mut cores = CpuSet::new();
        cores.set(core);
        rustix::thread::sched_setaffinity(None, &cores).with_context(|| format!("cannot use core {core}"))?;
        Ok(command.spawn()?)
    };
    thread::scope(|scope| scope.spawn(start).join().unwrap_or_else(|_| bail!("could not be started")))
}

/// Reads to the end, so that the program never waits for a full pipe.
fn listen(
    pipe: impl Read + Send + 'static,
    kept: Arc<Mutex<VecDeque<String>>>,
    tell: Option<Sender<String>>,
    unfinished: Sender<Infallible>,
) {
    thread::spawn(move || {
        let _unfinished = unfinished;
        for line in BufReader::new(pipe).lines().map_while(std::io::Result::ok) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == KEPT_LINES {
                kept.pop_front();
            }
            kept.push_back(line.clone());
            drop(kept);
            if let Some(tell) = &tell {
                // Whoever has heard enough does not listen any more.
                let _ = tell.send(line);
            }
        }
    });
}

/// The command as one would type it, without the folders of programs.
fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    command.get_args().fold(name, |text, argument| format!("{text} {}", argument.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Long enough for anything that a test waits for.
    const GUARD: Duration = Duration::from_secs(60);

    fn a_core() -> usize {
        let allowed = rustix::thread::sched_getaffinity(None).expect("is known");
        (0..CpuSet::MAX_CPU).rfind(|&core| allowed.is_set(core)).expect("this runs on one")
    }

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script]), a_core()).expect("starts")
    }

    #[test]
    fn a_program_is_waited_for_until_it_says_so_and_ends_when_it_is_dropped() {
        let mut process = shell("echo hello; echo listening on 7; exec tail -f /dev/null");
        let line = process.wait_for_line(|line| line.starts_with("listening"), GUARD).expect("says so");
        assert_eq!(line, "listening on 7");
        assert!(process.is_running().expect("is ours"));
        let entry = format!("/proc/{}", process.id());
        drop(process);
        assert!(!Path::new(&entry).exists());
    }

    #[test]
    fn a_program_that_ends_too_early_is_an_error_with_its_last_words() {
        let mut process = shell("echo no port >&2; exit 1");
        process.wait_for_end(GUARD).expect("ends");
        let error = process.wait_for_line(|_| true, GUARD).expect_err("said nothing").to_string();
        assert_eq!(error, "`sh -c echo no port >&2; exit 1` ended; it said\n  no port");
    }

    #[test]
    fn a_program_runs_on_the_core_that_it_was_given() {
        let core = a_core();
        let ask = ["-c", "grep Cpus_allowed_list /proc/self/status"];
        let mut process = Process::start(Command::new("sh").args(ask), core).expect("starts");
        let line = process.wait_for_line(|_| true, GUARD).expect("says it");
        assert_eq!(line.split_whitespace().last(), Some(core.to_string().as_str()));
    }

    #[test]
    fn one_core_is_too_few() {
        assert_eq!(Cores::first_two([3, 5, 7].into_iter()).expect("are two"), Cores { server: 3, driver: 5 });
        assert!(Cores::first_two([3].into_iter()).is_err());
    }
}
