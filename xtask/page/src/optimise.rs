//! Makes the module, its glue and the style smaller with wasm-opt and esbuild, as npm installed them.
//!
//! Owns the flags. It must not install anything; whether the tools are there is the caller's business.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::site::Sources;

/// What rustc's wasm32-unknown-unknown uses, as far as browsers know it. `--all-features` instead makes modules that
/// browsers refuse.
const WASM_FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The tools of one npm folder.
pub struct Optimiser {
    folder: PathBuf,
}

impl Optimiser {
    /// The tools that `npm ci` put into `folder`.
    pub fn installed_in(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Names the exact versions of the tools.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join("package-lock.json")
    }

    /// Makes them smaller; what they do and their placeholders stay.
    ///
    /// # Errors
    /// When a tool is missing or does not understand what it is given.
    pub fn shrink(&self, sources: &mut Sources) -> Result<()> {
        sources.wasm = self.wasm(&sources.wasm)?;
        sources.glue = self.text(&sources.glue, "js")?;
        sources.style = self.text(&sources.style, "css")?;
        sources.start = String::from_utf8(self.text(sources.start.as_bytes(), "js")?)?;
        // Nothing in it is preformatted; a comment has a line of its own.
        let lines = sources.index.lines().map(str::trim_start).filter(|line| !line.starts_with("<!--"));
        sources.index = lines.collect::<Vec<_>>().join("\n");
        Ok(())
    }

    fn wasm(&self, wasm: &[u8]) -> Result<Vec<u8>> {
        // wasm-opt reads no standard input. The names are the process's own: two builds may run at once.
        let name = |suffix: &str| self.folder.join(format!("{}.{suffix}", std::process::id()));
        let (before, after) = (name("before.wasm"), name("after.wasm"));
        fs::write(&before, wasm).with_context(|| format!("cannot write {}", before.display()))?;
        let mut command = self.tool("wasm-opt");
        // Control flow is taken apart and put together anew, which is shorter than what the compiler leaves.
        command.args(["--flatten", "--rereloop", "-Oz", "-Oz"]).args(WASM_FEATURES);
        // The linker puts the stack first: what lies below 1,024 is its far end, and no object's address.
        command.arg("--low-memory-unused");
        // The list of features is for tools like this one; browsers do not read it.
        command.arg("--strip-target-features").arg(&before).arg("-o").arg(&after);
        let result = output_of(command, &[]).and_then(|_| Ok(fs::read(&after)?));
        for file in [before, after] {
            // A file that is not there needs no removing; one left behind does no harm.
            let _ = fs::remove_file(file);
        }
        result.context("wasm-opt failed")
    }

    /// `loader` is esbuild's name for the language: `js` or `css`.
    fn text(&self, text: &[u8], loader: &str) -> Result<Vec<u8>> {
        let mut command = self.tool("esbuild");
        command
            .args(["--minify", "--log-level=warning", "--legal-comments=none"])
            .arg(format!("--loader={loader}"));
        if loader == "js" {
            command.arg("--format=esm");
        }
        output_of(command, text).with_context(|| format!("esbuild failed on the page's {loader}"))
    }

    fn tool(&self, name: &str) -> Command {
        Command::new(self.folder.join("node_modules/.bin").join(name))
    }
}

/// Runs `command` on `input` and hands back what it printed; what it complains about goes to the terminal.
fn output_of(mut command: Command, input: &[u8]) -> Result<Vec<u8>> {
    let program = command.get_program().to_owned();
    let program = program.display();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let mut stdin = child.stdin.take().context("the child's standard input was asked for")?;
    let (output, written) = std::thread::scope(|scope| {
        // Fed while it is read from: a program that prints before it has read all would wait for us, and we for it.
        let writer = scope.spawn(move || stdin.write_all(input));
        (child.wait_with_output(), writer.join())
    });
    let output = output.with_context(|| format!("{program} was lost"))?;
    if !output.status.success() {
        bail!("{program}: {}", output.status);
    }
    written.map_err(|_| anyhow::anyhow!("the thread that fed {program} panicked"))??;
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_answers_while_it_reads_gets_all_of_its_input() {
        // Many times what a pipe holds.
        let input = vec![b'x'; 1 << 20];
        assert!(output_of(shell("cat"), &input).expect("ends well") == input);
    }

    #[test]
    fn a_program_that_ends_badly_is_an_error_whatever_it_printed() {
        let error = output_of(shell("echo half; exit 2"), &[]).expect_err("fails").to_string();
        assert_eq!(error, "sh: exit status: 2");
    }
}
