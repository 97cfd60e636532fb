//! What happens to the page: a message comes in, the [`Model`] changes, [`Effect`]s go out.
//!
//! Pure: no DOM, no clock, no randomness, no connection, so that every story of the page is a test on any machine. The order of
//! the conversation is in [`lines`].
//!
//! A message is handed to the client only while the server knows us on this connection. Whatever is pending when that ends stays
//! pending, whatever becomes of that attempt, and is sent again under its old key after the next join; the server drops what it
//! has already.

mod lines;

use encke_protocol::chat::{self, Arrived, Join, Joined, Left, Posted, Refused, Said, Say};

use crate::model::{Content, Failure, Link, Model, Stage};

/// What can happen to the page.
#[derive(Debug)]
pub enum Msg {
    /// The gate's form was sent with this name.
    Join(String),
    /// The server's word on joining.
    Joined(Result<Joined, Failed>),
    /// The composer was sent: the text, a random part for its key, and this computer's time.
    Say { text: String, random: String, now: u64 },
    /// The draft in the composer changed; it is so many bytes long.
    Drafted(usize),
    /// The server's word on the message of that key.
    Said { key: String, answer: Result<Said, Failed> },
    /// Retry was pressed on that line.
    Retry(u32),
    /// Somebody said something.
    Posted(Posted),
    /// Somebody came.
    Arrived(Arrived),
    /// Somebody went.
    Left(Left),
    /// The connection changed.
    Link(Link),
    /// A second has passed since [`Effect::Tick`].
    Tick,
    /// Not to wait for the next try to connect.
    Reconnect,
    /// The log was scrolled, to its end or away from it.
    Scrolled { at_end: bool },
    /// The button that leads to the newest message was pressed.
    ReadNewest,
    /// The page went to the background, or came back.
    Hidden(bool),
    /// Screen readers have passed over the log's first lines.
    Settled,
}

/// Why something asked of the server was not done.
#[derive(Debug)]
pub enum Failed {
    /// It said no.
    Refused(Refused),
    /// It answered something that is not of the chat's contract.
    Malformed,
    /// It did not answer in time.
    NoAnswer,
    /// The connection was lost before the answer.
    Disconnected,
    /// The client did not take it.
    NotSent,
}

/// What the page wants done outside itself.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Ask to be let in; answered by [`Msg::Joined`].
    Join(Join),
    /// Hand a message to the server; answered by [`Msg::Said`].
    Say(Say),
    /// Keep the name for the next visit.
    RememberName(String),
    /// Send [`Msg::Tick`] after a second, and forget an earlier wish for one.
    Tick,
    /// Connect now, and enter again.
    Reconnect,
    /// Send [`Msg::Settled`] once screen readers have passed over what is on screen.
    Settle,
    /// Let the person write a message.
    FocusComposer,
    /// The composer's text was taken.
    ClearComposer,
    /// Let the person choose another name.
    FocusName,
}

/// Lets `msg` happen.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Join(name) => join(model, name),
        Msg::Joined(answer) => {
            model.asked = false;
            match answer {
                Ok(joined) => enter(model, joined),
                Err(failed) => not_joined(model, failed),
            }
        }
        Msg::Say { text, random, now } => say(model, &text, &random, now),
        Msg::Drafted(bytes) => {
            model.too_long = bytes > chat::MAX_TEXT;
            Vec::new()
        }
        Msg::Said { key, answer } => said(model, &key, answer),
        Msg::Retry(number) => retry(model, number),
        Msg::Posted(posted) => news(model, posted),
        Msg::Arrived(Arrived { name }) => arrived(model, name),
        Msg::Left(Left { name }) => left(model, name),
        Msg::Link(link) => connection(model, link),
        Msg::Tick => tick(model),
        Msg::Reconnect => vec![Effect::Reconnect],
        Msg::Scrolled { at_end } => scrolled(model, at_end),
        Msg::ReadNewest => scrolled(model, true),
        Msg::Hidden(hidden) => {
            model.reading.hidden = hidden;
            model.reading.unread = 0;
            Vec::new()
        }
        Msg::Settled => {
            model.reading.live = true;
            Vec::new()
        }
    }
}

fn join(model: &mut Model, name: String) -> Vec<Effect> {
    if !matches!(model.stage, Stage::Gate { .. }) {
        return Vec::new();
    }
    if name.is_empty() {
        return back_to_gate(model, Failure::Refused(Refused::Empty));
    }
    model.wanted = name;
    model.stage = Stage::Joining;
    ask_to_join(model)
}

/// Asks now if there is a connection; otherwise the next connection does.
fn ask_to_join(model: &mut Model) -> Vec<Effect> {
    if model.asked || !matches!(model.link, Link::Connected(_)) {
        return Vec::new();
    }
    model.asked = true;
    vec![Effect::Join(Join { name: model.wanted.clone() })]
}

fn enter(model: &mut Model, joined: Joined) -> Vec<Effect> {
    let mut effects = Vec::new();
    if model.stage == Stage::Joining {
        effects.push(Effect::RememberName(model.wanted.clone()));
        effects.push(Effect::FocusComposer);
        effects.push(Effect::Settle);
    }
    for name in std::mem::take(&mut model.people) {
        if !joined.people.contains(&name) && !model.returning.contains(&name) {
            model.returning.push(name);
        }
    }
    model.returning.retain(|name| !joined.people.contains(name));
    model.people = joined.people;
    model.name = joined.name;
    let again = std::mem::replace(&mut model.stage, Stage::Chatting) == Stage::Rejoining;
    for posted in joined.history {
        if lines::merge(model, posted, true) && again {
            count(model);
        }
    }
    effects.extend(lines::pending(model).map(Effect::Say));
    effects
}

fn not_joined(model: &mut Model, failed: Failed) -> Vec<Effect> {
    match failed {
        // The next connection asks again. Not now: this can be the client's answer to every request at the moment.
        Failed::Disconnected | Failed::NotSent => Vec::new(),
        Failed::NoAnswer => ask_to_join(model),
        Failed::Refused(refused) => back_to_gate(model, Failure::Refused(refused)),
        Failed::Malformed => back_to_gate(model, Failure::Malformed),
    }
}

fn back_to_gate(model: &mut Model, failure: Failure) -> Vec<Effect> {
    model.stage = Stage::Gate { failure: Some(failure) };
    vec![Effect::FocusName]
}

fn say(model: &mut Model, text: &str, random: &str, now: u64) -> Vec<Effect> {
    let text = text.trim();
    model.too_long = text.len() > chat::MAX_TEXT;
    if text.is_empty() || model.too_long {
        return Vec::new();
    }
    let mut key = model.author.clone();
    key.push_str(random);
    let say = Say { key, text: text.to_owned() };
    lines::write(model, &say, now);
    // Whoever speaks wants to see it, wherever they were reading.
    scrolled(model, true);
    let mut effects = vec![Effect::ClearComposer];
    if model.stage == Stage::Chatting {
        effects.push(Effect::Say(say));
    }
    effects
}

fn said(model: &mut Model, key: &str, answer: Result<Said, Failed>) -> Vec<Effect> {
    match answer {
        Ok(said) => lines::confirm(model, key, said.at),
        // Pending until the next join, which sends it again: nothing is lost yet.
        Err(_) if model.stage != Stage::Chatting => {}
        Err(Failed::Disconnected) => {}
        Err(Failed::Refused(refused)) => lines::fail(model, key, Failure::Refused(refused)),
        Err(Failed::Malformed) => lines::fail(model, key, Failure::Malformed),
        Err(Failed::NoAnswer) => lines::fail(model, key, Failure::NoAnswer),
        Err(Failed::NotSent) => lines::fail(model, key, Failure::NotTaken),
    }
    Vec::new()
}

fn retry(model: &mut Model, number: u32) -> Vec<Effect> {
    let Some(say) = lines::revive(model, number) else { return Vec::new() };
    scrolled(model, true);
    // The button that had the focus is gone.
    let mut effects = vec![Effect::FocusComposer];
    if model.stage == Stage::Chatting {
        effects.push(Effect::Say(say));
    }
    effects
}

fn news(model: &mut Model, posted: Posted) -> Vec<Effect> {
    if lines::merge(model, posted, false) {
        count(model);
    }
    Vec::new()
}

/// Counts a message that just arrived among those not seen.
fn count(model: &mut Model) {
    let reading = &mut model.reading;
    reading.unread += u32::from(reading.hidden);
    reading.below += u32::from(!reading.at_end);
}

fn arrived(model: &mut Model, name: String) -> Vec<Effect> {
    if model.people.contains(&name) {
        return Vec::new();
    }
    model.people.push(name.clone());
    let known = model.returning.len();
    model.returning.retain(|returning| *returning != name);
    if model.returning.len() == known && !lines::take_back_left(model, &name) {
        lines::note(model, Content::Arrived(name));
    }
    Vec::new()
}

fn left(model: &mut Model, name: String) -> Vec<Effect> {
    let here = model.people.len();
    model.people.retain(|person| *person != name);
    if model.people.len() < here {
        lines::note(model, Content::Left(name));
    }
    Vec::new()
}

fn connection(model: &mut Model, link: Link) -> Vec<Effect> {
    let was_up = matches!(model.link, Link::Connected(_));
    model.link = link;
    match link {
        // An upgrade: the same connection over a better transport.
        Link::Connected(_) if was_up => Vec::new(),
        Link::Connected(_) if matches!(model.stage, Stage::Gate { .. }) => Vec::new(),
        Link::Connected(_) => ask_to_join(model),
        Link::Connecting | Link::Waiting { .. } | Link::Closed | Link::Out => {
            if model.stage == Stage::Chatting {
                model.stage = Stage::Rejoining;
                // A server that stops says of one after the other that they left, as if they had wanted to.
                model.returning = lines::take_back_departures(model);
            }
            if matches!(link, Link::Waiting { .. }) { vec![Effect::Tick] } else { Vec::new() }
        }
    }
}

fn tick(model: &mut Model) -> Vec<Effect> {
    match &mut model.link {
        Link::Waiting { seconds } if *seconds > 1 => {
            *seconds -= 1;
            vec![Effect::Tick]
        }
        Link::Waiting { .. } | Link::Connecting | Link::Connected(_) | Link::Closed | Link::Out => Vec::new(),
    }
}

fn scrolled(model: &mut Model, at_end: bool) -> Vec<Effect> {
    model.reading.at_end = at_end;
    if at_end {
        model.reading.below = 0;
        lines::trim(model);
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
