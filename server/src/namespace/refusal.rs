//! How an application says no: words for people, and data for programs.

use serde::Serialize;
use serde_json::value::RawValue;

/// A client is not let into a namespace. It hears the words and the data, if there are any.
///
/// Words alone are a refusal too, and so is the error of an auth payload that is not what was expected, so `?` and
/// `.into()` do; implement `From` for an error of your own.
///
/// ```
/// # use encke_server::{Auth, Refusal, Socket};
/// #[derive(serde::Deserialize)]
/// struct Login {
///     user: String,
///     age: u32,
/// }
///
/// fn admit(_: &Socket, auth: Auth<'_>) -> Result<(), Refusal> {
///     let login: Login = auth.decode()?;
///     if login.user.is_empty() {
///         return Err("who are you?".into());
///     }
///     if login.age < 18 {
///         return Err(Refusal::new("too young").with_data(&18)?);
///     }
///     Ok(())
/// }
/// ```
///
/// ```
/// # use encke_server::Refusal;
/// # fn main() -> Result<(), serde_json::Error> {
/// let refusal = Refusal::new("too young").with_data(&[18, 21])?;
/// assert_eq!((refusal.message(), refusal.data()), ("too young", Some("[18,21]")));
/// assert_eq!(refusal.to_string(), "too young");
/// assert_eq!(Refusal::from("who are you?").data(), None);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Json>,
}

/// JSON text that is written as it is.
#[derive(Clone, Debug, Serialize)]
struct Json(Box<RawValue>);

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Json {}

impl Refusal {
    /// A refusal with words for people.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }

    /// Adds data for programs.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn with_data(mut self, data: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.data = Some(Json(serde_json::value::to_raw_value(data)?));
        Ok(self)
    }

    /// The words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The data, as JSON text.
    pub fn data(&self) -> Option<&str> {
        self.data.as_ref().map(|data| data.0.get())
    }
}

impl From<&str> for Refusal {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

/// The client is told what is wrong with what it sent.
impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
