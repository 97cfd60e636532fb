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
use encke_protocol::list;

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

/// What is to be done, in order.
type Effects = Vec<Effect>;

/// Lets `msg` happen.
pub fn update(model: &mut Model, msg: Msg) -> Effects {
    let mut effects = Effects::new();
    let todo = &mut effects;
    match msg {
        Msg::Join(name) => join(model, name, todo),
        Msg::Joined(answer) => {
            model.asked = false;
            match answer {
                Ok(joined) => enter(model, joined, todo),
                Err(failed) => not_joined(model, failed, todo),
            }
        }
        Msg::Say { text, random, now } => say(model, &text, &random, now, todo),
        Msg::Drafted(bytes) => model.too_long = bytes > chat::MAX_TEXT,
        Msg::Said { key, answer } => said(model, &key, answer),
        Msg::Retry(number) => retry(model, number, todo),
        Msg::Posted(posted) => news(model, posted),
        Msg::Arrived(Arrived { name }) => arrived(model, name),
        Msg::Left(Left { name }) => left(model, name),
        Msg::Link(link) => connection(model, link, todo),
        Msg::Tick => tick(model, todo),
        Msg::Reconnect => todo.push(Effect::Reconnect),
        Msg::Scrolled { at_end } => scrolled(model, at_end),
        Msg::ReadNewest => scrolled(model, true),
        Msg::Hidden(hidden) => {
            model.reading.hidden = hidden;
            model.reading.unread = 0;
        }
        Msg::Settled => model.reading.live = true,
    }
    effects
}

fn join(model: &mut Model, name: String, effects: &mut Effects) {
    if !matches!(model.stage, Stage::Gate { .. }) {
        return;
    }
    if name.is_empty() {
        return back_to_gate(model, Failure::Refused(Refused::Empty), effects);
    }
    model.wanted = name;
    model.stage = Stage::Joining;
    ask_to_join(model, effects);
}

/// Asks now if there is a connection; otherwise the next connection does.
fn ask_to_join(model: &mut Model, effects: &mut Effects) {
    if !model.asked && matches!(model.link, Link::Connected(_)) {
        model.asked = true;
        effects.push(Effect::Join(Join { name: model.wanted.clone() }));
    }
}

fn enter(model: &mut Model, joined: Joined, effects: &mut Effects) {
    if model.stage == Stage::Joining {
        effects.push(Effect::RememberName(model.wanted.clone()));
        effects.push(Effect::FocusComposer);
        effects.push(Effect::Settle);
    }
    let gone = std::mem::replace(&mut model.people, joined.people);
    let awaited = std::mem::take(&mut model.returning);
    for name in awaited.into_iter().chain(gone) {
        if !model.people.contains(&name) && !model.returning.contains(&name) {
            model.returning.push(name);
        }
    }
    model.name = joined.name;
    let again = std::mem::replace(&mut model.stage, Stage::Chatting) == Stage::Rejoining;
    for posted in joined.history {
        if lines::merge(model, posted, true) && again {
            count(model);
        }
    }
    effects.extend(lines::pending(model).map(Effect::Say));
}

fn not_joined(model: &mut Model, failed: Failed, effects: &mut Effects) {
    match failed {
        // The next connection asks again. Not now: this can be the client's answer to every request at the moment.
        Failed::Disconnected | Failed::NotSent => {}
        Failed::NoAnswer => ask_to_join(model, effects),
        Failed::Refused(refused) => back_to_gate(model, Failure::Refused(refused), effects),
        Failed::Malformed => back_to_gate(model, Failure::Malformed, effects),
    }
}

fn back_to_gate(model: &mut Model, failure: Failure, effects: &mut Effects) {
    model.stage = Stage::Gate { failure: Some(failure) };
    effects.push(Effect::FocusName);
}

fn say(model: &mut Model, text: &str, random: &str, now: u64, effects: &mut Effects) {
    let text = text.trim();
    model.too_long = text.len() > chat::MAX_TEXT;
    if text.is_empty() || model.too_long {
        return;
    }
    let mut key = model.author.clone();
    key.push_str(random);
    let say = Say { key, text: text.to_owned() };
    lines::write(model, &say, now);
    // Whoever speaks wants to see it, wherever they were reading.
    scrolled(model, true);
    effects.push(Effect::ClearComposer);
    if model.stage == Stage::Chatting {
        effects.push(Effect::Say(say));
    }
}

fn said(model: &mut Model, key: &str, answer: Result<Said, Failed>) {
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
}

fn retry(model: &mut Model, number: u32, effects: &mut Effects) {
    let Some(say) = lines::revive(model, number) else { return };
    scrolled(model, true);
    // The button that had the focus is gone.
    effects.push(Effect::FocusComposer);
    if model.stage == Stage::Chatting {
        effects.push(Effect::Say(say));
    }
}

fn news(model: &mut Model, posted: Posted) {
    if lines::merge(model, posted, false) {
        count(model);
    }
}

/// Counts a message that just arrived among those not seen.
fn count(model: &mut Model) {
    let reading = &mut model.reading;
    reading.unread += u32::from(reading.hidden);
    reading.below += u32::from(!reading.at_end);
}

fn arrived(model: &mut Model, name: String) {
    if model.people.contains(&name) {
        return;
    }
    model.people.push(name.clone());
    if !take_out(&mut model.returning, &name) && !lines::take_back_left(model, &name) {
        lines::note(model, Content::Arrived(name));
    }
}

fn left(model: &mut Model, name: String) {
    if take_out(&mut model.people, &name) {
        lines::note(model, Content::Left(name));
    }
}

/// Takes a name out of a list that has each once. True if it was there.
fn take_out(names: &mut Vec<String>, name: &str) -> bool {
    let at = names.iter().position(|known| known == name);
    at.and_then(|at| list::take(names, at)).is_some()
}

fn connection(model: &mut Model, link: Link, effects: &mut Effects) {
    let was_up = matches!(model.link, Link::Connected(_));
    model.link = match (model.link, link) {
        // What was told is told until it is over: attempts that change it would be read out each time.
        (Link::Waiting { trouble, .. }, Link::Connecting { .. }) => Link::Connecting { after: Some(trouble) },
        (before @ Link::Connecting { .. }, Link::Connecting { .. }) => before,
        _ => link,
    };
    match link {
        // An upgrade: the same connection over a better transport.
        Link::Connected(_) if was_up => {}
        Link::Connected(_) if matches!(model.stage, Stage::Gate { .. }) => {}
        Link::Connected(_) => ask_to_join(model, effects),
        Link::Connecting { .. } | Link::Waiting { .. } | Link::Closed | Link::Out => {
            if model.stage == Stage::Chatting {
                model.stage = Stage::Rejoining;
                // A server that stops says of one after the other that they left, as if they had wanted to.
                model.returning = lines::take_back_departures(model);
            }
            if matches!(link, Link::Waiting { .. }) {
                effects.push(Effect::Tick);
            }
        }
    }
}

fn tick(model: &mut Model, effects: &mut Effects) {
    if let Link::Waiting { seconds, .. } = &mut model.link
        && *seconds > 1
    {
        *seconds -= 1;
        effects.push(Effect::Tick);
    }
}

fn scrolled(model: &mut Model, at_end: bool) {
    model.reading.at_end = at_end;
    if at_end {
        model.reading.below = 0;
        lines::trim(model);
    }
}

#[cfg(test)]
mod tests;
