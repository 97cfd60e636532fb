//! The programs that the tests need from Debian, and their installation.
//!
//! Owns the table of them. A package whose program is there already, from wherever, is not installed. Must not ask for
//! a password: as root apt-get is run, else by sudo when that asks nothing, else the command to type is the error.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Extent;
use crate::program;

struct Package {
    name: &'static str,
    /// What in the tests needs it.
    purpose: &'static str,
    /// Whether tests of [`Extent::Fast`] need it.
    fast: bool,
    found: Found,
}

/// What shows that a package need not be installed.
enum Found {
    /// Debian's own record: the files are wanted where Debian puts them.
    Installed,
    /// A program of this name, which people often have from elsewhere.
    Program(&'static str),
}

const PACKAGES: &[Package] = &[
    Package {
        name: "nodejs",
        purpose: "runs wasm tests and peers",
        fast: true,
        found: Found::Program("node"),
    },
    Package {
        name: "npm",
        purpose: "installs peers and optimisers",
        fast: true,
        found: Found::Program("npm"),
    },
    Package { name: "chromium", purpose: "the browser of the tests", fast: false, found: Found::Installed },
    Package { name: "chromium-driver", purpose: "steers the browser", fast: false, found: Found::Installed },
    Package { name: "python3-venv", purpose: "holds the Python peers", fast: false, found: Found::Installed },
];

/// Installs what is missing.
///
/// # Errors
/// When something is missing and may not or cannot be installed; says the command that would.
pub fn install(extent: Extent) -> Result<()> {
    let wanted = PACKAGES.iter().filter(|package| package.fast || extent == Extent::All);
    let missing: Vec<&Package> = wanted.filter(|package| !is_there(package)).collect();
    if missing.is_empty() {
        println!("All are there.");
        return Ok(());
    }
    for Package { name, purpose, .. } in &missing {
        println!("{name} is missing: {purpose}.");
    }
    let Some(rights) = Rights::of_this_process()? else {
        bail!("only root can install packages; type this and start again:\n  {}", install_command(&missing));
    };
    let names = missing.iter().map(|package| package.name);
    let apt_get = |arguments: &[&str]| {
        let mut command = rights.apt_get();
        command.args(arguments);
        command
    };
    program::download(&mut apt_get(&["update", "--quiet"]), "Debian's mirror")?;
    let mut command = apt_get(&["install", "--yes", "--quiet", "--no-install-recommends"]);
    program::download(command.args(names), "Debian's mirror")
}

fn is_there(package: &Package) -> bool {
    match package.found {
        Found::Program(name) => program::is_installed(name),
        Found::Installed => {
            let query = ["--show", "--showformat=${db:Status-Status}", package.name];
            program::answer(Command::new("dpkg-query").args(query))
                .is_some_and(|status| status == "installed")
        }
    }
}

fn install_command(missing: &[&Package]) -> String {
    let names = missing.iter().map(|package| package.name).collect::<Vec<_>>().join(" ");
    format!("sudo apt-get update && sudo apt-get install --no-install-recommends {names}")
}

/// How apt-get may be run.
enum Rights {
    Root,
    Sudo,
}

impl Rights {
    fn of_this_process() -> Result<Option<Self>> {
        let owner = std::fs::metadata("/proc/self").context("cannot tell who runs this")?.uid();
        if owner == 0 {
            return Ok(Some(Self::Root));
        }
        let sudo = program::answer(Command::new("sudo").args(["--non-interactive", "true"]));
        Ok(sudo.map(|_| Self::Sudo))
    }

    fn apt_get(&self) -> Command {
        // sudo hands no environment on, so the variable is set behind it.
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => {
                let mut command = Command::new("sudo");
                command.args(["--non-interactive", "env"]);
                command
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_as_there_by_its_record_or_by_its_program() {
        let package = |name, found| Package { name, purpose: "", fast: true, found };
        assert!(is_there(&package("no-such-package", Found::Program("cargo"))));
        assert!(!is_there(&package("no-such-package", Found::Program("no-such-program-here"))));
        assert!(!is_there(&package("no-such-package", Found::Installed)));
    }

    #[test]
    fn the_command_to_type_names_every_missing_package() {
        let all = PACKAGES.iter().collect::<Vec<_>>();
        assert_eq!(
            install_command(&all),
            "sudo apt-get update && sudo apt-get install --no-install-recommends \
             nodejs npm chromium chromium-driver python3-venv"
        );
    }

    #[test]
    fn the_fast_tests_need_no_browser() {
        let fast =
            PACKAGES.iter().filter(|package| package.fast).map(|package| package.name).collect::<Vec<_>>();
        assert_eq!(fast, ["nodejs", "npm"]);
    }
}
