//! `idle`: clients connect and are held: what one costs in memory, and how fast they come. Whose CPU was used, and what
//! travelled, is told of the time in which they connected.

use crate::clock::{SECOND, now, seconds};
use crate::crowd::{Crowd, Work};
use crate::machine::{Kernel, Memory, Processes};
use crate::measure::{Mark, Stretch, head, tail};
use crate::options::{Lasting, Server};
use crate::report::Report;
use anyhow::{Result, bail};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Clients.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Lasting,
    /// Seconds to hold them when all are connected: more than 25 for a round of heartbeats.
    #[arg(long, default_value_t = 30.0)]
    hold: f64,
}

/// They only answer heartbeats.
struct Idle;

impl Work for Idle {}

/// Memory everywhere.
struct Snapshot {
    server: Option<Memory>,
    own: Memory,
    kernel: Kernel,
}

impl Snapshot {
    fn now(server: &Server) -> Self {
        Self { server: server.pid.map(Memory::of), own: Memory::own(), kernel: Kernel::now() }
    }
}

pub(crate) fn measure(options: &Options) -> Result<Report> {
    let Options { server, transport, hold, .. } = options;
    let n = options.n as usize;
    server.prepare(n, n * transport.connections())?;
    let mut crowd = Crowd::new(server, std::iter::repeat_n(transport.transport(), n))?;
    let (before, begin) = (Snapshot::now(server), Mark::now(&crowd, server, 0));
    crowd.connect(&mut Idle);
    let connected = crowd.tally.connected;
    let connecting = Stretch(begin, Mark::now(&crowd, server, connected as u64));
    if connected == 0 {
        bail!("nobody is connected: {}", crowd.tally.first_error.as_deref().unwrap_or("nobody said why"));
    }
    crowd.serve(&mut Idle, now() + 3 * SECOND);
    let (after, heartbeats) = (Snapshot::now(server), crowd.tally.heartbeats);
    let held = server.pid.map(Processes::of);
    crowd.serve(&mut Idle, now() + seconds(*hold));
    let (idle, end) = (server.pid.map(Processes::of), Snapshot::now(server));

    let mut report = head("idle", server, transport.name(), n);
    report.count("connected", connected, "");
    connections(&mut report, &connecting, &crowd);
    if let Some((held, idle)) = held.zip(idle) {
        let percent = (idle.cpu() - held.cpu()) / hold.max(0.001) * 100.0;
        report.figure("server_idle_cpu_pct", percent, "% of one core");
        report.count("server_procs", held.count, "");
        report.count("server_threads", held.threads, "");
    }
    memory(&mut report, connected as f64, [&before, &after, &end]);
    report.count("pings_answered_in_hold", crowd.tally.heartbeats - heartbeats, "");
    report.count("connected_at_end", crowd.tally.connected, "");
    report.none("not_connected", n as i64 - connected as i64, "clients");
    tail(&mut report, &crowd);
    Ok(report)
}

/// How they came.
fn connections(report: &mut Report, connecting: &Stretch, crowd: &Crowd) {
    report.figure("connect_secs", connecting.seconds(), "s");
    report.figure("connect_rate", connecting.operations() as f64 / connecting.seconds(), "conn/s");
    report.times("connect", &crowd.tally.connecting);
    connecting.cpu(report, "connects");
    connecting.traffic(report);
}

fn memory(report: &mut Report, clients: f64, [before, after, end]: [&Snapshot; 3]) {
    let own = after.own.rss - before.own.rss;
    if let (Some(a), Some(b), Some(c)) = (before.server, after.server, end.server) {
        for (key, memory) in [("before", a), ("after", b), ("end", c)] {
            report.count(&format!("server_rss_{key}"), memory.rss, "B");
            report.count(&format!("server_pss_{key}"), memory.pss, "B");
        }
        for (key, memory) in [("", b), ("_end", c)] {
            report.figure(&format!("rss_per_conn{key}"), (memory.rss - a.rss) as f64 / clients, "B");
            report.figure(&format!("pss_per_conn{key}"), (memory.pss - a.pss) as f64 / clients, "B");
        }
        let kernel = before.kernel.available - after.kernel.available - (b.pss - a.pss) - own;
        let unit = "B (estimate: MemAvailable less both processes)";
        report.figure("kernel_per_conn_both_ends", kernel as f64 / clients, unit);
    }
    let (a, b) = (before.kernel, after.kernel);
    report.figure("slab_per_conn_both_ends", (b.slab - a.slab) as f64 / clients, "B");
    report.figure("tcp_mem_per_conn_both_ends", (b.tcp - a.tcp) as f64 / clients, "B");
    report.count("tcp_inuse", b.sockets, "");
    report.figure("gen_rss_per_conn", own as f64 / clients, "B");
}
