//! A screen that nobody sees, for the browser that must have one.
//!
//! Owns the process of Xvfb from start to end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A running screen; dropping it ends it.
pub struct Display {
    process: Child,
    number: String,
}

impl Display {
    /// Starts one under a number that is free.
    ///
    /// # Errors
    /// When Xvfb is missing or does not start.
    pub fn start() -> Result<Self> {
        // It says its number on standard output as soon as programs can connect.
        Self::spawn(Command::new("Xvfb").args(["-displayfd", "1", "-nolisten", "tcp"]).args([
            "-screen",
            "0",
            "1280x1024x24",
        ]))
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = spawned.context("cannot start Xvfb")?;
        let output = process.stdout.take().context("the child's standard output was asked for")?;
        let mut display = Self { process, number: String::new() };
        BufReader::new(output).read_line(&mut display.number).context("cannot read what Xvfb says")?;
        ensure!(display.number.ends_with('\n'), "Xvfb ended before it said its number");
        Ok(display)
    }

    /// What programs are told in `DISPLAY`.
    pub fn name(&self) -> String {
        format!(":{}", self.number.trim())
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Asked to end, it takes its socket and lock file away.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shell(script: &str) -> Result<Display> {
        Display::spawn(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn a_screen_has_the_number_that_it_says_and_ends_with_its_owner() {
        let display = shell("echo 7; exec tail -f /dev/null").expect("starts");
        assert_eq!(display.name(), ":7");
        let entry = format!("/proc/{}", display.process.id());
        assert!(Path::new(&entry).exists());
        drop(display);
        assert!(!Path::new(&entry).exists());
    }

    #[test]
    fn a_screen_that_says_no_number_is_an_error() {
        let error = shell("exit 1").err().expect("does not start");
        assert_eq!(error.to_string(), "Xvfb ended before it said its number");
    }
}
