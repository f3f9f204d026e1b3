//! What REST answers with.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

/// An answer before its headers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
        }
    }

    /// 204.
    pub(crate) const fn empty() -> Self {
        Self {
            status: 204,
            body: None,
        }
    }

    /// An error in Discord's form.
    pub(crate) fn error(status: u16, code: u64, message: &str) -> Self {
        Self {
            status,
            body: Some(json!({"message": message, "code": code})),
        }
    }

    /// 404 for a thing of this name, with Discord's code for it.
    pub(crate) fn unknown(what: &str, code: u64) -> Self {
        Self::error(404, code, &format!("Unknown {what}"))
    }

    /// 400 for one field of the body.
    pub(crate) fn invalid(field: &str, code: &str, message: &str) -> Self {
        Self {
            status: 400,
            body: Some(json!({
                "message": "Invalid Form Body", "code": 50_035,
                "errors": {field: {"_errors": [{"code": code, "message": message}]}},
            })),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(body) = self.body {
            *response.body_mut() = Body::from(body.to_string());
            // Exactly this: discord.py parses a body as JSON only when the type has no parameters.
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response
    }
}
