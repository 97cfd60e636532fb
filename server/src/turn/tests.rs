use super::*;
use std::sync::Mutex;

/// Queues frames and notes what it could read at each flush.
#[derive(Default)]
struct Recipient {
    queue: Mutex<Vec<Frames>>,
    flushed: Mutex<Vec<Vec<u8>>>,
}

impl Recipient {
    fn push(self: &Arc<Self>, frames: Frames) {
        self.queue.lock().expect("no panic").push(frames);
        mark(self.clone());
    }

    fn flushed(&self) -> Vec<Vec<u8>> {
        self.flushed.lock().expect("no panic").clone()
    }
}

impl Flush for Recipient {
    fn flush(&self) {
        let mut queue = self.queue.lock().expect("no panic");
        let readable = queue.iter().take_while(|frames| frames.bytes().is_some()).count();
        let bytes = queue.drain(..readable).filter_map(|frames| frames.bytes().map(<[u8]>::to_vec));
        self.flushed.lock().expect("no panic").push(bytes.collect::<Vec<_>>().concat());
    }
}

fn frames(bytes: &[u8]) -> Frames {
    write(|out| out.extend_from_slice(bytes))
}

#[test]
fn a_recipient_is_flushed_when_the_outermost_turn_ends() {
    let recipient = Arc::new(Recipient::default());
    run(|| {
        run(|| recipient.push(frames(b"one ")));
        assert!(recipient.flushed().is_empty());
        recipient.queue.lock().expect("no panic").push(frames(b"two"));
    });
    assert_eq!(recipient.flushed(), [b"one two"]);
}

#[test]
fn a_panic_inside_a_turn_ends_it() {
    let recipient = Arc::new(Recipient::default());
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(|| {
            recipient.push(frames(b"before"));
            panic!("on purpose");
        })
    }));
    assert!(result.is_err());
    assert_eq!(recipient.flushed(), [b"before"]);
    run(|| recipient.push(frames(b"after")));
    assert_eq!(recipient.flushed(), [&b"before"[..], b"after"]);
}

#[test]
fn a_flush_stops_at_another_turn_that_is_open() {
    let recipient = Arc::new(Recipient::default());
    run(|| {
        recipient.push(frames(b"first "));
        std::thread::scope(|scope| {
            let other = scope.spawn(|| run(|| recipient.push(frames(b"second"))));
            other.join().expect("no panic");
        });
        assert_eq!(
            recipient.flushed().concat(),
            b"",
            "its turn ended, but older frames are not readable yet"
        );
    });
    assert_eq!(recipient.flushed().concat(), b"first second");
}

#[test]
fn a_large_turn_is_flushed_before_its_end() {
    let recipient = Arc::new(Recipient::default());
    run(|| {
        recipient.push(frames(&[b'x'; TURN_BYTES + 1]));
        relieve();
        assert_eq!(recipient.flushed().concat().len(), TURN_BYTES + 1);
        recipient.push(frames(b"tail"));
        relieve();
        assert_eq!(recipient.flushed().len(), 1);
    });
    assert_eq!(recipient.flushed().len(), 2);
}

#[test]
fn memory_is_used_again_when_nobody_keeps_a_range() {
    let address = || TURN.with_borrow(|turn| (turn.shared.as_ref().map(Arc::as_ptr), turn.bytes.as_ptr()));
    run(|| drop(frames(b"something")));
    let first = address();
    run(|| drop(frames(b"something")));
    assert_eq!(address(), first);
    run(|| give_back(frames(b"something")));
    assert_eq!(address(), first);
    let kept = run(|| frames(b"kept"));
    assert_ne!(address().0, first.0);
    assert_eq!(kept.bytes(), Some(&b"kept"[..]));
}

#[test]
fn frames_behind_those_that_are_given_back_are_their_own() {
    let recipient = Arc::new(Recipient::default());
    run(|| {
        let first = frames(b"one ");
        recipient.push(first.clone());
        give_back(first);
        recipient.push(frames(b"two"));
    });
    assert_eq!(recipient.flushed().first().map(Vec::as_slice), Some(&b"one two"[..]));
    let old = run(|| frames(b"old"));
    run(|| {
        give_back(old.clone());
        recipient.push(frames(b"new"));
    });
    assert_eq!(old.bytes(), Some(&b"old"[..]));
    assert_eq!(recipient.flushed().last().map(Vec::as_slice), Some(&b"new"[..]));
}
