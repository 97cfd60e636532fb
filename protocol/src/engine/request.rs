//! The one table from a refused HTTP request to what the client sees (reference server, `Server.errors`).

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The query names no transport that the server has.
    TransportUnknown,
    /// No session has that id (any more).
    SessionUnknown,
    /// A session can only be opened by GET.
    BadHandshakeMethod,
    /// The request does not fit the session's state, or is malformed.
    BadRequest,
    /// The application refused.
    Forbidden,
    /// Pages of that origin may not ask. [`Self::Forbidden`] in words that say why; the reference server, too, puts an
    /// application's words there.
    OriginNotAllowed,
    /// The query asks for another version of the protocol (`EIO`) than is served.
    UnsupportedProtocolVersion,
}

impl RequestError {
    /// The number in the answer's JSON.
    pub const fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden | Self::OriginNotAllowed => 4,
            Self::UnsupportedProtocolVersion => 5,
        }
    }

    /// The words in the answer's JSON.
    pub const fn message(self) -> &'static str {
        match self {
            Self::TransportUnknown => "Transport unknown",
            Self::SessionUnknown => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden => "Forbidden",
            Self::OriginNotAllowed => "Origin not allowed",
            Self::UnsupportedProtocolVersion => "Unsupported protocol version",
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Forbidden | Self::OriginNotAllowed => 403,
            _ => 400,
        }
    }

    /// The answer's JSON.
    pub const fn body(self) -> &'static str {
        match self {
            Self::TransportUnknown => r#"{"code":0,"message":"Transport unknown"}"#,
            Self::SessionUnknown => r#"{"code":1,"message":"Session ID unknown"}"#,
            Self::BadHandshakeMethod => r#"{"code":2,"message":"Bad handshake method"}"#,
            Self::BadRequest => r#"{"code":3,"message":"Bad request"}"#,
            Self::Forbidden => r#"{"code":4,"message":"Forbidden"}"#,
            Self::OriginNotAllowed => r#"{"code":4,"message":"Origin not allowed"}"#,
            Self::UnsupportedProtocolVersion => r#"{"code":5,"message":"Unsupported protocol version"}"#,
        }
    }
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for RequestError {}
