//! Which names a family of namespaces has: a text with places for values, or a decision of the application's.

use super::{Auth, Handshake};
use encke_protocol::socket::check_namespace;
use std::pin::Pin;

/// Which namespaces are made when a client asks for them: [`ServerBuilder::namespaces`](crate::ServerBuilder::namespaces).
///
/// A text is a pattern as axum's routes have it: `{name}` stands for one segment that is not empty, `{*name}` at the end for
/// all that is left. [`Socket::param`](crate::Socket::param) has what stood there.
///
/// ```
/// # use encke_server::{Pattern, Server};
/// # let _ =
/// Server::builder()
///     .namespaces("/rooms/{room}", |on| {
///         on.on_connect(|socket| println!("{:?} has a visitor", socket.param("room")));
///     })
///     .namespaces(Pattern::when(|name, handshake, _auth| name == "/staff" && handshake.is_secure()), |on| {
///         on.on_connect(|_| println!("staff"));
///     });
/// ```
#[derive(Debug)]
pub struct Pattern(Kind);

enum Kind {
    Text(Box<str>),
    When(Decide),
}

type Decide = Box<dyn Fn(&str, &Handshake, Auth<'_>) -> Fit + Send + Sync>;

/// Whether a name is of the family.
pub(super) enum Fit {
    Reached(bool),
    Waits(Pin<Box<dyn Future<Output = bool> + Send>>),
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self(Kind::Text(text.into()))
    }
}

impl Pattern {
    /// Whatever name `decide` says yes to, for this client. Every client is asked about, also when the namespace is there.
    ///
    /// ```
    /// # use encke_server::{Pattern, Server};
    /// let numbered = Pattern::when(|name, _handshake, _auth| {
    ///     name.strip_prefix('/').is_some_and(|number| number.parse::<u32>().is_ok())
    /// });
    /// # let _ =
    /// Server::builder().namespaces(numbered, |on| {
    ///     on.on_connect(|socket| println!("a client of {}", socket.namespace_name()));
    /// });
    /// ```
    pub fn when<F>(decide: F) -> Self
    where
        F: Fn(&str, &Handshake, Auth<'_>) -> bool + Send + Sync + 'static,
    {
        Self(Kind::When(Box::new(move |name, handshake, auth| Fit::Reached(decide(name, handshake, auth)))))
    }

    /// As [`Self::when`], for a decision that has to wait for something.
    ///
    /// ```
    /// # use encke_server::{Pattern, Server};
    /// # async fn tenant_exists(_: &str) -> bool { true }
    /// let tenants = Pattern::when_async(|name, _handshake, _auth| async move { tenant_exists(&name).await });
    /// # let _ =
    /// Server::builder().namespaces(tenants, |on| {
    ///     on.on_connect(|socket| println!("a client of {}", socket.namespace_name()));
    /// });
    /// ```
    pub fn when_async<F, Fut>(decide: F) -> Self
    where
        F: Fn(String, Handshake, Auth<'static>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        Self(Kind::When(Box::new(move |name, handshake, auth| {
            Fit::Waits(Box::pin(decide(name.to_owned(), handshake.clone(), auth.into_owned())))
        })))
    }

    /// Whether its text, if it is one, means something.
    pub(crate) fn is_valid(&self) -> bool {
        let Kind::Text(text) = &self.0 else { return true };
        let mut names = Vec::new();
        let mut segments = text.split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            let name = match Place::of(segment) {
                Place::Fixed(text) if !text.contains(['{', '}']) => continue,
                Place::Value(name) => name,
                Place::Rest(name) if segments.peek().is_none() => name,
                Place::Fixed(_) | Place::Rest(_) => return false,
            };
            if name.is_empty() || name.contains(['{', '}', '*']) || names.contains(&name) {
                return false;
            }
            names.push(name);
        }
        check_namespace(text).is_ok()
    }

    pub(super) fn fit(&self, name: &str, handshake: &Handshake, auth: Auth<'_>) -> Fit {
        match &self.0 {
            Kind::Text(text) => Fit::Reached(fits(text, name)),
            Kind::When(decide) => decide(name, handshake, auth),
        }
    }

    /// Whether a name is of the family whoever asks for it.
    pub(super) fn fits_anybody(&self, name: &str) -> bool {
        matches!(&self.0, Kind::Text(text) if fits(text, name)) && check_namespace(name).is_ok()
    }

    /// What stands in `name`, which is of the family, at the place called `param`.
    pub(super) fn param<'a>(&self, name: &'a str, param: &str) -> Option<&'a str> {
        let Kind::Text(text) = &self.0 else { return None };
        let mut rest = name.strip_prefix('/')?;
        for segment in text.split('/').skip(1) {
            let (value, behind) = rest.split_once('/').unwrap_or((rest, ""));
            match Place::of(segment) {
                Place::Value(known) if known == param => return Some(value),
                Place::Rest(known) if known == param => return Some(rest),
                _ => rest = behind,
            }
        }
        None
    }
}

/// A segment of a text.
enum Place<'a> {
    Fixed(&'a str),
    Value(&'a str),
    Rest(&'a str),
}

impl<'a> Place<'a> {
    fn of(segment: &'a str) -> Self {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            None => Self::Fixed(segment),
            Some(name) => name.strip_prefix('*').map_or(Self::Value(name), Self::Rest),
        }
    }
}

fn fits(text: &str, name: &str) -> bool {
    let mut rest = Some(name);
    for segment in text.split('/') {
        let Some(left) = rest else { return false };
        let (value, behind) =
            left.split_once('/').map_or((left, None), |(value, behind)| (value, Some(behind)));
        match Place::of(segment) {
            Place::Fixed(wanted) if wanted != value => return false,
            Place::Value(_) if value.is_empty() => return false,
            Place::Rest(_) => return !left.is_empty(),
            Place::Fixed(_) | Place::Value(_) => rest = behind,
        }
    }
    rest.is_none()
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::When(_) => f.write_str("when"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_names_segment_by_segment() {
        for (text, name, fitting) in [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/", false),
            ("/", "/", true),
            ("/{x}", "/b", true),
            ("/{x}", "/", false),
            ("/{x}", "/b/c", false),
            ("/a/{x}/c", "/a/b/c", true),
            ("/a/{x}/c", "/a//c", false),
            ("/a/{x}/c", "/a/b/d", false),
            ("/a/{*x}", "/a/b/c/", true),
            ("/a/{*x}", "/a//", true),
            ("/a/{*x}", "/a/", false),
            ("/a/{*x}", "/a", false),
        ] {
            assert_eq!(fits(text, name), fitting, "{text} {name}");
        }
    }

    #[test]
    fn what_stands_in_a_name_is_found() {
        let pattern = Pattern::from("/a/{x}/{y}/{*z}");
        for (param, value) in
            [("x", Some("1")), ("y", Some("2ü")), ("z", Some("3/4")), ("a", None), ("", None)]
        {
            assert_eq!(pattern.param("/a/1/2ü/3/4", param), value);
        }
    }

    #[test]
    fn a_text_that_means_nothing_is_told() {
        for text in ["/", "/a/{b}", "/{a}/{*b}", "/a/", "//{a}"] {
            assert!(Pattern::from(text).is_valid(), "{text}");
        }
        for text in [
            "", "a", "{a}", "/a,b", "/{}", "/{*}", "/{a", "/a}", "/x{a}", "/{a}x", "/{*a}/b", "/{a}/{a}",
            "/{{a}}",
        ] {
            assert!(!Pattern::from(text).is_valid(), "{text}");
        }
    }
}
