//! One run: a fresh server, the driver against it, and what the driver found.
//!
//! Owns the reading of the driver's JSON. What went wrong says the driver; must not judge figures.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::contestant::{self, Contestant};
use crate::process::{Cores, Process};

/// How long a server may take until it listens; a guard against a hanging one.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the driver may take beyond what a run is to take: it waits up to five minutes for clients that do not get in.
const DRIVER_TIMEOUT: Duration = Duration::from_secs(400);

/// How long the official client may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(120);

/// Where Socket.IO is on every server.
const PATH: &str = "/socket.io/";

/// A driver that took more than this, in percent of its core, had no time left.
const DRIVER_LIMIT: f64 = 95.0;

/// What the driver says of one run.
#[derive(Debug)]
pub struct Report(Map<String, Value>);

impl Report {
    /// Takes the one JSON object that the driver prints.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map(Self).with_context(|| format!("the driver's report is none: {text:?}"))
    }

    /// One of its numbers.
    ///
    /// # Errors
    /// When there is none: a figure is never guessed.
    pub fn number(&self, key: &str) -> Result<f64> {
        match self.0.get(key).and_then(Value::as_f64) {
            Some(number) => Ok(number),
            None => bail!("the driver's report has no number `{key}`"),
        }
    }

    /// What went wrong, with how often, or with nothing where that is not a matter of number. Not the first error, which the
    /// driver says among these once more.
    ///
    /// # Errors
    /// When the report does not say whether anything did.
    pub fn faults(&self) -> Result<BTreeMap<String, u64>> {
        let faults =
            self.0.get("faults").and_then(Value::as_array).context("the driver's report has no `faults`")?;
        let first = self.first_error();
        let faults = faults.iter().filter_map(Value::as_str).filter(|&fault| first.as_deref() != Some(fault));
        Ok(faults.map(counted).collect())
    }

    /// The first of the errors among these, in words.
    pub fn first_error(&self) -> Option<String> {
        self.0.get("first_error").and_then(Value::as_str).map(str::to_owned)
    }

    /// Whether the driver itself had no time left: then the server could have done more.
    pub fn driver_was_the_limit(&self) -> bool {
        self.0.get("gen_cpu_pct").and_then(Value::as_f64).is_some_and(|percent| percent > DRIVER_LIMIT)
    }

    /// What else kept the machine busy or was taken from it by its host, in percent of one core; zero for loads in which
    /// that is not measured.
    pub fn others(&self) -> f64 {
        let percent = |key: &str| self.0.get(key).and_then(Value::as_f64).unwrap_or_default();
        percent("other_cpu_pct") + percent("steal_pct")
    }
}

/// A fault as the driver words it: most begin with how often it came.
fn counted(fault: &str) -> (String, u64) {
    let parts =
        fault.split_once(' ').and_then(|(count, words)| Some((words.to_owned(), count.parse::<i64>().ok()?)));
    parts.map_or((fault.to_owned(), 0), |(words, count)| (words, count.unsigned_abs()))
}

/// Starts the contestant, puts the load on it, and ends it.
///
/// # Errors
/// When one of the two programs cannot be started, fails, or does not end.
pub fn run(contestant: Contestant, load: &[String], cores: Cores) -> Result<Report> {
    let (server, address) = start(contestant, cores)?;
    measure(server, &address, load, cores)
}

/// Puts the load on a server that listens, and ends it.
///
/// # Errors
/// When the driver cannot be started, fails or does not end, or the server has ended.
pub fn measure(mut server: Process, address: &str, load: &[String], cores: Cores) -> Result<Report> {
    let mut command = Command::new(contestant::beside_this_program("encke-load")?);
    command.args(load).args(["--url", address, "--pid", &server.id().to_string()]);
    command.args(["--cpu", &cores.driver.to_string(), "--json"]);
    let mut driver = Process::start(&mut command, cores.driver)?;
    let report = driver.wait_for_line(|line| line.starts_with('{'), DRIVER_TIMEOUT)?;
    driver.wait_for_end(START_TIMEOUT)?;
    ensure!(server.is_running()?, server.failure("ended while it was measured"));
    Report::from_json(&report)
}

/// Tries by the official client whether the contestant does what is measured.
///
/// # Errors
/// When it does not, or one of the two programs cannot be started.
pub fn check(contestant: Contestant, cores: Cores) -> Result<()> {
    let (_server, address) = start(contestant, cores)?;
    let url = address.trim_end_matches(PATH);
    let mut client =
        Process::start(contestant::check()?.arg(url).args(contestant.only_transport()), cores.driver)?;
    let status = client.wait_for_end(CHECK_TIMEOUT)?;
    ensure!(
        status.success(),
        "{} does not keep to the contract: {}",
        contestant.setting().title,
        client.failure("failed")
    );
    Ok(())
}

/// A fresh server, and its address.
fn start(contestant: Contestant, cores: Cores) -> Result<(Process, String)> {
    let port = free_port()?;
    listening(&mut contestant.command(port)?, port, cores)
}

/// A fresh server that listens at `port`, and its address.
///
/// # Errors
/// When it cannot be started, or does not listen.
pub fn listening(command: &mut Command, port: u16, cores: Cores) -> Result<(Process, String)> {
    let mut server = Process::start(command, cores.server)?;
    server.wait_for_line(|line| line.contains("listening"), START_TIMEOUT)?;
    Ok((server, format!("http://127.0.0.1:{port}{PATH}")))
}

/// A port that nobody listens at.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(any.local_addr().context("a port has a number")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the driver prints it.
    const PRINTED: &str = r#"{"mode":"fanout","transport":"websocket","clients":1000,"deliveries_per_s":49950.0000,
        "latency_p99":null,"lost":3,"out_of_order":0,"errors":2,"first_error":"cut","other_cpu_pct":1.5000,
        "steal_pct":0.5000,"sound":false,"faults":["cut","-3 lost","2 errors","nobody came and went"]}"#;

    fn report(text: &str) -> Report {
        Report::from_json(text).expect("is a report")
    }

    #[test]
    fn numbers_are_found_by_their_keys() {
        let report = report(PRINTED);
        assert_eq!(report.number("deliveries_per_s").expect("is there"), 49_950.0);
        assert_eq!(report.others(), 2.0, "what the host takes counts too");
        assert!(!report.driver_was_the_limit());
    }

    #[test]
    fn a_figure_that_the_driver_does_not_say_is_an_error_that_names_it() {
        for key in ["latency_p99", "latency_p50", "mode"] {
            let error = report(PRINTED).number(key).expect_err("is no number").to_string();
            assert_eq!(error, format!("the driver's report has no number `{key}`"));
        }
    }

    #[test]
    fn what_went_wrong_is_what_the_driver_calls_a_fault() {
        let faults = report(PRINTED).faults().expect("are said");
        let expected = [("errors", 2), ("lost", 3), ("nobody came and went", 0)];
        assert_eq!(faults, expected.map(|(words, count)| (words.to_owned(), count)).into());
        assert_eq!(report(PRINTED).first_error().as_deref(), Some("cut"));
        assert!(report(r#"{"sound":true,"faults":[]}"#).faults().expect("are said").is_empty());
        assert!(report(r#"{"lost":0}"#).faults().is_err(), "whoever does not say it may have any");
        assert!(report(r#"{"gen_cpu_pct":99.2}"#).driver_was_the_limit());
    }

    #[test]
    fn what_is_no_report_is_an_error_that_shows_it() {
        let error = Report::from_json("connection refused").expect_err("is none").to_string();
        assert!(error.contains("connection refused"), "{error}");
    }
}
