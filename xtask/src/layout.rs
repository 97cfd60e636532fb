//! Where things lie: the one place that knows the names of folders, packages' programs and build profiles.
//!
//! Owns no files itself and must not touch the disk.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The target that the browser's crates are compiled for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Paths of one checkout and its build folder. All are absolute.
pub struct Layout {
    root: PathBuf,
    target: PathBuf,
}

impl Layout {
    /// The checkout that Cargo was started in, with the build folder that it uses.
    ///
    /// # Errors
    /// When this program was not started by Cargo, or there is no current folder.
    pub fn of_this_checkout() -> Result<Self> {
        // Asked when it runs and not when it was compiled: checkouts may share a build folder and so this program.
        let package = env::var_os("CARGO_MANIFEST_DIR").context("start this as `cargo xtask`")?;
        let root = Path::new(&package).parent().context("xtask lies in the workspace's folder")?;
        Ok(Self::new(root, env::var_os("CARGO_TARGET_DIR").map(PathBuf::from), &env::current_dir()?))
    }

    /// Cargo takes a relative `target` from the folder it is started in.
    fn new(root: &Path, target: Option<PathBuf>, current: &Path) -> Self {
        let target = target.map_or_else(|| root.join("target"), |target| current.join(target));
        Self { root: root.to_owned(), target }
    }

    /// A path below the checkout.
    pub fn source(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The built page, ready to be served.
    pub fn site(&self) -> PathBuf {
        // Not `page`: Cargo itself uses `target/page` for the profile of that name.
        self.target.join("site")
    }

    /// The compiled page before it is bound.
    pub fn page_module(&self) -> PathBuf {
        self.target.join(WASM_TARGET).join("page/encke_web.wasm")
    }

    /// Where npm puts the page's optimisers.
    pub fn page_npm(&self) -> PathBuf {
        self.target.join("page-npm")
    }

    /// What the tests need and Cargo does not know of.
    pub fn test_environment(&self) -> PathBuf {
        self.target.join("test-env")
    }

    /// The servers from npm that ours is measured beside.
    pub fn bench_peers(&self) -> PathBuf {
        self.target.join("bench-peers")
    }

    /// A program of the workspace, built for this machine in the `dev` profile.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// A program built for this machine in the `release` profile.
    pub fn release(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Where callgrind leaves its profiles.
    pub fn profiles(&self) -> PathBuf {
        self.target.join("callgrind")
    }

    /// A program of xtask's own, built in the `tool` profile.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.target.join("tool").join(name)
    }

    /// Cargo, in this checkout and with this build folder.
    pub fn cargo(&self) -> Command {
        // The variable names the very Cargo that started this program; the name alone may be another toolchain's.
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_folder_is_the_checkouts_unless_the_environment_names_another() {
        let site = |target: Option<&str>| {
            let target = target.map(PathBuf::from);
            Layout::new(Path::new("/checkout"), target, Path::new("/checkout/web")).site()
        };
        assert_eq!(site(None), Path::new("/checkout/target/site"));
        assert_eq!(site(Some("/elsewhere")), Path::new("/elsewhere/site"));
        assert_eq!(site(Some("out")), Path::new("/checkout/web/out/site"));
    }
}
