//! The page's stories: what somebody does, what the server and the connection do, and what is on screen then.

use super::*;
use crate::model::{Carrier, Fate, Trouble};
use crate::words;
use encke_protocol::client::Transport;

const WEBSOCKET: Link = connected(Transport::WebSocket);

const fn connected(transport: Transport) -> Link {
    Link::Connected(Carrier { transport, passed_over: [None, None] })
}

/// A page and the effects it has wanted since they were last looked at.
struct Story {
    model: Model,
    effects: Vec<Effect>,
    written: u32,
}

impl Story {
    fn new() -> Self {
        Self { model: Model::new(String::new(), "me".to_owned()), effects: Vec::new(), written: 0 }
    }

    /// In the chat, with that history, the joining behind it.
    fn chatting(history: Vec<Posted>) -> Self {
        let mut story = Self::new();
        story
            .then(Msg::Link(WEBSOCKET))
            .then(Msg::Join("Mary".to_owned()))
            .joined(&["Johann", "Mary"], history);
        story.effects.clear();
        story
    }

    fn then(&mut self, msg: Msg) -> &mut Self {
        self.effects.extend(update(&mut self.model, msg));
        self
    }

    fn joined(&mut self, people: &[&str], history: Vec<Posted>) -> &mut Self {
        let people = people.iter().map(|name| (*name).to_owned()).collect();
        self.then(Msg::Joined(Ok(Joined { name: "Mary".to_owned(), people, history })))
    }

    /// Writes a message and returns its key.
    fn say(&mut self, text: &str) -> String {
        self.written += 1;
        let random = words::number(self.written);
        self.then(Msg::Say { text: text.to_owned(), random: random.clone(), now: 1_000 });
        ["me", &random].concat()
    }

    fn said(&mut self, key: &str, at: u64) -> &mut Self {
        self.then(Msg::Said { key: key.to_owned(), answer: Ok(Said { id: at, at }) })
    }

    fn not_said(&mut self, key: &str, failed: Failed) -> &mut Self {
        self.then(Msg::Said { key: key.to_owned(), answer: Err(failed) })
    }

    fn lost(&mut self) -> &mut Self {
        self.then(Msg::Link(Link::Waiting { seconds: 3, trouble: Trouble::Away }))
    }

    fn retry(&mut self, text: &str) -> &mut Self {
        let number = self.line(text).map(|line| line.number).unwrap();
        self.then(Msg::Retry(number))
    }

    fn line(&self, text: &str) -> Option<&crate::model::Line> {
        self.model.lines.iter().find(|line| line.message().is_some_and(|message| message.text == text))
    }

    fn fate(&self, text: &str) -> Fate {
        self.line(text).and_then(|line| line.message()).map(|message| message.fate).unwrap()
    }

    /// The conversation as text.
    fn screen(&self) -> Vec<String> {
        let line = |line: &crate::model::Line| match &line.content {
            Content::Message(message) => message.text.clone(),
            Content::Arrived(name) => ["+", name].concat(),
            Content::Left(name) => ["-", name].concat(),
        };
        self.model.lines.iter().map(line).collect()
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Keys of the messages handed to the client since the effects were last looked at.
    fn sent(&mut self) -> Vec<String> {
        let key = |effect| if let Effect::Say(say) = effect { Some(say.key) } else { None };
        self.effects().into_iter().filter_map(key).collect()
    }
}

fn posted(id: u64, key: &str, text: &str) -> Posted {
    Posted { id, key: key.to_owned(), name: "Johann".to_owned(), text: text.to_owned(), at: id }
}

fn join_as(name: &str) -> Effect {
    Effect::Join(Join { name: name.to_owned() })
}

#[test]
fn joining_asks_the_server_and_opens_the_chat_with_its_answer() {
    let mut story = Story::new();
    story.then(Msg::Link(WEBSOCKET)).then(Msg::Join("Mary".to_owned()));
    assert_eq!(story.model.stage, Stage::Joining);
    assert_eq!(story.effects(), [join_as("Mary")]);

    story.joined(&["Johann", "Mary"], vec![posted(1, "a", "one"), posted(2, "b", "two")]);
    assert_eq!(story.model.stage, Stage::Chatting);
    assert_eq!(story.screen(), ["one", "two"]);
    assert_eq!(story.model.people, ["Johann", "Mary"]);
    assert_eq!(
        story.effects(),
        [Effect::RememberName("Mary".to_owned()), Effect::FocusComposer, Effect::Settle]
    );
}

#[test]
fn joining_before_there_is_a_connection_waits_for_it() {
    let mut story = Story::new();
    story.then(Msg::Join("Mary".to_owned()));
    assert_eq!(story.effects(), []);
    story.then(Msg::Link(WEBSOCKET));
    assert_eq!(story.effects(), [join_as("Mary")]);
}

#[test]
fn an_empty_name_does_not_join() {
    let mut story = Story::new();
    story.then(Msg::Link(WEBSOCKET)).then(Msg::Join(String::new()));
    assert_eq!(story.model.stage, Stage::Gate { failure: Some(Failure::Refused(Refused::Empty)) });
    assert_eq!(story.effects(), [Effect::FocusName]);
}

#[test]
fn a_refused_name_leads_back_to_the_gate_which_says_why() {
    let mut story = Story::new();
    story.then(Msg::Link(WEBSOCKET)).then(Msg::Join("Mary".to_owned()));
    story.then(Msg::Joined(Err(Failed::Refused(Refused::TooLong))));
    assert_eq!(story.model.stage, Stage::Gate { failure: Some(Failure::Refused(Refused::TooLong)) });
    assert!(story.effects().contains(&Effect::FocusName));
    story.then(Msg::Join("M".to_owned()));
    assert_eq!(story.effects(), [join_as("M")]);
}

#[test]
fn an_answer_of_another_version_leads_back_to_the_gate_rather_than_to_asking_for_ever() {
    let mut story = Story::new();
    story.then(Msg::Link(WEBSOCKET)).then(Msg::Join("Mary".to_owned())).effects();
    story.then(Msg::Joined(Err(Failed::Malformed)));
    assert_eq!(story.model.stage, Stage::Gate { failure: Some(Failure::Malformed) });
    assert_eq!(story.effects(), [Effect::FocusName]);
}

#[test]
fn the_server_may_make_the_name_unique_and_the_wanted_one_is_asked_for_again() {
    let mut story = Story::new();
    story.then(Msg::Link(WEBSOCKET)).then(Msg::Join("Mary".to_owned()));
    story.then(Msg::Joined(Ok(Joined { name: "Mary 2".to_owned(), people: vec![], history: vec![] })));
    assert_eq!(story.model.name, "Mary 2");
    story.effects();
    story.lost().then(Msg::Link(WEBSOCKET));
    assert!(story.effects().contains(&join_as("Mary")));
}

#[test]
fn a_join_without_answer_is_asked_again_but_not_while_disconnected() {
    let mut story = Story::new();
    story.then(Msg::Link(WEBSOCKET)).then(Msg::Join("Mary".to_owned()));
    story.effects();
    story.then(Msg::Joined(Err(Failed::NoAnswer)));
    assert_eq!(story.effects(), [join_as("Mary")]);
    story.then(Msg::Joined(Err(Failed::Disconnected)));
    assert_eq!(story.effects(), []);
    story.lost().then(Msg::Link(WEBSOCKET));
    assert_eq!(story.effects(), [Effect::Tick, join_as("Mary")]);
}

#[test]
fn a_join_that_the_client_still_holds_is_not_asked_for_twice() {
    let mut story = Story::new();
    story.then(Msg::Link(WEBSOCKET)).then(Msg::Join("Mary".to_owned()));
    story.effects();
    story.then(Msg::Link(Link::Connecting { after: None })).then(Msg::Link(WEBSOCKET));
    assert_eq!(story.effects(), []);
}

#[test]
fn ones_own_line_appears_at_once_and_becomes_sent() {
    let mut story = Story::chatting(vec![]);
    let key = story.say("  hello\n");
    assert_eq!(story.fate("hello"), Fate::Pending);
    let say = Say { key: key.clone(), text: "hello".to_owned() };
    assert_eq!(story.effects(), [Effect::ClearComposer, Effect::Say(say)]);
    story.said(&key, 7);
    assert_eq!(story.fate("hello"), Fate::Sent);
    assert_eq!(story.line("hello").and_then(|line| line.message()).map(|message| message.at), Some(7));
}

#[test]
fn nothing_but_spaces_is_not_said() {
    let mut story = Story::chatting(vec![]);
    story.say(" \n ");
    assert_eq!(story.effects(), []);
    assert!(story.screen().is_empty());
}

#[test]
fn a_text_that_is_too_long_stays_in_the_composer_until_it_is_shortened() {
    let mut story = Story::chatting(vec![]);
    story.say(&"ä".repeat(chat::MAX_TEXT / 2 + 1));
    assert!(story.model.too_long);
    assert_eq!(story.effects(), []);
    assert!(story.screen().is_empty());
    story.then(Msg::Drafted(chat::MAX_TEXT));
    assert!(!story.model.too_long);
}

#[test]
fn a_message_without_answer_fails_and_retry_sends_it_under_the_same_key_at_the_end() {
    let mut story = Story::chatting(vec![]);
    let key = story.say("first");
    story.not_said(&key, Failed::NoAnswer);
    assert_eq!(story.fate("first"), Fate::Failed(Failure::NoAnswer));
    let second = story.say("second");
    story.said(&second, 2).effects();

    story.retry("first");
    assert_eq!(story.screen(), ["second", "first"]);
    assert_eq!(story.fate("first"), Fate::Pending);
    assert_eq!(story.sent(), [key.as_str()]);
    story.said(&key, 3);
    assert_eq!(story.fate("first"), Fate::Sent);
}

#[test]
fn a_refused_message_says_why() {
    let mut story = Story::chatting(vec![]);
    let key = story.say("x");
    story.not_said(&key, Failed::Refused(Refused::TooLong));
    assert_eq!(story.fate("x"), Fate::Failed(Failure::Refused(Refused::TooLong)));
}

#[test]
fn retry_of_a_line_that_did_not_fail_does_nothing() {
    let mut story = Story::chatting(vec![posted(1, "a", "one")]);
    story.retry("one");
    assert_eq!(story.effects(), []);
    assert_eq!(story.fate("one"), Fate::Other);
}

#[test]
fn the_conversation_ends_up_in_the_servers_order_with_what_is_pending_last() {
    let mut story = Story::chatting(vec![]);
    let a = story.say("a");
    let b = story.say("b");
    story.then(Msg::Posted(posted(1, "x", "theirs")));
    assert_eq!(story.screen(), ["theirs", "a", "b"]);
    story.said(&a, 2).then(Msg::Posted(posted(3, "y", "theirs too")));
    assert_eq!(story.screen(), ["theirs", "a", "theirs too", "b"]);
    story.said(&b, 4);
    assert_eq!(story.screen(), ["theirs", "a", "theirs too", "b"]);
}

#[test]
fn a_message_confirmed_before_an_earlier_one_stands_before_it() {
    let mut story = Story::chatting(vec![]);
    story.say("a");
    let b = story.say("b");
    story.said(&b, 1);
    assert_eq!(story.screen(), ["b", "a"]);
}

#[test]
fn a_message_that_comes_twice_is_shown_once() {
    let mut story = Story::chatting(vec![posted(1, "a", "one")]);
    story.then(Msg::Posted(posted(1, "a", "one"))).then(Msg::Posted(posted(9, "a", "one")));
    assert_eq!(story.screen(), ["one"]);
}

#[test]
fn after_a_lost_connection_one_joins_again_and_what_is_pending_is_sent_again_in_order() {
    let mut story = Story::chatting(vec![posted(1, "x", "old")]);
    let a = story.say("a");
    story.lost().not_said(&a, Failed::Disconnected);
    let b = story.say("b");
    assert_eq!(story.sent(), [a.as_str()], "what is written while disconnected waits");
    assert_eq!(story.fate("a"), Fate::Pending);

    story.then(Msg::Link(Link::Connecting { after: None })).then(Msg::Link(WEBSOCKET));
    assert_eq!(story.effects(), [join_as("Mary")]);
    story.joined(&["Mary"], vec![]);
    assert_eq!(story.sent(), [a, b]);
    assert_eq!(story.screen(), ["old", "a", "b"]);
}

#[test]
fn an_attempt_from_before_the_join_does_not_fail_a_message() {
    let mut story = Story::chatting(vec![]);
    let a = story.say("a");
    story.lost().not_said(&a, Failed::NoAnswer).then(Msg::Link(WEBSOCKET));
    story.not_said(&a, Failed::Refused(Refused::NotJoined));
    assert_eq!(story.fate("a"), Fate::Pending);
    story.effects();
    story.joined(&["Mary"], vec![]);
    assert_eq!(story.sent(), [a]);
}

#[test]
fn a_message_whose_answer_was_lost_is_found_in_the_history_and_not_sent_again() {
    let mut story = Story::chatting(vec![]);
    let a = story.say("a");
    story.lost().not_said(&a, Failed::Disconnected).then(Msg::Link(WEBSOCKET)).effects();
    story.joined(&["Mary"], vec![posted(1, "x", "before"), posted(2, &a, "a"), posted(3, "y", "after")]);
    assert_eq!(story.sent(), [] as [String; 0]);
    assert_eq!(story.fate("a"), Fate::Sent);
    assert_eq!(story.screen(), ["before", "a", "after"]);
}

#[test]
fn after_a_server_restart_the_list_stays_though_the_history_is_empty() {
    let mut story = Story::chatting(vec![posted(1, "a", "one"), posted(2, "b", "two")]);
    story.lost().then(Msg::Link(WEBSOCKET)).joined(&["Mary"], vec![posted(1, "c", "three")]);
    assert_eq!(story.screen(), ["one", "two", "three"]);
}

#[test]
fn an_upgrade_does_not_join_again() {
    let mut story = Story::new();
    story.then(Msg::Link(connected(Transport::Polling))).then(Msg::Join("Mary".to_owned()));
    story.joined(&["Mary"], vec![]).effects();
    story.then(Msg::Link(WEBSOCKET));
    assert_eq!(story.effects(), []);
    assert_eq!(story.model.stage, Stage::Chatting);
}

#[test]
fn ones_own_messages_are_known_after_a_reload() {
    let story = Story::chatting(vec![posted(1, "me99", "mine"), posted(2, "you99", "theirs")]);
    assert_eq!(story.fate("mine"), Fate::Sent);
    assert_eq!(story.fate("theirs"), Fate::Other);
}

#[test]
fn what_a_duplicated_tab_says_is_not_ones_own() {
    let mut story = Story::chatting(vec![]);
    story.then(Msg::Posted(posted(1, "me99", "of the other tab")));
    assert_eq!(story.fate("of the other tab"), Fate::Other);
}

#[test]
fn whoever_the_server_puts_out_waits_and_enters_again_when_asked_to() {
    let mut story = Story::chatting(vec![]);
    let key = story.say("a");
    story.then(Msg::Link(Link::Out)).not_said(&key, Failed::Disconnected).effects();
    assert_eq!(story.model.stage, Stage::Rejoining);
    assert_eq!(story.fate("a"), Fate::Pending);
    story.then(Msg::Reconnect);
    assert_eq!(story.effects(), [Effect::Reconnect]);
    story.then(Msg::Link(WEBSOCKET));
    assert_eq!(story.effects(), [join_as("Mary")]);
    story.joined(&["Mary"], vec![]);
    assert_eq!(story.sent(), [key]);
}

#[test]
fn a_message_that_the_client_does_not_take_says_so() {
    let mut story = Story::chatting(vec![]);
    let key = story.say("a");
    story.not_said(&key, Failed::NotSent);
    assert_eq!(story.fate("a"), Fate::Failed(Failure::NotTaken));
}

#[test]
fn coming_and_going_is_told_once() {
    let mut story = Story::chatting(vec![]);
    let arrived = || Msg::Arrived(Arrived { name: "Ida".to_owned() });
    let left = || Msg::Left(Left { name: "Ida".to_owned() });
    story.then(arrived()).then(arrived());
    assert_eq!(story.screen(), ["+Ida"]);
    assert_eq!(story.model.people, ["Johann", "Mary", "Ida"]);
    story.then(left()).then(left());
    assert_eq!(story.screen(), ["+Ida", "-Ida"]);
    assert_eq!(story.model.people, ["Johann", "Mary"]);
}

#[test]
fn somebody_who_only_loads_the_page_again_leaves_no_trace() {
    let mut story = Story::chatting(vec![]);
    story.then(Msg::Left(Left { name: "Johann".to_owned() }));
    story.then(Msg::Arrived(Arrived { name: "Johann".to_owned() }));
    assert_eq!(story.screen(), [] as [&str; 0]);
    assert_eq!(story.model.people, ["Mary", "Johann"]);
}

#[test]
fn people_who_come_back_after_a_restart_are_not_news() {
    let mut story = Story::chatting(vec![]);
    story.lost().then(Msg::Link(WEBSOCKET)).joined(&["Mary"], vec![]);
    story.then(Msg::Arrived(Arrived { name: "Johann".to_owned() }));
    story.then(Msg::Arrived(Arrived { name: "Ida".to_owned() }));
    assert_eq!(story.screen(), ["+Ida"]);
}

#[test]
fn people_whom_a_stopping_server_sends_away_have_not_left() {
    let mut story = Story::chatting(vec![posted(1, "a", "one")]);
    story.then(Msg::Arrived(Arrived { name: "Ida".to_owned() })).say("two");
    for name in ["Johann", "Ida"] {
        story.then(Msg::Left(Left { name: name.to_owned() }));
    }
    assert_eq!(story.screen(), ["one", "+Ida", "-Johann", "-Ida", "two"]);
    story.lost();
    assert_eq!(story.screen(), ["one", "+Ida", "two"]);
    story.then(Msg::Link(WEBSOCKET)).joined(&["Johann", "Mary"], vec![]);
    story.then(Msg::Arrived(Arrived { name: "Ida".to_owned() }));
    assert_eq!(story.screen(), ["one", "+Ida", "two"]);
    assert_eq!(story.model.people, ["Johann", "Mary", "Ida"]);
}

#[test]
fn the_title_counts_what_arrives_while_the_page_is_hidden() {
    let mut story = Story::chatting(vec![]);
    story.then(Msg::Posted(posted(1, "a", "seen")));
    assert_eq!(words::title(&story.model), "Encke");
    story.then(Msg::Hidden(true));
    story.then(Msg::Posted(posted(2, "b", "two"))).then(Msg::Posted(posted(3, "c", "three")));
    story.then(Msg::Posted(posted(3, "c", "three")));
    assert_eq!(words::title(&story.model), "(2) Encke");
    story.then(Msg::Hidden(false));
    assert_eq!(words::title(&story.model), "Encke");
}

#[test]
fn what_was_missed_while_disconnected_counts_as_unread_but_the_first_history_does_not() {
    let mut story = Story::new();
    story.then(Msg::Hidden(true)).then(Msg::Link(WEBSOCKET)).then(Msg::Join("Mary".to_owned()));
    story.joined(&["Mary"], vec![posted(1, "a", "one")]);
    assert_eq!(story.model.reading.unread, 0);
    story
        .lost()
        .then(Msg::Link(WEBSOCKET))
        .joined(&["Mary"], vec![posted(1, "a", "one"), posted(2, "b", "two")]);
    assert_eq!(story.model.reading.unread, 1);
}

#[test]
fn messages_below_what_is_read_are_counted_until_the_end_is_in_view() {
    let mut story = Story::chatting(vec![]);
    story.then(Msg::Scrolled { at_end: false }).then(Msg::Posted(posted(1, "a", "one")));
    assert_eq!(story.model.reading.below, 1);
    assert!(!story.model.reading.at_end, "the log must stay where it is");
    story.then(Msg::ReadNewest);
    assert_eq!(story.model.reading.below, 0);
    assert!(story.model.reading.at_end);
}

#[test]
fn saying_something_leads_to_the_end() {
    let mut story = Story::chatting(vec![]);
    story.then(Msg::Scrolled { at_end: false }).say("me again");
    assert!(story.model.reading.at_end);
}

#[test]
fn the_log_is_read_out_only_after_the_history_is_in_place() {
    let mut story = Story::chatting(vec![posted(1, "a", "one")]);
    assert!(!story.model.reading.live);
    story.then(Msg::Settled);
    assert!(story.model.reading.live);
}

#[test]
fn the_list_is_bounded_and_drops_the_oldest_but_not_under_the_eyes_of_a_reader() {
    let mut story = Story::chatting(vec![]);
    story.then(Msg::Scrolled { at_end: false });
    for id in 0..3_000 {
        story.then(Msg::Posted(posted(id, &words::number(id as u32), &words::number(id as u32))));
    }
    assert_eq!(story.model.lines.len(), 2_000);
    story.then(Msg::Scrolled { at_end: true });
    assert_eq!(story.model.lines.len(), 1_000);
    assert_eq!(story.screen().last().map(String::as_str), Some("2999"));
}

#[test]
fn the_countdown_runs_to_one_and_stops_when_the_connection_changes() {
    let mut story = Story::chatting(vec![]);
    story.lost();
    assert_eq!(story.effects(), [Effect::Tick]);
    story.then(Msg::Tick).then(Msg::Tick);
    assert_eq!(story.model.link, Link::Waiting { seconds: 1, trouble: Trouble::Away });
    story.effects();
    story.then(Msg::Tick);
    assert_eq!(
        (story.model.link, story.effects()),
        (Link::Waiting { seconds: 1, trouble: Trouble::Away }, vec![])
    );
    story.then(Msg::Link(WEBSOCKET)).effects();
    story.then(Msg::Tick);
    assert_eq!((story.model.link, story.effects()), (WEBSOCKET, vec![]));
}
