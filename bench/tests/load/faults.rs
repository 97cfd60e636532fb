//! What a server does wrong is said, and never a figure that looks right.

use crate::{load, report, serve};
use encke_server::Ack;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const FANOUT: [&str; 9] = ["fanout", "--n", "3", "--rate", "50", "--secs", "0.3", "--warmup", "0"];

/// The faults of a fan-out.
fn faults(address: SocketAddr, arguments: &[&str]) -> String {
    let report = report(address, arguments);
    assert_eq!(report["sound"], false, "{report}");
    report["faults"].to_string()
}

#[test]
fn messages_that_come_twice_are_a_fault_and_so_is_the_exit_status() {
    let served = serve(|on| {
        on.on_named("chat", |socket, args, _ack| {
            socket.broadcast().emit_named("chat", &args);
            socket.broadcast().emit_named("chat", &args);
        });
    });
    let faults = faults(served.address, &FANOUT);
    assert!(faults.contains("lost") && faults.contains("out of order"), "{faults}");
    let output = load(served.address, &FANOUT);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("FAULT: "));
}

#[test]
fn messages_that_are_swapped_are_out_of_order() {
    let held = Mutex::new(None::<String>);
    let served = serve(move |on| {
        on.on_named("chat", move |socket, args, _ack| {
            let (text,): (String,) = args.decode().expect("it is a text");
            let mut held = held.lock().expect("nobody panics");
            match held.take() {
                None => *held = Some(text),
                Some(before) => {
                    socket.broadcast().emit_named("chat", &(text,));
                    socket.broadcast().emit_named("chat", &(before,));
                }
            }
        });
    });
    let faults = faults(served.address, &FANOUT);
    assert!(faults.contains("out of order"), "{faults}");
}

#[test]
fn messages_that_do_not_come_are_lost() {
    let served = serve(|on| {
        on.on_named("chat", |_socket, _args, _ack| {});
    });
    let report = report(served.address, &FANOUT);
    let faults = report["faults"].to_string();
    assert!(faults.contains("lost") && !faults.contains("out of order"), "{faults}");
    assert!(report["bytes_read_per_op"].is_null(), "nothing costs nothing: {report}");
}

#[test]
fn who_waits_in_vain_for_a_window_has_no_rate() {
    let count = AtomicU32::new(0);
    let served = serve(move |on| {
        on.on_named("chat", move |socket, args, _ack| {
            if count.fetch_add(1, Ordering::Relaxed) != 9 {
                socket.broadcast().emit_named("chat", &args);
            }
        });
    });
    let saturated = ["fanout", "--n", "3", "--saturate", "--secs", "1.5", "--warmup", "0"];
    let report = report(served.address, &saturated);
    assert!(report["faults"].to_string().contains("stalls"), "{report}");
    assert!(report["deliveries_per_s"].is_null(), "{report}");
}

#[test]
fn acks_that_are_swapped_are_out_of_order() {
    let held = Mutex::new(None::<(String, Ack)>);
    let served = serve(move |on| {
        on.on_named("echo", move |_socket, args, ack| {
            let (text,): (String,) = args.decode().expect("it is a text");
            let mut held = held.lock().expect("nobody panics");
            match held.take() {
                None => *held = Some((text, ack)),
                Some((before, first)) => {
                    ack.send(&(text,)).expect("it is sent");
                    first.send(&(before,)).expect("it is sent");
                }
            }
        });
    });
    let echo = ["echo", "--n", "1", "--inflight", "2", "--secs", "0.3", "--warmup", "0"];
    let faults = faults(served.address, &echo);
    assert!(faults.contains("out of order"), "{faults}");
}

#[test]
fn what_comes_back_changed_is_shown() {
    let served = serve(|on| {
        on.on_named("chat", |socket, _args, _ack| {
            socket.broadcast().emit_named("chat", &("hello",));
        });
        on.on_named("echo", |_socket, _args, ack| ack.send(&("hello",)).expect("it is sent"));
    });
    assert!(faults(served.address, &FANOUT).contains(r#"[\"chat\",\"hello\"]"#));
    let echo = ["echo", "--n", "1", "--secs", "0.1", "--warmup", "0"];
    assert!(faults(served.address, &echo).contains("got an ack of 9 bytes"));
}

#[test]
fn clients_that_are_sent_away_are_dropped() {
    let served = serve(|on| {
        on.on_named("chat", |socket, _args, _ack| {
            socket.broadcast().disconnect();
        });
    });
    let faults = faults(served.address, &FANOUT);
    assert!(faults.contains("2 dropped clients"), "{faults}");
}

#[test]
fn what_is_no_server_cannot_be_measured_and_says_why() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("somebody connects");
            let _ = stream.read(&mut [0; 1_024]);
            let _ = stream.write_all(b"SSH-2.0-x\r\n\r\n");
        }
    });
    let stderr = cannot_be_measured(address);
    assert!(
        stderr.contains("0 of 3 clients are connected: ") && stderr.contains("is not HTTP/1"),
        "{stderr}"
    );
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let stderr = cannot_be_measured(listener.local_addr().expect("it listens"));
    assert!(stderr.contains("3 clients are still connecting"), "{stderr}");
}

/// What is said where there is no report.
fn cannot_be_measured(address: SocketAddr) -> String {
    let output = load(address, &[&FANOUT[..], &["--json"]].concat());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
