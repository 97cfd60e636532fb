//! What people have said, as it stands in the page of the chat without scripts.

use crate::text::{DIGITS, number};
use memchr::memmem;

/// What stands before each text. The tests of `encke serve` hold the page to it; where it is gone, everything counts as lost.
const BEFORE: &[u8] = br#"<p class="said" dir="auto">"#;

/// The numbers that texts begin with, oldest first; nothing for a text without one.
pub(super) fn numbers(page: &[u8]) -> impl Iterator<Item = Option<u32>> {
    memmem::find_iter(page, BEFORE).map(|at| number(page[at + BEFORE.len()..].get(..DIGITS)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_the_order_of_the_page() {
        let line = |text| {
            let who = r#"<p class="who"><bdi>Ann</bdi> <small>now</small></p>"#;
            format!("<li>{who}<p class=\"said\" dir=\"auto\">{text}</p></li>\n")
        };
        let page = format!("<ul>\n{}{}{}</ul>", line("0000000007xxx"), line("0000000008"), line("hello"));
        assert_eq!(numbers(page.as_bytes()).collect::<Vec<_>>(), [Some(7), Some(8), None]);
        assert_eq!(numbers(b"<p>All quiet.</p>").count(), 0);
    }
}
