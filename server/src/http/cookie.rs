//! The cookie that names a client's session, for load balancers that send all requests of a client to one server by it.

use axum::http::HeaderValue;
use std::fmt::Write;
use std::time::Duration;

/// When a browser sends a cookie along with a request that a page of another site makes (RFC 6265bis).
///
/// ```
/// # use encke_server::{Cookie, SameSite};
/// let everywhere = Cookie::new("io").same_site(SameSite::None).secure(true);
/// assert_ne!(everywhere, Cookie::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// When a person follows a link.
    Lax,
    /// Never.
    Strict,
    /// Always; browsers want [`Cookie::secure`] with it.
    None,
}

/// The cookie that the answer to a polling handshake sets: its value is the session's id. As in Socket.IO, a WebSocket sets none,
/// since no further request comes that could be balanced by it. Nothing of the server reads it.
///
/// ```
/// use encke_server::{Cookie, SameSite, Server};
///
/// let server = Server::builder().cookie(Cookie::new("affinity").same_site(SameSite::Strict).secure(true)).build();
/// # let _ = server;
/// ```
///
/// ```
/// # use encke_server::Cookie;
/// # use std::time::Duration;
/// let cookie = Cookie::new("affinity")
///     .path(Some("/chat"))
///     .domain("example.org")
///     .max_age(Duration::from_secs(3600))
///     .http_only(false);
/// assert_ne!(cookie, Cookie::new("affinity"));
/// assert_eq!(Cookie::new("io"), Cookie::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: String,
    path: Option<String>,
    domain: Option<String>,
    max_age: Option<Duration>,
    http_only: bool,
    same_site: SameSite,
    secure: bool,
}

impl Default for Cookie {
    /// `io`, for all paths, not for scripts, `SameSite=Lax`, until the browser is closed: as in Socket.IO.
    fn default() -> Self {
        Self {
            name: "io".to_owned(),
            path: Some("/".to_owned()),
            domain: None,
            max_age: None,
            http_only: true,
            same_site: SameSite::Lax,
            secure: false,
        }
    }
}

impl Cookie {
    /// As [`Cookie::default`], by another name.
    ///
    /// # Panics
    /// When the name is empty or has a character that no cookie's name may have.
    pub fn new(name: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!(!name.is_empty() && name.bytes().all(plain), "a cookie cannot be called {name:?}");
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// For which paths it is sent; none: for those beside the server's.
    ///
    /// # Panics
    /// When it holds a `;`, or what is no ASCII text.
    pub fn path(mut self, path: Option<&str>) -> Self {
        self.path = path.map(checked);
        self
    }

    /// For which domain and its subdomains it is sent; unless set, for the server's host alone.
    ///
    /// # Panics
    /// When it holds a `;`, or what is no ASCII text.
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(checked(domain));
        self
    }

    /// How long it is kept, in whole seconds.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Whether it is hidden from scripts.
    pub fn http_only(mut self, hidden: bool) -> Self {
        self.http_only = hidden;
        self
    }

    /// Whether it comes along from pages of other sites.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Whether it is sent over TLS alone.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// What sets it to that session.
    pub(super) fn header(&self, sid: &str) -> HeaderValue {
        let mut text = format!("{}={sid}", self.name);
        for (name, value) in [("Domain", &self.domain), ("Path", &self.path)] {
            if let Some(value) = value {
                // A string takes everything.
                let _ = write!(text, "; {name}={value}");
            }
        }
        if let Some(age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", age.as_secs());
        }
        text.push_str(if self.http_only { "; HttpOnly" } else { "" });
        text.push_str(if self.secure { "; Secure" } else { "" });
        text.push_str(match self.same_site {
            SameSite::Lax => "; SameSite=Lax",
            SameSite::Strict => "; SameSite=Strict",
            SameSite::None => "; SameSite=None",
        });
        HeaderValue::try_from(text).expect("names, values and session ids are ASCII text")
    }
}

fn checked(value: &str) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b';';
    assert!(value.bytes().all(plain), "a cookie cannot say {value:?}");
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_says_what_was_set() {
        assert_eq!(Cookie::default().header(".0.A"), "io=.0.A; Path=/; HttpOnly; SameSite=Lax");
        let cookie = Cookie::new("a").path(None).domain("example.org").max_age(Duration::from_secs(60));
        let cookie = cookie.http_only(false).secure(true).same_site(SameSite::None);
        assert_eq!(cookie.header("x"), "a=x; Domain=example.org; Max-Age=60; Secure; SameSite=None");
        assert!(
            Cookie::default().path(Some("/chat")).header("x").to_str().expect("text").contains("Path=/chat;")
        );
    }

    #[test]
    #[should_panic = "a cookie cannot say"]
    fn a_value_cannot_hold_another_attribute() {
        let _ = Cookie::default().domain("a; Secure");
    }
}
