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

matrix! { SOCKET_IO socket_io:
    websocket "a WebSocket alone, 1000 messages each way in order": js, js_msgpack, js_2, python, python_sync = but(UNORDERED);
    polling "long-polling alone, the same": js, js_msgpack, js_2, python, python_sync = but(UNORDERED);
    change "from long-polling to a WebSocket, the same": js, js_msgpack, js_2, python, python_sync = but(UNORDERED);
    upgrade "such a change while 1000 messages each way are in flight": js, js_msgpack, js_2, python = no(CHANGES_FIRST), python_sync = no(CHANGES_FIRST);
    heartbeat "heartbeats, over both transports": js, js_msgpack, js_2, python, python_sync;
    binary "binary in and out, also nested, empty, and several": js, js_msgpack, js_2, python, python_sync;
    acks "acks both ways, without and with several arguments, with binary": js, js_msgpack, js_2, python, python_sync;
    ack_timeout "the client gives up waiting for an ack": js, js_msgpack, js_2 = no(NO_TIMEOUT), python, python_sync;
    unanswered "the server gives up waiting for one; a late answer does no harm": js, js_msgpack, js_2, python, python_sync;
    text "U+2028, U+001E, NUL, emoji, lone surrogates": js, js_msgpack = but(LONE), js_2, python, python_sync;
    names "event names `__proto__`, `constructor`, the empty one, 10,000 characters": js, js_msgpack = but(PROTO), js_2, python, python_sync;
    values "200 arguments, none, null, the largest and smallest numbers, 100 levels": js, js_msgpack = but(BIG), js_2, python, python_sync;
    limit "messages exactly at `max_payload`, text and binary": js, js_msgpack, js_2, python, python_sync;
    over_the_limit "one byte more ends the session": js, js_msgpack, js_2, python, python_sync;
    flood "1.5 MB at once from a polling client, and back": js, js_msgpack, js_2, python = no(ONE_REQUEST), python_sync = no(ONE_REQUEST);
    volatile "volatile events: in order, none twice, to those who can take them": js, js_msgpack, js_2, python, python_sync = but(UNORDERED);
    auth "the auth payload, and another try with a better one": js, js_msgpack, js_2, python, python_sync;
    refusal "refusal with message and data; an unknown namespace": js, js_msgpack, js_2, python, python_sync;
    namespaces "several namespaces on one connection; leaving one": js, js_msgpack, js_2, python, python_sync;
    rooms "rooms: join, leave, to": js, js_msgpack, js_2, python, python_sync;
    broadcast "broadcast to all others, with binary": js, js_msgpack, js_2, python, python_sync;
    disconnects "who leaves and who is put out, in the words of each side": js, js_msgpack, js_2, python, python_sync;
    reconnect "reconnecting when the connection is cut": js, js_msgpack, js_2, python, python_sync;
    restart "reconnecting when the server is stopped and started": js, js_msgpack, js_2, python, python_sync;
    crash "reconnecting when the server was killed": js, js_msgpack, js_2, python, python_sync;
    silence "a server that says nothing any more is noticed": js, js_msgpack, js_2, python, python_sync;
}
