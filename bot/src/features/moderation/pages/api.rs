//! Cases for programs.

use serde_json::{Value as Json, json};

use super::search::Search;
use crate::{
    features::moderation::{
        kind::Kind,
        rows::{
            case::{self, Case},
            case_note,
        },
    },
    interactions::{Services, page::Page},
    support::text::moment::rfc3339,
    web::{
        answer::{Answer, Fault},
        api::{self, Part},
        context::Context,
        route::Access,
    },
};

/// Cases in an answer.
const A_PAGE: u8 = 100;
/// Notes of a case.
const NOTES: i64 = 100;

/// The cases of a server.
#[derive(Debug)]
pub(crate) struct CasesApi;

/// A case with its notes.
#[derive(Debug)]
pub(crate) struct CaseApi;

impl Page for CasesApi {
    fn path(&self) -> &'static str {
        "/api/v1/servers/{guild}/cases"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = api::admit(context, Part::Cases).await?;
        let search = Search::of(context)?;
        let (filter, text) = (search.filter, search.text.as_deref());
        let (wanted, limit) = ((text, search.before), i64::from(A_PAGE) + 1);
        let mut cases = case::search(&services.store, guild_id, filter, wanted, limit).await?;
        let has_more = cases.len() > usize::from(A_PAGE);
        cases.truncate(usize::from(A_PAGE));
        let next = cases.last().filter(|_| has_more).map(|last| last.case_id);
        let cases: Vec<Json> = cases.iter().map(in_json).collect();
        Ok(Answer::json(&json!({"cases": cases, "before": next})))
    }
}

impl Page for CaseApi {
    fn path(&self) -> &'static str {
        "/api/v1/servers/{guild}/cases/{case}"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = api::admit(context, Part::Cases).await?;
        let number = context.param("case").and_then(|number| number.parse().ok());
        let key = (guild_id, number.ok_or(Fault::NotFound)?);
        let case = case::get(&services.store, key).await?.ok_or(Fault::NotFound)?;
        let (notes, _) = case_note::newest(&services.store, key, NOTES).await?;
        let notes = notes.iter().map(|note| {
            json!({
                "author_id": note.author_id.to_string(), "author_name": note.author_name, "note": note.note,
                "created_at": rfc3339(note.created_at),
            })
        });
        let mut shown = in_json(&case);
        shown["notes"] = notes.collect();
        Ok(Answer::json(&shown))
    }
}

/// A case. IDs are strings, since they have more digits than JavaScript's numbers.
fn in_json(case: &Case) -> Json {
    json!({
        "case_id": case.case_id, "kind": case.kind.map(Kind::word), "user_id": case.user_id.to_string(), "user_name": case.user_name,
        "moderator_id": case.moderator_id.to_string(), "moderator_name": case.moderator_name, "reason": case.reason,
        "created_at": rfc3339(case.created_at), "expires_at": case.expires_at.map(rfc3339), "ends_at": case.ends_at.map(rfc3339),
        "ended_at": case.ended_at.map(rfc3339), "removed_at": case.removed_at.map(rfc3339),
        "removed_by": case.removed_by.map(|id| id.to_string()), "removed_reason": case.removed_reason,
        "hidden": case.hidden_at.is_some(),
    })
}
