//! Rooms and broadcasts: who gets what, in which order.

use crate::support::{Polling, Ws, start};
use encke_server::{Server, ServerBuilder};

fn rooms() -> ServerBuilder {
    Server::builder().namespace("/", |on| {
        on.on_named("join", |socket, args, ack| {
            let (room,): (String,) = args.decode().expect("a name");
            socket.join(&room);
            ack.send(&()).expect("nothing");
        });
        on.on_named("leave", |socket, args, ack| {
            let (room,): (String,) = args.decode().expect("a name");
            socket.leave(&room);
            ack.send(&()).expect("nothing");
        });
        on.on_named("to", |socket, args, _ack| {
            let (room, text): (String, String) = args.decode().expect("two texts");
            socket.to(&room).emit_named("said", &text);
        });
        on.on_named("now or never", |socket, args, _ack| {
            socket.broadcast().volatile().emit_named("volatile", &args).expect("as it came");
            socket.broadcast().emit_named("kept", &args);
        });
        on.on_named("all", |socket, args, _ack| {
            socket.broadcast().emit_named("all", &args);
        });
    })
}

async fn ask(client: &mut Ws<tokio::net::TcpStream>, name: &str, room: &str) {
    client.text(&format!(r#"420["{name}","{room}"]"#)).await;
    assert_eq!(client.next_text().await, "430[]");
}

#[tokio::test]
async fn a_room_hears_what_is_said_to_it_while_one_is_in_it() {
    let running = start(rooms()).await;
    let (mut a, mut b) = (Ws::join(running.address).await, Ws::join(running.address).await);
    ask(&mut b, "join", "red").await;
    ask(&mut b, "join", "red").await;
    ask(&mut b, "join", "blue").await;
    for (room, text) in [("red", "1"), ("green", "2"), ("blue", "3")] {
        a.text(&format!(r#"42["to","{room}","{text}"]"#)).await;
    }
    a.settle().await;
    ask(&mut a, "join", "red").await;
    a.text(r#"42["to","red","4"]"#).await;
    // The next thing it hears is the ack: not what it said itself.
    ask(&mut a, "join", "green").await;
    for text in ["1", "3", "4"] {
        assert_eq!(b.next_text().await, format!(r#"42["said","{text}"]"#), "once, and not to other rooms");
    }
    ask(&mut b, "leave", "red").await;
    a.text(r#"42["to","red","5"]"#).await;
    a.text(r#"42["to","blue","6"]"#).await;
    assert_eq!(b.next_text().await, r#"42["said","6"]"#);
}

#[tokio::test]
async fn who_is_in_several_of_the_rooms_hears_it_once_and_who_is_left_out_does_not() {
    let running = start(rooms()).await;
    let mut clients = Vec::new();
    for rooms in [&["red", "blue"][..], &["red", "muted"], &["blue"], &[]] {
        let mut client = Ws::join(running.address).await;
        for room in rooms {
            ask(&mut client, "join", room).await;
        }
        clients.push(client);
    }
    let namespace = running.server.namespace("/").expect("registered");
    namespace.to(["red", "blue"]).except("muted").emit_named("n", &1);
    namespace.to("red").to(vec!["blue".to_owned()]).emit_named("n", &2);
    namespace.except(["blue", "muted"]).emit_named("n", &3);
    namespace.to([""; 0]).emit_named("n", &4);
    namespace.everybody().emit_named("n", &5);
    for (client, numbers) in clients.iter_mut().zip([&[1, 2, 5][..], &[2, 5], &[1, 2, 5], &[3, 5]]) {
        for number in numbers {
            assert_eq!(client.next_text().await, format!(r#"42["n",{number}]"#));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_what_many_say_in_the_same_order() {
    const EACH: usize = 500;
    let running = start(rooms()).await;
    let mut listeners = Vec::new();
    for _ in 0..4 {
        listeners.push(Ws::join(running.address).await);
    }
    let mut speakers = Vec::new();
    for _ in 0..4 {
        speakers.push(Ws::join(running.address).await);
    }
    let said = speakers.len() * EACH;
    let mut tasks = Vec::new();
    for (speaker, mut client) in speakers.into_iter().enumerate() {
        tasks.push(tokio::spawn(async move {
            for number in 0..EACH {
                client.text(&format!(r#"42["all",{speaker},{number}]"#)).await;
            }
            // Kept open, and its queue empty, until the listeners have everything.
            for _ in 0..said - EACH {
                client.next_text().await;
            }
        }));
    }
    let mut heard = Vec::new();
    for listener in &mut listeners {
        let mut all = Vec::new();
        for _ in 0..said {
            all.push(listener.next_text().await);
        }
        heard.push(all);
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    for other in &heard[1..] {
        assert!(*other == heard[0], "another order");
    }
    for speaker in 0..4 {
        let prefix = format!(r#"42["all",{speaker},"#);
        let of_one = heard[0].iter().filter(|text| text.starts_with(&prefix));
        assert!(of_one.eq((0..EACH).map(|number| format!("{prefix}{number}]")).collect::<Vec<_>>().iter()));
    }
}

#[tokio::test]
async fn an_application_may_send_from_anywhere() {
    let running = start(rooms()).await;
    let mut client = Ws::join(running.address).await;
    ask(&mut client, "join", "red").await;
    let namespace = running.server.namespace("/").expect("registered");
    assert!(running.server.namespace("/nope").is_none());
    assert_eq!(namespace.len(), 1);
    std::thread::spawn(move || {
        namespace.to("red").emit_named("news", &"from a thread");
        namespace.everybody().emit_named("news", &[1, 2]);
    });
    assert_eq!(client.next_text().await, r#"42["news","from a thread"]"#);
    assert_eq!(client.next_text().await, r#"42["news",1,2]"#);
}

#[tokio::test]
async fn what_is_volatile_reaches_only_those_who_can_take_it_now() {
    let running = start(rooms()).await;
    let mut speaker = Ws::join(running.address).await;
    let mut connected = Ws::join(running.address).await;
    let mut away = Polling::join(running.address).await;
    speaker.text(r#"42["now or never",1]"#).await;
    speaker.settle().await;
    assert_eq!(connected.next_text().await, r#"42["volatile",1]"#);
    assert_eq!(connected.next_text().await, r#"42["kept",1]"#);
    assert_eq!(away.poll().await, r#"42["kept",1]"#);
    let namespace = running.server.namespace("/").expect("registered");
    for socket in namespace.everybody().sockets() {
        socket.volatile().emit_named("volatile", &2).expect("writable");
        socket.emit_named("kept", &2).expect("writable");
    }
    assert_eq!(connected.next_text().await, r#"42["volatile",2]"#);
    assert_eq!(connected.next_text().await, r#"42["kept",2]"#);
    assert_eq!(away.poll().await, r#"42["kept",2]"#);
}
