//! What `/proc` says of the server under test and of this machine.

use crate::clock::in_seconds;
use rustix::param::clock_ticks_per_second;
use std::collections::HashMap;
use std::fs;
use std::str::FromStr;

/// What a process and all its descendants use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Processes {
    /// CPU time outside and inside of the kernel, in seconds.
    pub(crate) user: f64,
    pub(crate) system: f64,
    /// Both, in finer steps.
    scheduled: f64,
    pub(crate) count: usize,
    pub(crate) threads: u64,
}

impl Processes {
    /// As it is now.
    pub(crate) fn of(root: u32) -> Self {
        let mut sum = Self::default();
        for pid in tree(root) {
            let Some(stat) = Stat::of(pid) else { continue };
            sum.scheduled += scheduled(pid);
            sum.user += stat.seconds(Stat::USER);
            sum.system += stat.seconds(Stat::SYSTEM);
            sum.threads += stat.field::<u64>(Stat::THREADS).unwrap_or(0);
            sum.count += 1;
        }
        sum
    }

    /// CPU time in seconds. The scheduler's own count misses threads that have ended, and the other one what is less than a
    /// tick: the larger one is right.
    pub(crate) fn cpu(&self) -> f64 {
        self.scheduled.max(self.user + self.system)
    }
}

/// CPU time of the threads of a process, in seconds, as the scheduler counts it.
fn scheduled(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<u64>().ok()
    });
    in_seconds(nanos.sum())
}

/// Memory of a process and all its descendants, in bytes. Costs more than [`Processes`]: all maps are walked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident; what is shared counts for each.
    pub(crate) rss: i64,
    /// The same, what is shared divided among those who share it.
    pub(crate) pss: i64,
}

impl Memory {
    /// As it is now.
    pub(crate) fn of(root: u32) -> Self {
        let mut sum = Self::default();
        for pid in tree(root) {
            let text = read(&format!("/proc/{pid}/smaps_rollup"));
            sum.rss += kilobytes(&text, "Rss");
            sum.pss += kilobytes(&text, "Pss");
        }
        sum
    }

    /// Of this program.
    pub(crate) fn own() -> Self {
        Self::of(std::process::id())
    }
}

/// What one process says of itself: the fields of `stat` behind its name.
struct Stat(Vec<String>);

impl Stat {
    // Fields of proc(5), counted from its third one.
    const PARENT: usize = 1;
    const USER: usize = 11;
    const SYSTEM: usize = 12;
    const THREADS: usize = 17;

    fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may have anything in it.
        let (_, fields) = text.rsplit_once(')')?;
        Some(Self(fields.split_ascii_whitespace().map(str::to_owned).collect()))
    }

    fn field<T: FromStr>(&self, index: usize) -> Option<T> {
        self.0.get(index)?.parse().ok()
    }

    fn seconds(&self, index: usize) -> f64 {
        self.field::<f64>(index).unwrap_or(0.0) / clock_ticks_per_second() as f64
    }
}

/// A process and all its descendants.
fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    for pid in names.filter_map(|name| name.to_str()?.parse().ok()) {
        if let Some(parent) = Stat::of(pid).and_then(|stat| stat.field(Stat::PARENT)) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut tree = vec![root];
    let mut at = 0;
    while let Some(pid) = tree.get(at) {
        tree.extend(children.remove(pid).unwrap_or_default());
        at += 1;
    }
    tree
}

/// CPU time of all cores together, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpus {
    pub(crate) busy: f64,
    /// What the hypervisor took.
    pub(crate) stolen: f64,
}

impl Cpus {
    /// Up to now.
    pub(crate) fn now() -> Self {
        let text = read("/proc/stat");
        let line = text.lines().next().unwrap_or_default();
        let ticks: Vec<f64> =
            line.split_ascii_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let [user, nice, system, _idle, _waiting, hardware, software, stolen, ..] = ticks[..] else {
            return Self::default();
        };
        let second = clock_ticks_per_second() as f64;
        Self { busy: (user + nice + system + hardware + software) / second, stolen: stolen / second }
    }
}

/// Memory of the machine, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kernel {
    pub(crate) available: i64,
    pub(crate) slab: i64,
    /// Buffers of TCP sockets.
    pub(crate) tcp: i64,
    /// TCP sockets.
    pub(crate) sockets: i64,
}

impl Kernel {
    /// As it is now.
    pub(crate) fn now() -> Self {
        let (memory, sockets) = (read("/proc/meminfo"), read("/proc/net/sockstat"));
        let tcp = sockets.lines().find_map(|line| line.strip_prefix("TCP:")).unwrap_or_default();
        let field = |name| {
            let mut words = tcp.split_ascii_whitespace().skip_while(|word| *word != name);
            words.nth(1).and_then(|number| number.parse::<i64>().ok()).unwrap_or(0)
        };
        let page = i64::try_from(rustix::param::page_size()).expect("a page is small");
        Self {
            available: kilobytes(&memory, "MemAvailable"),
            slab: kilobytes(&memory, "Slab"),
            tcp: field("mem") * page,
            sockets: field("inuse"),
        }
    }
}

/// What has gone over loopback, with the headers of TCP and IP and what only confirms: from everybody on the machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loopback {
    pub(crate) bytes: u64,
    /// As the kernel hands them over, which may be larger than those of a network.
    pub(crate) packets: u64,
}

impl Loopback {
    /// Up to now.
    pub(crate) fn now() -> Self {
        let count = |name| read(&format!("/sys/class/net/lo/statistics/{name}")).trim().parse().unwrap_or(0);
        Self { bytes: count("tx_bytes"), packets: count("tx_packets") }
    }
}

/// The bytes of a line such as `Rss:  12 kB`.
fn kilobytes(text: &str, key: &str) -> i64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let number = lines.next().and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<i64>().ok());
    number.unwrap_or(0) * 1_024
}

/// What is not there says nothing.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_uses_something_and_is_in_its_own_tree() {
        let own = std::process::id();
        assert_eq!(tree(own).first(), Some(&own));
        assert!(Processes::of(own).threads > 0);
        assert!(Memory::own().rss > 0 && Memory::own().pss > 0);
        assert!(Kernel::now().available > 0);
    }

    #[test]
    fn a_line_of_kilobytes_is_found_by_its_whole_name() {
        let text = "SwapTotal: 1 kB\nPss_Anon: 2 kB\nPss:   3 kB\n";
        assert_eq!((kilobytes(text, "Pss"), kilobytes(text, "Rss")), (3 * 1_024, 0));
    }
}
