//! The built page as static files, with the headers that keep it safe and quick.
//!
//! Names in `assets/` carry a hash of their content, so they may be cached for ever; `index.html` is asked for anew. That one
//! may be edited where it is deployed: it is read once at the start and served as it was read, compressed anew, since its
//! compressed copies are of the one that was built; and what may be reached from it is told by the same bytes.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, Response};
use axum::routing::get;
use std::path::Path;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;

pub(super) const INDEX: &str = "index.html";

const HEADERS: [(HeaderName, &str); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Of its scripts and forms the server must be able to tell whose they are.
    (header::REFERRER_POLICY, "strict-origin"),
];

/// Of the page in that directory.
///
/// # Errors
/// Its `index.html` cannot be read, or is not text.
pub(super) fn router(web: &Path) -> std::io::Result<Router> {
    let index = std::fs::read_to_string(web.join(INDEX))?;
    let policy = policy(server_of(&index));
    let index = Bytes::from(index);
    let index = get(move || std::future::ready(Html(index.clone()))).layer(CompressionLayer::new());
    let files = ServeDir::new(web).precompressed_br().precompressed_gzip();
    let routes = Router::new().route("/", index.clone()).route(&format!("/{INDEX}"), index);
    Ok(routes.fallback_service(files).layer(from_fn_with_state(policy, add_headers)))
}

async fn add_headers(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let hashed = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let status = response.status();
    let forever = hashed && (status.is_success() || status == StatusCode::NOT_MODIFIED);
    let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The authority of another server that the page is made for, with and without TLS: what stands behind the scheme in
/// `<html data-server="https://chat.example">`, with quotes of either kind.
fn server_of(index: &str) -> Option<(bool, &str)> {
    let (_, html) = index.split_once("<html")?;
    let (tag, _) = html.split_once('>')?;
    let (_, value) = tag.split_once("data-server=")?;
    let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''))?;
    let (server, _) = value[1..].split_once(quote)?;
    let (secure, authority) = match server.strip_prefix("https://") {
        Some(authority) => (true, authority),
        None => (false, server.strip_prefix("http://")?),
    };
    let authority = authority.trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    (!authority.is_empty() && authority.bytes().all(plain)).then_some((secure, authority))
}

/// Nothing but the page's own files, and connections to its server: 'self' covers WebSockets to this one. Scripts, frames and
/// forms are for JSONP. 'wasm-unsafe-eval' is what compiling WebAssembly is called.
fn policy(server: Option<(bool, &str)>) -> HeaderValue {
    let (http, websocket) = match server {
        None => (String::new(), String::new()),
        Some((true, authority)) => (format!(" https://{authority}"), format!(" wss://{authority}")),
        Some((false, authority)) => (format!(" http://{authority}"), format!(" ws://{authority}")),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{http}; style-src 'self'; \
         connect-src 'self'{http}{websocket}; frame-src 'self'{http}; img-src 'self' data:; base-uri 'none'; \
         form-action 'self'{http}; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("an authority of plain characters fits into a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_that_the_page_names_is_found() {
        let server = |value: &str| {
            let index = format!("<!doctype html><html lang=\"en\" data-server=\"{value}\"><p>");
            server_of(&index).map(|(secure, authority)| (secure, authority.to_owned()))
        };
        assert_eq!(server("https://chat.example"), Some((true, "chat.example".to_owned())));
        assert_eq!(server("http://[::1]:8000/"), Some((false, "[::1]:8000".to_owned())));
        assert_eq!(
            server_of("<html data-server='https://chat.example' lang=en>"),
            Some((true, "chat.example"))
        );
        assert_eq!(server_of("<html data-server=https://chat.example>"), None, "without quotes");
        for value in ["", "chat.example", "https://", "https://a;script-src *", "https://a b", "ftp://a"] {
            assert_eq!(server(value), None, "{value}");
        }
        assert_eq!(server_of("<html><p data-server=\"https://chat.example\">"), None);
    }

    #[test]
    fn the_policy_lets_the_page_reach_its_server_and_nobody_else() {
        let policy = |server| policy(server).to_str().expect("text").to_owned();
        assert!(policy(None).contains("connect-src 'self';"));
        let other = policy(Some((true, "chat.example")));
        for part in [
            "script-src 'self' 'wasm-unsafe-eval' https://chat.example;",
            "connect-src 'self' https://chat.example wss://chat.example;",
            "frame-src 'self' https://chat.example;",
            "form-action 'self' https://chat.example;",
        ] {
            assert!(other.contains(part), "{other}");
        }
    }
}
