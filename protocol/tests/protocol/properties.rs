//! What holds for every input. Native only: proptest wants files and randomness.

mod engine;
mod json;
mod machines;
mod msgpack;
mod scanner;
mod socket;

use proptest::prelude::*;

/// Text that is awkward: escapes, separators, all planes of Unicode, what JavaScript stumbles over.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ -~]{0,8}",
        2 => "\\PC{0,4}",
        1 => any::<char>().prop_map(String::from),
        1 => prop::sample::select(vec![
            "\u{1e}", "\"", "\\", "\\u", "\n", "\u{8}\u{c}\r\t", "\0", "\u{7f}", "\u{2028}", "😀👩\u{200d}🚀", "__proto__", "4",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

/// One change to a text: a character taken out, put in, or another in its place; or the end cut off.
#[derive(Clone, Debug)]
struct Mutation {
    kind: u8,
    at: prop::sample::Index,
    char: char,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let char = prop_oneof![
        3 => prop::sample::select("\"\\/[]{}:,.-+eEu0123456789abtfn_ \u{1e}\n/".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    (0..4_u8, any::<prop::sample::Index>(), char).prop_map(|(kind, at, char)| Mutation { kind, at, char })
}

impl Mutation {
    fn apply(&self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        let at = self.at.index(chars.len() + 1);
        match self.kind {
            0 => chars.insert(at, self.char),
            1 => chars.truncate(at),
            _ if at == chars.len() => {}
            2 => chars[at] = self.char,
            _ => drop(chars.remove(at)),
        }
        chars.into_iter().collect()
    }
}

fn mutated(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (text, prop::collection::vec(mutation(), 0..4))
        .prop_map(|(text, mutations)| mutations.iter().fold(text, |text, mutation| mutation.apply(&text)))
}
