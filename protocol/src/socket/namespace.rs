//! Names of namespaces.

use crate::cut;

/// The name cannot be a namespace's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamespaceError;

impl NamespaceError {
    /// The error in words.
    pub const fn as_str(self) -> &'static str {
        "a namespace begins with '/' and has no comma"
    }
}

impl std::fmt::Display for NamespaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for NamespaceError {}

/// Whether `name` can stand in a packet as a namespace.
///
/// # Errors
/// [`NamespaceError`] when it does not begin with `/` or has a comma, which would end it on the wire.
pub fn check_namespace(name: &str) -> Result<(), NamespaceError> {
    if name.starts_with('/') && cut(name, b',').1.is_none() { Ok(()) } else { Err(NamespaceError) }
}
