//! `cargo xtask guard`: what the hot paths cost in instructions, beside what they cost when that was last accepted.
//!
//! Owns the way from a build to a verdict. Instructions and not time, since they are the same whatever else the machine does.
//! Must not know what the scenarios play: `encke-guard` lists them.

mod baseline;
mod callgrind;
mod setting;
mod verdict;

use anyhow::{Result, bail};

use self::baseline::{Baseline, Section};
use self::setting::Setting;
use self::verdict::Row;
use crate::layout::Layout;
use crate::program;
use crate::test::debian;

/// The baseline's place in the checkout.
const BASELINE: &str = "bench/guard/baseline.toml";

/// The package, and its program.
const GUARD: &str = "encke-guard";

/// Whether there was anything to compare with.
#[derive(Debug, PartialEq)]
pub enum Compared {
    /// All is as it was, or has been accepted.
    Yes,
    /// There is no baseline for a machine like this.
    No,
}

/// Counts the scenarios whose names contain `only`, prints them beside the baseline and says what is not as it was; with
/// `accept`, which is for all scenarios, they become the baseline.
///
/// # Errors
/// When something cannot be installed, built or counted; and unless they are accepted, when counts are not as before or there
/// is nothing to compare with for this compiler.
pub fn run(layout: &Layout, only: Option<&str>, accept: bool) -> Result<Compared> {
    if accept && only.is_some() {
        bail!("all scenarios are accepted together, or none: what one change costs shows in several");
    }
    debian::install_named(&["valgrind"])?;
    // The baseline's code is made with no flags.
    let mut build = layout.cargo();
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    program::run(build.args(["build", "--release", "--package", GUARD]))?;
    let wanted = |name: &str| only.is_none_or(|only| name.contains(only));
    let mut scenarios = callgrind::scenarios(layout)?;
    scenarios.retain(|scenario| wanted(&scenario.name));
    if scenarios.is_empty() {
        bail!("there is no scenario like that; `cargo xtask guard` counts them all");
    }
    let counts = callgrind::count(layout, &scenarios)?;
    let setting = Setting::of_this_machine()?;
    let mut baseline = Baseline::read(&layout.source(BASELINE))?;
    let accepted = baseline.section(&setting.key()).cloned();
    let rows = verdict::compare(&scenarios, &counts, accepted.as_ref(), wanted);
    print!("\nInstructions by {}\n{}", setting.key(), verdict::table(&rows));
    if accept {
        baseline.accept(&setting, &rows);
        baseline.write(&layout.source(BASELINE))?;
        println!("These are the baseline now, in {BASELINE}.");
        return Ok(Compared::Yes);
    }
    match accepted {
        Some(section) => judge(layout, &setting, &section, &rows),
        None => nothing_to_compare_with(&setting, &baseline),
    }
}

fn judge(layout: &Layout, setting: &Setting, section: &Section, rows: &[Row]) -> Result<Compared> {
    let Some(mut complaint) = verdict::complaint(rows) else {
        println!("None is more than {} % from the baseline.", verdict::TOLERANCE_PERCENT);
        return Ok(Compared::Yes);
    };
    if let Some(row) = rows.iter().find(|row| row.is_more()) {
        let profile = callgrind::profile(layout, &row.name);
        complaint.push_str(&format!("Where they go: callgrind_annotate {}\n", profile.display()));
    }
    if section.counted_with != setting.counted_with {
        let (then, now) = (&section.counted_with, &setting.counted_with);
        complaint.push_str(&format!("The baseline was counted with {then}, this with {now}.\n"));
    }
    bail!("{complaint}If that is as it should be: cargo xtask guard --accept, and commit {BASELINE}");
}

/// Another compiler makes other code, which somebody has to look at once. Another kind of machine is not what we compare on.
fn nothing_to_compare_with(setting: &Setting, baseline: &Baseline) -> Result<Compared> {
    if baseline.is_of_others(&setting.target) {
        println!("There is no baseline for {}, so nothing is compared.", setting.target);
        return Ok(Compared::No);
    }
    bail!(
        "there is no baseline for {}. If these counts are near those of the compiler before: \
         cargo xtask guard --accept, and commit {BASELINE}",
        setting.key()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(compiler: &str, target: &str) -> Setting {
        Setting { compiler: compiler.into(), target: target.into(), counted_with: String::new() }
    }

    #[test]
    fn a_compiler_that_nobody_has_accepted_is_refused_with_the_command_that_does() {
        let mut baseline = Baseline::default();
        baseline.accept(&setting("rustc 1.95.0", "x86_64"), &[]);
        let unknown = setting("rustc 1.96.0", "x86_64");
        let error = nothing_to_compare_with(&unknown, &baseline).expect_err("is unknown").to_string();
        assert!(error.contains("no baseline for rustc 1.96.0, x86_64"), "{error}");
        assert!(error.contains("cargo xtask guard --accept"), "{error}");
        let other = nothing_to_compare_with(&setting("rustc 1.95.0", "aarch64"), &baseline);
        assert_eq!(other.expect("is left alone"), Compared::No);
    }
}
