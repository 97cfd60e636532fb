//! What the page says, in words. Pure; [`view`](crate::view) puts them into place.

use encke_protocol::chat::Refused;
use encke_protocol::client::{PassedOver, Transport, Why};
use encke_protocol::json::write_number;

use crate::model::{Failure, Link, Model, Stage, Trouble};

/// The page's name, as the title shows it.
const TITLE: &str = "Encke";

/// Said when the server answers what this page does not understand.
const OTHER_VERSION: &str = "The server is of another version. Please load the page again.";

/// The connection in words. Only `told` is read out when it changes: a countdown read aloud each second drowns everything else.
#[derive(Debug)]
pub struct Status {
    /// For tests and for the style.
    pub state: &'static str,
    /// The transport in use, for tests; empty when there is none.
    pub transport: &'static str,
    /// For tests, the name of each better transport with what speaks against it; or that the server has refused.
    pub why: String,
    /// For eyes and ears.
    pub told: String,
    /// For eyes alone, behind `told`.
    pub shown: String,
}

/// How the connection is.
pub fn status(model: &Model) -> Status {
    let mut transport = "";
    let (mut why, mut shown) = (String::new(), String::new());
    let (state, told) = match model.link {
        Link::Connecting { after } => {
            // Told once: each attempt read aloud would be as bad.
            let told = trouble(after, model, &mut why);
            shown.push_str(if told.is_some() { ", trying again…" } else { "…" });
            ("connecting", told.unwrap_or("Connecting"))
        }
        Link::Connected(carrier) => {
            transport = carrier.transport.as_str();
            ("connected", "Connected, ")
        }
        Link::Waiting { seconds, trouble: after } => {
            shown = next_try(seconds);
            ("waiting", trouble(Some(after), model, &mut why).unwrap_or_default())
        }
        Link::Closed => ("closed", "Disconnected"),
        Link::Out => ("closed", "Disconnected by the server"),
    };
    let mut told = told.to_owned();
    if let Link::Connected(carrier) = model.link {
        told.push_str(called(carrier.transport));
        for PassedOver { transport, why: reason } in carrier.passed_over.into_iter().flatten() {
            told.push_str("; ");
            told.push_str(called(transport));
            told.push(' ');
            told.push_str(failing(reason));
            why.push_str(if why.is_empty() { "" } else { " " });
            why.push_str(transport.as_str());
            why.push(':');
            why.push_str(reason.as_str());
        }
    }
    Status { state, transport, why, told, shown }
}

/// What keeps the page from its server. There is always something once it has been in the chat.
fn trouble(trouble: Option<Trouble>, model: &Model, why: &mut String) -> Option<&'static str> {
    let been_in = model.stage == Stage::Rejoining;
    match trouble {
        Some(Trouble::Refused) => {
            why.push_str("forbidden");
            Some("Refused: the server does not serve this page")
        }
        Some(Trouble::Unclear) if !been_in => {
            Some("No connection: the server cannot be reached, or does not serve this page")
        }
        None if !been_in => None,
        _ => Some("Disconnected"),
    }
}

fn called(transport: Transport) -> &'static str {
    match transport {
        Transport::WebSocket => "WebSocket",
        Transport::Polling => "long polling",
        Transport::Jsonp => "JSONP",
    }
}

fn failing(why: Why) -> &'static str {
    match why {
        Why::NotOpened => "did not open",
        Why::Silent => "carried nothing",
        Why::Cut => "was cut",
    }
}

fn next_try(seconds: u32) -> String {
    let mut text = String::from(", next try in ");
    write_number(u64::from(seconds), &mut text);
    text.push_str(" s");
    text
}

/// The title, with what was missed in front while the page is hidden.
pub fn title(model: &Model) -> String {
    let mut title = String::new();
    if model.reading.unread > 0 {
        title.push('(');
        write_number(u64::from(model.reading.unread), &mut title);
        title.push_str(") ");
    }
    title.push_str(TITLE);
    title
}

/// On the button that leads to the newest message.
pub fn newest(below: u32) -> String {
    let mut text = String::from("↓ ");
    if below == 0 {
        text.push_str("Newest");
    } else {
        write_number(u64::from(below), &mut text);
        text.push_str(if below == 1 { " new message" } else { " new messages" });
    }
    text
}

/// On the button that shows who is here.
pub fn people(count: usize) -> String {
    let mut text = number(u32::try_from(count).unwrap_or(u32::MAX));
    text.push_str(" here");
    text
}

/// Why joining failed.
pub fn refusal(failure: Failure) -> &'static str {
    match failure {
        Failure::Refused(Refused::Empty) => "Please write a name.",
        Failure::Refused(Refused::TooLong) => "That name is too long. Please choose a shorter one.",
        Failure::Refused(Refused::NotJoined) | Failure::NoAnswer | Failure::NotTaken => {
            "That did not work. Please try again."
        }
        Failure::Malformed => OTHER_VERSION,
    }
}

/// Over the composer, when the draft is too long.
pub fn too_long(too_long: bool) -> &'static str {
    if too_long { "This is too long for one message. Please shorten it." } else { "" }
}

/// Why a message was not sent.
pub fn failure(failure: Failure) -> String {
    let mut text = String::from("Not sent. ");
    text.push_str(match failure {
        Failure::NoAnswer => "The server did not answer.",
        Failure::NotTaken => "Too much waits to be sent already.",
        Failure::Malformed => OTHER_VERSION,
        Failure::Refused(Refused::Empty) => "It is empty.",
        Failure::Refused(Refused::TooLong) => "It is too long.",
        Failure::Refused(Refused::NotJoined) => {
            "The server does not know you any more: please load the page again."
        }
    });
    text
}

/// A number, as a line's `data-line` holds it.
pub fn number(number: u32) -> String {
    let mut text = String::new();
    write_number(u64::from(number), &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Carrier;
    use crate::update::{Msg, update};

    fn connected(transport: Transport, passed_over: [Option<PassedOver>; 2]) -> Link {
        Link::Connected(Carrier { transport, passed_over })
    }

    fn told(link: Link, stage: Stage) -> (&'static str, &'static str, String) {
        let mut model = Model::new(String::new(), String::new());
        (model.link, model.stage) = (link, stage);
        let status = status(&model);
        (status.state, status.transport, [status.told, status.shown].concat())
    }

    #[test]
    fn the_status_names_state_and_transport_plainly() {
        let gate = || Stage::Gate { failure: None };
        let cases = [
            (Link::Connecting { after: None }, gate(), ("connecting", "", "Connecting…")),
            (
                Link::Connecting { after: None },
                Stage::Rejoining,
                ("connecting", "", "Disconnected, trying again…"),
            ),
            (
                connected(Transport::WebSocket, [None, None]),
                Stage::Chatting,
                ("connected", "websocket", "Connected, WebSocket"),
            ),
            (
                Link::Waiting { seconds: 12, trouble: Trouble::Away },
                Stage::Rejoining,
                ("waiting", "", "Disconnected, next try in 12 s"),
            ),
            (
                Link::Waiting { seconds: 3, trouble: Trouble::Refused },
                gate(),
                ("waiting", "", "Refused: the server does not serve this page, next try in 3 s"),
            ),
            (
                Link::Waiting { seconds: 3, trouble: Trouble::Unclear },
                gate(),
                (
                    "waiting",
                    "",
                    "No connection: the server cannot be reached, or does not serve this page, next try in 3 s",
                ),
            ),
            (
                Link::Waiting { seconds: 3, trouble: Trouble::Unclear },
                Stage::Rejoining,
                ("waiting", "", "Disconnected, next try in 3 s"),
            ),
            (Link::Closed, Stage::Rejoining, ("closed", "", "Disconnected")),
            (Link::Out, Stage::Rejoining, ("closed", "", "Disconnected by the server")),
        ];
        for (link, stage, (state, transport, text)) in cases {
            assert_eq!(told(link, stage), (state, transport, text.to_owned()));
        }
    }

    #[test]
    fn the_status_says_what_speaks_against_better_transports() {
        let over = |transport, why| Some(PassedOver { transport, why });
        let cut = over(Transport::WebSocket, Why::Cut);
        let unopened = over(Transport::WebSocket, Why::NotOpened);
        let silent = over(Transport::Polling, Why::Silent);
        for (link, words, why) in [
            (
                connected(Transport::Polling, [cut, None]),
                "Connected, long polling; WebSocket was cut",
                "websocket:cut",
            ),
            (
                connected(Transport::Jsonp, [unopened, silent]),
                "Connected, JSONP; WebSocket did not open; long polling carried nothing",
                "websocket:not-opened polling:silent",
            ),
            (connected(Transport::Jsonp, [None, None]), "Connected, JSONP", ""),
        ] {
            let mut model = Model::new(String::new(), String::new());
            model.link = link;
            let status = status(&model);
            assert_eq!((status.told.as_str(), status.why.as_str()), (words, why));
        }
    }

    #[test]
    fn attempts_after_the_first_are_for_eyes_alone() {
        let gate = || Stage::Gate { failure: None };
        let refused = "Refused: the server does not serve this page";
        for (stage, trouble, told, why) in [
            (gate(), Trouble::Away, "Disconnected", ""),
            (Stage::Rejoining, Trouble::Away, "Disconnected", ""),
            (gate(), Trouble::Refused, refused, "forbidden"),
            (Stage::Rejoining, Trouble::Refused, refused, "forbidden"),
        ] {
            let mut model = Model::new(String::new(), String::new());
            model.stage = stage;
            let waiting = |seconds| Link::Waiting { seconds, trouble };
            let connecting = Link::Connecting { after: None };
            // One transport after the other, in each attempt.
            for link in [waiting(2), connecting, connecting, waiting(1), connecting] {
                update(&mut model, Msg::Link(link));
                let status = status(&model);
                assert_eq!((status.told.as_str(), status.why.as_str()), (told, why), "{:?}", model.link);
            }
        }
    }

    #[test]
    fn what_was_told_of_attempts_ends_with_them() {
        let mut model = Model::new(String::new(), String::new());
        for link in [
            Link::Waiting { seconds: 1, trouble: Trouble::Refused },
            connected(Transport::WebSocket, [None, None]),
            Link::Connecting { after: None },
        ] {
            update(&mut model, Msg::Link(link));
        }
        assert_eq!((status(&model).told.as_str(), status(&model).why.as_str()), ("Connecting", ""));
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for value in [0, 7, 10, 1_000, u32::MAX] {
            assert_eq!(number(value), value.to_string());
        }
    }

    #[test]
    fn one_message_is_not_messages() {
        assert_eq!([newest(0), newest(1), newest(2)], ["↓ Newest", "↓ 1 new message", "↓ 2 new messages"]);
    }
}
