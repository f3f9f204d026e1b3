//! Forms: fields, and the token that ties a form to its session.
//!
//! The token has the number of the request that the form will make, and a digest of it with the session's secret. So a form of another
//! website is refused, and one that is sent twice is one request.

use twilight_model::id::{Id, marker::InteractionMarker};

use super::{random::is_same, session::Session};

/// The field with the token.
pub(crate) const TOKEN: &str = "token";

/// Fields of a query or of a form, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of an encoded text, as in `a=1&b=2`.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a field.
    pub(crate) fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let values = self.0.iter().filter(move |(field, _)| field == name);
        values.map(|(_, value)| value.as_str())
    }

    /// All fields with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A token for a form that makes the request with this number.
pub(super) fn token(session: &Session, request_id: Id<InteractionMarker>) -> String {
    format!("{request_id}.{}", proof(session, request_id))
}

/// The request that a token is for, if it is of this session.
pub(super) fn request_of(session: &Session, token: &str) -> Option<Id<InteractionMarker>> {
    let (id, given) = token.split_once('.')?;
    let request_id = id.parse().ok().filter(|id: &u64| i64::try_from(*id).is_ok())?;
    let request_id = Id::new_checked(request_id)?;
    is_same(given, &proof(session, request_id)).then_some(request_id)
}

fn proof(session: &Session, request_id: Id<InteractionMarker>) -> String {
    session.secret().derived_text(&format!("form {request_id}"))
}
