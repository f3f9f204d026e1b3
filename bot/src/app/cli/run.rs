//! `eventide run`: runs the bot until it is stopped.

use super::{CliError, descriptors};
use crate::{
    app::{bot::Bot, ops_http},
    config::{Config, Problems},
    postgres::database::Database,
    support::shutdown::StopSignals,
    telemetry::{logging, metrics, traces},
};

/// Run the bot.
///
/// # Errors
///
/// An error that prevented the start, ended the bot, or prevented a complete drain.
pub async fn run(config: &Config) -> Result<(), CliError> {
    let token = config.require_token().map_err(Problems::from)?;
    let (sending, spans) = traces::start(&config.traces)?;
    logging::install_with(&config.log, spans);
    descriptors::reserve(config);
    let mut signals = StopSignals::listen()?;
    let http = ops_http::listen(config.http.listen)
        .await?
        .serve(metrics::install()?);
    metrics::say_what_runs(&config.database.schema);
    tracing::info!(http.address = %http.address, "serving /metrics, /livez and /readyz");

    let mut database = None;
    let result = tokio::select! {
        biased;
        signal = signals.next() => {
            tracing::info!(signal, "stopped during startup");
            Ok(None)
        }
        started = async {
            let opened = database.insert(Database::open(&config.database).await?);
            if config.database.migrate_on_start {
                opened.migrate().await?;
            } else {
                opened.expect_migrated().await?;
            }
            Ok(Bot::start(config, token, opened.store(&config.database).map_err(crate::app::bot::StartError::from)?, http).await?)
        } => started.map(Some),
    };
    let watch = database.as_mut().map(Database::watch);
    let result = match result {
        Ok(Some(bot)) => until_stopped(bot, config, &mut signals).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Some(mut database) = database {
        if let Some(watch) = watch {
            database.unwatch(watch).await;
        }
        database.close().await?;
    }
    sending.end().await;
    result
}

async fn until_stopped(mut bot: Bot, config: &Config, signals: &mut StopSignals) -> Result<(), CliError> {
    let failed = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "draining; a second signal stops immediately");
            None
        }
        error = bot.failed() => Some(error),
    };
    let drained = tokio::select! {
        drained = bot.drain(config.process.shutdown_timeout) => drained,
        _ = signals.next() => return Err(CliError::Forced),
    };
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(drained?),
    }
}
