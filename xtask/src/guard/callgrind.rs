//! Counting: one run of `encke-guard` under callgrind for each scenario.
//!
//! Owns what makes two runs count the same, on any x86-64 machine: see [`TUNABLES`]. Must not judge the counts.

use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use super::GUARD;
use crate::layout::Layout;

/// Collects inside `encke_guard::counted::counted` alone, in the thread that calls it.
const COUNTED: &str = "--toggle-collect=*encke_guard*counted*counted*";

/// The C library copies and compares in code chosen by what the processor can do, and `rep movsb` counts once for each
/// byte: so it takes the code that all have. And malloc leaves small blocks where it finds them next, since what it
/// would tidy up, and when, depends on what was freed at which time before.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-SSSE3,-SSE4_1,-SSE4_2:\
    glibc.malloc.mxfast=0:glibc.malloc.tcache_count=1000";

/// Two for each of a crowd of clients, in one process.
const OPEN_FILES: &str = "4096";

/// What can be counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub name: String,
    /// What is done again and again, for the words behind "instructions per".
    pub operation: String,
}

/// All scenarios, in their order.
///
/// # Errors
/// When the program has not been built.
pub fn scenarios(layout: &Layout) -> Result<Vec<Scenario>> {
    let list = output(&mut Command::new(layout.release(GUARD)))?;
    let scenarios = list.lines().filter_map(|line| line.split_once(' '));
    Ok(scenarios
        .map(|(name, operation)| Scenario { name: name.to_owned(), operation: operation.to_owned() })
        .collect())
}

/// Instructions of an operation of each scenario, several scenarios at a time.
///
/// # Errors
/// When one cannot be played, or counts nothing.
pub fn count(layout: &Layout, scenarios: &[Scenario]) -> Result<Vec<u64>> {
    let waiting = Mutex::new(scenarios.iter().enumerate());
    // The lock is held only while the next one is taken.
    let next = || waiting.lock().ok()?.next();
    let work = || {
        let mut counts = Vec::new();
        while let Some((place, Scenario { name, .. })) = next() {
            let count = count_one(layout, name).with_context(|| format!("cannot count {name}"))?;
            counts.push((place, count));
        }
        Ok(counts)
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut counts = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let counts = workers.into_iter().map(|worker| match worker.join() {
            Ok(counts) => counts,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        counts.collect::<Result<Vec<_>>>()
    })?
    .concat();
    counts.sort_unstable();
    Ok(counts.into_iter().map(|(_, count)| count).collect())
}

/// Where the profile of a scenario lies, for `callgrind_annotate`.
pub fn profile(layout: &Layout, name: &str) -> PathBuf {
    layout.profiles().join(format!("{name}.out"))
}

fn count_one(layout: &Layout, name: &str) -> Result<u64> {
    let profile = profile(layout, name);
    fs::create_dir_all(layout.profiles()).context("cannot make the folder of the profiles")?;
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -Sn {OPEN_FILES} && exec \"$@\""), "sh", "valgrind", "--quiet"]);
    command.args(["--tool=callgrind", "--collect-atstart=no", COUNTED]);
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(layout.release(GUARD)).arg(name).env("GLIBC_TUNABLES", TUNABLES);
    let said = output(&mut command)?;
    let profile = fs::read_to_string(&profile).context("callgrind has left no profile")?;
    each(&said, &profile)
}

/// Instructions of one operation, rounded down.
fn each(said: &str, profile: &str) -> Result<u64> {
    let operations = number_behind("operations ", said).context("it does not say how much it has played")?;
    match number_behind("totals: ", profile).context("the profile has no total")? {
        0 => bail!("nothing was counted: the function that callgrind collects in has not been called"),
        total => total.checked_div(operations).context("it has played nothing"),
    }
}

fn number_behind(word: &str, text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(word))?.trim().parse().ok()
}

/// What a program prints; what it complains of is shown only when it does not end well.
fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("it failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} prints what is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "version: 1\nevents: Ir\nfn=(1) x\n12 34\n\ntotals: 1050\n";

    #[test]
    fn instructions_are_divided_by_operations() {
        assert_eq!(each("operations 100\n", PROFILE).expect("is whole"), 10);
    }

    #[test]
    fn a_run_that_counted_nothing_is_an_error() {
        let error = |said, profile| each(said, profile).expect_err("nothing was counted").to_string();
        assert!(error("operations 100\n", "totals: 0\n").contains("has not been called"));
        assert_eq!(error("operations 100\n", "version: 1\n"), "the profile has no total");
        assert_eq!(error("operations 0\n", PROFILE), "it has played nothing");
        assert_eq!(error("", PROFILE), "it does not say how much it has played");
    }

    #[test]
    fn a_program_that_fails_says_why() {
        let error = output(Command::new("sh").args(["-c", "echo no >&2; exit 3"])).expect_err("fails");
        assert_eq!(error.to_string(), "it failed (exit status: 3): no");
    }
}
