//! Which web pages may use the server, and how a browser is told (Fetch standard, CORS protocol and
//! `Cross-Origin-Resource-Policy`). The table of what is judged by what stands at [`Origins`].
//!
//! Judged for every request, since a browser lets any page open a WebSocket, load a script and send a simple POST or a form
//! to anybody.

use super::answer::{Refused, Reply, empty};
use super::asker::{self, fetch_site, is_own_origin};
use super::headers::Headers;
use super::stranger::Stranger;
use crate::config::{Config, Origins};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use encke_protocol::engine::RequestError;

/// Seconds for which a browser may remember a preflight's answer; browsers cap it at about two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
/// Which pages a browser may hand an answer to that is not asked for by CORS, such as a script (Fetch standard).
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// A script that any page could run, or a form that any page could send.
    Script,
    /// Anything else: no other page can read its answer unless it is told so, though it can have it asked for.
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

/// May the page that asks do so?
pub(super) fn judge(config: &Config, headers: Headers<'_>, asks: Asks) -> Result<Origin, Stranger> {
    let Some(origin) = asker::origin(headers) else {
        return match asks {
            Asks::Plain => judge_plain(config, headers),
            Asks::Script => judge_script(config, headers),
        };
    };
    if is_listed(config, &origin) {
        let header = headers.get(&header::ORIGIN).and_then(|origin| HeaderValue::from_bytes(origin).ok());
        return Ok(match header {
            Some(origin) => Origin::Allowed { origin, credentials: config.credentials },
            // A header is one.
            None => Origin::Own,
        });
    }
    // A form hides its page from everybody if the page is told to send no referrer.
    let hidden = origin == "null" && fetch_site(headers) == Some("same-origin");
    if hidden || is_own_origin(&origin, headers) {
        Ok(Origin::Own)
    } else {
        Err(Stranger::with_origin(&origin))
    }
}

/// No `Origin` comes from what is no browser, from pages of the own host, and from any page for an image or a link, which
/// would open sessions in the name of everybody who looks at it.
fn judge_plain(config: &Config, headers: Headers<'_>) -> Result<Origin, Stranger> {
    match fetch_site(headers) {
        Some(site @ "cross-site") if config.origins != Origins::Any => Err(Stranger::of_site(site)),
        _ => Ok(Origin::Own),
    }
}

/// A script is asked for without an `Origin`.
fn judge_script(config: &Config, headers: Headers<'_>) -> Result<Origin, Stranger> {
    let (listed, own, stranger) = if let Some(origin) = asker::referer(headers) {
        (is_listed(config, &origin), is_own_origin(&origin, headers), Stranger::with_origin(&origin))
    } else if let Some(site) = fetch_site(headers) {
        (config.origins == Origins::Any, site == "same-origin", Stranger::of_site(site))
    } else {
        // Without a page of another host that might ask, this is for the own ones alone.
        let served = config.serves_unidentified_jsonp();
        (served, served && config.origins == Origins::Own, Stranger::Unidentified)
    };
    match (own, listed) {
        (true, _) => Ok(Origin::Own),
        (false, true) => Ok(Origin::Script),
        (false, false) => Err(stranger),
    }
}

fn is_listed(config: &Config, origin: &str) -> bool {
    match &config.origins {
        Origins::Own => false,
        Origins::Listed(origins) => origins.iter().any(|listed| listed == origin),
        Origins::Any => true,
    }
}

/// The answer to a page that may not ask, which it may read to learn why. Its preflight passes, else it could not; what
/// comes behind is refused all the same.
pub(super) fn refuse(origin: Option<HeaderValue>, method: &Method) -> Reply {
    let refused = Refused::from(RequestError::OriginNotAllowed);
    let mut response = if method == Method::OPTIONS { preflight(None) } else { refused.into_reply() };
    let origin = origin.map_or(Origin::Own, |origin| Origin::Allowed { origin, credentials: false });
    origin.mark(response.headers_mut());
    response
}

/// The answer to a browser that asks before it sends a request, which may hold headers of those names.
pub(super) fn preflight(names: Option<HeaderValue>) -> Reply {
    let names = names.unwrap_or(HeaderValue::from_static("Content-Type"));
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    headers.insert(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

impl Origin {
    /// Names of the headers that its request would hold. A page on the list may send any: what is in them is the
    /// application's business.
    pub(super) fn names_allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let names = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        names.filter(|_| matches!(self, Self::Allowed { .. })).cloned()
    }

    pub(super) fn mark(self, headers: &mut HeaderMap) {
        // Answers differ by it, whoever asks.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
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
    ) -> Result<Origin, Stranger> {
        let mut map = HeaderMap::new();
        map.insert(header::HOST, HeaderValue::from_static("chat.example:8000"));
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        judge(config, Headers::Map(&map), asks)
    }

    fn with(origins: Origins) -> Config {
        Config { origins: origins.normalized(), ..Config::default() }
    }

    fn listed() -> Config {
        with(Origins::Listed(vec!["https://A.example/".to_owned()]))
    }

    fn plain(config: &Config, origin: &'static str) -> Result<Origin, Stranger> {
        asked(config, Asks::Plain, &[("origin", origin)])
    }

    fn allowed(origin: &'static str) -> Result<Origin, Stranger> {
        Ok(Origin::Allowed { origin: HeaderValue::from_static(origin), credentials: false })
    }

    fn refused(origin: &str) -> Result<Origin, Stranger> {
        Err(Stranger::with_origin(origin))
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
            assert_eq!(plain(&config, origin), refused(origin), "{origin}");
        }
    }

    #[test]
    fn a_listed_page_may_ask_and_is_named_in_the_answer() {
        let config = listed();
        assert_eq!(plain(&config, "https://a.example"), allowed("https://a.example"));
        assert_eq!(plain(&config, "https://b.example"), refused("https://b.example"));
        assert_eq!(plain(&config, "http://a.example"), refused("http://a.example"), "another scheme");
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
            assert_eq!(form(site), refused("null"), "{site}");
        }
        let lies = [("origin", "https://b.example"), ("sec-fetch-site", "same-origin")];
        assert!(asked(&config, Asks::Script, &lies).is_err(), "an origin that is told counts");
    }

    #[test]
    fn no_page_of_another_site_has_anything_asked_for_unless_all_may() {
        let image = |config: &Config, site| asked(config, Asks::Plain, &[("sec-fetch-site", site)]);
        for config in [with(Origins::Own), listed()] {
            assert_eq!(image(&config, "cross-site"), Err(Stranger::of_site("cross-site")));
            for site in ["same-origin", "same-site", "none"] {
                assert_eq!(image(&config, site), Ok(Origin::Own), "{site}");
            }
        }
        assert_eq!(image(&with(Origins::Any), "cross-site"), Ok(Origin::Own), "asked for, not run");
        let listed_page = [("origin", "https://a.example"), ("sec-fetch-site", "cross-site")];
        assert_eq!(asked(&listed(), Asks::Plain, &listed_page), allowed("https://a.example"));
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
        assert_eq!(asked(&listed(), Asks::Script, &both), refused("https://b.example"));
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
