//! The folder that a web server serves: names made from content, references between the files, compressed copies.
//!
//! Owns the layout `index.html` + `assets/<name>-<hash>.<ext>`, each file with a `.br` and a `.gz` copy beside it. A
//! name changes when its content does, so everything under `assets/` may be cached for ever and `index.html` never.
//! It must not know how the contents were made.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// The file that is served at `/`.
pub const INDEX: &str = "index.html";

/// The folder of the files that never change, on disk and in URLs.
const ASSETS: &str = "assets";

/// The contents of a page whose names are not chosen yet.
pub struct Sources {
    pub wasm: Vec<u8>,
    pub glue: Vec<u8>,
    pub style: Vec<u8>,
    /// A template that names `{{glue}}` and `{{wasm}}`.
    pub start: String,
    /// A template that names `{{start}}` and `{{style}}`, and may name `{{glue}}` and `{{wasm}}` to load them early.
    pub index: String,
}

/// The page's files, ready to be written.
pub struct Site {
    files: Vec<File>,
}

struct File {
    /// Below the site's folder, with `/` as in a URL.
    path: String,
    content: Vec<u8>,
    brotli: Vec<u8>,
    gzip: Vec<u8>,
}

impl Site {
    /// Names, connects and compresses the files.
    ///
    /// # Errors
    /// When a template has a placeholder that nothing fills, or lacks one without which the page could not start.
    pub fn build(sources: Sources) -> Result<Self> {
        let wasm = File::asset("encke", "wasm", sources.wasm)?;
        let glue = File::asset("encke", "js", sources.glue)?;
        let style = File::asset("style", "css", sources.style)?;
        let start = fill(&sources.start, &[Slot::required("glue", &glue), Slot::required("wasm", &wasm)])
            .context("in web/start.js")?;
        let start = File::asset("start", "js", start.into_bytes())?;
        let slots = [
            Slot::required("start", &start),
            Slot::required("style", &style),
            Slot::optional("glue", &glue),
            Slot::optional("wasm", &wasm),
        ];
        let index = fill(&sources.index, &slots).context("in web/index.html")?;
        let index = File::new(INDEX.to_owned(), index.into_bytes())?;
        Ok(Self { files: vec![index, start, style, glue, wasm] })
    }

    /// Makes `folder` hold this site and nothing else. The index comes after what it refers to, and what no file
    /// refers to any more goes last, so that a server may be serving the folder meanwhile.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let assets = folder.join(ASSETS);
        fs::create_dir_all(&assets).with_context(|| format!("cannot make {}", assets.display()))?;
        let mut wanted = BTreeSet::new();
        for file in self.files.iter().rev() {
            for (suffix, content) in [(".br", &file.brotli), (".gz", &file.gzip), ("", &file.content)] {
                let path = folder.join(format!("{}{suffix}", file.path));
                replace(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
                wanted.insert(path);
            }
        }
        for entry in fs::read_dir(&assets)? {
            let path = entry?.path();
            if !wanted.contains(&path) {
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// A table of the files and their sizes in bytes.
    pub fn sizes(&self) -> String {
        let mut table = format!("{:<36}{:>9}{:>9}{:>9}\n", "file", "raw", "gzip", "brotli");
        let mut row = |name: &str, sizes: [usize; 3]| {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{name:<36}{:>9}{:>9}{:>9}", sizes[0], sizes[1], sizes[2]);
        };
        let mut total = [0; 3];
        for file in &self.files {
            let sizes = [file.content.len(), file.gzip.len(), file.brotli.len()];
            row(&file.path, sizes);
            for (sum, size) in total.iter_mut().zip(sizes) {
                *sum += size;
            }
        }
        row("whole page", total);
        table
    }
}

impl File {
    fn asset(name: &str, extension: &str, content: Vec<u8>) -> Result<Self> {
        let hash = ContentHash::of(&content);
        Self::new(format!("{ASSETS}/{name}-{hash}.{extension}"), content)
    }

    fn new(path: String, content: Vec<u8>) -> Result<Self> {
        let gzip = gzip(&content).with_context(|| format!("cannot compress {path}"))?;
        let brotli = brotli(&content).with_context(|| format!("cannot compress {path}"))?;
        Ok(Self { path, content, brotli, gzip })
    }

    fn url(&self) -> String {
        format!("/{}", self.path)
    }
}

/// The first 64 bits of a SHA-256: tells versions of one file apart, and is no defence against forgery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentHash(u64);

impl ContentHash {
    pub fn of(content: &[u8]) -> Self {
        let digest = Sha256::digest(content);
        Self(digest.iter().take(size_of::<u64>()).fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A placeholder that a template may hold, and the URL that replaces it.
struct Slot {
    name: &'static str,
    url: String,
    required: bool,
}

impl Slot {
    fn required(name: &'static str, file: &File) -> Self {
        Self { name, url: file.url(), required: true }
    }

    fn optional(name: &'static str, file: &File) -> Self {
        Self { name, url: file.url(), required: false }
    }
}

/// Replaces each `{{name}}` by the URL of the slot of that name.
fn fill(template: &str, slots: &[Slot]) -> Result<String> {
    let mut filled = String::with_capacity(template.len());
    let mut used = BTreeSet::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            bail!("a placeholder is not closed by }}}}")
        };
        let Some(slot) = slots.iter().find(|slot| slot.name == name) else {
            let known = slots.iter().map(|slot| slot.name).collect::<Vec<_>>().join(", ");
            bail!("nothing is called {{{{{name}}}}} here; there is {known}");
        };
        filled.push_str(before);
        filled.push_str(&slot.url);
        used.insert(slot.name);
        rest = after;
    }
    filled.push_str(rest);
    if let Some(slot) = slots.iter().find(|slot| slot.required && !used.contains(slot.name)) {
        bail!("{{{{{}}}}} is missing: the page could not start", slot.name);
    }
    Ok(filled)
}

/// Writes beside and renames: a reader sees the old content or the new, never a part.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, content)?;
    fs::rename(&beside, path)
}

/// It is made once and sent often: seconds of searching for what `gzip -9` does not find are well spent.
fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, content, &mut compressed)?;
    Ok(compressed)
}

fn brotli(content: &[u8]) -> std::io::Result<Vec<u8>> {
    /// The best quality and the largest window that every browser accepts (RFC 7932, section 9.1).
    const PARAMETERS: (u32, u32) = (11, 24);
    /// How much the encoder takes in at a time; no influence on the result.
    const BUFFER: usize = 4096;
    let mut compressed = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut compressed, BUFFER, PARAMETERS.0, PARAMETERS.1);
    encoder.write_all(content)?;
    drop(encoder);
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const START: &str = r#"import start from "{{glue}}"; start("{{wasm}}");"#;
    const INDEX_TEMPLATE: &str =
        r#"<link rel=stylesheet href="{{style}}"><script type=module src="{{start}}"></script>"#;

    fn site(wasm: &[u8]) -> Site {
        Site::build(Sources {
            wasm: wasm.to_vec(),
            glue: b"glue".to_vec(),
            style: b"style".to_vec(),
            start: START.to_owned(),
            index: INDEX_TEMPLATE.to_owned(),
        })
        .expect("the templates are right")
    }

    fn paths(site: &Site) -> Vec<&str> {
        site.files.iter().map(|file| file.path.as_str()).collect()
    }

    fn text<'a>(site: &'a Site, start_of_path: &str) -> &'a str {
        let file =
            site.files.iter().find(|file| file.path.starts_with(start_of_path)).expect("is one of the files");
        std::str::from_utf8(&file.content).expect("is text")
    }

    #[test]
    fn a_name_holds_the_start_of_the_sha_256_of_the_content() {
        // FIPS 180-2, appendix B.1: the digest of "abc".
        assert_eq!(ContentHash::of(b"abc").to_string(), "ba7816bf8f01cfea");
        let wasm = File::asset("encke", "wasm", b"abc".to_vec()).expect("compresses");
        assert_eq!(wasm.path, "assets/encke-ba7816bf8f01cfea.wasm");
    }

    #[test]
    fn a_new_module_changes_the_names_of_all_that_lead_to_it_and_of_nothing_else() {
        let (one, two) = (site(b"one"), site(b"two"));
        let changed = paths(&one)
            .into_iter()
            .zip(paths(&two))
            .filter(|(one, two)| one != two)
            .map(|(one, _)| one.split_once('-').expect("only hashed names change").0)
            .collect::<Vec<_>>();
        // The glue is `assets/encke-….js`, the module `assets/encke-….wasm`: only the latter is here.
        assert_eq!(changed, ["assets/start", "assets/encke"]);
        assert_ne!(text(&one, INDEX), text(&two, INDEX));
    }

    #[test]
    fn each_file_refers_to_the_next_by_its_absolute_url() {
        let site = site(b"wasm");
        let [index, start, style, glue, wasm] = paths(&site)[..] else { panic!("five files") };
        assert_eq!(index, INDEX);
        assert_eq!(
            text(&site, INDEX),
            format!(r#"<link rel=stylesheet href="/{style}"><script type=module src="/{start}"></script>"#)
        );
        assert_eq!(text(&site, start), format!(r#"import start from "/{glue}"; start("/{wasm}");"#));
    }

    #[test]
    fn a_template_with_an_unknown_or_a_missing_placeholder_is_refused() {
        let slot = |required| Slot { name: "glue", url: "/glue.js".to_owned(), required };
        let refusal = |template: &str| fill(template, &[slot(true)]).expect_err("is refused").to_string();
        assert_eq!(refusal("{{gleu}}"), "nothing is called {{gleu}} here; there is glue");
        assert_eq!(refusal("{{glue"), "a placeholder is not closed by }}");
        assert_eq!(refusal("none"), "{{glue}} is missing: the page could not start");
        assert_eq!(fill("{{glue}} {{glue}} }}", &[slot(true)]).expect("is right"), "/glue.js /glue.js }}");
        assert_eq!(fill("none", &[slot(false)]).expect("is right"), "none");
    }

    #[test]
    fn the_compressed_copies_hold_the_same_content() {
        let content = b"comet ".repeat(1_000);
        let file = File::new("file".to_owned(), content.clone()).expect("compresses");
        let (mut from_gzip, mut from_brotli) = (Vec::new(), Vec::new());
        flate2::read::GzDecoder::new(&file.gzip[..]).read_to_end(&mut from_gzip).expect("is gzip");
        brotli::Decompressor::new(&file.brotli[..], 4096).read_to_end(&mut from_brotli).expect("is brotli");
        assert!(from_gzip == content && from_brotli == content);
        assert!(file.gzip.len() < content.len() && file.brotli.len() < content.len());
    }

    #[test]
    fn writing_a_new_site_removes_the_files_of_the_old_one() {
        let folder = std::env::temp_dir().join(format!("encke-site-{}", std::process::id()));
        site(b"old").write(&folder).expect("writes");
        let new = site(b"new");
        new.write(&folder).expect("writes");
        let mut found = vec![];
        for entry in fs::read_dir(folder.join(ASSETS)).expect("is a folder") {
            found.push(entry.expect("is readable").file_name().into_string().expect("is plain"));
        }
        found.sort();
        let mut wanted = paths(&new)[1..]
            .iter()
            .flat_map(|path| {
                ["", ".br", ".gz"].map(|suffix| format!("{path}{suffix}").split_off("assets/".len()))
            })
            .collect::<Vec<_>>();
        wanted.sort();
        assert_eq!(found, wanted);
        assert!(folder.join("index.html.br").exists());
        fs::remove_dir_all(&folder).expect("is ours");
    }
}
