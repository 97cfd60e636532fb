//! Each mode finds our server sound, and reports what it is for.

use crate::report;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// What is measured is short: only whether it can be, and what is reported, counts here.
const SHORT: [&str; 4] = ["--secs", "0.5", "--warmup", "0.1"];

/// Our server under test. Dropping it kills it.
struct Ours(Child, SocketAddr);

impl Ours {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_encke-bench-server"));
        let mut child = command.arg("0").args(options).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says that it listens");
        let (_, address) = line.trim().split_once("http://").expect("it says where");
        let address = address.parse().expect("it is an address");
        Self(child, address)
    }

    /// A report that must be sound, with that rate.
    fn measure(&self, arguments: &[&str], rate: &str) -> Value {
        let pid = self.0.id().to_string();
        let report = report(self.1, &[arguments, &SHORT, &["--pid", &pid]].concat());
        assert_eq!(report["sound"], true, "{arguments:?}: {report}");
        assert!(report[rate].is_f64(), "{arguments:?}: {report}");
        report
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("it runs");
    }
}

#[test]
fn fan_out_is_measured_over_each_transport_paced_and_saturated_as_text_and_as_bytes() {
    let ours = Ours::start();
    for transport in ["websocket", "polling"] {
        for form in [&["--rate", "200"][..], &["--saturate"], &["--rate", "50", "--binary"]] {
            let arguments = [&["fanout", "--n", "10", "--transport", transport], form].concat();
            let report = ours.measure(&arguments, "deliveries_per_s");
            assert!(report["server_cpu_s_per_m_deliveries"].is_f64() && report["latency_p99"].is_f64());
        }
    }
}

#[test]
fn a_server_with_recovery_is_measured_as_any_other() {
    let ours = Ours::with(&["--recovery"]);
    for form in [&[][..], &["--binary"]] {
        ours.measure(&[&["fanout", "--n", "5"], form].concat(), "deliveries_per_s");
    }
    ours.measure(&["rooms", "--n", "20", "--rooms", "20", "--members", "4"], "deliveries_per_s");
    ours.measure(&["echo", "--n", "2"], "acks_per_s");
}

#[test]
fn texts_and_bytes_may_be_as_short_as_their_number_and_as_long_as_servers_take() {
    let ours = Ours::start();
    for payload in ["16", "262144"] {
        for form in [&["--payload", payload][..], &["--payload", payload, "--binary"]] {
            for transport in ["websocket", "polling"] {
                let arguments = ["fanout", "--n", "3", "--rate", "20", "--transport", transport];
                ours.measure(&[&arguments, form].concat(), "deliveries_per_s");
            }
        }
        ours.measure(&["echo", "--n", "2", "--payload", payload], "acks_per_s");
    }
}

#[test]
fn rooms_are_joined_and_published_into_in_turn() {
    let ours = Ours::start();
    for pace in [&["--rate", "500"][..], &["--saturate"]] {
        let arguments = [&["rooms", "--n", "20", "--rooms", "70", "--members", "4"], pace].concat();
        let report = ours.measure(&arguments, "deliveries_per_s");
        assert_eq!(report["memberships"], 280);
        assert!(report["joins_per_s"].is_f64() && report["rss_per_membership"].is_f64());
    }
}

#[test]
fn acks_are_counted_over_each_transport() {
    let ours = Ours::start();
    for transport in ["websocket", "polling"] {
        let arguments = ["echo", "--n", "5", "--inflight", "3", "--transport", transport];
        let report = ours.measure(&arguments, "acks_per_s");
        let requests = report["requests"].as_i64();
        assert_eq!(requests > Some(0), transport == "polling", "a WebSocket is no request any more");
    }
}

#[test]
fn clients_come_and_go_in_each_way() {
    let ours = Ours::start();
    for transport in ["websocket", "polling", "upgrade"] {
        let arguments = ["handshake", "--conc", "4", "--transport", transport];
        let report = ours.measure(&arguments, "cycles_per_s");
        assert!(report["connect_p50"].is_f64() && report["requests"].as_i64() > Some(0), "{report}");
    }
}

#[test]
fn idle_clients_are_held() {
    let ours = Ours::start();
    for transport in ["websocket", "polling"] {
        let pid = ours.0.id().to_string();
        let report =
            report(ours.1, &["idle", "--n", "20", "--hold", "0", "--transport", transport, "--pid", &pid]);
        assert_eq!((&report["sound"], &report["connected_at_end"]), (&true.into(), &20.into()), "{report}");
        assert!(report["rss_per_conn"].is_f64() && report["connect_rate"].is_f64(), "{report}");
        assert!(report["other_cpu_pct"].is_f64() && report["gen_cpu_pct"].is_f64());
    }
}
