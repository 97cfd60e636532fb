//! Which web pages may use the server, and how a browser is told (Fetch standard, CORS protocol and
//! `Cross-Origin-Resource-Policy`). The table of what is judged by what stands at [`Origins`].
//!
//! Judged for every request, since a browser lets any page open a WebSocket, load a script and send a simple POST or a form
//! to anybody.

use super::answer::Refused;
use super::empty;
use crate::config::{Config, Origins};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use std::borrow::Cow;

/// Seconds for which a browser may remember a preflight's answer; browsers cap it at about two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
/// How the page that asks is related to the server, said by the browser (Fetch Metadata); over TLS and to localhost only.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Which pages a browser may hand an answer to that is not asked for by CORS, such as a script (Fetch standard).
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Bytes of an origin that are logged; a name has 253 at most.
const MAX_LOGGED: usize = 300;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// A script that any page could run, or a form that any page could send.
    Script,
    /// Anything else: no other page can read its answer unless it is told so.
    Plain,
}

/// What the answer says about the page that asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// No page of another host asked: there is nothing to say.
    Own,
    /// That page may read the answer.
    Allowed { origin: HeaderValue, credentials: bool },
    /// A page that did not say by CORS who it is may run the answer.
    Script,
}

/// A page that may not ask.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stranger {
    /// The `Origin` header, if there is one.
    origin: Option<HeaderValue>,
    /// What is known of it.
    name: String,
}

/// May the page that asks do so?
pub(super) fn judge(config: &Config, headers: &HeaderMap, asks: Asks) -> Result<Origin, Stranger> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return match asks {
            Asks::Plain => Ok(Origin::Own),
            Asks::Script => judge_script(config, headers),
        };
    };
    let text = String::from_utf8_lossy(origin.as_bytes());
    if is_listed(config, &text) {
        return Ok(Origin::Allowed { origin: origin.clone(), credentials: config.credentials });
    }
    // A form hides its page from everybody if the page is told to send no referrer.
    if is_own(&text, headers) || text == "null" && site(headers) == Some("same-origin") {
        return Ok(Origin::Own);
    }
    Err(Stranger { origin: Some(origin.clone()), name: text.into_owned() })
}

/// A script is asked for without an `Origin`.
fn judge_script(config: &Config, headers: &HeaderMap) -> Result<Origin, Stranger> {
    let (listed, own, name) = if let Some(referer) = headers.get(header::REFERER) {
        let origin = origin_of(String::from_utf8_lossy(referer.as_bytes()));
        (is_listed(config, &origin), is_own(&origin, headers), origin)
    } else if let Some(site) = site(headers) {
        (config.origins == Origins::Any, site == "same-origin", format!("another, {site}"))
    } else {
        // Without a page of another host that might ask, this is for the own ones alone.
        let served = config.serves_unidentified_jsonp();
        (served, served && config.origins == Origins::Own, "not known".to_owned())
    };
    match (own, listed) {
        (true, _) => Ok(Origin::Own),
        (false, true) => Ok(Origin::Script),
        (false, false) => Err(Stranger { origin: None, name }),
    }
}

/// The origin of the page whose address that is.
fn origin_of(address: Cow<'_, str>) -> String {
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..].find(['/', '?', '#']).map_or(address.len(), |at| authority + at);
    address[..end].to_owned()
}

fn site(headers: &HeaderMap) -> Option<&str> {
    headers.get(SEC_FETCH_SITE).map(|site| site.to_str().unwrap_or_default())
}

fn is_listed(config: &Config, origin: &str) -> bool {
    match &config.origins {
        Origins::Own => false,
        Origins::Listed(origins) => origins.iter().any(|listed| listed == origin),
        Origins::Any => true,
    }
}

/// Whether the page comes from the host that the request names. A browser sets both, and a page cannot.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let host = headers.get(header::HOST);
    authority
        .zip(host)
        .is_some_and(|(authority, host)| authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()))
}

/// The answer to a page that may not ask, which it may read to learn why. Its preflight passes, else it could not; what
/// comes behind is refused all the same.
pub(super) fn refuse(stranger: &Stranger, method: &Method) -> Response {
    let mut name = stranger.name.as_str();
    name = &name[..name.floor_char_boundary(MAX_LOGGED)];
    tracing::warn!(
        origin = ?name,
        "a page was refused since its origin is not allowed; ServerBuilder::origins (encke serve --allow-origin) allows it"
    );
    let mut response = if method == Method::OPTIONS { preflight() } else { Refused::Origin.into_response() };
    let origin = match &stranger.origin {
        Some(origin) => Origin::Allowed { origin: origin.clone(), credentials: false },
        None => Origin::Own,
    };
    origin.mark(response.headers_mut());
    response
}

/// The answer to a browser that asks before it sends a request.
pub(super) fn preflight() -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

impl Origin {
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        // Answers differ by it, whoever asks.
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        let policy = if self == Self::Own { "same-origin" } else { "cross-origin" };
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static(policy));
        let Self::Allowed { origin, credentials } = self else {
            const NOT_FOR_OTHERS: [HeaderName; 3] = [
                header::ACCESS_CONTROL_ALLOW_METHODS,
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                header::ACCESS_CONTROL_MAX_AGE,
            ];
            NOT_FOR_OTHERS.iter().for_each(|name| drop(headers.remove(name)));
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server answers that was asked with those headers.
    fn asked(
        config: &Config,
        asks: Asks,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Origin, String> {
        let mut map = HeaderMap::new();
        map.insert(header::HOST, HeaderValue::from_static("chat.example:8000"));
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        judge(config, &map, asks).map_err(|stranger| stranger.name)
    }

    fn with(origins: Origins) -> Config {
        Config { origins: origins.normalized(), ..Config::default() }
    }

    fn listed() -> Config {
        with(Origins::Listed(vec!["https://A.example/".to_owned()]))
    }

    fn plain(config: &Config, origin: &'static str) -> Result<Origin, String> {
        asked(config, Asks::Plain, &[("origin", origin)])
    }

    fn allowed(origin: &'static str) -> Result<Origin, String> {
        Ok(Origin::Allowed { origin: HeaderValue::from_static(origin), credentials: false })
    }

    #[test]
    fn what_is_no_browser_may_always_ask() {
        assert_eq!(asked(&with(Origins::Own), Asks::Plain, &[]), Ok(Origin::Own));
    }

    #[test]
    fn a_page_of_the_own_host_may_ask_and_no_other() {
        let config = with(Origins::Own);
        assert_eq!(plain(&config, "http://chat.example:8000"), Ok(Origin::Own));
        assert_eq!(plain(&config, "https://Chat.example:8000"), Ok(Origin::Own));
        for origin in
            ["http://chat.example", "http://evil.example", "http://chat.example:8000.evil", "null", ""]
        {
            assert_eq!(plain(&config, origin), Err(origin.to_owned()), "{origin}");
        }
    }

    #[test]
    fn a_listed_page_may_ask_and_is_named_in_the_answer() {
        let config = listed();
        assert_eq!(plain(&config, "https://a.example"), allowed("https://a.example"));
        assert_eq!(plain(&config, "https://b.example"), Err("https://b.example".to_owned()));
        assert_eq!(plain(&config, "http://a.example"), Err("http://a.example".to_owned()), "another scheme");
    }

    #[test]
    fn with_any_every_page_may_ask() {
        assert_eq!(plain(&with(Origins::Any), "null"), allowed("null"));
    }

    #[test]
    fn a_page_without_referrer_posts_a_form_to_its_own_host() {
        let config = with(Origins::Own);
        let form = |site| asked(&config, Asks::Script, &[("origin", "null"), ("sec-fetch-site", site)]);
        assert_eq!(form("same-origin"), Ok(Origin::Own));
        for site in ["same-site", "cross-site", "none", ""] {
            assert_eq!(form(site), Err("null".to_owned()), "{site}");
        }
        let lies = [("origin", "https://b.example"), ("sec-fetch-site", "same-origin")];
        assert!(asked(&config, Asks::Script, &lies).is_err(), "an origin that is told counts");
    }

    #[test]
    fn a_script_is_judged_by_the_page_that_its_referer_names() {
        let script = |config: &Config, referer| asked(config, Asks::Script, &[("referer", referer)]);
        assert_eq!(script(&with(Origins::Own), "http://chat.example:8000/room?a=b"), Ok(Origin::Own));
        assert_eq!(script(&listed(), "https://chat.example:8000"), Ok(Origin::Own));
        assert_eq!(script(&listed(), "https://a.example/"), Ok(Origin::Script));
        assert_eq!(script(&with(Origins::Any), "https://b.example/"), Ok(Origin::Script));
        for referer in [
            "https://b.example/https://a.example/",
            "https://b.example/?https://a.example",
            "https://a.example.evil/",
            "https://a.example@evil/",
            "https://evil#https://a.example",
            "a.example",
            "https://",
            "about:blank",
            "",
        ] {
            assert!(script(&listed(), referer).is_err(), "{referer}");
        }
        let both = [("referer", "https://b.example/"), ("sec-fetch-site", "same-origin")];
        assert_eq!(asked(&listed(), Asks::Script, &both), Err("https://b.example".to_owned()));
    }

    #[test]
    fn a_script_without_referer_is_judged_by_its_sites_relation() {
        let script = |config: &Config, site| asked(config, Asks::Script, &[("sec-fetch-site", site)]);
        for config in [with(Origins::Own), listed()] {
            assert_eq!(script(&config, "same-origin"), Ok(Origin::Own));
            for site in ["same-site", "cross-site", "none", "anything"] {
                assert!(script(&config, site).is_err(), "{site}");
            }
        }
        assert_eq!(script(&with(Origins::Any), "cross-site"), Ok(Origin::Script));
    }

    #[test]
    fn a_script_that_nothing_is_known_of_is_judged_by_the_option() {
        let credentials = Config { credentials: true, ..with(Origins::Any) };
        for (config, by_default) in
            [(with(Origins::Own), true), (with(Origins::Any), true), (listed(), false), (credentials, false)]
        {
            for (option, served) in [(None, by_default), (Some(true), true), (Some(false), false)] {
                let config = Config { unidentified_jsonp: option, ..config.clone() };
                let answer = asked(&config, Asks::Script, &[]).ok();
                // Whoever it is: if only own pages may ask, no other may run the answer.
                let origin = if config.origins == Origins::Own { Origin::Own } else { Origin::Script };
                assert_eq!(answer, served.then_some(origin), "{option:?} {:?}", config.origins);
            }
        }
    }
}
