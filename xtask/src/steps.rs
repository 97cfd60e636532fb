//! A row of steps: a heading before each, a summary after all.
//!
//! Owns what is printed around the steps' own output. The first step that fails is the last one that runs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The steps so far.
#[derive(Default)]
pub struct Steps {
    done: Vec<Step>,
}

struct Step {
    title: &'static str,
    outcome: Outcome,
}

enum Outcome {
    Passed(Duration),
    Failed(Duration),
    LeftOut(&'static str),
}

/// What a step ends with that finds nothing to do on this machine, and why: no failure.
#[derive(Debug)]
pub struct LeftOut(pub &'static str);

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for LeftOut {}

impl Steps {
    /// Runs one step under its heading.
    ///
    /// # Errors
    /// The step's own, with its title; but not [`LeftOut`].
    pub fn run(&mut self, title: &'static str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n== {}. {title}", self.done.len() + 1);
        let started = Instant::now();
        let result = step();
        let time = started.elapsed();
        let (outcome, result) = match result {
            Ok(()) => (Outcome::Passed(time), Ok(())),
            Err(error) => match error.downcast_ref() {
                Some(LeftOut(reason)) => (Outcome::LeftOut(reason), Ok(())),
                None => (Outcome::Failed(time), Err(error)),
            },
        };
        println!("== {title}: {outcome}");
        self.done.push(Step { title, outcome });
        result.with_context(|| format!("the step \"{title}\" failed"))
    }

    /// Notes that a step is not run, and why.
    pub fn leave_out(&mut self, title: &'static str, reason: &'static str) {
        self.done.push(Step { title, outcome: Outcome::LeftOut(reason) });
    }

    /// A line for each step.
    pub fn summary(&self) -> String {
        let mut summary = String::from("\nSummary\n");
        for (number, Step { title, outcome }) in self.done.iter().enumerate() {
            summary.push_str(&format!("{:>3}. {title:<58} {outcome}\n", number + 1));
        }
        summary
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed(time) => write!(f, "done in {:.1} s", time.as_secs_f32()),
            Self::Failed(time) => write!(f, "FAILED after {:.1} s", time.as_secs_f32()),
            Self::LeftOut(reason) => write!(f, "left out ({reason})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_may_leave_itself_out() {
        let mut steps = Steps::default();
        steps.run("one", || Err(LeftOut("no such machine").into())).expect("is no failure");
        assert!(steps.summary().ends_with(" left out (no such machine)\n"), "{}", steps.summary());
    }

    #[test]
    fn a_failing_step_is_named_in_its_error_and_in_the_summary() {
        let mut steps = Steps::default();
        steps.run("one", || Ok(())).expect("passes");
        steps.leave_out("two", "no browser");
        let error = steps.run("three", || anyhow::bail!("broken")).expect_err("fails");
        assert_eq!(format!("{error:#}"), "the step \"three\" failed: broken");
        let summary = steps.summary();
        let outcomes =
            summary.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let outcomes = outcomes.map(|line| line.replace("0.0 s", "T")).collect::<Vec<_>>();
        assert_eq!(outcomes, ["1. one done in T", "2. two left out (no browser)", "3. three FAILED after T"]);
    }
}
