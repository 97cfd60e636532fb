//! `/plain`: the chat for browsers without scripts or WebAssembly. A form, and beside it a frame of messages that asks again
//! every few seconds, so half-typed text stays where it is.
//!
//! Owns its routes, and who may post: a form is taken that carries the secret of the browser's cookie, which other sites can
//! neither read nor have sent with a form of theirs (`SameSite=Lax`; `Strict` would make a new guest of everybody who comes by
//! a link); where the browser says that another site sent it, it is refused whatever it carries. That secret is also what
//! tells guests apart; it lives on with every look at the form. What pages look like is [`pages`]' business; what a message
//! is and how a guest is called, the chat's.

mod pages;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use encke_protocol::chat::{Refused, Say};
use encke_server::Namespace;
use encke_server::chat::{Chat, GuestRefused, Guests, now};
use encke_server::{fetch_site, is_own_origin};
use pages::{Form, Messages};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Bytes of a form. The longest message is a third of it as a browser writes it, so one that is somewhat too long is read and
/// given back to be shortened.
const MAX_FORM: usize = 64 * 1024;

const COOKIE: &str = "encke-plain";
/// Seconds for which a browser keeps the cookie after the last look at the form: guests keep their names over a night.
const COOKIE_MAX_AGE: u32 = 24 * 60 * 60;

const HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'self'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With none at all the Origin of a form would be null.
    (header::REFERRER_POLICY, "same-origin"),
];

#[derive(Clone)]
struct Plain {
    chat: Chat,
    guests: Guests,
}

/// Of the chat that is registered in that namespace.
pub(super) fn router(chat: Chat, namespace: Namespace) -> Router {
    Router::new()
        .route("/plain", get(write))
        .route("/plain/say", post(say).layer(DefaultBodyLimit::max(MAX_FORM)).get(async || to_the_form()))
        .route("/plain/messages", get(read))
        .route("/plain/style.css", get(style))
        .layer(from_fn(add_headers))
        .with_state(Plain { guests: chat.guests(namespace), chat })
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn style() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("plain/style.css"))
}

async fn read(State(Plain { chat, .. }): State<Plain>, RawQuery(query): RawQuery) -> Html<String> {
    let query = query.unwrap_or_default();
    let asked = |word| query.split('&').any(|part| part == word);
    let (history, people) = (chat.history(), chat.people());
    let (paused, alone) = (asked("paused"), asked("alone"));
    Html(Messages { history: &history, people: &people, now: now(), paused, alone }.page())
}

async fn write(State(plain): State<Plain>, headers: HeaderMap) -> Response {
    plain.form(&headers, StatusCode::OK, None, &plain.wish(&headers), "")
}

async fn say(
    State(plain): State<Plain>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if is_from_elsewhere(&headers) {
        return (StatusCode::FORBIDDEN, Html(pages::from_elsewhere())).into_response();
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let status = rejection.status();
            let words = if status == StatusCode::PAYLOAD_TOO_LARGE { NOT_KEPT } else { NOT_READ };
            return plain.form(&headers, status, Some(words), &plain.wish(&headers), "");
        }
    };
    let field = |wanted: &str| {
        let mut fields = form_urlencoded::parse(&body);
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let [token, key, name, text] = ["token", "key", "name", "text"].map(field);
    let refuse = |status, words| plain.form(&headers, status, Some(words), &name, &text);
    let Some(secret) = cookie(&headers).filter(|secret| *secret == token) else {
        return refuse(StatusCode::FORBIDDEN, NOT_OURS);
    };
    let say = Say { key: message_key(&key, &name, &text), text: text.clone() };
    match plain.guests.say(secret, &name, say) {
        Ok(_) => to_the_form(),
        Err(refused) => refuse(StatusCode::BAD_REQUEST, words(refused)),
    }
}

/// So that to load it anew sends nothing.
fn to_the_form() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/plain")]).into_response()
}

const TOO_LONG: &str = "The message is too long.";
const NOT_KEPT: &str = "The message was not sent: it is so long that it could not be kept here either.";
const NOT_READ: &str = "The message was not sent: it did not arrive whole. Please write it again.";
const NOT_OURS: &str = "This was not sent: the cookie that belongs to the form is missing or has changed. If you wrote this, \
    send it again; cookies have to be allowed for this page.";

const fn words(refused: GuestRefused) -> &'static str {
    match refused {
        GuestRefused::Name(Refused::TooLong) => "The name is too long.",
        GuestRefused::Name(_) => "What should people call you?",
        GuestRefused::Message(Refused::TooLong) => TOO_LONG,
        GuestRefused::Message(_) => "There is nothing in the message yet.",
    }
}

impl Plain {
    /// What the guest wants to be called, if it is known.
    fn wish(&self, headers: &HeaderMap) -> String {
        let guest = cookie(headers).and_then(|secret| self.guests.find(secret));
        guest.map(|guest| guest.wish).unwrap_or_default()
    }

    /// The page with its form, and the cookie that belongs to it: a new one for who has none, else the same for longer.
    fn form(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        problem: Option<&str>,
        name: &str,
        text: &str,
    ) -> Response {
        let (key, fresh) = (random(), random());
        let secret = cookie(headers).unwrap_or(&fresh);
        let guest = self.guests.find(secret);
        let known_as = guest.as_ref().map(|guest| guest.name.as_str());
        let page = Form { token: secret, key: &key, name, text, known_as, problem }.page();
        let mut response = (status, Html(page)).into_response();
        let cookie =
            format!("{COOKIE}={secret}; Path=/plain; Max-Age={COOKIE_MAX_AGE}; HttpOnly; SameSite=Lax");
        let cookie = HeaderValue::try_from(cookie).expect("digits fit into a header");
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }
}

/// The secret in the browser's cookie.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == COOKIE)?;
    is_random(secret).then_some(secret)
}

/// Whether the browser says that a page of another site has sent this. Old ones say nothing.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    if let Some(site) = fetch_site(headers) {
        return site != "same-origin";
    }
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    origin.is_some_and(|origin| !is_own_origin(origin, headers))
}

/// The same for a form that is sent twice, so that its message is taken once; another when something in it was changed.
fn message_key(form: &str, name: &str, text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (name, text).hash(&mut hasher);
    let form = if is_random(form) { form.to_owned() } else { random() };
    format!("{form}{:016x}", hasher.finish())
}

/// 128 bits nobody can guess, as 32 digits.
fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    format!("{:032x}", u128::from_ne_bytes(bytes))
}

/// Whether that could be what [`random`] has made.
fn is_random(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_form_of_another_site_is_known_by_what_the_browser_says() {
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://chat.example")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("origin", "http://chat.example")], false),
            (&[("origin", "https://Chat.example")], false),
            (&[("origin", "http://chat.example:81")], true),
            (&[("origin", "http://evil.example")], true),
            (&[("origin", "null")], true),
        ];
        for (pairs, elsewhere) in cases {
            let mut headers = headers(pairs);
            headers.insert(header::HOST, HeaderValue::from_static("chat.example"));
            assert_eq!(is_from_elsewhere(&headers), *elsewhere, "{pairs:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_as_it_was_made() {
        let secret = "0123456789abcdef0123456789abcdef";
        let found = |value| cookie(&headers(&[("cookie", value)])).map(str::to_owned);
        assert_eq!(found("a=b; encke-plain=0123456789abcdef0123456789abcdef; c=d").as_deref(), Some(secret));
        for value in
            ["", "encke-plain=", "encke-plain=0123", "x-encke-plain=0123456789abcdef0123456789abcdef"]
        {
            assert_eq!(found(value), None, "{value}");
        }
    }

    #[test]
    fn a_form_that_is_sent_twice_is_one_message_and_a_changed_one_another() {
        let form = random();
        let key = message_key(&form, "Ann", "hello");
        assert!(key.starts_with(&form) && key.len() <= encke_protocol::chat::MAX_KEY);
        assert_eq!(message_key(&form, "Ann", "hello"), key);
        assert_ne!(message_key(&form, "Ann", "hello!"), key);
        for unknown in ["", &"x".repeat(1_000)] {
            assert_ne!(message_key(unknown, "Ann", "hello"), message_key(unknown, "Ann", "hello"));
        }
    }
}
