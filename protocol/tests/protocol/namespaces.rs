//! Conversations with the namespaces of a session, each side by itself, and their acks.

use encke_protocol::Timestamp;
use encke_protocol::engine::Data;
use encke_protocol::socket::server::Violation;
use encke_protocol::socket::{
    AckId, Acks, Args, ArgsBuilder, Dialect, Incoming, Limits, PacketError, Revision, client, server,
};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

struct Server {
    namespaces: server::Namespaces,
    limits: Limits,
    now: Timestamp,
}

impl Server {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let now = Timestamp::default();
        Self { namespaces: server::Namespaces::new(now, &limits), limits, now }
    }

    fn hear<'a>(&mut self, input: server::Input<'a>) -> Option<server::Event<'a>> {
        self.namespaces.handle_input(self.now, input, &self.limits)
    }

    fn hear_text<'a>(&mut self, text: &'a str) -> Option<server::Event<'a>> {
        self.hear(server::Input::Message(Data::Text(text)))
    }

    #[track_caller]
    fn hears_nothing_in(&mut self, text: &str) -> &mut Self {
        assert_eq!(self.hear_text(text), None);
        self
    }

    /// The client asks to join, and may.
    #[track_caller]
    fn lets_in(&mut self, namespace: &str) -> &mut Self {
        let text = if namespace == "/" { "0".to_owned() } else { format!("0{namespace},") };
        assert_eq!(
            self.hear_text(&text),
            Some(server::Event::Connect { namespace: namespace.into(), auth: None })
        );
        self.accepts(namespace);
        self.says_something()
    }

    #[track_caller]
    fn accepts(&mut self, namespace: &str) -> &mut Self {
        assert_eq!(self.hear(server::Input::Accept { namespace, sid: "s", pid: None }), None);
        self
    }

    #[track_caller]
    fn is_left_for(&mut self, text: &str, namespace: &str) -> &mut Self {
        assert_eq!(self.hear_text(text), Some(server::Event::Disconnect { namespace: namespace.into() }));
        self
    }

    #[track_caller]
    fn is_violated_by(&mut self, text: &str, violation: Violation) -> &mut Self {
        assert_eq!(self.hear_text(text), Some(server::Event::Violation(violation)));
        self
    }

    #[track_caller]
    fn says(&mut self, text: &str) -> &mut Self {
        assert_eq!(self.namespaces.poll_output(), Some(server::Output::Send(text.to_owned())));
        self
    }

    #[track_caller]
    fn says_something(&mut self) -> &mut Self {
        assert!(self.namespaces.poll_output().is_some());
        self
    }

    #[track_caller]
    fn says_nothing(&mut self) -> &mut Self {
        assert_eq!(self.namespaces.poll_output(), None);
        self
    }
}

struct Client {
    namespaces: client::Namespaces,
    limits: Limits,
}

impl Client {
    fn new() -> Self {
        Self { namespaces: client::Namespaces::new(), limits: Limits::default() }
    }

    fn hear<'a>(&mut self, input: client::Input<'a>) -> Option<client::Event<'a>> {
        self.namespaces.handle_input(input, &self.limits)
    }

    fn hear_text<'a>(&mut self, text: &'a str) -> Option<client::Event<'a>> {
        self.hear(client::Input::Message(Data::Text(text)))
    }

    #[track_caller]
    fn hears_nothing_in(&mut self, text: &str) -> &mut Self {
        assert_eq!(self.hear_text(text), None);
        self
    }

    #[track_caller]
    fn joins(&mut self, namespace: &str, auth: Option<&str>) -> &mut Self {
        assert_eq!(self.hear(client::Input::Connect { namespace, auth }), None);
        self
    }

    #[track_caller]
    fn leaves(&mut self, namespace: &str) -> &mut Self {
        assert_eq!(self.hear(client::Input::Disconnect { namespace }), None);
        self
    }

    #[track_caller]
    fn is_let_in(&mut self, text: &str, namespace: &str, sid: &str) -> &mut Self {
        let connected = client::Event::Connected { namespace, sid: sid.to_owned(), pid: None };
        assert_eq!(self.hear_text(text), Some(connected));
        self
    }

    #[track_caller]
    fn says(&mut self, text: &str) -> &mut Self {
        assert_eq!(self.namespaces.poll_output(), Some(client::Output::Send(text.to_owned())));
        self
    }

    #[track_caller]
    fn says_nothing(&mut self) -> &mut Self {
        assert_eq!(self.namespaces.poll_output(), None);
        self
    }
}

fn event<'a>(name: &'a str, args: &'a str) -> Incoming<'a> {
    Incoming::Event { namespace: "/".into(), id: None, name: name.into(), args: Args::from_text(args) }
}

#[test]
fn a_client_joins_and_is_heard() {
    let mut server = Server::new();
    let connect = server::Event::Connect { namespace: "/".into(), auth: Some("{\"token\":1}".into()) };
    assert_eq!(server.hear_text("0{\"token\":1}"), Some(connect));
    server.says_nothing();
    assert!(!server.namespaces.is_joined("/"));
    let accept = server::Input::Accept { namespace: "/", sid: "s\"1", pid: Some("p") };
    assert_eq!(server.hear(accept), None);
    server.says(r#"0{"sid":"s\"1","pid":"p"}"#).says_nothing();
    assert!(server.namespaces.is_joined("/"));
    assert_eq!(server.hear_text("2[\"x\",1]"), Some(server::Event::Incoming(event("x", "1"))));
}

#[test]
fn a_client_is_refused_and_may_ask_again() {
    let mut server = Server::new();
    for _ in 0..100 {
        assert!(matches!(server.hear_text("0/admin,"), Some(server::Event::Connect { .. })));
        let (namespace, message) = ("/admin", "say \"please\"");
        assert_eq!(
            server.hear(server::Input::Refuse { namespace, message, data: Some("{\"code\":1}") }),
            None
        );
        server.says(r#"4/admin,{"message":"say \"please\"","data":{"code":1}}"#).says_nothing();
        assert!(!server.namespaces.is_joined("/admin"));
    }
    // What it sent before it knew is no violation.
    server.hears_nothing_in("2/admin,[\"x\"]").lets_in("/admin");
}

#[test]
fn a_client_leaves_and_may_come_again() {
    let mut server = Server::new();
    server.lets_in("/").lets_in("/admin").is_left_for("1/admin,", "/admin").says_nothing();
    assert!(server.namespaces.is_joined("/") && !server.namespaces.is_joined("/admin"));
    server.hears_nothing_in("2/admin,[\"x\"]").hears_nothing_in("1/admin,").lets_in("/admin");
}

#[test]
fn a_client_that_leaves_before_it_was_let_in_is_not_let_in() {
    let mut server = Server::new();
    assert!(server.hear_text("0").is_some());
    server.is_left_for("1", "/").accepts("/").says_nothing();
    assert!(!server.namespaces.is_joined("/"));
    server.lets_in("/");
}

#[test]
fn one_answer_serves_a_client_that_asks_twice() {
    let mut server = Server::new();
    assert!(server.hear_text("0").is_some());
    server.hears_nothing_in("0").hears_nothing_in("0{\"again\":true}").says_nothing();
    server.accepts("/").says_something();
    server.says_nothing();
    assert!(server.hear_text("0/no,").is_some());
    server.hears_nothing_in("0/no,");
    assert_eq!(server.hear(server::Input::Refuse { namespace: "/no", message: "no", data: None }), None);
    server.says_something();
    server.says_nothing();
}

#[test]
fn a_client_that_left_unanswered_may_ask_again_once_it_is_answered() {
    let mut server = Server::new();
    assert!(server.hear_text("0").is_some());
    server.is_left_for("1", "/").hears_nothing_in("1").hears_nothing_in("2[\"x\"]");
    server.is_violated_by("0", Violation::JoinedTwice);
    assert_eq!(server.hear(server::Input::Refuse { namespace: "/", message: "no", data: None }), None);
    server.says_nothing().lets_in("/");
}

#[test]
fn the_server_puts_a_client_out_and_hears_no_more_of_it() {
    let mut server = Server::new();
    server.lets_in("/admin");
    assert_eq!(server.hear(server::Input::Disconnect { namespace: "/admin" }), None);
    server.says("1/admin,").says_nothing();
    server.hears_nothing_in("2/admin,[\"under way\"]").hears_nothing_in("1/admin,");
    assert_eq!(server.hear(server::Input::Disconnect { namespace: "/admin" }), None);
    server.says_nothing();
}

#[test]
fn violations_of_a_client_are_told() {
    let not_joined = ["2[\"x\"]", "30[]", "1", "51-[\"x\",{\"_placeholder\":true,\"num\":0}]"];
    for text in not_joined {
        let mut server = Server::new();
        let event = match server.hear_text(text) {
            None => server.hear(server::Input::Message(Data::Binary((&[1][..]).into()))),
            event => event,
        };
        assert_eq!(event, Some(server::Event::Violation(Violation::NotJoined)), "{text}");
    }
    let mut server = Server::new();
    assert!(server.hear_text("0").is_some());
    server.is_violated_by("2[\"too early\"]", Violation::NotJoined);
    server.accepts("/").says_something();
    server.is_violated_by("0", Violation::JoinedTwice);
    server.is_violated_by("4{\"message\":\"no\"}", Violation::WrongDirection);
    server.is_violated_by("hello", Violation::Packet(PacketError::UnknownType));
    server.is_violated_by("2[\"connect\"]", Violation::Packet(PacketError::ReservedName));
}

#[test]
fn a_client_asks_for_so_many_namespaces_and_no_more() {
    let mut server = Server::with(Limits { max_namespaces: 3, ..Limits::default() });
    server.lets_in("/").lets_in("/1").lets_in("/2").is_violated_by("0/3,", Violation::TooManyNamespaces);
    // One after the other counts too, and one that was there before does not.
    server.is_left_for("1/1,", "/1").is_violated_by("0/3,", Violation::TooManyNamespaces).lets_in("/1");
}

#[test]
fn the_name_of_a_namespace_is_bounded() {
    let mut server = Server::with(Limits { max_namespace_len: 6, ..Limits::default() });
    server.lets_in("/12345").is_violated_by("0/123456,", Violation::Packet(PacketError::LimitExceeded));
    server.is_violated_by("0/ééé,", Violation::Packet(PacketError::LimitExceeded));
}

#[test]
fn a_session_that_joins_nothing_in_time_ends() {
    let mut server = Server::new();
    assert_eq!(server.namespaces.next_deadline(), Some(Timestamp::from_millis(45_000)));
    // To have asked is not enough.
    assert!(server.hear_text("0").is_some());
    server.now = Timestamp::from_millis(44_999);
    assert_eq!(server.hear(server::Input::Timeout), None);
    server.now = Timestamp::from_millis(45_000);
    assert_eq!(
        server.hear(server::Input::Timeout),
        Some(server::Event::Violation(Violation::ConnectTimeout))
    );
    assert_eq!((server.hear(server::Input::Timeout), server.namespaces.next_deadline()), (None, None));

    let mut server = Server::new();
    server.lets_in("/").is_left_for("1", "/");
    assert_eq!(server.namespaces.next_deadline(), None);
}

#[test]
fn answers_to_what_nobody_asked_say_nothing() {
    let mut server = Server::new();
    server.accepts("/").says_nothing();
    assert_eq!(server.hear(server::Input::Refuse { namespace: "/", message: "no", data: None }), None);
    assert_eq!(server.hear(server::Input::Disconnect { namespace: "/" }), None);
    server.says_nothing().lets_in("/").accepts("/").says_nothing();
}

#[test]
fn a_namespace_is_its_name_whatever_that_means_elsewhere() {
    let mut server = Server::new();
    for namespace in ["/__proto__", "/constructor", "/ ", "//", "/a/b?c=d", "/😀"] {
        server.lets_in(namespace);
    }
    assert!(!server.namespaces.is_joined("/"));
}

#[test]
fn this_side_joins_and_hears() {
    let mut client = Client::new();
    client.joins("/", Some("{\"a\":1}")).says("0{\"a\":1}").joins("/", None).says_nothing();
    client.hears_nothing_in("2[\"too early\"]");
    let event_with_pid = client.hear_text(r#"0{"sid":"s","pid":"p","extra":1}"#);
    let (sid, pid) = ("s".to_owned(), Some("p".to_owned()));
    assert_eq!(event_with_pid, Some(client::Event::Connected { namespace: "/", sid, pid }));
    assert!(client.namespaces.is_joined("/"));
    assert_eq!(client.hear_text("2[\"x\",1]"), Some(client::Event::Incoming(event("x", "1"))));
    // Said again, it is no news.
    client.hears_nothing_in("0{\"sid\":\"t\"}").says_nothing();
}

#[test]
fn this_side_is_refused() {
    for (text, message, data) in [
        (r#"4/a,{"message":"no","data":[1]}"#, "no", Some("[1]")),
        (r#"4/a,{"message":"no"}"#, "no", None),
        (r#"4/a,"no""#, "no", None),
        (r#"4/a,{"reason":1}"#, "", None),
        (r#"4/a,{"message":5}"#, "", None),
    ] {
        let mut client = Client::new();
        client.joins("/a", None).says("0/a,");
        let refused = client::Event::Refused { namespace: "/a", message: message.to_owned(), data };
        assert_eq!(client.hear_text(text), Some(refused), "{text}");
        client.hears_nothing_in(text).joins("/a", None).says("0/a,");
    }
}

#[test]
fn this_side_is_put_out() {
    let mut client = Client::new();
    client.joins("/", None).says("0").is_let_in("0{\"sid\":\"s\"}", "/", "s");
    assert_eq!(client.hear_text("1"), Some(client::Event::Disconnected { namespace: "/" }));
    client.hears_nothing_in("1").hears_nothing_in("2[\"x\"]").leaves("/").says_nothing();
    client.joins("/", None).says("0");
}

#[test]
fn this_side_leaves_and_what_was_under_way_is_nobodys_fault() {
    let mut client = Client::new();
    client.joins("/", None).says("0").is_let_in("0{\"sid\":\"s\"}", "/", "s");
    client.leaves("/").says("1").says_nothing();
    client.hears_nothing_in("2[\"x\"]").hears_nothing_in("30[]").hears_nothing_in("1");
    client.leaves("/").says_nothing();
}

#[test]
fn this_side_leaves_before_it_was_let_in_and_says_so_only_after() {
    // A server would end the whole session of a client that leaves what it has not joined.
    let mut client = Client::new();
    client.joins("/", None).says("0").leaves("/").leaves("/").says_nothing();
    client.hears_nothing_in("0{\"sid\":\"s\"}").says("1").says_nothing();
    assert!(!client.namespaces.is_joined("/"));

    let mut client = Client::new();
    client.joins("/", None).says("0").leaves("/").hears_nothing_in("4{\"message\":\"no\"}").says_nothing();
    client.joins("/", None).says("0");
}

#[test]
fn this_side_leaves_and_joins_again_before_it_was_let_in() {
    let mut client = Client::new();
    client.joins("/", None).says("0").leaves("/").joins("/", Some("{\"b\":2}")).says_nothing();
    client.hears_nothing_in("0{\"sid\":\"s\"}").says("1").says("0{\"b\":2}").says_nothing();
    client.is_let_in("0{\"sid\":\"t\"}", "/", "t");

    let mut client = Client::new();
    client.joins("/", None).says("0").leaves("/").joins("/", Some("{\"b\":2}"));
    client.hears_nothing_in("4{\"message\":\"no\"}").says("0{\"b\":2}").is_let_in(
        "0{\"sid\":\"t\"}",
        "/",
        "t",
    );
}

#[test]
fn violations_of_a_server_are_told() {
    for text in ["", "hello", "0{\"sid\":1}", "0", "2{}", "4"] {
        let mut client = Client::new();
        client.joins("/", None);
        assert!(matches!(client.hear_text(text), Some(client::Event::Violation(_))), "{text}");
    }
    let mut client = Client::new();
    client.hears_nothing_in("0/other,{\"sid\":\"s\"}").says_nothing();
}

#[test]
fn binary_arguments_go_there_and_back() {
    let args = ArgsBuilder::new().string("a").binary(vec![1, 2]).json("[1]").binary(Vec::new()).build();
    let parts: Vec<_> = args.iter().collect();
    let placeholders = [r#"{"_placeholder":true,"num":0}"#, r#"{"_placeholder":true,"num":1}"#];
    assert_eq!(parts, ["\"a\"", placeholders[0], "[1]", placeholders[1]]);
    let attached: Vec<_> = parts.iter().map(|part| args.attachment(part)).collect();
    assert_eq!(attached, [None, Some(&[1, 2][..]), None, Some(&[][..])]);
    assert_eq!(args.first(), "\"a\"");
    for wrong in [
        r#"{"_placeholder":true,"num":2}"#,
        r#"{"_placeholder":false,"num":0}"#,
        r#"{"_placeholder":true,"num":-1}"#,
        r#"{"_placeholder":true}"#,
        r#"{"_placeholder":true,"num":99999999999999}"#,
        r#"{"_placeholder":true,"num":0,"more":0}"#,
    ] {
        assert_eq!(args.attachment(wrong), None, "{wrong}");
    }
    assert_eq!((Args::default().first(), Args::default().iter().count()), ("null", 0));
}

#[test]
fn every_awaited_ack_ends_once() {
    let mut acks = Acks::default();
    let at = Timestamp::from_millis;
    let ids: Vec<AckId> =
        [None, Some(50), Some(20), None].map(|until| acks.register(until.map(at), until)).to_vec();
    assert_eq!(ids.iter().map(|id| id.get()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!((acks.len(), acks.next_deadline()), (4, Some(at(20))));
    // By answer, in any order; once.
    assert_eq!((acks.take(ids[3]), acks.take(ids[3])), (Some(None), None));
    assert_eq!(acks.take(AckId::new(99).expect("small enough")), None);
    // By timeout.
    assert_eq!(acks.take_expired(at(19)), None);
    assert_eq!((acks.take_expired(at(20)), acks.take_expired(at(20))), (Some(Some(20)), None));
    assert_eq!((acks.take(ids[2]), acks.next_deadline()), (None, Some(at(50))));
    // By the end of the socket, oldest first.
    assert_eq!((acks.take_any(), acks.take_any(), acks.take_any()), (Some(None), Some(Some(50)), None));
    assert!(acks.is_empty());
    assert_eq!(acks.register(None, None).get(), 4, "an id is not used again");
}

#[test]
fn ack_ids_stay_countable_for_javascript() {
    assert_eq!(AckId::new(AckId::MAX).map(AckId::get), Some(9_007_199_254_740_991));
    assert_eq!(AckId::new(AckId::MAX + 1), None);
}

/// The server's side of a session of revision 4.
fn of_revision_4() -> Server {
    let mut server = Server::new();
    let dialect = Dialect { revision: Revision::V4, ..Dialect::default() };
    server.namespaces = server::Namespaces::new(server.now, &server.limits).speaking(dialect);
    server
}

#[test]
fn a_client_of_revision_4_enters_the_main_namespace_without_a_word() {
    let mut server = of_revision_4();
    let connect = server::Event::Connect { namespace: "/".into(), auth: None };
    assert_eq!(server.hear(server::Input::Opened), Some(connect));
    server.says_nothing();
    let accept = server::Input::Accept { namespace: "/", sid: "s", pid: Some("p") };
    assert_eq!(server.hear(accept), None);
    server.says("0");
    assert_eq!(server.hear_text("2[\"x\",1]"), Some(server::Event::Incoming(event("x", "1"))));
    assert_eq!(server.hear_text("0"), Some(server::Event::Violation(Violation::JoinedTwice)));
}

#[test]
fn a_client_of_revision_4_hears_nothing_of_a_main_namespace_that_is_not_there() {
    let mut server = of_revision_4();
    assert!(server.hear(server::Input::Opened).is_some());
    assert_eq!(server.hear(server::Input::Unknown { namespace: "/" }), None);
    server.says_nothing().hears_nothing_in("2[\"x\"]");
    assert!(server.hear_text("0/other,").is_some());
    assert_eq!(server.hear(server::Input::Unknown { namespace: "/other" }), None);
    server.says("4/other,\"Invalid namespace\"");
    let mut server = Server::new();
    assert!(server.hear_text("0").is_some());
    assert_eq!(server.hear(server::Input::Unknown { namespace: "/" }), None);
    server.says("4{\"message\":\"Invalid namespace\"}");
}

#[test]
fn others_have_to_ask() {
    let mut server = Server::new();
    assert_eq!(server.hear(server::Input::Opened), None);
    assert_eq!(server.hear_text("2[\"x\"]"), Some(server::Event::Violation(Violation::NotJoined)));
}

#[test]
fn what_a_client_of_revision_4_says_of_itself_is_a_query() {
    let mut server = of_revision_4();
    let auth = Some("{\"token\":\"a b\"}".into());
    let connect = server::Event::Connect { namespace: "/chat".into(), auth };
    assert_eq!(server.hear_text("0/chat?token=a%20b,"), Some(connect));
    assert_eq!(server.hear(server::Input::Accept { namespace: "/chat", sid: "s", pid: None }), None);
    server.says("0/chat,");
    // However long it is, the name is not.
    let long = format!("0/long?token={},", "x".repeat(1_000));
    assert!(matches!(server.hear_text(&long), Some(server::Event::Connect { .. })));
    let long = format!("0/{}?token=x,", "x".repeat(1_000));
    let violation = Violation::Packet(PacketError::LimitExceeded);
    assert_eq!(server.hear_text(&long), Some(server::Event::Violation(violation)));
    // For others it is part of the name.
    let long = format!("0/long?token={},", "x".repeat(1_000));
    assert_eq!(Server::new().hear_text(&long), Some(server::Event::Violation(violation)));
}

#[test]
fn a_client_of_revision_4_is_refused_by_data_or_by_a_string() {
    for (data, answer) in
        [(None, "4/chat,\"say \\\"please\\\"\""), (Some("{\"code\":1}"), "4/chat,{\"code\":1}")]
    {
        let mut server = of_revision_4();
        assert!(matches!(server.hear_text("0/chat,"), Some(server::Event::Connect { .. })));
        let refuse = server::Input::Refuse { namespace: "/chat", message: "say \"please\"", data };
        assert_eq!(server.hear(refuse), None);
        server.says(answer);
    }
}
