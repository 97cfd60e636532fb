//! Where and of what something was measured: what a reader needs to compare it with another measurement.
//!
//! Owns the asking: of /proc, git, and the lock files of the peers. Must not measure.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The machine, the day, and the versions of everything.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    /// Bytes.
    pub memory: u64,
    pub kernel: String,
    /// Our commit; with a word more when there were changes since.
    pub commit: String,
    /// Of the measurement, in UTC: year, month, day.
    pub date: String,
    /// Versions by name, ours of the compiler among them.
    pub versions: BTreeMap<String, String>,
}

impl Machine {
    /// This one, now. The current folder is the checkout's.
    ///
    /// # Errors
    /// When /proc or the lock files of the peers do not say what they should, or rustc or a peer is missing.
    pub fn now(with_peers: bool) -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
        let processors = read("/proc/cpuinfo")?;
        let mut versions = BTreeMap::from([("rustc".to_owned(), answer("rustc", &["--version"])?)]);
        if with_peers {
            versions.extend(peers(
                &read("bench/peers/package-lock.json")?,
                &read("bench/peers/socketioxide/Cargo.lock")?,
            )?);
            versions.insert("node".to_owned(), answer("node", &["--version"])?);
        }
        Ok(Self {
            processor: field(&processors, "model name").unwrap_or("unknown").to_owned(),
            cores: processors.lines().filter(|line| line.starts_with("processor")).count(),
            memory: memory(&read("/proc/meminfo")?)
                .context("/proc/meminfo does not say how much there is")?,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            commit: commit(),
            date: answer("date", &["--utc", "+%Y-%m-%d"])?,
            versions,
        })
    }

    /// Whether figures of both may stand in one table: all is the same but our commit and the day.
    pub fn is_like(&self, other: &Self) -> bool {
        let (commit, date) = (other.commit.clone(), other.date.clone());
        Self { commit, date, ..self.clone() } == *other
    }
}

/// As far as git knows: whoever has the files alone measures as well.
fn commit() -> String {
    let Ok(commit) = answer("git", &["rev-parse", "--short=10", "HEAD"]) else { return "unknown".to_owned() };
    // What a measurement itself has written changes nothing that is measured.
    let changes = answer("git", &["status", "--porcelain", "--", ".", ":!bench/docs", ":!README.md"]);
    if changes.is_ok_and(|changes| changes.is_empty()) { commit } else { format!("{commit} and changes") }
}

fn answer(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{program} is missing"))?;
    anyhow::ensure!(output.status.success(), "`{program} {}` failed", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The value behind a name and a colon.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

fn memory(text: &str) -> Option<u64> {
    let kilobytes: u64 = field(text, "MemTotal")?.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The peers' versions, by the lock files of npm and of Cargo.
fn peers(npm: &str, cargo: &str) -> Result<BTreeMap<String, String>> {
    let npm: Value = serde_json::from_str(npm).context("package-lock.json is no JSON")?;
    let mut versions = BTreeMap::new();
    for name in ["socket.io", "bun", "@socket.io/bun-engine"] {
        let version = npm["packages"][format!("node_modules/{name}")]["version"].as_str();
        versions.insert(
            name.to_owned(),
            version.with_context(|| format!("package-lock.json lacks {name}"))?.to_owned(),
        );
    }
    for name in ["socketioxide", "axum", "mimalloc"] {
        let version = cargo.split("[[package]]").find_map(|package| {
            let line = |key| {
                package.lines().find_map(|line| line.strip_prefix(&format!("{key} = \""))?.strip_suffix('"'))
            };
            (line("name")? == name).then(|| line("version")).flatten()
        });
        let version = version.with_context(|| format!("Cargo.lock of socketioxide lacks {name}"))?;
        versions.insert(
            if name == "axum" { "axum of socketioxide" } else { name }.to_owned(),
            version.to_owned(),
        );
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_says_what_machine_it_is() {
        let text = "processor\t: 0\nmodel name\t: A processor\nmodel name\t: Another\n";
        assert_eq!(field(text, "model name"), Some("A processor"));
        assert_eq!(memory("MemTotal:       4014072 kB\nMemFree: 1 kB\n"), Some(4_014_072 * 1024));
        assert_eq!(memory("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn the_peers_versions_are_those_of_their_lock_files() {
        let npm = r#"{"packages":{"node_modules/socket.io":{"version":"4.8.4"},"node_modules/bun":{"version":"1.4.5"},
            "node_modules/@socket.io/bun-engine":{"version":"0.1.0"}}}"#;
        let package = |name, version| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n");
        let cargo =
            package("axum", "0.8.9") + &package("mimalloc", "0.1.2") + &package("socketioxide", "0.18.9");
        let versions = peers(npm, &cargo).expect("are right");
        let expected = [
            ("@socket.io/bun-engine", "0.1.0"),
            ("axum of socketioxide", "0.8.9"),
            ("bun", "1.4.5"),
            ("mimalloc", "0.1.2"),
            ("socket.io", "4.8.4"),
            ("socketioxide", "0.18.9"),
        ];
        let shown: Vec<_> =
            versions.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
        assert_eq!(shown, expected);
        assert!(peers("{}", &cargo).is_err());
        assert!(peers(npm, "").is_err());
    }
}
