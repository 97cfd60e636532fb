//! Socket.IO packets, their assembly, and the namespaces' machines under any input.

use super::{bytes, mutated, scanner, text};
use encke_protocol::Timestamp;
use encke_protocol::engine::Data;
use encke_protocol::json;
use encke_protocol::socket::{
    AckId, Comeback, Incoming, Limits, Offset, Packet, PacketError, Since, client, server,
};
use proptest::prelude::*;
use std::borrow::Cow;

/// A packet that owns what it carries.
#[derive(Clone, Debug)]
struct Owned {
    kind: u8,
    namespace: String,
    id: Option<AckId>,
    name: String,
    args: Vec<String>,
    object: String,
    attachments: Vec<Vec<u8>>,
}

impl Owned {
    /// The packet; `args` are the arguments joined.
    fn packet<'a>(&'a self, args: &'a str) -> Packet<'a> {
        let Self { namespace, id, .. } = self;
        let attachments = self.attachments.len();
        match self.kind {
            0 => Packet::Connect { namespace, data: Some(&self.object) },
            1 => Packet::Connect { namespace, data: None },
            2 => Packet::Disconnect { namespace },
            3 => Packet::ConnectError { namespace, data: &self.object },
            4 => {
                Packet::Ack { namespace, id: id.unwrap_or(AckId::new(0).expect("small")), args, attachments }
            }
            _ => Packet::Event { namespace, id: *id, name: Cow::Borrowed(&self.name), args, attachments },
        }
    }

    fn wire(&self) -> String {
        let mut wire = String::new();
        self.packet(&self.args.join(",")).encode(&mut wire);
        wire
    }
}

const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

fn packet() -> impl Strategy<Value = Owned> {
    let namespace = prop_oneof![
        2 => Just("/".to_owned()),
        1 => text().prop_map(|text| format!("/{}", text.replace(',', ""))),
    ];
    let id = prop::option::of((0..=AckId::MAX).prop_map(|id| AckId::new(id).expect("in range")));
    let name = text().prop_filter("not reserved", |name| !RESERVED.contains(&&**name));
    let args = prop::collection::vec(scanner::value().prop_map(|value| value.to_string()), 0..4);
    let object = (text(), text()).prop_map(|(key, value)| serde_json::json!({ key: value }).to_string());
    let attachments = prop::collection::vec(bytes(), 0..4);
    (0..8_u8, namespace, id, name, args, object, attachments).prop_map(
        |(kind, namespace, id, name, args, object, attachments)| Owned {
            kind,
            namespace,
            id,
            name,
            args,
            object,
            attachments,
        },
    )
}

/// A message of any kind, often nearly right.
fn message() -> impl Strategy<Value = Result<String, Vec<u8>>> {
    let known = prop::sample::select(vec![
        "0",
        "1",
        "0/a,",
        "1/a,",
        "0/b,{\"x\":1}",
        "0{\"sid\":\"s\"}",
        "0/a,{\"sid\":\"s\",\"pid\":\"p\"}",
        "4{\"message\":\"no\"}",
        "4/a,\"no\"",
        "2[\"x\",1]",
        "2/a,7[\"x\"]",
        "31[]",
        "51-[\"x\",{\"_placeholder\":true,\"num\":0}]",
        "62-/a,1[{\"_placeholder\":true,\"num\":0}]",
    ])
    .prop_map(str::to_owned);
    prop_oneof![
        6 => mutated(known.clone()).prop_map(Ok),
        6 => known.prop_map(Ok),
        2 => mutated(packet().prop_map(|packet| packet.wire())).prop_map(Ok),
        3 => bytes().prop_map(Err),
    ]
}

fn data(message: &Result<String, Vec<u8>>) -> Data<'_> {
    match message {
        Ok(text) => Data::Text(text),
        Err(bytes) => Data::Binary(Cow::Borrowed(bytes)),
    }
}

fn is_json_array_of(args: &str) -> bool {
    serde_json::from_str::<Vec<serde::de::IgnoredAny>>(&format!("[{args}]")).is_ok()
}

fn keeps_limits(incoming: &Incoming<'_>, limits: &Limits) -> bool {
    let (Incoming::Event { args, .. } | Incoming::Ack { args, .. }) = incoming;
    is_json_array_of(&args.text)
        && args.attachments.len() <= limits.max_attachments
        && incoming.namespace().len() <= limits.max_namespace_len
}

const LIMITS: Limits =
    Limits { max_attachments: 3, max_namespaces: 2, max_namespace_len: 40, connect_timeout: 45_000 };

proptest! {
    #[test]
    fn a_packet_is_decoded_as_it_was_encoded(owned in packet()) {
        let args = owned.args.join(",");
        let packet = owned.packet(&args);
        let wire = owned.wire();
        prop_assert_eq!(Packet::decode(&wire, &Limits::default()), Ok(packet));
    }

    #[test]
    fn a_damaged_packet_is_refused_or_read_within_limits(wire in mutated(packet().prop_map(|packet| packet.wire()))) {
        let Ok(packet) = Packet::decode(&wire, &LIMITS) else { return Ok(()) };
        let (namespace, count, args) = match &packet {
            Packet::Connect { namespace, data } => (*namespace, 0, data.unwrap_or_default()),
            Packet::Disconnect { namespace } => (*namespace, 0, ""),
            Packet::ConnectError { namespace, data } => (*namespace, 0, *data),
            Packet::Event { namespace, args, attachments, .. } => (*namespace, *attachments, *args),
            Packet::Ack { namespace, args, attachments, .. } => (*namespace, *attachments, *args),
        };
        let name = namespace.split('?').next().unwrap_or_default();
        prop_assert!(namespace.starts_with('/') && !namespace.contains(',') && name.len() <= 40);
        prop_assert!(count <= 3);
        prop_assert!(is_json_array_of(args), "{}", args);
        // Written in our own way it is the same packet.
        let mut again = String::new();
        packet.encode(&mut again);
        prop_assert_eq!(Packet::decode(&again, &LIMITS), Ok(packet));
    }

    #[test]
    fn any_text_is_a_packet_or_an_error(text in any::<String>(), kind in "[0-6]?") {
        let _ = Packet::decode(&format!("{kind}{text}"), &LIMITS);
        let _ = Packet::decode(&text, &LIMITS);
    }

    #[test]
    fn an_event_is_an_array_that_begins_with_its_name(text in mutated(prop_oneof![
        (text(), prop::collection::vec(scanner::json_text(), 0..4)).prop_map(|(name, args)| {
            let name = serde_json::Value::from(name).to_string();
            format!(" [ {}\t] ", [name].into_iter().chain(args).collect::<Vec<_>>().join(" ,"))
        }),
        prop::collection::vec(scanner::json_text(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
    ])) {
        let elements: Result<Vec<&str>, _> = json::elements(&text).and_then(Iterator::collect);
        match (Packet::decode(&format!("2{text}"), &Limits::default()), elements) {
            (Ok(Packet::Event { name, args, .. }), Ok(elements)) => {
                prop_assert_eq!(name, json::string(elements[0]).unwrap_or(Cow::Borrowed(elements[0])));
                let args = format!("[{args}]");
                let args: Result<Vec<&str>, _> = json::elements(&args).and_then(Iterator::collect);
                prop_assert_eq!(args.as_deref(), Ok(&elements[1..]));
            }
            (Err(PacketError::ReservedName), Ok(_)) => {}
            (Err(_), Ok(elements)) => {
                let name = elements.first().and_then(|first| first.chars().next());
                prop_assert!(!name.is_some_and(|first| matches!(first, '"' | '-' | '0'..='9')), "{}", text);
            }
            (Err(_), Err(_)) => {}
            (Ok(packet), _) => prop_assert!(text.starts_with(|char: char| char == '/' || char.is_ascii_digit()), "{:?}", packet),
        }
    }

    #[test]
    fn an_offset_is_read_out_of_an_auth_object_as_it_was_encoded(
        epoch in 0..1_u64 << Offset::EPOCH_BITS,
        position in any::<u64>().prop_flat_map(|most| 0..=most),
        (pid, key, value) in (text(), text(), text()),
    ) {
        let offset = Offset { epoch, position };
        let mut encoded = String::new();
        offset.encode(&mut encoded);
        prop_assume!(key != "pid" && key != "offset");
        let auth = serde_json::json!({ &*key: value, "pid": pid, "offset": encoded }).to_string();
        let comeback = Comeback { pid: Cow::Borrowed(&*pid), since: Since::Offset(offset) };
        prop_assert_eq!(Comeback::decode(&auth), Some(comeback));
    }

    #[test]
    fn whatever_a_client_says_of_where_it_was_is_understood_in_one_way(
        auth in mutated((text(), "[A-Z_-]{0,24}").prop_map(|(pid, offset)| {
            serde_json::json!({ "pid": pid, "offset": offset }).to_string()
        })),
        text in any::<String>(),
    ) {
        let _ = Comeback::decode(&auth);
        let _ = Comeback::decode(&text);
        for text in [&auth, &text] {
            if let Some(offset) = Offset::decode(text) {
                let mut again = String::new();
                offset.encode(&mut again);
                prop_assert_eq!(&again, text);
            }
        }
    }

    #[test]
    fn packets_come_out_with_their_own_attachments(owned in prop::collection::vec(packet(), 0..5)) {
        let (now, limits) = (Timestamp::default(), Limits::default());
        let mut namespaces = server::Namespaces::new(now, &limits);
        let mut hear = |data| namespaces.handle_input(now, server::Input::Message(data), &limits);
        hear(Data::Text("0"));
        let namespace = "/".to_owned();
        let owned = owned.into_iter().map(|owned| Owned { namespace: namespace.clone(), kind: 5, ..owned });
        let owned: Vec<_> = owned.collect();
        namespaces.handle_input(now, server::Input::Accept { namespace: "/", sid: "s", pid: None }, &limits);
        for packet in &owned {
            let wire = packet.wire();
            let attachments = packet.attachments.iter().map(|bytes| Data::Binary(Cow::Borrowed(&**bytes)));
            let mut events = Vec::new();
            for message in std::iter::once(Data::Text(&wire)).chain(attachments) {
                events.push(namespaces.handle_input(now, server::Input::Message(message), &limits));
            }
            let Some(Some(server::Event::Incoming(Incoming::Event { id, name, args, .. }))) = events.pop() else {
                panic!("the last message completes the event");
            };
            prop_assert!(events.iter().all(Option::is_none));
            prop_assert_eq!((id, &*name), (packet.id, &*packet.name));
            prop_assert_eq!((&*args.text, &args.attachments), (&*packet.args.join(","), &packet.attachments));
        }
    }

    #[test]
    fn any_messages_leave_the_server_within_its_limits(
        steps in prop::collection::vec((message(), 0..8_u8, prop::sample::select(vec!["/", "/a", "/b"])), 0..40),
    ) {
        let now = Timestamp::default();
        let mut namespaces = server::Namespaces::new(now, &LIMITS);
        let mut joined = std::collections::BTreeSet::new();
        for (message, kind, namespace) in &steps {
            let input = match kind {
                0 | 1 => server::Input::Accept { namespace, sid: "s", pid: None },
                2 => server::Input::Refuse { namespace, message: "no", data: None },
                3 => server::Input::Disconnect { namespace },
                _ => server::Input::Message(data(message)),
            };
            match namespaces.handle_input(now, input, &LIMITS) {
                Some(server::Event::Incoming(incoming)) => {
                    prop_assert!(keeps_limits(&incoming, &LIMITS));
                    prop_assert!(namespaces.is_joined(incoming.namespace()));
                }
                Some(server::Event::Connect { namespace, .. }) => {
                    prop_assert!(!namespaces.is_joined(&namespace));
                    joined.insert(namespace.into_owned());
                    prop_assert!(joined.len() <= LIMITS.max_namespaces);
                }
                _ => {}
            }
            // At most one packet an input, each of them one that clients understand.
            for _ in 0..2 {
                let Some(server::Output::Send(text)) = namespaces.poll_output() else { break };
                prop_assert!(Packet::decode(&text, &LIMITS).is_ok(), "{}", text);
            }
            prop_assert_eq!(namespaces.poll_output(), None);
        }
    }

    #[test]
    fn any_messages_are_heard_or_refused_by_a_client(
        steps in prop::collection::vec((message(), 0..6_u8, prop::sample::select(vec!["/", "/a"])), 0..40),
    ) {
        let mut namespaces = client::Namespaces::new();
        for (message, kind, namespace) in &steps {
            let input = match kind {
                0 | 1 => client::Input::Connect { namespace, auth: None },
                2 => client::Input::Disconnect { namespace },
                _ => client::Input::Message(data(message)),
            };
            if let Some(client::Event::Incoming(incoming)) = namespaces.handle_input(input, &LIMITS) {
                prop_assert!(keeps_limits(&incoming, &LIMITS));
                prop_assert!(namespaces.is_joined(incoming.namespace()));
            }
            while let Some(client::Output::Send(text)) = namespaces.poll_output() {
                prop_assert!(Packet::decode(&text, &LIMITS).is_ok(), "{}", text);
            }
        }
    }

    #[test]
    fn a_client_and_a_server_agree_on_who_is_where(
        wishes in prop::collection::vec((any::<bool>(), 0..3_u8, 0..4_usize, 0..4_usize), 0..40),
    ) {
        // The client's wishes, packets under way both ways, and a server that answers when it likes.
        let now = Timestamp::default();
        let mut client = client::Namespaces::new();
        let mut server = server::Namespaces::new(now, &LIMITS);
        let (mut up, mut down) = (std::collections::VecDeque::new(), std::collections::VecDeque::new());
        let mut wanted = false;
        let namespace = "/";
        for (wants, answer, sent, received) in wishes.into_iter().chain([(true, 0, 99, 99); 4]) {
            wanted = wants;
            client.handle_input(match wants {
                true => client::Input::Connect { namespace, auth: None },
                false => client::Input::Disconnect { namespace },
            }, &LIMITS);
            for _ in 0..sent {
                while let Some(client::Output::Send(text)) = client.poll_output() {
                    up.push_back(text);
                }
                let Some(text) = up.pop_front() else { break };
                let event = server.handle_input(now, server::Input::Message(Data::Text(&text)), &LIMITS);
                prop_assert!(!matches!(event, Some(server::Event::Violation(_))), "{} {:?}", text, event);
                server.handle_input(now, match answer {
                    0 | 1 => server::Input::Accept { namespace, sid: "s", pid: None },
                    _ => server::Input::Refuse { namespace, message: "no", data: None },
                }, &LIMITS);
                while let Some(server::Output::Send(text)) = server.poll_output() {
                    down.push_back(text);
                }
            }
            for text in down.drain(..received.min(down.len())).collect::<Vec<_>>() {
                client.handle_input(client::Input::Message(Data::Text(&text)), &LIMITS);
            }
        }
        prop_assert!(wanted && client.is_joined(namespace) && server.is_joined(namespace));
    }
}
