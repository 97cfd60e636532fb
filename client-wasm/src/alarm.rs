//! The one timer of a client.

use crate::js::{self, Handler};
use encke_protocol::Timestamp;
use std::cell::Cell;
use wasm_bindgen::JsCast;

/// A timer that may ring early: most inputs move the deadline back a little, and setting a browser's timer anew for each
/// would cost more than one that rings for nothing now and then. Dropping it stops it.
///
/// Browsers' timers stand still while the machine sleeps, and the clock does not: a timer that should have rung by the clock is
/// not trusted, and [`Alarm::distrust`] is for the moments at which a sleep may have ended.
pub(crate) struct Alarm {
    ring: Handler,
    set: Cell<Option<Set>>,
}

#[derive(Clone, Copy)]
struct Set {
    id: i32,
    at: Timestamp,
}

impl Alarm {
    /// An alarm that calls `ring`, which has to [`Alarm::set`] it anew.
    pub(crate) fn new(ring: impl Fn() + 'static) -> Self {
        Self { ring: js::handler(move |_| ring()), set: Cell::new(None) }
    }

    /// It has rung, and is not set any more.
    pub(crate) fn rung(&self) {
        self.set.set(None);
    }

    /// The timer may have slept: the next [`Alarm::set`] sets it anew.
    pub(crate) fn distrust(&self) {
        self.stop();
    }

    /// Makes it ring at that time or before.
    pub(crate) fn set(&self, now: Timestamp, at: Option<Timestamp>) {
        let Some(at) = at else {
            return self.stop();
        };
        if self.set.get().is_some_and(|set| now < set.at && set.at <= at) {
            return;
        }
        self.stop();
        let delay = i32::try_from(at.since(now)).unwrap_or(i32::MAX);
        let id = js::set_timeout(self.ring.as_ref().unchecked_ref(), delay);
        self.set.set(Some(Set { id, at }));
    }

    fn stop(&self) {
        if let Some(set) = self.set.take() {
            js::clear_timeout(set.id);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use super::*;
    use std::rc::Rc;
    use wasm_bindgen_futures::JsFuture;
    use wasm_bindgen_test::wasm_bindgen_test;

    const NOW: Timestamp = Timestamp::from_millis(1_000);
    const HOUR: u64 = 3_600_000;

    /// An alarm, and a future that ends when it rings.
    fn alarm() -> (Rc<Alarm>, JsFuture<wasm_bindgen::JsValue>) {
        let mut alarm = None;
        let rung = js_sys::Promise::new(&mut |resolve, _| {
            alarm = Some(Rc::new(Alarm::new(move || {
                // The handler of a promise never fails.
                let _ = resolve.call0(&wasm_bindgen::JsValue::NULL);
            })));
        });
        (alarm.expect("a promise is made at once"), JsFuture::from(rung))
    }

    #[wasm_bindgen_test]
    async fn an_alarm_rings() {
        let (alarm, rung) = alarm();
        alarm.set(NOW, Some(NOW.after(1)));
        rung.await.expect("it rings");
    }

    #[wasm_bindgen_test]
    async fn an_alarm_that_is_set_to_an_earlier_time_rings_then() {
        let (alarm, rung) = alarm();
        alarm.set(NOW, Some(NOW.after(HOUR)));
        alarm.set(NOW, Some(NOW.after(1)));
        rung.await.expect("it rings");
    }

    #[wasm_bindgen_test]
    async fn an_alarm_that_slept_is_set_anew() {
        let (alarm, rung) = alarm();
        alarm.set(NOW, Some(NOW.after(HOUR)));
        let later = NOW.after(HOUR + 1);
        alarm.set(later, Some(later.after(1)));
        rung.await.expect("it rings");
    }

    #[wasm_bindgen_test]
    async fn an_alarm_that_may_have_slept_is_set_anew() {
        let (alarm, rung) = alarm();
        alarm.set(NOW, Some(NOW.after(HOUR)));
        alarm.distrust();
        let later = NOW.after(HOUR - 1);
        alarm.set(later, Some(NOW.after(HOUR)));
        rung.await.expect("it rings");
    }
}
