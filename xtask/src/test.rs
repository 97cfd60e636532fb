//! `cargo xtask test`: installs what the tests need and runs every one of them.
//!
//! Owns the plan: which steps there are, in which order, and which of them need a browser or another server. Must not
//! hold tests or know what they check. Nothing is installed into the checkout: see [`Layout::test_environment`].

pub mod debian;
mod display;
mod engines;
mod geckodriver;
mod peers;
mod server;

use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};

use self::display::Display;
use self::engines::Engine;
use self::server::PeerServer;
use crate::guard::Compared;
use crate::layout::{Layout, WASM_TARGET};
use crate::steps::{LeftOut, Steps};
use crate::{bench, guard, page, program, size, toolchain};

/// How much is tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Everything.
    All,
    /// What needs no browser and no other server.
    Fast,
}

struct Step {
    title: &'static str,
    /// Whether the step is for [`Extent::Fast`] too.
    fast: bool,
    /// Whether it makes what tests need, and tests nothing itself.
    prepares: bool,
    run: fn(&Layout, Extent) -> Result<()>,
}

const PLAN: &[Step] = &[
    Step { title: "Debian packages", fast: true, prepares: true, run: |_, extent| debian::install(extent) },
    Step {
        title: "Rust's wasm target, formatter and linter",
        fast: true,
        prepares: true,
        run: |_, _| install_toolchain(),
    },
    Step {
        title: "Peers from npm, PyPI and the Rust registry",
        fast: false,
        prepares: true,
        run: |layout, _| peers::install(layout),
    },
    Step {
        title: "The driver of Firefox",
        fast: false,
        prepares: true,
        run: |layout, _| geckodriver::install(layout),
    },
    Step { title: "Formatting", fast: true, prepares: false, run: |layout, _| formatting(layout) },
    Step { title: "Lints", fast: true, prepares: false, run: |layout, _| lints(layout) },
    Step { title: "Documentation", fast: true, prepares: false, run: |layout, _| documentation(layout) },
    Step {
        title: "The protocol's tests in wasm, in Node",
        fast: true,
        prepares: false,
        run: |layout, _| protocol_in_wasm(layout),
    },
    Step {
        title: "The page and the servers",
        fast: false,
        prepares: true,
        run: |layout, _| page_and_servers(layout),
    },
    Step { title: "The size of the page", fast: false, prepares: false, run: |layout, _| size::run(layout) },
    Step { title: "Tests on this machine", fast: true, prepares: false, run: host_tests },
    Step {
        title: "Instruction counts",
        // What is tested is compiled once more for it, as it is shipped.
        fast: false,
        prepares: false,
        run: |layout, _| instruction_counts(layout),
    },
    Step {
        title: "The client in Chromium, Firefox and WebKit",
        fast: false,
        prepares: false,
        run: |layout, _| client_in_browsers(layout),
    },
    Step {
        title: "The chat in Chromium, Firefox and WebKit",
        fast: false,
        prepares: false,
        run: |layout, _| chat_in_browsers(layout),
    },
];

/// The modules of `encke-tests` that open browsers, as their tests' names begin.
const IN_BROWSERS: [&str; 2] = ["browser::", "fallback::"];

/// How many of these tests run at a time at most, however many cores there are: most open two browsers, each of which is many
/// processes.
const AT_A_TIME: usize = 4;

/// The packages that are built and tested for this machine: all but xtask's tools, which have a profile of their own.
/// Always the same ones together, since Cargo compiles the dependencies anew for every other set of features.
const HOST: [&str; 6] =
    ["--workspace", "--all-features", "--exclude", "xtask-page", "--exclude", "xtask-runner"];

/// The packages that are compiled for the browser.
const BROWSER_PACKAGES: [&str; 2] = ["encke-client-wasm", "encke-web"];

/// Runs the plan and prints a summary, also after a failure.
///
/// # Errors
/// That of the first step that fails.
pub fn run(layout: Layout, extent: Extent) -> Result<()> {
    let mut steps = Steps::default();
    let result = PLAN.iter().try_for_each(|step| {
        if extent == Extent::Fast && !step.fast {
            steps.leave_out(step.title, "--fast");
            return Ok(());
        }
        steps.run(step.title, || (step.run)(&layout, extent))
    });
    print!("{}", steps.summary());
    result
}

/// Makes what tests need, and runs those whose names contain `name`: all but those of the client's that are modules for
/// browsers themselves.
///
/// # Errors
/// As of [`run`].
pub fn run_only(layout: Layout, extent: Extent, name: &str) -> Result<()> {
    let mut steps = Steps::default();
    let wanted = PLAN.iter().filter(|step| step.prepares && (step.fast || extent == Extent::All));
    wanted.into_iter().try_for_each(|step| steps.run(step.title, || (step.run)(&layout, extent)))?;
    behind_own_listener(&layout, &["--", name])?;
    let mut command = layout.cargo();
    command.arg("test").args(HOST).args(["--", name]);
    match extent {
        Extent::Fast => program::run(&mut command),
        Extent::All => {
            let display = Display::start()?;
            command.envs(environment(&layout)).envs(engines::environment(&layout));
            program::run(command.env("DISPLAY", display.name()))
        }
    }
}

fn install_toolchain() -> Result<()> {
    toolchain::ensure_wasm_target()?;
    toolchain::ensure_components()
}

fn formatting(layout: &Layout) -> Result<()> {
    program::run(layout.cargo().args(["fmt", "--all", "--check"]))?;
    bench::PACKAGES
        .into_iter()
        .chain([peers::RUST_PEER])
        .try_for_each(|peer| program::run(layout.cargo().args(["fmt", "--check", "--manifest-path", peer])))
}

/// What every `cargo` needs that works on the browser's packages and the protocol beneath them.
fn for_browser(command: &mut Command) -> &mut Command {
    command.args(["--target", WASM_TARGET]).args(BROWSER_PACKAGES.iter().flat_map(|name| ["--package", name]))
}

fn lints(layout: &Layout) -> Result<()> {
    let deny = ["--", "-D", "warnings"];
    let all = ["clippy", "--workspace", "--all-targets", "--all-features"];
    program::run(layout.cargo().args(all).args(deny))?;
    let mut command = layout.cargo();
    for_browser(command.args(["clippy", "--all-targets", "--package", "encke-protocol"])).args(deny);
    program::run(&mut command)
}

fn documentation(layout: &Layout) -> Result<()> {
    let mut host = layout.cargo();
    host.args(["doc", "--no-deps", "--workspace", "--all-features"]);
    host.args(BROWSER_PACKAGES.iter().flat_map(|name| ["--exclude", name]));
    let mut browser = layout.cargo();
    for_browser(browser.args(["doc", "--no-deps"]));
    for mut command in [host, browser] {
        program::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

fn protocol_in_wasm(layout: &Layout) -> Result<()> {
    let mut command = layout.cargo();
    // Documentation tests are left out: each would be a program, and the runner runs test modules.
    command.args(["test", "--package", "encke-protocol", "--lib", "--tests", "--target", WASM_TARGET]);
    program::run(engines::test_runner(layout, &mut command)?)
}

fn page_and_servers(layout: &Layout) -> Result<()> {
    page::build(layout)?;
    program::run(layout.cargo().args(["build", "--bins", "--examples"]).args(HOST))
}

/// The unit, integration and documentation tests of all packages, and those of `encke-tests` that open no browser: of
/// these the ones in `conformance` and `suites` need nothing else, the ones beside them what the environment names.
fn host_tests(layout: &Layout, extent: Extent) -> Result<()> {
    // In the profile in which its large dependencies are built anyway. The runner has no tests: it runs them.
    program::run(layout.cargo().args(["test", "--package", "xtask-page", "--profile", "tool"]))?;
    behind_own_listener(layout, &[])?;
    let mut command = layout.cargo();
    command.arg("test").args(HOST);
    match extent {
        Extent::Fast => {
            program::run(command.args(["--exclude", "encke-tests"]))?;
            let outside = ["test", "--package", "encke-tests", "--test", "all", "--"];
            program::run(layout.cargo().args(outside).args(["conformance::", "suites::"]))
        }
        Extent::All => {
            command.arg("--").args(IN_BROWSERS.iter().flat_map(|module| ["--skip", module]));
            program::run(command.envs(environment(layout)))
        }
    }
}

/// The server's tests behind its own listener; without that they are among all the others.
fn behind_own_listener(layout: &Layout, which: &[&str]) -> Result<()> {
    let mut command = layout.cargo();
    command.arg("test").args(HOST).args(["--test", "server"]).args(which);
    program::run(command.env("ENCKE_FRONT", "fast"))
}

/// What the tests of the whole find in their environment.
fn environment(layout: &Layout) -> [(&'static str, PathBuf); 8] {
    [
        ("ENCKE_BIN", layout.program("encke")),
        ("ENCKE_EXAMPLES", layout.program("examples")),
        ("ENCKE_PAGE", layout.site()),
        ("ENCKE_PEERS", peers::node_modules(layout)),
        ("ENCKE_PYTHON", peers::python(layout)),
        ("ENCKE_RUST_PEER", peers::rust(layout)),
        ("ENCKE_NGINX", debian::NGINX.into()),
        ("ENCKE_HAPROXY", debian::HAPROXY.into()),
    ]
}

fn instruction_counts(layout: &Layout) -> Result<()> {
    match guard::run(layout, None, false)? {
        Compared::Yes => Ok(()),
        Compared::No => Err(LeftOut("no baseline for such a machine").into()),
    }
}

/// All in one step: the server's address is compiled into the tests, and with another one they are compiled again.
fn client_in_browsers(layout: &Layout) -> Result<()> {
    let display = Display::start()?;
    client_against(&PeerServer::start(layout)?, layout, &display, &["--lib", "--tests"])?;
    // No official client speaks JSONP any more, to compare ours with; the official server does.
    client_against(&PeerServer::official(layout)?, layout, &display, &["--test", "browser", "jsonp"])
}

/// Those tests of the client in each engine.
fn client_against(server: &PeerServer, layout: &Layout, display: &Display, tests: &[&str]) -> Result<()> {
    for engine in Engine::EACH {
        println!("In {}:", engine.name());
        let mut command = layout.cargo();
        command.args(["test", "--package", "encke-client-wasm", "--target", WASM_TARGET]).args(tests);
        engines::test_runner(layout, &mut command)?;
        engines::run_in(engine, layout, &mut command)?;
        command.env("ENCKE_TEST_SERVER", server.url()).env("DISPLAY", display.name());
        program::run(&mut command).with_context(|| format!("in {}", engine.name()))?;
    }
    Ok(())
}

fn chat_in_browsers(layout: &Layout) -> Result<()> {
    let display = Display::start()?;
    let mut command = layout.cargo();
    // The same packages as before, of which only one has such a test program: so nothing is compiled again.
    command.arg("test").args(HOST).args(["--test", "all", "--"]).args(IN_BROWSERS);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    command.arg(format!("--test-threads={}", cores.min(AT_A_TIME)));
    command.envs(environment(layout)).envs(engines::environment(layout)).env("DISPLAY", display.name());
    program::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_plan_leaves_out_what_needs_a_browser_or_another_server() {
        let left_out = PLAN.iter().filter(|step| !step.fast).map(|step| step.title).collect::<Vec<_>>();
        assert_eq!(
            left_out,
            [
                "Peers from npm, PyPI and the Rust registry",
                "The driver of Firefox",
                "The page and the servers",
                "The size of the page",
                "Instruction counts",
                "The client in Chromium, Firefox and WebKit",
                "The chat in Chromium, Firefox and WebKit",
            ]
        );
    }
}
