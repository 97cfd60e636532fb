//! What is taken at the beginning and at the end of what is measured, and the rows that the difference makes.

use crate::clock::{Nanos, in_seconds, now, own_cpu, seconds};
use crate::crowd::{Crowd, times};
use crate::machine::{Cpus, Processes};
use crate::net::Traffic;
use crate::options::{Length, Server};
use crate::report::Report;
use hdrhistogram::Histogram;
use std::ops::Range;

/// Everything that is counted, up to a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) time: Nanos,
    own: f64,
    cpus: Cpus,
    server: Option<Processes>,
    /// Deliveries, acks or whatever the work consists of.
    operations: u64,
    pub(crate) traffic: Traffic,
}

impl Mark {
    /// Now.
    pub(crate) fn now(crowd: &Crowd, server: &Server, operations: u64) -> Self {
        Self {
            time: now(),
            own: own_cpu(),
            cpus: Cpus::now(),
            server: server.pid.map(Processes::of),
            operations,
            traffic: crowd.net.traffic,
        }
    }
}

/// What lies between two marks.
pub(crate) struct Stretch(pub(crate) Mark, pub(crate) Mark);

impl Stretch {
    pub(crate) fn operations(&self) -> u64 {
        self.1.operations - self.0.operations
    }

    pub(crate) fn seconds(&self) -> f64 {
        in_seconds(self.1.time - self.0.time)
    }

    /// How long it was, and the rate of operations as `{operations}_per_s`.
    pub(crate) fn rate(&self, report: &mut Report, operations: &str) {
        report.figure("seconds", self.seconds(), "s");
        report.figure(&format!("{operations}_per_s"), self.operations() as f64 / self.seconds(), "1/s");
    }

    /// A figure by operation. None where nothing happened: nothing is what costs least.
    pub(crate) fn by_operation(&self, report: &mut Report, key: &str, value: f64, unit: &'static str) {
        if self.operations() > 0 {
            report.figure(key, value / self.operations() as f64, unit);
        }
    }

    /// CPU time: the server's by operation, and who else used any.
    pub(crate) fn cpu(&self, report: &mut Report, operations: &str) {
        let Self(a, b) = self;
        let percent = |cpu: f64| cpu / self.seconds() * 100.0;
        let own = b.own - a.own;
        let used = a.server.zip(b.server);
        if let Some((a, b)) = used {
            report.figure("server_cpu_pct", percent(b.cpu() - a.cpu()), "% of one core");
            let all = format!("server_cpu_s_per_m_{operations}");
            self.by_operation(report, &all, (b.cpu() - a.cpu()) * 1e6, "s");
            self.by_operation(report, "server_user_s_per_m", (b.user - a.user) * 1e6, "s");
            self.by_operation(report, "server_sys_s_per_m", (b.system - a.system) * 1e6, "s");
        }
        report.figure("gen_cpu_pct", percent(own), "% of one core");
        if let Some((x, y)) = used {
            let other = b.cpus.busy - a.cpus.busy - own - (y.cpu() - x.cpu());
            report.figure("other_cpu_pct", percent(other.max(0.0)), "% of one core");
        }
        report.figure("steal_pct", percent(b.cpus.stolen - a.cpus.stolen), "% of one core");
    }

    /// What travelled, by operation.
    pub(crate) fn traffic(&self, report: &mut Report) {
        let traffic = self.1.traffic - self.0.traffic;
        for (key, value, unit) in [
            ("requests_per_op", traffic.requests, ""),
            ("reads_per_op", traffic.reads, ""),
            ("writes_per_op", traffic.writes, ""),
            ("bytes_read_per_op", traffic.read_bytes, "B"),
            ("bytes_written_per_op", traffic.written_bytes, "B"),
        ] {
            self.by_operation(report, key, value as f64, unit);
        }
        report.count("requests", traffic.requests, "");
        report.count("bytes_read", traffic.read_bytes, "B");
        report.count("bytes_written", traffic.written_bytes, "B");
    }
}

/// How long things took that began while it was measured, however late they ended.
pub(crate) struct Delays {
    times: Histogram<u64>,
    wanted: Range<Nanos>,
}

impl Delays {
    /// None, and none wanted yet.
    pub(crate) fn new() -> Self {
        Self { times: times(), wanted: 0..0 }
    }

    /// Wanted is what begins in that window.
    pub(crate) fn of(&mut self, window: Window) {
        self.wanted = window.begin..window.end;
    }

    pub(crate) fn record(&mut self, since: Nanos, now: Nanos) {
        if self.wanted.contains(&since) {
            self.times.saturating_record(now.saturating_sub(since));
        }
    }

    pub(crate) fn times(&self) -> &Histogram<u64> {
        &self.times
    }
}

/// When what is measured begins and ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) begin: Nanos,
    pub(crate) end: Nanos,
}

impl Window {
    /// Behind a warm-up that begins now.
    pub(crate) fn from_now(length: Length) -> Self {
        let begin = now() + seconds(length.warmup);
        Self { begin, end: begin + seconds(length.secs) }
    }
}

/// What was run with whom.
pub(crate) fn head(mode: &str, server: &Server, transport: &str, clients: usize) -> Report {
    let mut report = Report::default();
    report.text("mode", mode);
    if !server.label.is_empty() {
        report.text("label", &server.label);
    }
    report.text("transport", transport);
    report.count("clients", clients, "");
    report
}

/// What went wrong with clients.
pub(crate) fn tail(report: &mut Report, crowd: &Crowd) {
    report.none("errors", crowd.tally.errors.cast_signed(), "");
    report.none("dropped_clients", crowd.tally.dropped.cast_signed(), "");
    if let Some(error) = &crowd.tally.first_error {
        report.text("first_error", error);
        report.fault(error.clone());
    }
}
