//! The rows of the bench, in the order in which they are measured and shown.
//!
//! Owns the table, and which rows a name means. Goals are those of November 2026: what the best peer took then on the
//! machine of that day stands beside each. All together take less than half an hour.

use std::borrow::Cow::Borrowed;

use anyhow::{Result, bail};

use crate::contestant::Contestant::{
    self, Axum, Bun, Encke, Floor, MultiThread, Node, Recovery, Socketioxide, SocketioxideMimalloc,
    SocketioxideMultiThread,
};
use crate::row::{Better, Figure, Goal, Length, Row, Unit};

const fn goal(ours: f64, best_peer: f64) -> Option<Goal> {
    Some(Goal { ours, best_peer })
}

const fn smaller(key: &'static str, name: &'static str, unit: Unit, goal: Option<Goal>) -> Figure {
    Figure { key, name, unit, better: Better::Smaller, goal }
}

const fn larger(key: &'static str, name: &'static str, unit: Unit, goal: Option<Goal>) -> Figure {
    Figure { key, name, unit, better: Better::Larger, goal }
}

const fn cpu_per_delivery(goal: Option<Goal>) -> Figure {
    smaller("server_cpu_s_per_m_deliveries", "CPU per delivery", Unit::Microseconds, goal)
}

const fn deliveries(goal: Option<Goal>) -> Figure {
    larger("deliveries_per_s", "deliveries", Unit::PerSecond, goal)
}

const fn cpu_per_ack(goal: Option<Goal>) -> Figure {
    smaller("server_cpu_s_per_m_acks", "CPU per ack", Unit::Microseconds, goal)
}

const fn acks(goal: Option<Goal>) -> Figure {
    larger("acks_per_s", "acks", Unit::PerSecond, goal)
}

const fn cpu_per_client(goal: Option<Goal>) -> Figure {
    smaller("server_cpu_s_per_m_cycles", "CPU per client", Unit::Microseconds, goal)
}

const fn half(goal: Option<Goal>) -> Figure {
    smaller("latency_p50", "latency, p50", Unit::Microseconds, goal)
}

const fn waiting(goal: Option<Goal>) -> Figure {
    smaller("connect_p50", "time until it is in, p50", Unit::Microseconds, goal)
}

const fn slowest(goal: Option<Goal>) -> Figure {
    smaller("latency_p99", "latency, p99", Unit::Microseconds, goal)
}

const fn memory_per_client(goal: Option<Goal>) -> Figure {
    smaller("rss_per_conn", "memory per client", Unit::Bytes, goal)
}

const fn connect_rate(goal: Option<Goal>) -> Figure {
    larger("connect_rate", "clients that connect", Unit::PerSecond, goal)
}

/// Ours beside every peer.
const ALL: &[Contestant] = &[Encke, Node, Bun, Socketioxide, SocketioxideMimalloc];
/// Where requests are many, also ours as a route of axum alone.
const REQUESTS: &[Contestant] = &[Encke, Axum, Node, Bun, Socketioxide, SocketioxideMimalloc];
/// Where answers wait for requests, also socketioxide under that scheduler, which may be quicker so.
const ANSWERS: &[Contestant] =
    &[Encke, Axum, Node, Bun, Socketioxide, SocketioxideMultiThread, SocketioxideMimalloc];
/// Where the server's own work is most of it, also ours under a scheduler between threads, and what it costs at least.
const WORK: &[Contestant] = &[Encke, MultiThread, Node, Bun, Socketioxide, SocketioxideMimalloc, Floor];
/// Where everything that is sent is written down with recovery.
const SENT: &[Contestant] =
    &[Encke, MultiThread, Recovery, Node, Bun, Socketioxide, SocketioxideMimalloc, Floor];
/// The same without the scheduler.
const LOGGED: &[Contestant] = &[Encke, Recovery, Node, Bun, Socketioxide, SocketioxideMimalloc, Floor];

/// Where CPU time is a part of the whole only, and counted in steps of 10 ms.
const PACED: Length = Length::Measured { seconds: 2.0, around: 1.1 };
const SATURATED: Length = Length::Measured { seconds: 1.5, around: 1.1 };
const ECHO: Length = Length::Measured { seconds: 1.5, around: 0.9 };
/// For rows whose slowest tenths of a second vary: rather more of them.
const SHORT_ECHO: Length = Length::Measured { seconds: 1.0, around: 0.9 };
const CONNECT: Length = Length::Measured { seconds: 1.5, around: 0.4 };

pub const ROWS: &[Row] = &[
    Row {
        name: Borrowed("fanout-paced"),
        what: Borrowed("One client's messages of 64 B to 999 others, one at a time, 50,000 deliveries/s"),
        load: Borrowed("fanout --n 1000 --rate 50 --payload 64"),
        length: PACED,
        figures: &[
            cpu_per_delivery(goal(4.4, 6.6)),
            half(goal(2_700.0, 3_700.0)),
            slowest(goal(5_600.0, 7_200.0)),
        ],
        contestants: SENT,
        axum_goal: None,
        runs: 7,
    },
    Row {
        name: Borrowed("fanout-window-8"),
        what: Borrowed("One client's messages of 64 B to 999 others, as fast as it goes, 8 outstanding"),
        load: Borrowed("fanout --n 1000 --saturate --window 8 --payload 64"),
        length: SATURATED,
        figures: &[deliveries(goal(2.5e6, 1.02e6)), cpu_per_delivery(None)],
        contestants: LOGGED,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("fanout-window-64"),
        what: Borrowed("One client's messages of 64 B to 999 others, as fast as it goes, 64 outstanding"),
        load: Borrowed("fanout --n 1000 --saturate --window 64 --payload 64"),
        length: SATURATED,
        figures: &[deliveries(goal(10e6, 1.92e6)), cpu_per_delivery(None)],
        contestants: ALL,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("fanout-1k"),
        what: Borrowed("One client's messages of 1 KiB to 999 others, as fast as it goes, 8 outstanding"),
        load: Borrowed("fanout --n 1000 --saturate --window 8 --payload 1024"),
        length: SATURATED,
        figures: &[deliveries(goal(1.9e6, 761e3)), cpu_per_delivery(None)],
        contestants: ALL,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("fanout-binary"),
        what: Borrowed("One client's attachments of 1 KiB to 999 others, as fast as it goes, 8 outstanding"),
        load: Borrowed("fanout --n 1000 --saturate --window 8 --payload 1024 --binary"),
        length: SATURATED,
        figures: &[deliveries(None), cpu_per_delivery(None)],
        contestants: ALL,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("fanout-10k"),
        what: Borrowed("One client's messages of 64 B to 9,999 others, one at a time, 50,000 deliveries/s"),
        load: Borrowed("fanout --n 10000 --rate 5 --payload 64"),
        length: Length::Measured { seconds: 2.0, around: 2.2 },
        figures: &[cpu_per_delivery(None), half(None), slowest(None)],
        contestants: ALL,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("rooms"),
        what: Borrowed(
            "1,000 rooms of 10 clients, 10,000 clients in all, 5,000 messages/s of 64 B into rooms in turn",
        ),
        load: Borrowed("rooms --rooms 1000 --members 10 --n 10000 --rate 5000 --payload 64"),
        length: Length::Measured { seconds: 2.0, around: 3.2 },
        figures: &[cpu_per_delivery(None), half(None), slowest(None)],
        contestants: ALL,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("echo-websocket"),
        what: Borrowed("100 clients by WebSocket, each with 1 event of 64 B that waits for its ack"),
        load: Borrowed("echo --n 100 --inflight 1"),
        length: ECHO,
        figures: &[cpu_per_ack(goal(4.0, 5.7)), acks(None)],
        contestants: WORK,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("echo-websocket-16"),
        what: Borrowed("100 clients by WebSocket, each with 16 events of 64 B that wait for their acks"),
        load: Borrowed("echo --n 100 --inflight 16"),
        length: SHORT_ECHO,
        figures: &[acks(goal(2.2e6, 409e3)), slowest(goal(1_500.0, 6_700.0))],
        contestants: WORK,
        axum_goal: None,
        runs: 7,
    },
    Row {
        name: Borrowed("echo-polling"),
        what: Borrowed("50 clients by long-polling, each with 1 event of 64 B that waits for its ack"),
        load: Borrowed("echo --n 50 --inflight 1 --transport polling"),
        length: ECHO,
        figures: &[cpu_per_ack(goal(8.5, 14.6)), acks(None)],
        contestants: ANSWERS,
        axum_goal: goal(12.5, 14.6),
        runs: 3,
    },
    Row {
        name: Borrowed("echo-polling-16"),
        what: Borrowed("50 clients by long-polling, each with 16 events of 64 B that wait for their acks"),
        load: Borrowed("echo --n 50 --inflight 16 --transport polling"),
        length: SHORT_ECHO,
        figures: &[acks(goal(1.2e6, 278e3)), slowest(goal(3_000.0, 12_000.0))],
        contestants: ANSWERS,
        axum_goal: None,
        runs: 7,
    },
    Row {
        name: Borrowed("connect-websocket"),
        what: Borrowed("Clients that connect by WebSocket, enter the namespace and leave, 128 at a time"),
        load: Borrowed("handshake --transport websocket"),
        length: CONNECT,
        figures: &[cpu_per_client(goal(22.0, 40.0))],
        contestants: REQUESTS,
        axum_goal: goal(28.0, 40.0),
        runs: 3,
    },
    Row {
        name: Borrowed("connect-polling"),
        what: Borrowed("Clients that connect by long-polling, enter the namespace and leave, 128 at a time"),
        load: Borrowed("handshake --transport polling"),
        length: CONNECT,
        figures: &[cpu_per_client(goal(17.0, 30.0))],
        contestants: REQUESTS,
        axum_goal: goal(25.0, 30.0),
        runs: 3,
    },
    Row {
        name: Borrowed("connect-upgrade"),
        what: Borrowed(
            "Clients that connect by long-polling, enter, change to WebSocket and leave, 128 at a time",
        ),
        load: Borrowed("handshake --transport upgrade"),
        length: CONNECT,
        figures: &[cpu_per_client(goal(55.0, 154.0))],
        contestants: REQUESTS,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("connect-unloaded"),
        what: Borrowed(
            "Clients that connect by long-polling, enter, change to WebSocket and leave, one at a time",
        ),
        load: Borrowed("handshake --transport upgrade --conc 1"),
        length: CONNECT,
        figures: &[waiting(goal(500.0, 270.0))],
        contestants: REQUESTS,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("idle-websocket"),
        what: Borrowed("10,000 clients that connect by WebSocket, and stay"),
        load: Borrowed("idle --n 10000 --hold 1"),
        length: Length::OfTheLoad { about: 5.5 },
        figures: &[
            memory_per_client(goal(1_600.0, 13_500.0)),
            connect_rate(goal(32e3, 13.8e3)),
            smaller("server_rss_before", "memory before the first", Unit::Bytes, goal(5e6, 3.2e6)),
        ],
        contestants: REQUESTS,
        axum_goal: None,
        runs: 3,
    },
    Row {
        name: Borrowed("idle-polling"),
        what: Borrowed("9,000 clients that connect by long-polling, two connections each, and stay"),
        load: Borrowed("idle --n 9000 --transport polling --hold 1"),
        length: Length::OfTheLoad { about: 6.0 },
        figures: &[memory_per_client(goal(2_000.0, 17_500.0)), connect_rate(None)],
        contestants: REQUESTS,
        axum_goal: goal(21_000.0, 17_500.0),
        runs: 3,
    },
    Row {
        name: Borrowed("crowd"),
        what: Borrowed("19,000 clients that connect by WebSocket, and stay"),
        load: Borrowed("idle --n 19000 --hold 1"),
        length: Length::OfTheLoad { about: 7.0 },
        figures: &[memory_per_client(None), connect_rate(None)],
        contestants: ALL,
        axum_goal: None,
        runs: 1,
    },
];

/// The rows of these names, or whose names begin with them; all without a name.
///
/// # Errors
/// When a name means none: lists what there is.
pub fn named(names: &[String]) -> Result<Vec<&'static Row>> {
    for name in names {
        if !ROWS.iter().any(|row| row.name.starts_with(name.as_str())) {
            bail!("no row begins with `{name}`; there are\n{}", list());
        }
    }
    let wanted = |row: &&Row| names.is_empty() || names.iter().any(|name| is_meant(name, &row.name));
    Ok(ROWS.iter().filter(wanted).collect())
}

/// A whole name means its row alone, though others begin with it.
fn is_meant(name: &str, row: &str) -> bool {
    row == name || row.starts_with(name) && !ROWS.iter().any(|row| row.name == name)
}

/// A line for each row.
pub fn list() -> String {
    ROWS.iter().map(|row| format!("  {:<18} {}\n", row.name, row.what)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn meant(names: &[&str]) -> Vec<&'static str> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        named(&names).expect("are rows").iter().map(|row| &*row.name).collect()
    }

    #[test]
    fn each_row_has_a_name_of_its_own_figures_and_ours_beside_a_peer() {
        for (number, row) in ROWS.iter().enumerate() {
            assert!(ROWS[number + 1..].iter().all(|other| other.name != row.name), "{} twice", row.name);
            assert!(!row.figures.is_empty() && row.runs % 2 == 1, "{}", row.name);
            assert_eq!(row.contestants.first(), Some(&Encke), "{}", row.name);
            assert!(row.contestants.iter().any(|one| !one.is_ours()), "{}", row.name);
            for (number, figure) in row.figures.iter().enumerate() {
                assert!(
                    row.figures[number + 1..].iter().all(|other| other.key != figure.key),
                    "{}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn a_goal_of_the_axum_route_stands_behind_that_of_the_listener_and_is_measured() {
        for row in ROWS.iter().filter(|row| row.axum_goal.is_some()) {
            assert!(row.contestants.contains(&Axum), "{}", row.name);
            let compared: Vec<_> = row.compared().iter().map(|(one, figure, _)| (*one, figure.key)).collect();
            let first = row.figures[0].key;
            assert_eq!(compared[..2], [(Encke, first), (Axum, first)], "{}", row.name);
            assert_eq!(compared.len(), row.figures.len() + 1, "{}", row.name);
        }
        assert_eq!(ROWS.iter().filter(|row| row.axum_goal.is_some()).count(), 4);
    }

    #[test]
    fn all_rows_together_take_less_than_half_an_hour() {
        let one = |row: &Row| row.estimate(row.contestants, None) * row.runs as u32;
        assert!(ROWS.iter().map(one).sum::<Duration>() < Duration::from_secs(27 * 60));
    }

    #[test]
    fn a_name_means_its_row_or_else_all_that_begin_with_it() {
        assert_eq!(meant(&["echo-websocket"]), ["echo-websocket"]);
        assert_eq!(meant(&["idle", "crowd"]), ["idle-websocket", "idle-polling", "crowd"]);
        assert_eq!(meant(&["echo-p"]), ["echo-polling", "echo-polling-16"]);
        assert_eq!(meant(&[]).len(), ROWS.len());
    }

    #[test]
    fn a_name_that_means_nothing_is_answered_by_the_list() {
        let error = named(&["ecko".to_owned()]).err().expect("is no row").to_string();
        assert!(error.contains("no row begins with `ecko`") && error.contains("  crowd  "), "{error}");
    }
}
