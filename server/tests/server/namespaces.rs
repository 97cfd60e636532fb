//! Namespaces that are made when a client asks for them.

use crate::support::{PATH, Ws, start, within};
use encke_server::{Limits, Pattern, Server};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};

async fn open(address: std::net::SocketAddr, query: &str) -> Ws<TcpStream> {
    let mut client = Ws::open(address, &format!("{PATH}&transport=websocket{query}")).await;
    assert!(client.next_text().await.starts_with("0{"));
    client
}

/// Asks to enter, and gets in.
async fn enter(client: &mut Ws<TcpStream>, namespace: &str) {
    client.text(&format!("40{namespace},")).await;
    let joined = client.next_text().await;
    assert!(joined.starts_with(&format!("40{namespace},{{\"sid\":")), "{joined}");
}

async fn refused(client: &mut Ws<TcpStream>, namespace: &str, auth: &str) {
    client.text(&format!("40{namespace},{auth}")).await;
    assert_eq!(client.next_text().await, format!(r#"44{namespace},{{"message":"Invalid namespace"}}"#));
}

fn names(server: &Server) -> Vec<String> {
    let mut names: Vec<_> = server.namespaces().iter().map(|namespace| namespace.name().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_namespace_is_made_for_its_first_client_and_gone_with_its_last() {
    let (left, mut leaves) = mpsc::unbounded_channel();
    let builder = Server::builder().namespace("/rooms/main", |_| {}).namespaces("/rooms/{room}", move |on| {
        on.admit(
            |socket, _| if socket.param("room") == Some("locked") { Err("locked".into()) } else { Ok(()) },
        );
        on.on_named("where", |socket, _, ack| ack.send(&socket.param("room")).expect("writable"));
        on.on_disconnect(move |socket, _| {
            left.send(socket.namespace_name().to_owned()).expect("the test listens");
        });
    });
    let running = start(builder).await;
    let (mut ann, mut bob) = (open(running.address, "").await, open(running.address, "").await);
    assert_eq!(names(&running.server), ["/rooms/main"]);
    enter(&mut ann, "/rooms/red").await;
    enter(&mut bob, "/rooms/red").await;
    enter(&mut bob, "/rooms/main").await;
    ann.text(r#"42/rooms/red,1["where"]"#).await;
    assert_eq!(ann.next_text().await, r#"43/rooms/red,1["red"]"#);
    ann.text("40/rooms/locked,").await;
    assert_eq!(ann.next_text().await, r#"44/rooms/locked,{"message":"locked"}"#);
    refused(&mut ann, "/rooms/", "").await;
    refused(&mut ann, "/room/red", "").await;
    assert_eq!(names(&running.server), ["/rooms/main", "/rooms/red"]);
    let red = running.server.namespace("/rooms/red").expect("two are in it");
    assert_eq!(red.len(), 2);
    drop(red);
    for client in [ann, bob] {
        drop(client);
        assert_eq!(within(leaves.recv()).await.as_deref(), Some("/rooms/red"));
    }
    while names(&running.server).len() > 1 {
        tokio::task::yield_now().await;
    }
    assert!(running.server.namespace("/elsewhere").is_none());
    assert!(running.server.namespace("/rooms/a,b").is_none(), "it cannot be said on the wire");
}

#[tokio::test]
async fn a_handle_reaches_whoever_comes_later() {
    let running = start(Server::builder().namespaces("/rooms/{*path}", |_| {})).await;
    let early = running.server.namespace("/rooms/red/1").expect("the pattern fits");
    assert_eq!((early.param("path"), early.is_empty()), (Some("red/1"), true));
    for round in 0..3 {
        let mut client = open(running.address, "").await;
        enter(&mut client, "/rooms/red/1").await;
        client.settle().await;
        early.everybody().emit_named("round", &round);
        assert_eq!(client.next_text().await, format!(r#"42/rooms/red/1,["round",{round}]"#));
        drop(client);
        while !early.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn patterns_are_asked_in_order_and_every_client_is_asked_about() {
    let open_doors = Arc::new(Semaphore::new(0));
    let doors = open_doors.clone();
    let running = start(
        Server::builder()
            .namespaces(
                Pattern::when(|name, handshake, auth| {
                    assert_ne!(name, "/panic");
                    name == "/a" && handshake.query("key").is_some() && auth.text() == r#"{"a":1}"#
                }),
                |on| {
                    on.on_connect(|socket| socket.emit_named("first", &()).expect("writable"));
                },
            )
            .namespaces(
                Pattern::when_async(move |name, handshake, _auth| {
                    let doors = doors.clone();
                    async move {
                        doors.acquire().await.expect("open").forget();
                        assert_ne!(name, "/panic later");
                        handshake.query("key").as_deref() == Some(&*name)
                    }
                }),
                |on| {
                    on.on_connect(|socket| socket.emit_named("second", &()).expect("writable"));
                },
            )
            .namespaces("/a", |on| {
                on.on_connect(|socket| socket.emit_named("third", &()).expect("writable"));
            }),
    )
    .await;
    let mut key = open(running.address, "&key=%2Fb").await;
    let mut none = open(running.address, "").await;
    key.text(r#"40/a,{"a":1}"#).await;
    assert!(key.next_text().await.starts_with("40/a,{"));
    assert_eq!(key.next_text().await, r#"42/a,["first"]"#);
    refused(&mut none, "/a", r#"{"a":1}"#).await;
    key.text("41/a,").await;
    while running.server.namespaces().iter().any(|namespace| namespace.name() == "/a") {
        tokio::task::yield_now().await;
    }
    open_doors.add_permits(1);
    enter(&mut none, "/a").await;
    assert_eq!(none.next_text().await, r#"42/a,["third"]"#);
    key.text("40/b,").await;
    key.settle().await;
    open_doors.add_permits(1);
    assert!(key.next_text().await.starts_with("40/b,{"));
    assert_eq!(key.next_text().await, r#"42/b,["second"]"#);
    for name in ["/panic", "/panic later"] {
        open_doors.add_permits(1);
        none.text(&format!("40{name},")).await;
        assert_eq!(none.next_text().await, format!(r#"44{name},{{"message":"Internal error"}}"#));
    }
    assert_eq!(names(&running.server), ["/a", "/b"], "what was refused leaves nothing");
}

#[tokio::test]
async fn a_client_that_leaves_before_a_pattern_has_decided_never_enters() {
    let gate = Arc::new(Semaphore::new(0));
    let permits = gate.clone();
    let pattern = Pattern::when_async(move |_, _, _| {
        let permits = permits.clone();
        async move {
            permits.acquire().await.expect("open").forget();
            true
        }
    });
    let running = start(Server::builder().namespaces(pattern, |on| {
        on.on_connect(|socket| socket.emit_named("entered", &()).expect("writable"));
    }))
    .await;
    let mut client = open(running.address, "").await;
    client.text("40/slow,").await;
    client.text("41/slow,").await;
    client.settle().await;
    gate.add_permits(2);
    enter(&mut client, "/other").await;
    assert_eq!(client.next_text().await, r#"42/other,["entered"]"#);
    assert_eq!(names(&running.server), ["/other"]);
}

#[tokio::test]
async fn a_client_can_have_only_so_many_made_and_all_go_with_it() {
    let limits = Limits { max_namespaces: 3, ..Limits::default() };
    let running = start(Server::builder().limits(limits).namespaces("/{name}", |_| {})).await;
    let mut client = open(running.address, "").await;
    for name in ["/1", "/2", "/3"] {
        enter(&mut client, name).await;
    }
    assert_eq!(names(&running.server), ["/1", "/2", "/3"]);
    client.text("40/4,").await;
    assert_eq!(client.close_code().await, 1002);
    while !running.server.namespaces().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut client = open(running.address, "").await;
    let long = format!("/{}", "x".repeat(256));
    client.text(&format!("40{long},")).await;
    assert_eq!(client.close_code().await, 1002, "a name has a longest length");
}

#[test]
#[should_panic(expected = "no pattern of namespaces")]
fn a_pattern_that_means_nothing_is_told_at_once() {
    let _ = Server::builder().namespaces("/rooms/{room", |_| {});
}
