//! From the module that the compiler made to a module and its JavaScript glue.
//!
//! Owns the choice of wasm-bindgen's settings, and the names by which module and glue know each other. It must not write
//! files or shrink anything else: the tools that do see one of the two, and names have to change in both.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

/// What wasm-bindgen's own names begin with. Others are the page's, like that of its start.
const GENERATED: [&str; 3] = ["__wb", "__externref", "wasm_bindgen__"];

/// What wasm-bindgen calls the glue in the module's list of imports, and what it is called here.
const SOURCE: &str = "./encke_bg.js";
const SHORT_SOURCE: &str = "a";

/// A module that a browser can load, and the JavaScript module that loads it.
pub struct Bound {
    pub wasm: Vec<u8>,
    pub glue: String,
}

/// Binds `wasm` for `<script type="module">`.
///
/// # Errors
/// When the module was not built with the version of wasm-bindgen that this package has, and when a dependency
/// brings JavaScript files of its own: the page has none, and they would need names and preloading of their own.
pub fn bind(wasm: Vec<u8>) -> Result<Bound> {
    let mut output = Bindgen::new()
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The start file says where the module is: under a name that the glue cannot know.
        .omit_default_module_path(true)
        .input_bytes("encke", wasm)
        .generate_output()?;
    // Every crate has a list of snippets, most an empty one.
    let has_snippets = output.snippets().values().any(|snippets| !snippets.is_empty());
    if has_snippets || !output.local_modules().is_empty() || !output.npm_dependencies().is_empty() {
        bail!("a dependency of the page brings JavaScript of its own; the page is Rust and its glue alone");
    }
    let mut names = ShortNames::beside(output.js());
    let module = output.wasm_mut();
    for import in module.imports.iter_mut() {
        names.shorten(&mut import.name);
        // Written out with each import, and looked up under this name alone.
        import.module = SHORT_SOURCE.to_owned();
    }
    for export in module.exports.iter_mut() {
        names.shorten(&mut export.name);
    }
    let wasm = module.emit_wasm();
    Ok(Bound { wasm, glue: names.in_glue(output.js()).replace(SOURCE, SHORT_SOURCE) })
}

/// Short names instead of the generated ones, each of which ends in a hash that no compression makes smaller: 4 KB of the
/// page.
struct ShortNames {
    /// Whatever the glue calls by a name already.
    taken: BTreeSet<String>,
    chosen: BTreeMap<String, String>,
    next: usize,
}

impl ShortNames {
    /// Names that this glue does not use.
    fn beside(glue: &str) -> Self {
        let taken = words(glue).map(str::to_owned).collect();
        Self { taken, chosen: BTreeMap::new(), next: 0 }
    }

    /// Replaces the name, if it is a generated one.
    fn shorten(&mut self, name: &mut String) {
        if GENERATED.iter().any(|start| name.starts_with(start)) {
            if !self.chosen.contains_key(name) {
                let short = self.unused();
                self.chosen.insert(name.clone(), short);
            }
            name.clone_from(&self.chosen[name]);
        }
    }

    /// The next of a, b, … z, ba, bb, … that means nothing in the glue.
    fn unused(&mut self) -> String {
        loop {
            let mut name = String::new();
            let mut number = self.next;
            while number > 0 || name.is_empty() {
                name.insert(0, char::from(b'a' + (number % 26) as u8));
                number /= 26;
            }
            self.next += 1;
            if !self.taken.contains(&name) && !is_keyword(&name) {
                return name;
            }
        }
    }

    /// The glue with the chosen names.
    fn in_glue(&self, glue: &str) -> String {
        let mut renamed = String::with_capacity(glue.len());
        let mut rest = glue;
        for word in words(glue) {
            // Words are parts of the glue, in its order.
            let Some((between, behind)) = rest.split_once(word) else { continue };
            renamed.push_str(between);
            renamed.push_str(self.chosen.get(word).map_or(word, String::as_str));
            rest = behind;
        }
        renamed.push_str(rest);
        renamed
    }
}

/// The identifiers, keywords and numbers of JavaScript text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').filter(|word| !word.is_empty())
}

/// The keywords of at most two letters; there will never be so many names that they need three.
fn is_keyword(name: &str) -> bool {
    ["as", "do", "if", "in", "is", "of"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_become_short_ones_that_the_glue_does_not_use_yet() {
        let glue = "function b() { return wasm.__wbg_call_1(a.__wbg_call_12); } export { start };";
        let mut names = ShortNames::beside(glue);
        let mut short = |name: &str| {
            let mut name = name.to_owned();
            names.shorten(&mut name);
            name
        };
        assert_eq!(short("__wbg_call_12"), "c");
        assert_eq!(short("__wbg_call_1"), "d");
        assert_eq!(short("__wbg_call_12"), "c", "an import and an export may have one name");
        assert_eq!(short("start"), "start", "the page's own names stay");
        assert_eq!(names.in_glue(glue), "function b() { return wasm.d(a.c); } export { start };");
    }

    #[test]
    fn short_names_are_no_keywords_and_never_repeat() {
        let mut names = ShortNames::beside("");
        let made = (0..26 * 26 - 1).map(|_| names.unused()).collect::<BTreeSet<_>>();
        assert_eq!(made.len(), 26 * 26 - 1);
        assert!(made.contains("z") && made.contains("ba") && !made.contains("do") && !made.contains("if"));
    }
}
