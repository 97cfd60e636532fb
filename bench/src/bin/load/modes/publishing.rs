//! Messages to many, paced or as fast as a window allows: the course of such a run and the rows that it makes.

use crate::clock::{MILLISECOND, Nanos, SECOND, now};
use crate::crowd::{Crowd, Work};
use crate::ledger::Ledger;
use crate::measure::{Mark, Stretch, Window};
use crate::options::{Length, Server};
use crate::report::Report;

/// Without any delivery for so long, what is on the way is given up: shorter than any run, longer than any server rests.
const STALL: Nanos = 500 * MILLISECOND;
/// What is on the way at the end has so long to arrive.
const DRAIN: Nanos = 5 * SECOND;

/// How fast is published.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Messages published per second.
    #[arg(long, default_value_t = 50.0, value_parser = rate)]
    rate: f64,
    /// Publishes as fast as the window allows, in place of --rate.
    #[arg(long)]
    pub(super) saturate: bool,
    /// Messages on the way with --saturate: the next goes out when the oldest has reached everybody.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    window: u32,
}

/// A rate, or a length in seconds.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1e7).contains(rate));
    rate.ok_or_else(|| "it is a number from 0.001 to 10,000,000".to_owned())
}

impl Pace {
    pub(super) fn ledger(self) -> Ledger {
        Ledger::new(self.saturate.then_some(self.window))
    }
}

/// Work that publishes messages.
pub(super) trait Publish: Work {
    /// Publishes one, which was due at that time.
    fn publish(&mut self, crowd: &mut Crowd, due: Nanos);

    fn ledger(&mut self) -> &mut Ledger;

    /// Publishes as many as there is room for.
    fn fill(&mut self, crowd: &mut Crowd) {
        while self.ledger().has_room() {
            self.publish(crowd, now());
        }
    }
}

/// A run that is done.
pub(super) struct Run {
    pub(super) stretch: Stretch,
    /// By how much a message was published too late, at most.
    late: Nanos,
    /// How often nothing came any more.
    stalls: i64,
}

/// Publishes for so long, and waits until all has arrived.
pub(super) fn run(
    crowd: &mut Crowd,
    work: &mut impl Publish,
    server: &Server,
    pace: Pace,
    length: Length,
) -> Run {
    let window = Window::from_now(length);
    work.ledger().delays.of(window);
    let mut course = Course::new(pace);
    course.until(crowd, work, window.begin);
    let begin = Mark::now(crowd, server, work.ledger().delivered());
    course.until(crowd, work, window.end);
    let end = Mark::now(crowd, server, work.ledger().delivered());
    work.ledger().close();
    let patience = now() + DRAIN;
    while work.ledger().missing() > 0 && now() < patience {
        crowd.turn(work, now() + 50 * MILLISECOND);
    }
    Run { stretch: Stretch(begin, end), late: course.late, stalls: course.stalls }
}

struct Course {
    pace: Pace,
    /// When the next message is due.
    next: Nanos,
    late: Nanos,
    /// The last time that the count of deliveries was another, and that count.
    moved: (Nanos, u64),
    stalls: i64,
}

impl Course {
    fn new(pace: Pace) -> Self {
        Self { pace, next: now(), late: 0, moved: (now(), 0), stalls: 0 }
    }

    fn until(&mut self, crowd: &mut Crowd, work: &mut impl Publish, end: Nanos) {
        loop {
            let time = now();
            if time >= end {
                return;
            }
            let wake = if self.pace.saturate {
                self.watch(work, time);
                work.fill(crowd);
                time + 100 * MILLISECOND
            } else {
                self.catch_up(crowd, work, time)
            };
            crowd.turn(work, wake.min(end));
        }
    }

    /// Publishes what is due; when the next is.
    fn catch_up(&mut self, crowd: &mut Crowd, work: &mut impl Publish, time: Nanos) -> Nanos {
        while self.next <= time {
            self.late = self.late.max(time - self.next);
            work.publish(crowd, self.next);
            self.next += (SECOND as f64 / self.pace.rate) as Nanos;
        }
        self.next
    }

    fn watch(&mut self, work: &mut impl Publish, time: Nanos) {
        let delivered = work.ledger().delivered();
        if delivered != self.moved.1 {
            self.moved = (time, delivered);
        } else if time - self.moved.0 > STALL {
            self.stalls += 1;
            work.ledger().forget();
            self.moved.0 = time;
        }
    }
}

impl Run {
    /// The rows of such a run; each message went to so many.
    pub(super) fn rows(&self, report: &mut Report, ledger: &Ledger, pace: Pace, recipients: usize) {
        if pace.saturate {
            report.count("window", pace.window, "messages");
        } else {
            report.figure("offered", pace.rate * recipients as f64, "deliveries/s");
            report.figure("publish_late_max", self.late as f64 / 1_000.0, "us");
        }
        // Who waits for what was lost has no rate.
        if self.stalls == 0 {
            self.stretch.rate(report, "deliveries");
        }
        report.times("latency", ledger.delays.times());
        self.stretch.cpu(report, "deliveries");
        self.stretch.traffic(report);
        report.count("published", ledger.sent(), "");
        report.none("lost", ledger.missing(), "deliveries");
        if pace.saturate {
            report.none("stalls", self.stalls, "");
        }
    }
}
