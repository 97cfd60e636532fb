//! Makes the page's files: `xtask-page --wasm FILE --web DIR --out DIR [--npm DIR]`.
//!
//! Owns the way from the compiled module, the template, the style and the start file to a folder that a web server
//! can serve: bind ([`bind`]), make small ([`optimise`]), name by content and compress ([`site`]). `cargo xtask` builds
//! and starts it; it is a package of its own because its dependencies take a while to compile and the tasks that need
//! no page should not wait for them. It must not compile the page, install anything or reach the network.
//!
//! Nothing is done when nothing changed: a stamp beside the output folder holds a hash of everything that went in,
//! this program included.

mod bind;
mod optimise;
mod site;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use lexopt::prelude::*;

use crate::optimise::Optimiser;
use crate::site::{ContentHash, Site, Sources};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments = Arguments::from_command_line()?;
    let inputs = Inputs::read(&arguments)?;
    let stamp_path = arguments.out.with_extension("stamp");
    let stamp = inputs.stamp()?;
    let page = arguments.out.display();
    if arguments.out.join(site::INDEX).exists()
        && fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp)
    {
        println!("The page in {page} is up to date.");
        return Ok(());
    }

    let started = Instant::now();
    let site = inputs.build()?;
    site.write(&arguments.out)?;
    fs::write(&stamp_path, stamp).with_context(|| format!("cannot write {}", stamp_path.display()))?;
    print!("{}", site.sizes());
    println!("The page is in {page} ({:.1} s).", started.elapsed().as_secs_f32());
    Ok(())
}

struct Arguments {
    wasm: PathBuf,
    web: PathBuf,
    out: PathBuf,
    /// The folder in which package-lock.json of this package was installed; `None` leaves the page unoptimised.
    npm: Option<PathBuf>,
}

impl Arguments {
    fn from_command_line() -> Result<Self> {
        let (mut wasm, mut web, mut out, mut npm) = (None, None, None, None);
        let mut command_line = lexopt::Parser::from_env();
        while let Some(argument) = command_line.next()? {
            let slot = match argument {
                Long("wasm") => &mut wasm,
                Long("web") => &mut web,
                Long("out") => &mut out,
                Long("npm") => &mut npm,
                other => return Err(other.unexpected().into()),
            };
            *slot = Some(PathBuf::from(command_line.value()?));
        }
        Ok(Self {
            wasm: wasm.context("--wasm is missing")?,
            web: web.context("--web is missing")?,
            out: out.context("--out is missing")?,
            npm,
        })
    }
}

/// Everything the page is made of.
struct Inputs {
    wasm: Vec<u8>,
    index: String,
    start: String,
    style: String,
    optimiser: Option<Optimiser>,
}

impl Inputs {
    fn read(arguments: &Arguments) -> Result<Self> {
        let text = |name: &str| {
            let path = arguments.web.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(Self {
            wasm: read(&arguments.wasm)?,
            index: text(site::INDEX)?,
            start: text("start.js")?,
            style: text("style.css")?,
            optimiser: arguments.npm.as_deref().map(Optimiser::installed_in),
        })
    }

    fn stamp(&self) -> Result<String> {
        let program = std::env::current_exe().context("this program does not know where it lies")?;
        let mut parts = vec![
            read(&program)?,
            self.wasm.clone(),
            self.index.clone().into_bytes(),
            self.start.clone().into_bytes(),
            self.style.clone().into_bytes(),
        ];
        if let Some(optimiser) = &self.optimiser {
            parts.push(read(&optimiser.lock_file())?);
        }
        Ok(parts.iter().map(|part| ContentHash::of(part).to_string()).collect::<Vec<_>>().join("\n"))
    }

    fn build(self) -> Result<Site> {
        let bound = bind::bind(self.wasm)?;
        let mut sources = Sources {
            wasm: bound.wasm,
            glue: bound.glue.into_bytes(),
            style: self.style.into_bytes(),
            start: self.start,
            index: self.index,
        };
        match &self.optimiser {
            Some(optimiser) => optimiser.shrink(&mut sources)?,
            None => println!("The page is left unoptimised: it works the same and is larger."),
        }
        Site::build(sources)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_changes_with_each_input_and_with_nothing_else() {
        let stamp = |change: fn(&mut Inputs)| {
            let text = || "same".to_owned();
            let mut inputs = Inputs {
                wasm: b"same".to_vec(),
                index: text(),
                start: text(),
                style: text(),
                optimiser: None,
            };
            change(&mut inputs);
            inputs.stamp().expect("this program can be read")
        };
        let unchanged = stamp(|_| ());
        assert_eq!(unchanged, stamp(|_| ()));
        let changes: [fn(&mut Inputs); 4] = [
            |inputs| inputs.wasm.push(0),
            |inputs| inputs.index.push('.'),
            |inputs| inputs.start.push('.'),
            |inputs| inputs.style.push('.'),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_ne!(unchanged, stamp(change), "change {number}");
        }
    }
}
