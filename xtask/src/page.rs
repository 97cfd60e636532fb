//! Builds the page: the wasm module by Cargo, the files of it by `xtask-page`.
//!
//! Owns the choice between an optimised and a plain page. Node is optional: without it the page is larger and works
//! the same. Must not know names or formats of the files, which are `xtask-page`'s.

use std::path::PathBuf;
use std::{env, fs, thread};

use anyhow::{Result, anyhow};

use crate::layout::{Layout, WASM_TARGET};
use crate::{npm, program, toolchain};

/// Whether wasm-opt and esbuild had a hand in a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Optimised {
    /// It is as small as it gets.
    Yes,
    /// They are not there.
    No,
}

/// Builds the page into [`Layout::site`]. Quick when nothing changed.
///
/// # Errors
/// When the target cannot be installed or something does not compile.
pub fn build(layout: &Layout) -> Result<Optimised> {
    toolchain::ensure_wasm_target()?;
    thread::scope(|scope| {
        // npm waits for the network while the compiler needs the processor.
        let optimisers = scope.spawn(|| install_optimisers(layout));
        compile(layout)?;
        let optimisers = optimisers.join().map_err(|_| anyhow!("the thread that runs npm panicked"))?;
        let mut tool = program_of(layout);
        let optimised = match optimisers {
            Ok(()) => {
                tool.arg("--npm").arg(layout.page_npm());
                Optimised::Yes
            }
            Err(reason) => {
                println!("wasm-opt and esbuild are not there: {reason:#}.");
                Optimised::No
            }
        };
        program::run(&mut tool)?;
        Ok(optimised)
    })
}

fn compile(layout: &Layout) -> Result<()> {
    program::run(layout.cargo().args(["build", "--package", "xtask-page", "--profile", "tool"]))?;
    let mut command = layout.cargo();
    command.args(["build", "--package", "encke-web", "--profile", "page", "--target", WASM_TARGET]);
    program::run(command.args(["--config", &short_paths()]))
}

/// Where panics happen stands in the module, by file. Of a dependency's that is the place in this machine's registry, which
/// makes the page longer, and another one on each machine.
fn short_paths() -> String {
    let home = env::var_os("CARGO_HOME")
        .map_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"), PathBuf::from);
    let registries = fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
    let flags = registries.map(|registry| format!("--remap-path-prefix={}/=", registry.path().display()));
    format!("target.{WASM_TARGET}.rustflags={:?}", flags.collect::<Vec<_>>())
}

fn install_optimisers(layout: &Layout) -> Result<()> {
    if !program::is_installed("npm") {
        return Err(anyhow!("they come by npm, which is not installed"));
    }
    npm::install(&layout.source("xtask/page"), &layout.page_npm())
}

fn program_of(layout: &Layout) -> std::process::Command {
    let mut tool = std::process::Command::new(layout.tool("xtask-page"));
    tool.arg("--wasm").arg(layout.page_module());
    tool.arg("--web").arg(layout.source("web"));
    tool.arg("--out").arg(layout.site());
    tool
}
