//! The accepted counts: a file for people to read and Git to compare, a section for each compiler and target.
//!
//! Owns its form, a small part of TOML: comments, tables with quoted names, strings and whole numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::setting::Setting;
use super::verdict::Row;

const HEAD: &str = "\
# Instructions of one operation of each scenario, by compiler and target: what `cargo xtask guard` compares with.
# Written by `cargo xtask guard --accept`.
";

/// What else a section holds.
const COUNTED_WITH: &str = "counted-with";

#[derive(Debug, Default, PartialEq)]
pub struct Baseline {
    sections: BTreeMap<String, Section>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The C library and valgrind of that time.
    pub counted_with: String,
    /// By scenario.
    pub counts: BTreeMap<String, u64>,
}

impl Baseline {
    /// # Errors
    /// When the file cannot be read, or somebody has written into it what cannot stand there.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::decode(&text).with_context(|| format!("in {}", path.display()))
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, self.encode()).with_context(|| format!("cannot write {}", path.display()))
    }

    pub fn section(&self, key: &str) -> Option<&Section> {
        self.sections.get(key)
    }

    /// Whether all that was ever accepted is for other targets than this.
    pub fn is_of_others(&self, target: &str) -> bool {
        let is_other = |key: &String| key.rsplit_once(", ").is_none_or(|(_, known)| known != target);
        !self.sections.is_empty() && self.sections.keys().all(is_other)
    }

    /// Takes over what was counted, in place of whatever there was for this compiler and target.
    pub fn accept(&mut self, setting: &Setting, rows: &[Row]) {
        let counts = rows.iter().filter_map(|row| Some((row.name.clone(), row.counted?))).collect();
        let section = Section { counted_with: setting.counted_with.clone(), counts };
        self.sections.insert(setting.key(), section);
    }

    fn decode(text: &str) -> Result<Self> {
        let mut baseline = Self::default();
        let mut section = None;
        for (number, line) in text.lines().enumerate() {
            let wrong = || format!("line {} is neither a section, a count nor a comment: {line}", number + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(key) = line.strip_prefix("[\"").and_then(|line| line.strip_suffix("\"]")) {
                section = Some(baseline.sections.entry(key.to_owned()).or_default());
                continue;
            }
            let section = section.as_mut().with_context(wrong)?;
            let (name, value) = line.split_once(" = ").with_context(wrong)?;
            match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
                Some(text) if name == COUNTED_WITH => section.counted_with = text.to_owned(),
                Some(_) => bail!(wrong()),
                None => drop(section.counts.insert(name.to_owned(), value.parse().with_context(wrong)?)),
            }
        }
        Ok(baseline)
    }

    fn encode(&self) -> String {
        let mut text = HEAD.to_owned();
        for (key, Section { counted_with, counts }) in &self.sections {
            text.push_str(&format!("\n[\"{key}\"]\n{COUNTED_WITH} = \"{counted_with}\"\n"));
            counts.iter().for_each(|(name, count)| text.push_str(&format!("{name} = {count}\n")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# A comment.

[\"rustc 1.95.0, x86_64\"]
counted-with = \"glibc 2.36\"
broadcast = 517
echo = 7306

[\"rustc 1.96.0, x86_64\"]
counted-with = \"glibc 2.41\"
echo = 7000
";

    fn setting(compiler: &str) -> Setting {
        let (target, counted_with) = ("x86_64".into(), "glibc 2.50".into());
        Setting { compiler: compiler.into(), target, counted_with }
    }

    fn row(name: &str, counted: Option<u64>) -> Row {
        Row { name: name.into(), operation: String::new(), counted, accepted: None }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let baseline = Baseline::decode(FILE).expect("is right");
        assert_eq!(Baseline::decode(&baseline.encode()).expect("is right"), baseline);
        let section = baseline.section("rustc 1.95.0, x86_64").expect("is there");
        assert_eq!(section.counted_with, "glibc 2.36");
        assert_eq!(section.counts["broadcast"], 517);
        assert!(baseline.section("rustc 1.97.0, x86_64").is_none());
        assert!(baseline.is_of_others("aarch64") && !baseline.is_of_others("x86_64"));
        assert!(!Baseline::default().is_of_others("aarch64"), "a file that was emptied guards nothing");
    }

    #[test]
    fn a_line_that_cannot_stand_there_is_named() {
        for line in ["echo", "echo = many", "echo = \"7\"", "[section]", "echo = -1", "<<<<<<< HEAD"] {
            let error = Baseline::decode(&format!("[\"a\"]\n{line}\n")).expect_err("is wrong");
            assert!(format!("{error:#}").contains("line 2"), "{line}: {error:#}");
        }
        assert!(Baseline::decode("echo = 1\n").is_err(), "of no section");
    }

    #[test]
    fn accepting_replaces_what_was_counted_by_this_compiler_and_nothing_else() {
        let mut baseline = Baseline::decode(FILE).expect("is right");
        baseline.accept(
            &setting("rustc 1.95.0"),
            &[row("echo", Some(9)), row("room", Some(8)), row("broadcast", None)],
        );
        let section = baseline.section("rustc 1.95.0, x86_64").expect("is there");
        assert_eq!(section.counted_with, "glibc 2.50");
        assert_eq!(section.counts, [("echo", 9), ("room", 8)].map(own).into());
        let other = baseline.section("rustc 1.96.0, x86_64").expect("is there");
        assert_eq!(other.counts, [("echo", 7000)].map(own).into());
    }

    #[test]
    fn accepting_adds_a_compiler() {
        let mut baseline = Baseline::decode(FILE).expect("is right");
        baseline.accept(&setting("rustc 1.97.0"), &[row("echo", Some(1))]);
        assert_eq!(baseline.sections.len(), 3);
    }

    fn own((name, count): (&str, u64)) -> (String, u64) {
        (name.to_owned(), count)
    }
}
