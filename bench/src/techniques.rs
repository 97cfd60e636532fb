//! The three techniques side by side: how people who read a chat hear of what is said, and what each way costs.
//!
//! Owns which chats and which ways are measured, and the file that the values are kept in. The server is the real chat
//! program, its readers are the driver's. What it looks like is [`page`]'s.

pub mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::contestant::{Contestant, beside_this_program};
use crate::driver::{self, Report};
use crate::machine::Machine;
use crate::measure::{REPEATS, note};
use crate::process::Cores;
use crate::results::{Cell, save};
use crate::row::{Better, Figure, Unit};
use crate::session;

/// Where the values are kept that the page is written from.
pub const FILE: &str = "bench/docs/techniques.json";

/// People who read.
const READERS: u32 = 200;
/// Bytes of a message.
const PAYLOAD: u32 = 64;
/// Messages said before it is measured: as many as the chat's page holds.
const HISTORY: u32 = 200;

/// How a reader hears of what is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Technique {
    /// Over a connection that stays open.
    WebSocket,
    /// By requests that are answered when there is something.
    LongPolling,
    /// By asking for the page of the last messages so often, in seconds, news or not.
    Periodic(u32),
}

impl Technique {
    const EACH: [Self; 4] = [Self::WebSocket, Self::LongPolling, Self::Periodic(1), Self::Periodic(5)];

    fn title(self) -> String {
        match self {
            Self::WebSocket => "WebSocket".to_owned(),
            Self::LongPolling => "long polling".to_owned(),
            Self::Periodic(seconds) => format!("every {seconds} s"),
        }
    }

    /// What tells the driver.
    fn arguments(self) -> String {
        match self {
            Self::WebSocket => "--technique websocket".to_owned(),
            Self::LongPolling => "--technique polling".to_owned(),
            Self::Periodic(seconds) => format!("--technique periodic --every {seconds}"),
        }
    }
}

/// How much is said.
struct Chat {
    name: &'static str,
    what: &'static str,
    /// Messages a second.
    rate: f64,
    /// Seconds that are measured: so many that some messages fall into them.
    seconds: f64,
}

const CHATS: [Chat; 3] = [
    Chat { name: "quiet", what: "a message every five seconds", rate: 0.2, seconds: 40.0 },
    Chat { name: "normal", what: "a message every second", rate: 1.0, seconds: 20.0 },
    Chat { name: "busy", what: "ten messages a second", rate: 10.0, seconds: 10.0 },
];

const fn smaller(key: &'static str, name: &'static str, unit: Unit) -> Figure {
    Figure { key, name, unit, better: Better::Smaller, goal: None }
}

const REQUESTS: Figure = smaller("requests_per_op", "requests", Unit::Number);
const BYTES: Figure = smaller("bytes_per_op", "bytes", Unit::Bytes);
const WIRE: Figure = smaller("wire_bytes_per_op", "on the wire", Unit::Bytes);
const HALF: Figure = smaller("latency_p50", "delay, p50", Unit::Microseconds);
const SLOWEST: Figure = smaller("latency_p99", "delay, p99", Unit::Microseconds);
const CPU: Figure = smaller("server_cpu_s_per_m_deliveries", "CPU", Unit::Microseconds);

/// All but the delay is of one message to one reader.
const FIGURES: [Figure; 6] = [REQUESTS, BYTES, WIRE, HALF, SLOWEST, CPU];

/// Everything that was measured in one sitting.
#[derive(PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    machine: Machine,
    /// What one types to measure it again.
    command: String,
    /// Seconds that it took.
    took: f64,
    measured: Vec<Measured>,
}

/// One chat by one technique.
#[derive(PartialEq, Debug, Serialize, Deserialize)]
struct Measured {
    chat: String,
    technique: Technique,
    #[serde(flatten)]
    cell: Cell,
}

impl Measured {
    /// Which it is.
    fn name(&self) -> String {
        format!("{}, {}", self.chat, self.technique.title())
    }
}

impl Comparison {
    /// The one of an earlier time, if there was one.
    ///
    /// # Errors
    /// When the file cannot be read or is something else.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} holds no comparison", path.display()))
            .map(Some)
    }

    /// Keeps it, a line for each technique.
    fn write(&self, path: &Path) -> Result<()> {
        let Self { machine, command, took, measured } = self;
        let lines: Vec<_> = measured.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let (machine, command) = (serde_json::to_string(machine)?, serde_json::to_string(command)?);
        let lines = lines.join(",\n");
        let text = format!(
            "{{\"machine\": {machine},\n\"command\": {command},\n\"took\": {took},\n\"measured\": [\n{lines}\n]}}\n"
        );
        save(path, &text)
    }

    /// The median of a figure.
    fn value(&self, chat: &Chat, technique: Technique, figure: &Figure) -> Result<f64> {
        let measured = |one: &&Measured| one.chat == chat.name && one.technique == technique;
        let cell = self.measured.iter().find(measured).map(|measured| &measured.cell);
        let summary = cell.and_then(|cell| cell.summary(figure)).with_context(|| {
            format!("`{}` of {} in the {} chat was not measured", figure.key, technique.title(), chat.name)
        })?;
        Ok(summary.median)
    }

    /// That nothing went wrong: what was lost cost nothing.
    fn ensure_sound(&self) -> Result<()> {
        let unsound = self.measured.iter().filter(|one| !one.cell.remarks().is_empty()).map(Measured::name);
        let unsound = unsound.collect::<Vec<_>>().join("; ");
        ensure!(unsound.is_empty(), "something went wrong in: {unsound}");
        Ok(())
    }
}

/// What the command line may ask for.
#[derive(Args)]
pub struct Asked {
    /// How often each is measured
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Seconds that each run measures, in place of the chat's own
    #[arg(long, value_parser = session::seconds)]
    secs: Option<f64>,
    /// Keeps the values in bench/docs and writes the page of them
    #[arg(long)]
    write: bool,
}

/// Measures every technique in every chat, and prints the table. What is measured is kept after each chat.
///
/// # Errors
/// When nothing can be measured here; and, after all is measured and kept, when something went wrong.
pub fn run(asked: &Asked) -> Result<()> {
    let started = Instant::now();
    let (cores, program) = (Cores::of_this_machine()?, Program::find()?);
    let (machine, command) = (Machine::now(false)?, session::command());
    let mut comparison = Comparison { machine, command, took: 0.0, measured: Vec::new() };
    for chat in &CHATS {
        let mut cells = Technique::EACH.map(|technique| (technique, Cell::new(Contestant::Encke)));
        for _ in 0..asked.runs {
            for (technique, cell) in cells.iter_mut().filter(|(_, cell)| cell.failure.is_none()) {
                session::say(&format!("{}: {}", chat.what, technique.title()));
                let seconds = asked.secs.unwrap_or(chat.seconds);
                note(cell, &FIGURES, &mut { REPEATS }, || {
                    measure(&program, chat, *technique, seconds, cores)
                });
            }
        }
        let named = |(technique, cell)| Measured { chat: chat.name.to_owned(), technique, cell };
        comparison.measured.extend(cells.map(named));
        comparison.took = started.elapsed().as_secs_f64();
        if asked.write {
            comparison.write(Path::new(FILE))?;
        }
    }
    session::say("");
    println!("{}{}", page::table(&comparison), page::remarks(&comparison));
    comparison.ensure_sound()?;
    if asked.write {
        page::write(&comparison)?;
    }
    Ok(())
}

/// The chats and techniques, for people who ask what can be measured.
pub fn list() -> String {
    let techniques = Technique::EACH.map(Technique::title).join(", ");
    CHATS.iter().map(|chat| format!("  {:<18} {}: {techniques}\n", chat.name, chat.what)).collect()
}

/// A fresh chat with its readers, once.
fn measure(
    program: &Program,
    chat: &Chat,
    technique: Technique,
    seconds: f64,
    cores: Cores,
) -> Result<Report> {
    let port = driver::free_port()?;
    let mut command = Command::new(&program.path);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--web"]).arg(&program.page);
    let (server, address) = driver::listening(&mut command, port, cores)?;
    let load = load(chat, technique, seconds);
    let load: Vec<_> = load.split(' ').map(str::to_owned).collect();
    driver::measure(server, &address, &load, cores)
}

/// The driver's mode and options.
fn load(chat: &Chat, technique: Technique, seconds: f64) -> String {
    let (technique, rate) = (technique.arguments(), chat.rate);
    let chat = format!("--readers {READERS} --rate {rate} --payload {PAYLOAD} --history {HISTORY}");
    format!("chat {technique} {chat} --secs {seconds}")
}

/// The chat program, and a page for it: it does not start without one, though nobody here asks for it.
struct Program {
    path: PathBuf,
    /// A folder of this program's own.
    page: PathBuf,
}

impl Program {
    fn find() -> Result<Self> {
        let path = beside_this_program("encke")?;
        let page = std::env::temp_dir().join(format!("encke-bench-{}", std::process::id()));
        save(&page.join("index.html"), "<!doctype html>\n")?;
        Ok(Self { path, page })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What is left behind is a line in the system's own folder for that.
        let _ = fs::remove_dir_all(&self.page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_told_the_technique_and_the_chat() {
        let load = |technique| load(&CHATS[0], technique, 0.5);
        assert_eq!(
            load(Technique::Periodic(5)),
            "chat --technique periodic --every 5 --readers 200 --rate 0.2 --payload 64 --history 200 --secs 0.5"
        );
        assert_eq!(
            load(Technique::WebSocket),
            "chat --technique websocket --readers 200 --rate 0.2 --payload 64 --history 200 --secs 0.5"
        );
    }

    #[test]
    fn a_comparison_is_kept() {
        let path = std::env::temp_dir().join(format!("encke-techniques-{}.json", std::process::id()));
        assert_eq!(Comparison::read(&path).expect("there is none"), None);
        let comparison = page::tests::made_up();
        comparison.write(&path).expect("is writable");
        assert_eq!(Comparison::read(&path).expect("is readable"), Some(comparison));
        fs::write(&path, "{").expect("is writable");
        assert!(Comparison::read(&path).is_err());
        fs::remove_file(&path).expect("is ours");
    }

    #[test]
    fn what_went_wrong_is_an_error_that_names_the_chat_and_the_technique() {
        let mut comparison = page::tests::made_up();
        assert!(comparison.ensure_sound().is_ok());
        comparison.measured[1].cell.faults.insert("lost".to_owned(), 3);
        comparison.measured[6].cell.failure = Some("`encke` ended".to_owned());
        let error = comparison.ensure_sound().expect_err("is not sound").to_string();
        assert_eq!(error, "something went wrong in: quiet, long polling; normal, every 1 s");
    }

    #[test]
    fn a_value_that_was_not_measured_is_named() {
        let mut comparison = page::tests::made_up();
        comparison.measured.retain(|one| one.technique != Technique::LongPolling);
        let error =
            comparison.value(&CHATS[1], Technique::LongPolling, &CPU).expect_err("is gone").to_string();
        assert_eq!(
            error,
            "`server_cpu_s_per_m_deliveries` of long polling in the normal chat was not measured"
        );
    }
}
