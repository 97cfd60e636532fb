//! Installs exactly what a committed lock file names, once.
//!
//! Owns the folder that it installs into: a copy of the package's files and `node_modules`. A second copy of the lock
//! file is made when npm has finished and says that all is there; while it equals the original nothing is done. Must
//! not write into the checkout.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::program;

const LOCK: &str = "package-lock.json";
/// The lock file of what is installed completely.
const INSTALLED: &str = "installed-lock.json";

/// Installs the package in `source` into `folder`.
///
/// # Errors
/// When npm is missing or cannot download.
pub fn install(source: &Path, folder: &Path) -> Result<()> {
    if is_current(source, folder) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for name in ["package.json", ".npmrc", LOCK] {
        fs::copy(source.join(name), folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    // No package of ours needs to run a program of its own when it is installed.
    // One more try is enough: without a network the page does without, and nobody should wait.
    let options = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--prefer-offline",
        "--fetch-retries=1",
    ];
    program::download(Command::new("npm").args(options).current_dir(folder), "the npm registry")?;
    fs::copy(source.join(LOCK), folder.join(INSTALLED)).context("cannot note what is installed")?;
    Ok(())
}

fn is_current(source: &Path, folder: &Path) -> bool {
    match (fs::read(source.join(LOCK)), fs::read(folder.join(INSTALLED))) {
        (Ok(wanted), Ok(installed)) => wanted == installed && folder.join("node_modules").is_dir(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_current_while_its_lock_file_is_the_packages() {
        let place = std::env::temp_dir().join(format!("encke-npm-{}", std::process::id()));
        let (source, folder) = (place.join("source"), place.join("folder"));
        fs::create_dir_all(&source).expect("is writable");
        fs::create_dir_all(folder.join("node_modules")).expect("is writable");
        let write = |file: &Path, lock: &str| fs::write(file, lock).expect("is writable");

        write(&source.join(LOCK), "one");
        assert!(!is_current(&source, &folder), "nothing is installed yet");
        write(&folder.join(LOCK), "one");
        assert!(!is_current(&source, &folder), "npm has begun and has been interrupted");
        write(&folder.join(INSTALLED), "one");
        assert!(is_current(&source, &folder));
        write(&source.join(LOCK), "two");
        assert!(!is_current(&source, &folder), "the package wants something else now");
        write(&folder.join(INSTALLED), "two");
        fs::remove_dir(folder.join("node_modules")).expect("is empty");
        assert!(!is_current(&source, &folder), "what was installed is gone");
        fs::remove_dir_all(&place).expect("is ours");
    }
}
