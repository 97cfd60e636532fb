//! What counts depend on beside our code: the compiler, and the machine as far as programs ask what it can do.
//!
//! Owns the questions. The compiler and the target choose the baseline; the C library and valgrind differ little from version to
//! version, so they are only named when something is not as it was.

use std::env;
use std::process::Command;

use anyhow::{Context, Result};

use crate::program;

pub struct Setting {
    /// As `rustc --version` says it.
    pub compiler: String,
    /// The target triple, and what a machine lacks.
    pub target: String,
    /// The C library and valgrind.
    pub counted_with: String,
}

impl Setting {
    /// # Errors
    /// When the compiler, the C library or valgrind does not say its version.
    pub fn of_this_machine() -> Result<Self> {
        let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let verbose = ask(Command::new(compiler).arg("-vV"))?;
        let (compiler, target) =
            read_versions(&verbose).context("rustc does not say its version and host")?;
        let lacking = if has_avx2() { "" } else { " without AVX2" };
        let libc = ask(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
        let valgrind = ask(Command::new("valgrind").arg("--version"))?;
        Ok(Self {
            compiler: compiler.to_owned(),
            target: format!("{target}{lacking}"),
            counted_with: format!("{}, {}", libc.trim(), valgrind.trim()),
        })
    }

    /// Names a section of the baseline.
    pub fn key(&self) -> String {
        format!("{}, {}", self.compiler, self.target)
    }
}

fn ask(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    program::answer(command).with_context(|| format!("{name} does not say its version"))
}

/// The first line, and the one that says for what it compiles.
fn read_versions(verbose: &str) -> Option<(&str, &str)> {
    let host = verbose.lines().find_map(|line| line.strip_prefix("host: "))?;
    Some((verbose.lines().next()?, host))
}

/// Libraries of ours look for it and have other code without.
fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiler_and_target_name_a_section() {
        let verbose = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        let versions = ("rustc 1.95.0 (59807616e 2026-04-14)", "x86_64-unknown-linux-gnu");
        assert_eq!(read_versions(verbose), Some(versions));
        assert_eq!(read_versions("rustc\n"), None);
        let setting = Setting {
            compiler: versions.0.into(),
            target: versions.1.into(),
            counted_with: "glibc 2.36, valgrind-3.19.0".into(),
        };
        assert_eq!(setting.key(), "rustc 1.95.0 (59807616e 2026-04-14), x86_64-unknown-linux-gnu");
    }
}
