//! What a client has found out about transports, kept for the next page of the same tab, so that a reload does not begin anew.
//!
//! Owns one entry of the session's storage for each server, by the wall clock. Where the browser denies storage, or in a
//! worker, nothing is kept.

use crate::driver::Core;
use crate::js;
use encke_protocol::client::{Config, PassedOver, Transport, Why};
use encke_protocol::json;
use encke_protocol::{Timestamp, cut};
use web_sys::Storage;

const TRANSPORTS: [Transport; 3] = [Transport::WebSocket, Transport::Polling, Transport::Jsonp];
const REASONS: [Why; 3] = [Why::NotOpened, Why::Silent, Why::Cut];

/// The name of that entry: `encke `, origin and path. It holds a word for each transport that is passed over: the digits of
/// transport and reason, and until when, in milliseconds since 1970.
pub(crate) struct Memory(String);

impl Memory {
    pub(crate) fn new(config: &Config) -> Self {
        let mut name = String::from("encke ");
        name.push_str(&config.origin);
        name.push_str(&config.path);
        Self(name)
    }

    /// Tells the core what is known.
    pub(crate) fn recall(&self, core: &mut Core, now: Timestamp) {
        let text = storage().and_then(|storage| storage.get_item(&self.0).ok()?).unwrap_or_default();
        let mut rest = Some(text.as_str());
        while let Some(words) = rest {
            let (word, behind) = cut(words, b' ');
            rest = behind;
            if let [transport, why, ..] = word.as_bytes()
                && let Some(transport) = TRANSPORTS.get(usize::from(transport.wrapping_sub(b'0')))
                && let Some(why) = REASONS.get(usize::from(why.wrapping_sub(b'0')))
            {
                let until = word.get(2..).and_then(json::unsigned).unwrap_or_default();
                let passed_over = PassedOver { transport: *transport, why: *why };
                core.pass_over(now, passed_over, until.saturating_sub(wall_clock()));
            }
        }
    }

    /// Keeps that and nothing else.
    pub(crate) fn keep(&self, passed_over: &[(PassedOver, u64)]) {
        let Some(storage) = storage() else {
            return;
        };
        let mut text = String::new();
        for (PassedOver { transport, why }, left) in passed_over {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push(char::from(b'0' + *transport as u8));
            text.push(char::from(b'0' + *why as u8));
            json::write_number(wall_clock() + left, &mut text);
        }
        // Full, or denied meanwhile: see above.
        let _ = storage.set_item(&self.0, &text);
    }
}

fn storage() -> Option<Storage> {
    js::window()?.session_storage().ok()?
}

/// Milliseconds since 1970.
fn wall_clock() -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time after 1970")]
    let now = js_sys::Date::now() as u64;
    now
}
