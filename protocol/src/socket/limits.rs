//! What a peer may make this layer hold.

/// Bounds on a session, checked where packets are decoded.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Binary attachments of one packet. Each one is bounded by the transport's `maxPayload`.
    pub max_attachments: usize,
    /// Namespaces that one session may ask for, also one after the other.
    pub max_namespaces: usize,
    /// Bytes in the name of a namespace.
    pub max_namespace_len: usize,
    /// Milliseconds in which a session must have joined its first namespace.
    pub connect_timeout: u32,
}

impl Default for Limits {
    /// The reference's 10 attachments and 45 s; 64 namespaces with names of up to 256 bytes.
    fn default() -> Self {
        Self { max_attachments: 10, max_namespaces: 64, max_namespace_len: 256, connect_timeout: 45_000 }
    }
}
