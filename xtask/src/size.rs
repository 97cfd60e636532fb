//! `cargo xtask size`: what the page weighs, beside what it replaces, and whether that is too much.
//!
//! Owns the gate and the aim. It measures the files as a server sends them, whatever they are: all that it knows of the
//! site is that each file may have copies `.gz` and `.br` beside it. Must not make or compress anything itself.

use std::fmt;
use std::fs;
use std::ops::AddAssign;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::page;

/// A page above this many bytes of gzip is refused.
const GATE: u64 = 52_000;

/// What the whole page is to stay below: the two libraries alone that such a page was made with.
const AIM: u64 = PREDECESSOR.gzip;

/// jquery-1.7.1.min.js and socket.io.min.js of socket.io-client 0.8.7, in one file, compressed as the page's files are (by
/// `gzip -9` it is 45,856). Figures instead of files: published versions do not change, and that of jQuery is in no registry.
const PREDECESSOR: Size = Size { raw: 136_762, gzip: 44_354, brotli: 40_511 };

/// Builds the page and prints what it weighs.
///
/// # Errors
/// When it does not build, was built without the optimisers, or weighs more than the gate allows.
pub fn run(layout: &Layout) -> Result<()> {
    if page::build(layout)? == page::Optimised::No {
        bail!("only an optimised page is worth measuring");
    }
    let mut files = Vec::new();
    measure(&layout.site(), &mut files)?;
    let mut whole = Size::default();
    println!("\n{:<42}{:>9}{:>9}{:>9}", "bytes", "raw", "gzip", "brotli");
    for (name, size) in &files {
        println!("{name:<42}{size}");
        whole += *size;
    }
    println!("{:<42}{whole}", "the whole page");
    println!("{:<42}{PREDECESSOR}", "jquery 1.7.1 + socket.io 0.8.7, no page");
    println!("{}", judge(whole)?);
    Ok(())
}

/// Bytes to send: as they are, and in the two encodings that servers choose from.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Size {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.raw += other.raw;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9}{:>9}{:>9}", self.raw, self.gzip, self.brotli)
    }
}

/// Adds the files in and below `folder`, without their compressed copies, by name.
fn measure(folder: &Path, files: &mut Vec<(String, Size)>) -> Result<()> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>())
        .with_context(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            measure(&path, files)?;
        } else if !path.extension().is_some_and(|extension| extension == "gz" || extension == "br") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, size_of(&path)?));
        }
    }
    Ok(())
}

fn size_of(path: &Path) -> Result<Size> {
    let raw = fs::metadata(path).with_context(|| format!("cannot measure {}", path.display()))?.len();
    let copy = |suffix: &str| {
        let mut copy = path.as_os_str().to_owned();
        copy.push(suffix);
        // Without a copy the file itself is sent.
        fs::metadata(copy).map_or(raw, |copy| copy.len())
    };
    Ok(Size { raw, gzip: copy(".gz"), brotli: copy(".br") })
}

/// The verdict in words.
fn judge(page: Size) -> Result<String> {
    let gzip = page.gzip;
    if gzip > GATE {
        bail!("the page weighs {gzip} bytes of gzip, {} more than the {GATE} that are allowed", gzip - GATE);
    }
    Ok(match gzip.checked_sub(AIM) {
        None => format!("{gzip} bytes of gzip: {} less than what it replaces.", AIM - gzip),
        Some(more) => {
            format!("{gzip} bytes of gzip: {} below the gate, {more} above the aim of {AIM}.", GATE - gzip)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_above_the_gate_is_refused_and_one_below_is_compared_with_the_aim() {
        let verdict = |gzip| judge(Size { gzip, ..Size::default() }).map_err(|error| error.to_string());
        assert_eq!(
            verdict(GATE + 1).expect_err("is too heavy"),
            "the page weighs 52001 bytes of gzip, 1 more than the 52000 that are allowed"
        );
        assert_eq!(
            verdict(GATE).expect("is allowed"),
            "52000 bytes of gzip: 0 below the gate, 7646 above the aim of 44354."
        );
        assert_eq!(
            verdict(AIM - 1).expect("is allowed"),
            "44353 bytes of gzip: 1 less than what it replaces."
        );
    }

    #[test]
    fn a_file_is_measured_with_its_compressed_copies_and_once() {
        let site = std::env::temp_dir().join(format!("encke-size-{}", std::process::id()));
        fs::create_dir_all(site.join("assets")).expect("is writable");
        for (name, content) in [
            ("index.html", "123456"),
            ("index.html.gz", "1234"),
            ("index.html.br", "123"),
            ("assets/a.js", "12"),
        ] {
            fs::write(site.join(name), content).expect("is writable");
        }
        let mut files = Vec::new();
        measure(&site, &mut files).expect("can be listed");
        let expected = [
            ("a.js".to_owned(), Size { raw: 2, gzip: 2, brotli: 2 }),
            ("index.html".to_owned(), Size { raw: 6, gzip: 4, brotli: 3 }),
        ];
        assert_eq!(files, expected);
        fs::remove_dir_all(&site).expect("is ours");
    }
}
