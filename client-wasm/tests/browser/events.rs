//! Events and acks, typed and by name, over each transport, against a real server.

use crate::support::contract::{Add, AskMe, Count, Notice, Question};
use crate::support::{EACH, Inbox, client_over};
use encke_client_wasm::{AckError, Args, ArgsBuilder, NotSent, Problem};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn a_typed_event_is_answered_by_its_ack_or_its_error() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let socket = client.socket("/");
        assert_eq!(socket.emit_with_ack(&Add { a: 2, b: 3 }).await, Ok(5));
        let refused = socket.emit_with_ack(&Add { a: u32::MAX, b: 1 }).await;
        assert_eq!(refused, Err(AckError::Refused("too large".to_owned())));
    }
}

#[wasm_bindgen_test]
async fn an_ack_can_be_heard_by_a_callback() {
    let client = client_over(EACH[0]).connect();
    let answers = Inbox::new();
    client.socket("/").emit_then(&Add { a: 2, b: 3 }, answers.slot());
    assert_eq!(answers.next().await, Ok(5));
}

#[wasm_bindgen_test]
async fn events_emitted_before_connecting_arrive_in_order_after_it() {
    for transport in EACH {
        let client = client_over(transport).build();
        let socket = client.socket("/");
        let sums = Inbox::new();
        for number in 0..100 {
            let slot = sums.slot();
            socket.emit_then(&Add { a: number, b: 0 }, move |sum| slot((number, sum)));
        }
        client.connect();
        for number in 0..100 {
            assert_eq!(sums.next().await, (number, Ok(number)));
        }
    }
}

#[wasm_bindgen_test]
async fn events_of_the_server_arrive_in_order() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let socket = client.socket("/");
        let notices = Inbox::new();
        let _guard = socket.on::<Notice, _, _>(notices.slot());
        socket.emit(&Count { to: 300 }).expect("there is room for it");
        for number in 1..=300 {
            assert_eq!(notices.next().await.number, number);
        }
    }
}

#[wasm_bindgen_test]
async fn one_client_hears_what_another_says_in_any_script() {
    for transport in EACH {
        let (here, there) = (client_over(EACH[0]).connect(), client_over(transport).connect());
        let (speaker, listener) = (here.socket("/"), there.socket("/"));
        let heard = Inbox::new();
        let _guard = listener.on::<Notice, _, _>(heard.slot());
        // Its answer shows that the listener is in the namespace.
        listener.emit_with_ack(&Add { a: 1, b: 1 }).await.expect("the server adds");
        let notice = Notice { number: 1, text: "Ωμέγα 💫 \u{1e} \u{2028} \"quoted\" \\n".to_owned() };
        speaker.emit(&notice).expect("there is room for it");
        assert_eq!(heard.until(|heard| heard.text == notice.text).await, notice);
    }
}

#[wasm_bindgen_test]
async fn what_a_handler_returns_answers_the_server() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let socket = client.socket("/");
        let _guard = socket.on(|question: Question| match question.text.as_str() {
            "no" => Err("not that".to_owned()),
            text => Ok(text.chars().rev().collect::<String>()),
        });
        let ask = |text: &str| socket.emit_with_ack(&AskMe { text: text.to_owned() });
        assert_eq!(ask("abc").await, Ok("cba".to_owned()));
        assert!(matches!(ask("no").await, Err(AckError::Refused(error)) if error.contains("refused")));
    }
}

#[wasm_bindgen_test]
async fn events_by_name_carry_several_arguments_and_bytes_both_ways() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let socket = client.socket("/");
        let echo = socket.emit_named_with_ack("echo", &("a", 1, [true])).await.expect("echo answers");
        assert_eq!(echo.decode::<(String, u32, Vec<bool>)>(), Ok(("a".to_owned(), 1, vec![true])));

        let bytes: Vec<u8> = (0..=255).collect();
        let args = Args::from(ArgsBuilder::new().binary(bytes.clone()).string("text").binary(vec![]));
        let echo = socket.emit_named_with_ack("echo", &args).await.expect("echo answers");
        assert_eq!(echo, args);
        let first = echo.iter().next().expect("there is one");
        assert_eq!(echo.attachment(first), Some(bytes.as_slice()));

        let bounced = Inbox::new();
        let slot = bounced.slot();
        let _guard = socket.on_named("bounce", move |args, _| slot(args.clone()));
        socket.emit_named("bounce", &args).expect("there is room for it");
        assert_eq!(bounced.next().await, args);
    }
}

#[wasm_bindgen_test]
async fn an_ack_that_does_not_come_ends_in_time() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let socket = client.socket("/");
        let silence = socket.timeout(50).emit_named_with_ack("silent", &()).await;
        assert_eq!(silence, Err(AckError::Timeout));
        assert_eq!(socket.emit_with_ack(&Add { a: 1, b: 1 }).await, Ok(2));
    }
}

#[wasm_bindgen_test]
async fn an_ack_ends_with_the_connection_and_with_the_client() {
    let client = client_over(EACH[0]).connect();
    let socket = client.socket("/");
    let lost = socket.emit_named_with_ack("silent", &());
    // The server has taken it: what it has answered came later.
    socket.emit_with_ack(&Add { a: 1, b: 1 }).await.expect("the server adds");
    client.disconnect();
    assert_eq!(lost.await, Err(AckError::Disconnected));
    assert_eq!(socket.emit_with_ack(&Add { a: 1, b: 1 }).await, Err(AckError::NotSent(NotSent::Closed)));

    client.connect();
    let lost = socket.emit_named_with_ack("silent", &());
    socket.emit_with_ack(&Add { a: 1, b: 1 }).await.expect("the server adds");
    drop((client, socket));
    assert_eq!(lost.await, Err(AckError::Disconnected));
}

#[wasm_bindgen_test]
async fn an_event_whose_ack_is_given_up_while_queued_is_not_sent() {
    let client = client_over(EACH[0]).build();
    let socket = client.socket("/");
    let bounced = Inbox::new();
    let slot = bounced.slot();
    let _guard = socket.on_named("bounce", move |args, _| slot(args.decode::<(u32,)>()));
    drop(socket.emit_named_with_ack("bounce", &(1,)));
    socket.emit_named("bounce", &(2,)).expect("there is room for it");
    client.connect();
    assert_eq!(bounced.next().await, Ok((2,)));
}

#[wasm_bindgen_test]
async fn an_event_of_another_type_than_agreed_is_reported_and_the_rest_goes_on() {
    let (here, there) = (client_over(EACH[0]).connect(), client_over(EACH[0]).connect());
    let (speaker, listener) = (here.socket("/second"), there.socket("/"));
    drop(speaker);
    let problems = Inbox::new();
    let slot = problems.slot();
    let _problem = listener.on_problem(move |problem| slot(problem.clone()));
    let heard = Inbox::new();
    let _notice = listener.on::<Notice, _, _>(heard.slot());
    let bounced = Inbox::new();
    let slot = bounced.slot();
    let _bounce = listener.on_named("bounce", move |_, _| slot(()));
    // Nothing that the server sends is a `Wrong`, though it bears the name of what comes back.
    let _wrong = listener.on(|_: Wrong| ());
    listener.emit_named("bounce", &("no number",)).expect("there is room for it");
    assert_eq!(problems.next().await, Problem::Malformed { event: "bounce".to_owned() });
    bounced.next().await;
    assert!(heard.is_empty());
}

/// An event whose payload is not what comes under its name.
#[derive(serde::Serialize, serde::Deserialize)]
struct Wrong {
    number: u32,
}

impl encke_client_wasm::contract::Event for Wrong {
    const NAME: &'static str = "bounce";
    type Direction = encke_client_wasm::contract::ToClient;
    type Ack = encke_client_wasm::contract::NoAck;
    type Error = encke_client_wasm::contract::Never;
}
