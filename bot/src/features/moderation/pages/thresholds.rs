//! The thresholds that `/warning threshold` changes.

use futures_util::future::BoxFuture;

use crate::{
    features::moderation::{commands::warning::Warning, texts, threshold_settings},
    interactions::form_page::{Form, FormPage, ReadRows, Reading, Row, Rows},
    web::answer::Fault,
};

/// What happens when a member reaches a number of points.
pub(in crate::features::moderation) const THRESHOLDS: FormPage = FormPage {
    path: "/servers/{guild}/settings/thresholds",
    title: "warning-page-thresholds",
    forms: &[Form::new(&Warning, &["threshold", "add"])],
    rows: Some((
        Form::new(&Warning, &["threshold", "remove"]),
        thresholds as ReadRows,
    )),
    preview: None,
};

fn thresholds(of: Reading<'_>) -> BoxFuture<'_, Result<Rows, Fault>> {
    Box::pin(async move {
        let known = threshold_settings::list(&of.services.store, of.guild_id).await?;
        let rows = known.iter().map(|threshold| Row {
            text: texts::threshold(of.language, threshold),
            removal: Some(vec![("points", threshold.points.to_string())]),
        });
        Ok(Rows {
            notes: Vec::new(),
            rows: rows.collect(),
        })
    })
}
