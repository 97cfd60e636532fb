//! Which client has which feature. What a client cannot do stands here with the reason; nothing is skipped in silence.

use super::cell::{Client, agrees, clients};

/// A feature, and who has it.
pub struct Row {
    pub feature: &'static str,
    /// What is tried, for people.
    pub words: &'static str,
    pub cells: &'static [(Client, Cell)],
}

/// What is known of a client and a feature.
pub enum Cell {
    /// It is tried.
    Yes,
    /// It is tried, as far as that goes.
    But(&'static str),
    /// The client cannot do it.
    No(&'static str),
}

/// Features whose clients stop their server, so that they need one of their own.
pub const STOPPING: [&str; 3] = ["restart", "crash", "silence"];

/// Makes a table, and a test of each cell that has no reason against it.
macro_rules! matrix {
    ($table:ident $module:ident: $(
        $feature:ident $words:literal: $( $client:ident $(= $verdict:ident($reason:expr))? ),+ ;
    )+) => {
        pub const $table: &[Row] = &[ $(
            Row {
                feature: stringify!($feature),
                words: $words,
                cells: &[ $( (clients::$client(), matrix!(@cell $($verdict $reason)?)) ),+ ],
            },
        )+ ];

        mod $module {
            $( mod $feature {
                $( matrix!(@test $client $feature $($verdict)?); )+
            } )+
        }
    };
    (@cell) => { Cell::Yes };
    (@cell but $reason:expr) => { Cell::But($reason) };
    (@cell no $reason:expr) => { Cell::No($reason) };
    (@test $client:ident $feature:ident no) => {};
    (@test $client:ident $feature:ident $(but)?) => {
        #[tokio::test]
        async fn $client() {
            super::super::agrees(super::super::clients::$client(), stringify!($feature)).await;
        }
    };
}

const UNORDERED: &str = "it hands each event to a thread of its own, so the order is lost behind the wire; it is tried that none is \
                         missing and none comes twice";
const CHANGES_FIRST: &str = "it changes its transport before it lets anybody emit";
const NO_TIMEOUT: &str = "it waits as long as it takes";
const LONE: &str = "it makes another character of a lone surrogate; all else is tried";
const PROTO: &str = "it loses the key `__proto__` of an object; all else is tried";
const BIG: &str = "it writes no integers beyond 64 bits; all else is tried";
const ONE_REQUEST: &str =
    "it puts all that waits into one request, whatever `maxPayload` says, and the server refuses that";
const ONE_ATTACHMENT: &str = "it sends and hears events whose one argument is bytes, without the byte 0x1E, over a WebSocket; beyond \
                              that it loses or misreads them, and with an ack it sends an answer in place of an event";
const ASKS_ONLY: &str = "it cannot answer what the server asks";
const KICKED: &str = "it comes back when the server puts it out, with `reconnect_on_disconnect`";
const NO_RECOVERY: &str = "it does not ask for it";

matrix! { SOCKET_IO socket_io:
    websocket "a WebSocket alone, 1000 messages each way in order": js, js_msgpack, js_2, python, python_msgpack, python_sync = but(UNORDERED), rust;
    polling "long-polling alone, the same": js, js_msgpack, js_2, python, python_msgpack, python_sync = but(UNORDERED), rust;
    change "from long-polling to a WebSocket, the same": js, js_msgpack, js_2, python, python_msgpack, python_sync = but(UNORDERED), rust;
    upgrade "such a change while 1000 messages each way are in flight": js, js_msgpack, js_2, python = no(CHANGES_FIRST), python_msgpack = no(CHANGES_FIRST), python_sync = no(CHANGES_FIRST), rust = no(CHANGES_FIRST);
    heartbeat "heartbeats, over both transports": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    binary "binary in and out, also nested, empty, and several": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust = but(ONE_ATTACHMENT);
    acks "acks both ways, without and with several arguments, with binary": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust = but(ASKS_ONLY);
    ack_timeout "the client gives up waiting for an ack": js, js_msgpack, js_2 = no(NO_TIMEOUT), python, python_msgpack, python_sync, rust;
    unanswered "the server gives up waiting for one; a late answer does no harm": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust = no(ASKS_ONLY);
    text "U+2028, U+001E, NUL, emoji, lone surrogates": js, js_msgpack = but(LONE), js_2, python, python_msgpack, python_sync, rust;
    names "event names `__proto__`, `constructor`, the empty one, 10,000 characters": js, js_msgpack = but(PROTO), js_2, python, python_msgpack, python_sync, rust;
    values "200 arguments, none, null, the largest and smallest numbers, 100 levels": js, js_msgpack = but(BIG), js_2, python, python_msgpack = but(BIG), python_sync, rust;
    limit "messages exactly at `max_payload`, text and binary": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    over_the_limit "one byte more ends the session": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    flood "1.5 MB at once from a polling client, and back": js, js_msgpack, js_2 = no(ONE_REQUEST), python = no(ONE_REQUEST), python_msgpack = no(ONE_REQUEST), python_sync = no(ONE_REQUEST), rust;
    volatile "volatile events: in order, none twice, to those who can take them": js, js_msgpack, js_2, python, python_msgpack, python_sync = but(UNORDERED), rust;
    auth "the auth payload; another try with a better one": js, js_msgpack, js_2 = but("it has a query in place of the payload"), python, python_msgpack, python_sync, rust;
    refusal "refusal with message and data; an unknown namespace": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    dynamic "namespaces that are made when a client asks for them": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    namespaces "several namespaces on one connection; leaving one": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust = no("it has one namespace on a connection");
    rooms "rooms: join, leave, to": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    broadcast "broadcast to all others, with binary": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    survey "a broadcast that each answers: two do, one does not": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust = no(ASKS_ONLY);
    disconnects "who leaves and who is put out, in the words of each side": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust = but("it knows no reasons: it is tried that it notices, and what the server says");
    reconnect "reconnecting when the connection is cut": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust = but(KICKED);
    recovery "recovery: the same id, what was missed, four times": js, js_msgpack, js_2 = no(NO_RECOVERY), python = no(NO_RECOVERY), python_msgpack = no(NO_RECOVERY), python_sync = no(NO_RECOVERY), rust = no(NO_RECOVERY);
    restart "reconnecting when the server is stopped and started": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    crash "reconnecting when the server was killed": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
    silence "a server that says nothing any more is noticed": js, js_msgpack, js_2, python, python_msgpack, python_sync, rust;
}

matrix! { ENGINE_IO engine_io:
    websocket "a WebSocket alone, 1000 messages in order": engine;
    polling "long-polling alone, the same": engine;
    upgrade "from long-polling to a WebSocket, with 1000 messages in flight": engine;
    binary "binary there and back": engine;
    text "U+2028, NUL, emoji": engine;
    limit "messages exactly at `max_payload`": engine;
    over_the_limit "one byte more ends the session": engine;
    closing "leaving": engine;
}
