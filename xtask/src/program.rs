//! Starting other programs: says what is started, and turns a bad ending into an error that names the command.
//!
//! Owns the wording of both. It must not know what the programs are for.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

/// Prints the command and runs it with its output shown.
///
/// # Errors
/// When it cannot be started or does not end well.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Like [`run`] for a command that downloads: a failure also says that it may be the network's.
///
/// # Errors
/// As [`run`].
pub fn download(command: &mut Command, source: &str) -> Result<()> {
    run(command).map_err(|error| {
        anyhow!("{error}; it needs {source}: what it says above tells whether that could not be reached")
    })
}

/// Runs a command quietly and hands back what it printed; `None` when it is not installed or does not end well.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program of this name can be started.
pub fn is_installed(program: &str) -> bool {
    let started = Command::new(program).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).status();
    !matches!(started, Err(error) if error.kind() == ErrorKind::NotFound)
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    // A path says less than the name to whoever follows the progress.
    if let Some((_, name)) = text.rsplit_once('/') {
        text = name.to_owned();
    }
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_status() {
        let error = run(Command::new("/bin/sh").args(["-c", "exit 3"])).expect_err("fails");
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit status: 3)");
    }

    #[test]
    fn a_failed_download_says_where_it_downloads_from() {
        let error = download(&mut Command::new("false"), "npm").expect_err("fails").to_string();
        assert!(error.contains("`false` failed") && error.contains("it needs npm"), "{error}");
    }

    #[test]
    fn an_answer_is_there_only_when_the_program_ends_well() {
        assert_eq!(answer(Command::new("echo").arg("yes")).as_deref(), Some("yes\n"));
        assert_eq!(answer(Command::new("sh").args(["-c", "echo no; exit 1"])), None);
        assert_eq!(answer(&mut Command::new("no-such-program-here")), None);
    }

    #[test]
    fn a_program_is_installed_when_it_can_be_started() {
        assert!(is_installed("cargo"));
        assert!(!is_installed("no-such-program-here"));
    }
}
