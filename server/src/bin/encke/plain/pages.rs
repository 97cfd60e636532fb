//! What the plain pages look like. Everything that a person wrote goes through [`Escaped`].

use encke_protocol::chat::Posted;
use std::fmt::{Display, Formatter, Result, Write as _};

/// Seconds after which the messages are asked for again.
const REFRESH: u32 = 5;

/// As many people are named: more are a crowd, and the page is asked for again and again.
const MAX_NAMED: usize = 50;

/// Text as it stands in HTML, between tags and in a quoted attribute.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

fn head(title: &str, more: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"stylesheet\" href=\"/plain/style.css\">\n{more}</head>\n"
    )
}

/// The page one writes in.
pub(super) struct Form<'a> {
    /// The secret of the browser's cookie.
    pub(super) token: &'a str,
    /// Of the message that this form will send.
    pub(super) key: &'a str,
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// What others see.
    pub(super) known_as: Option<&'a str>,
    /// Why the last message was not sent.
    pub(super) problem: Option<&'a str>,
}

impl Form<'_> {
    pub(super) fn page(&self) -> String {
        let Self { token, key, .. } = self;
        let (name, text) = (Escaped(self.name), Escaped(self.text));
        let problem =
            self.problem.map(|problem| format!("<p class=\"problem\" role=\"alert\">{problem}</p>\n"));
        let known_as = self.known_as.map(|name| format!("Others see you as <bdi>{}</bdi>. ", Escaped(name)));
        let (problem, known_as) = (problem.unwrap_or_default(), known_as.unwrap_or_default());
        let (first, then) = if self.name.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
        let head = head("Encke without scripts", "");
        format!(
            r#"{head}<body class="whole">
<header>
<h1>Encke</h1>
<p>This page works without scripts. <a href="/">With scripts</a> messages come at once.</p>
</header>
<iframe src="/plain/messages" title="Messages"></iframe>
<form method="post" action="/plain/say" accept-charset="utf-8">
{problem}<input type="hidden" name="token" value="{token}">
<input type="hidden" name="key" value="{key}">
<p><label for="name">Name</label> <input id="name" name="name" value="{name}" required autocomplete="nickname" dir="auto"{first}></p>
<p class="text"><label for="text">Message</label> <input id="text" name="text" value="{text}" required autocomplete="off" enterkeyhint="send" dir="auto"{then}></p>
<p class="send"><button type="submit">Send</button></p>
</form>
<p class="quiet">{known_as}No messages to be seen? <a href="/plain/messages?alone">They have a page of their own.</a></p>
</body>
</html>
"#
        )
    }
}

/// The page that is shown in the frame, or alone.
pub(super) struct Messages<'a> {
    pub(super) history: &'a [Posted],
    pub(super) people: &'a [String],
    /// In milliseconds since 1970, as the messages' times.
    pub(super) now: u64,
    /// Does not ask again.
    pub(super) paused: bool,
    /// Stands in no frame, with the form beside it.
    pub(super) alone: bool,
}

impl Messages<'_> {
    pub(super) fn page(&self) -> String {
        let refresh = format!("<meta http-equiv=\"refresh\" content=\"{REFRESH}\">\n");
        let mut page = head("Messages", if self.paused { "" } else { &refresh });
        // One block that scrolls from its end: the newest message is the last one, and in view.
        page.push_str("<body class=\"messages\">\n<main><div>\n");
        if self.history.is_empty() {
            page.push_str("<p class=\"quiet\">All quiet. Say the first word.</p>\n");
        } else {
            page.push_str("<ul>\n");
            self.history.iter().for_each(|posted| page.push_str(&self.line(posted)));
            page.push_str("</ul>\n");
        }
        page.push_str(&self.foot());
        page.push_str("</div></main>\n</body>\n</html>\n");
        page
    }

    fn line(&self, Posted { name, text, at, .. }: &Posted) -> String {
        let (name, text, age) = (Escaped(name), Escaped(text), age(self.now.saturating_sub(*at)));
        format!(
            "<li><p class=\"who\"><bdi>{name}</bdi> <small>{age}</small></p><p class=\"said\" dir=\"auto\">{text}</p></li>\n"
        )
    }

    fn foot(&self) -> String {
        let names = self.people.iter().take(MAX_NAMED).map(|name| format!("<bdi>{}</bdi>", Escaped(name)));
        let names = names.collect::<Vec<_>>().join(", ");
        let people = match self.people.len() {
            0 => "Nobody is connected now".to_owned(),
            all if all > MAX_NAMED => format!("Connected now: {names} and {} more", all - MAX_NAMED),
            _ => format!("Connected now: {names}"),
        };
        let (words, link) = match (self.paused, self.alone) {
            (false, false) => ("Hold still", "?paused"),
            (false, true) => ("Hold still", "?alone&amp;paused"),
            (true, false) => ("Go on", ""),
            (true, true) => ("Go on", "?alone"),
        };
        let write = if self.alone { " <a href=\"/plain\">Write</a>" } else { "" };
        let asks = if self.paused { String::new() } else { format!("Asked again every {REFRESH} seconds. ") };
        format!(
            "<p class=\"quiet\">{people}. {asks}<a href=\"/plain/messages{link}\">{words}</a>{write}</p>\n"
        )
    }
}

/// What is said to a form that another site has sent.
pub(super) fn from_elsewhere() -> String {
    let head = head("Not sent", "");
    format!(
        "{head}<body>\n<p>This was not sent, since it was another site that asked for it.</p>\n\
         <p><a href=\"/plain\">Write something yourself</a></p>\n</body>\n</html>\n"
    )
}

/// How long ago, in words that are true in every time zone.
fn age(millis: u64) -> String {
    match millis / 60_000 {
        0 => "now".to_owned(),
        minutes @ 1..60 => format!("{minutes} min ago"),
        minutes @ 60..1_440 => format!("{} h ago", minutes / 60),
        minutes => format!("{} d ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</p><script>alert('1')</script><img src=x onerror=\"a&b\">";
    const HARMLESS: &str = "&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&lt;img src=x onerror=&quot;a&amp;b&quot;&gt;";

    #[test]
    fn what_people_write_is_text_wherever_it_stands() {
        let posted = Posted {
            id: 1,
            key: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            text: HOSTILE.to_owned(),
            at: 0,
        };
        let people = [HOSTILE.to_owned()];
        let messages =
            Messages { history: &[posted], people: &people, now: 0, paused: false, alone: false }.page();
        let form =
            Form { token: "", key: "", name: HOSTILE, text: HOSTILE, known_as: Some(HOSTILE), problem: None };
        for page in [messages, form.page()] {
            assert_eq!(page.matches(HARMLESS).count(), 3, "{page}");
            assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        }
    }

    #[test]
    fn a_text_stands_where_the_load_driver_of_the_bench_looks_for_it() {
        let (key, name, text) = ("k".to_owned(), "Ann".to_owned(), "hello".to_owned());
        let posted = Posted { id: 1, key, name, text, at: 0 };
        let page = Messages { history: &[posted], people: &[], now: 0, paused: false, alone: false }.page();
        assert!(page.contains(r#"<p class="said" dir="auto">hello</p>"#), "{page}");
    }

    #[test]
    fn a_crowd_is_counted_behind_the_first_names() {
        let foot = |count: usize| {
            let people: Vec<_> = (1..=count).map(|number| format!("p{number}")).collect();
            Messages { history: &[], people: &people, now: 0, paused: false, alone: false }.foot()
        };
        assert!(foot(0).contains(">Nobody is connected now."));
        assert!(foot(2).contains(">Connected now: <bdi>p1</bdi>, <bdi>p2</bdi>."));
        assert!(foot(50).contains("<bdi>p50</bdi>."));
        let crowd = foot(53);
        assert!(crowd.contains("<bdi>p50</bdi> and 3 more.") && !crowd.contains("p51"), "{crowd}");
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        const MINUTE: u64 = 60_000;
        for (millis, words) in [
            (0, "now"),
            (MINUTE - 1, "now"),
            (MINUTE, "1 min ago"),
            (60 * MINUTE - 1, "59 min ago"),
            (60 * MINUTE, "1 h ago"),
            (24 * 60 * MINUTE - 1, "23 h ago"),
            (49 * 60 * MINUTE, "2 d ago"),
        ] {
            assert_eq!(age(millis), words);
        }
    }
}
