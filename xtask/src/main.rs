//! `cargo xtask <task>`: the project's own commands.
//!
//! Owns the order in which the other packages are built, tested and started, and the installing of what that needs.
//! It must stay quick to compile, since every task begins with compiling it: whatever has large dependencies is a
//! program of its own that a task builds when it needs it (`xtask/page` makes the page's files, `xtask/runner` runs
//! tests in Node and browsers). It must not know how the chat or the protocol work: it starts programs and reads their
//! exit codes.

mod bench;
mod chat;
mod guard;
mod layout;
mod npm;
mod page;
mod program;
mod size;
mod steps;
mod test;
mod toolchain;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Result;
use lexopt::prelude::*;

use crate::layout::Layout;

const HELP: &str = "\
The project's own commands.

  cargo xtask bench [ROW] [OPTIONS]     measure our server beside its peers; `list` lists the rows, --help the options
  cargo xtask bench curves|techniques   measure how figures grow; measure three ways to read a chat
  cargo xtask chat [--listen ADDRESS]   build everything and serve the chat (default: 127.0.0.1:8000)
  cargo xtask guard [NAME] [--accept]   count the instructions of the hot paths, or of those whose names contain NAME, and
                                        compare them with the baseline; --accept makes all of them the baseline
  cargo xtask page                      build the page alone, into target/site
  cargo xtask size                      say what the page weighs; fails if that is too much
  cargo xtask test [--fast] [NAME]      install what the tests need and run every test, or those whose names
                                        contain NAME; --fast leaves out what needs a browser or another server
";

/// Where the chat listens unless told otherwise: this machine alone.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);

fn main() -> ExitCode {
    let result = Task::from_command_line(lexopt::Parser::from_env()).and_then(Task::run);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, PartialEq)]
enum Task {
    Bench { arguments: Vec<OsString> },
    Chat { listen: SocketAddr },
    Guard { only: Option<String>, accept: bool },
    Page,
    Size,
    Test { extent: test::Extent, only: Option<String> },
    Help,
}

impl Task {
    fn from_command_line(mut command_line: lexopt::Parser) -> Result<Self> {
        let mut task = match command_line.next()? {
            Some(Value(name)) => match name.to_str() {
                Some("bench") => {
                    // The bench's own, options too.
                    return Ok(Self::Bench { arguments: command_line.raw_args()?.collect() });
                }
                Some("chat") => Self::Chat { listen: DEFAULT_LISTEN },
                Some("guard") => Self::Guard { only: None, accept: false },
                Some("page") => Self::Page,
                Some("size") => Self::Size,
                Some("test") => Self::Test { extent: test::Extent::All, only: None },
                Some("help") => Self::Help,
                _ => anyhow::bail!("there is no task {}; `cargo xtask help` lists the tasks", name.display()),
            },
            Some(Long("help") | Short('h')) | None => Self::Help,
            Some(other) => return Err(other.unexpected().into()),
        };
        while let Some(argument) = command_line.next()? {
            match (&mut task, argument) {
                (Self::Chat { listen }, Long("listen")) => *listen = command_line.value()?.parse()?,
                (Self::Guard { accept, .. }, Long("accept")) => *accept = true,
                (
                    Self::Guard { only: only @ None, .. } | Self::Test { only: only @ None, .. },
                    Value(name),
                ) => {
                    *only = Some(name.string()?);
                }
                (Self::Test { extent, .. }, Long("fast")) => *extent = test::Extent::Fast,
                (_, Long("help") | Short('h')) => task = Self::Help,
                (_, other) => return Err(other.unexpected().into()),
            }
        }
        Ok(task)
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Bench { arguments } => bench::run(&Layout::of_this_checkout()?, &arguments),
            Self::Chat { listen } => chat::run(&Layout::of_this_checkout()?, listen),
            Self::Guard { only, accept } => {
                guard::run(&Layout::of_this_checkout()?, only.as_deref(), accept).map(drop)
            }
            Self::Page => page::build(&Layout::of_this_checkout()?).map(drop),
            Self::Size => size::run(&Layout::of_this_checkout()?),
            Self::Test { extent, only: None } => test::run(Layout::of_this_checkout()?, extent),
            Self::Test { extent, only: Some(name) } => {
                test::run_only(Layout::of_this_checkout()?, extent, &name)
            }
            Self::Help => {
                print!("{HELP}");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(arguments: &[&str]) -> Result<Task> {
        Task::from_command_line(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn the_command_line_names_a_task_and_its_options() {
        let chat = |listen: &str| Task::Chat { listen: listen.parse().expect("is an address") };
        assert_eq!(task(&["chat"]).expect("is right"), chat("127.0.0.1:8000"));
        assert_eq!(task(&["chat", "--listen", "[::1]:80"]).expect("is right"), chat("[::1]:80"));
        let tests = |extent, only: Option<&str>| Task::Test { extent, only: only.map(str::to_owned) };
        assert_eq!(task(&["test"]).expect("is right"), tests(test::Extent::All, None));
        assert_eq!(task(&["test", "--fast"]).expect("is right"), tests(test::Extent::Fast, None));
        assert_eq!(task(&["test", "rooms"]).expect("is right"), tests(test::Extent::All, Some("rooms")));
        let bench = Task::Bench { arguments: vec!["echo".into(), "--ours".into()] };
        assert_eq!(task(&["bench", "echo", "--ours"]).expect("is right"), bench);
        let guard = |only: Option<&str>, accept| Task::Guard { only: only.map(str::to_owned), accept };
        assert_eq!(task(&["guard"]).expect("is right"), guard(None, false));
        assert_eq!(task(&["guard", "--accept", "echo"]).expect("is right"), guard(Some("echo"), true));
        assert_eq!(task(&["page", "--help"]).expect("is right"), Task::Help);
        assert_eq!(task(&[]).expect("is right"), Task::Help);
    }

    #[test]
    fn an_unknown_task_or_an_option_of_another_task_is_refused() {
        for arguments in [
            &["chta"][..],
            &["--fast"],
            &["chat", "--fast"],
            &["chat", "--listen", "localhost"],
            &["test", "--listen", "x"],
            &["test", "--accept"],
            &["guard", "one", "two"],
            &["page", "y"],
            &["test", "one", "two"],
        ] {
            assert!(task(arguments).is_err(), "{arguments:?}");
        }
    }
}
