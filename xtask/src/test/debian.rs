//! The programs that the tests need from Debian, and their installation.
//!
//! Owns the table of them. A package whose program is there already, from wherever, is not installed. Must not ask for
//! a password: as root apt-get is run, else by sudo when that asks nothing, else the command to type is the error. Must
//! not leave a service running that was not there before: the tests start the programs themselves.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Extent;
use crate::program;

/// Where the proxies are, which is not in everybody's path.
pub const NGINX: &str = "/usr/sbin/nginx";
pub const HAPROXY: &str = "/usr/sbin/haproxy";

struct Package {
    name: &'static str,
    /// What in the tests needs it.
    purpose: &'static str,
    /// The smallest extent that needs it.
    wanted_by: Extent,
    found: Found,
    /// Whether Debian also sets up a service of the package's name, which nobody has asked for.
    serves: bool,
}

/// What shows that a package need not be installed.
enum Found {
    /// Debian's own record: the files are wanted where Debian puts them.
    Installed,
    /// A program of this name, which people often have from elsewhere.
    Program(&'static str),
}

const PACKAGES: &[Package] = &[
    elsewhere("nodejs", "node", "runs wasm tests and peers"),
    elsewhere("npm", "npm", "installs peers and optimisers"),
    debians("python3-venv", "holds the Python peers"),
    debians("libssl-dev", "linked into the Rust peer"),
    debians("pkg-config", "finds it"),
    debians("chromium", "a browser of the tests"),
    debians("chromium-driver", "steers Chromium"),
    debians("firefox-esr", "a browser of the tests; its driver comes from the Rust registry"),
    debians("webkit2gtk-driver", "steers WebKit, and brings it"),
    debians("xvfb", "a screen for WebKit, which has no headless mode"),
    debians("w3m", "a browser without scripts"),
    Package { found: Found::Program("valgrind"), ..debians("valgrind", "counts instructions") },
    service("nginx", "a proxy that stands in the way of the chat"),
    service("haproxy", "another proxy that stands in the way of the chat"),
];

/// What even the fast tests need and people often have from elsewhere.
const fn elsewhere(name: &'static str, program: &'static str, purpose: &'static str) -> Package {
    Package { name, purpose, wanted_by: Extent::Fast, found: Found::Program(program), serves: false }
}

/// What only the whole of the tests needs.
const fn debians(name: &'static str, purpose: &'static str) -> Package {
    Package { name, purpose, wanted_by: Extent::All, found: Found::Installed, serves: false }
}

/// As [`debians`]; its service is kept from running.
const fn service(name: &'static str, purpose: &'static str) -> Package {
    Package { serves: true, ..debians(name, purpose) }
}

/// While this file says so no package starts its service. A machine that has one of its own keeps it.
const WITHOUT_STARTING: &str = r#"
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
    fi
    "$@"
"#;

/// Installs what is missing.
///
/// # Errors
/// When something is missing and may not or cannot be installed; says the command that would.
pub fn install(extent: Extent) -> Result<()> {
    ensure(PACKAGES.iter().filter(|package| extent == Extent::All || package.wanted_by == extent))
}

/// Installs those of these packages, which are in the table, that are missing.
///
/// # Errors
/// As of [`install`].
pub fn install_named(names: &[&str]) -> Result<()> {
    ensure(PACKAGES.iter().filter(|package| names.contains(&package.name)))
}

fn ensure<'a>(wanted: impl Iterator<Item = &'a Package>) -> Result<()> {
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
    program::download(rights.command("apt-get").args(["update", "--quiet"]), "Debian's mirror")?;
    let mut command = rights.command("sh");
    command.args(["-c", WITHOUT_STARTING, "install"]);
    command.args(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends"]);
    program::download(command.args(names), "Debian's mirror")?;
    missing.iter().filter(|package| package.serves).try_for_each(|package| {
        // Nor when the machine starts the next time.
        program::run(rights.command("update-rc.d").args([package.name, "disable"]))
    })
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

    fn command(&self, program: &str) -> Command {
        // sudo hands no environment on, so the variable is set behind it.
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => {
                let mut command = Command::new("sudo");
                command.args(["--non-interactive", "env"]);
                command
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", program]);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_as_there_by_its_record_or_by_its_program() {
        let package = |found| Package { found, ..debians("no-such-package", "") };
        assert!(is_there(&package(Found::Program("cargo"))));
        assert!(!is_there(&package(Found::Program("no-such-program-here"))));
        assert!(!is_there(&package(Found::Installed)));
    }

    #[test]
    fn the_command_to_type_names_every_missing_package() {
        let missing = [debians("one", ""), service("two", "")];
        assert_eq!(
            install_command(&missing.iter().collect::<Vec<_>>()),
            "sudo apt-get update && sudo apt-get install --no-install-recommends one two"
        );
    }

    #[test]
    fn the_fast_tests_need_no_browser() {
        let fast = PACKAGES.iter().filter(|package| package.wanted_by == Extent::Fast);
        assert_eq!(fast.map(|package| package.name).collect::<Vec<_>>(), ["nodejs", "npm"]);
    }

    #[test]
    fn no_service_starts_while_packages_are_installed() {
        let place = std::env::temp_dir().join(format!("encke-policy-{}", std::process::id()));
        let policy = place.display().to_string();
        let script = WITHOUT_STARTING.replace("/usr/sbin/policy-rc.d", &policy);
        let asked = |script: &str| {
            let ask = format!("{policy}; echo $?");
            program::answer(Command::new("sh").args(["-c", script, "install", "sh", "-c", &ask]))
        };
        assert_eq!(asked(&script).as_deref(), Some("101\n"), "that is a policy's word for no");
        assert!(!place.exists(), "it is taken away afterwards");
        std::fs::write(&place, "").expect("is writable");
        asked(&script);
        assert!(place.exists(), "what is the machine's own stays");
        std::fs::remove_file(&place).expect("is ours");
    }
}
