//! Short connections to the server: whether it answers, whether it is the right one, whether it has the database.

use std::{path::Path, time::Duration};

use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls};

use crate::postgres::embedded::{
    error::Error,
    paths::{PORT, Place},
    settings::ROLE,
};

/// The bot's database; a new cluster has only PostgreSQL's own.
pub(super) const DATABASE: &str = "eventide";

/// The time limit of a connection.
const VISIT_DEADLINE: Duration = Duration::from_secs(5);

/// Whether the server accepts statements.
#[derive(Debug)]
pub(super) enum Answer {
    Ready,
    /// Not yet, or never; with the reason.
    NotYet(String),
}

/// How to connect to the server.
pub(super) fn config(socket_directory: &Path, database: &str) -> Config {
    let mut config = Config::new();
    config
        .host_path(socket_directory)
        .port(PORT)
        .user(ROLE)
        .dbname(database);
    config
}

/// Check whether the server answers.
pub(super) async fn ask(place: &Place) -> Answer {
    let visit = visit(place, async |client: &Client| {
        client.batch_execute("-- ask\nSELECT 1").await
    });
    match timeout(VISIT_DEADLINE, visit).await {
        Ok(Ok(())) => Answer::Ready,
        Ok(Err(error)) => Answer::NotYet(message(&error)),
        Err(_elapsed) => Answer::NotYet("no answer".to_owned()),
    }
}

/// Whether the server runs on this cluster and has this version.
pub(super) async fn is_server(place: &Place, version: &str) -> bool {
    let visit = visit(place, async |client: &Client| {
        let row = client
            .query_one(
                "-- is_server\nSELECT current_setting('data_directory'), current_setting('server_version')",
                &[],
            )
            .await?;
        Ok((row.try_get::<_, String>(0)?, row.try_get::<_, String>(1)?))
    });
    let Ok(Ok((directory, running))) = timeout(VISIT_DEADLINE, visit).await else {
        return false;
    };
    Path::new(&directory) == place.cluster && running == version
}

/// Check that the server on this socket runs on this cluster and has the bot's database. The error is the reason.
pub(super) async fn admits(socket_directory: &Path, cluster: &Path) -> Result<(), String> {
    let config = config(socket_directory, DATABASE);
    let visit = visit_by(config, async |client: &Client| {
        let find = "-- admits\nSELECT current_setting('data_directory')";
        client.query_one(find, &[]).await?.try_get::<_, String>(0)
    });
    match timeout(VISIT_DEADLINE, visit).await {
        Ok(Ok(directory)) if Path::new(&directory) == cluster => Ok(()),
        Ok(Ok(directory)) => Err(format!("its socket leads to the server of {directory}")),
        Ok(Err(error)) => Err(message(&error)),
        Err(_elapsed) => Err("no answer".to_owned()),
    }
}

/// Create the bot's database if it is missing.
pub(super) async fn ensure_database(place: &Place) -> Result<(), Error> {
    visit(place, async |client: &Client| {
        let find = "-- ensure_database\nSELECT FROM pg_database WHERE datname = $1";
        if client.query_opt(find, &[&DATABASE]).await?.is_none() {
            client
                .batch_execute(&format!("-- ensure_database\nCREATE DATABASE {DATABASE}"))
                .await?;
        }
        Ok(())
    })
    .await
    .map_err(Error::from)
}

/// Connect to PostgreSQL's own database, do `work`, and disconnect.
async fn visit<T>(
    place: &Place,
    work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
) -> Result<T, tokio_postgres::Error> {
    visit_by(config(&place.socket, "postgres"), work).await
}

async fn visit_by<T>(
    mut config: Config,
    work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
) -> Result<T, tokio_postgres::Error> {
    config.application_name("eventide visit");
    let (client, connection) = config.connect(NoTls).await?;
    let work = async move {
        let result = work(&client).await;
        // The connection ends when its client is dropped.
        drop(client);
        result
    };
    let (result, ended) = tokio::join!(work, connection);
    let value = result?;
    ended?;
    Ok(value)
}

/// The server's message, or else the error of the connection.
fn message(error: &tokio_postgres::Error) -> String {
    let said = error.as_db_error().map(|error| error.message().to_owned());
    said.or_else(|| std::error::Error::source(error).map(ToString::to_string))
        .unwrap_or_else(|| error.to_string())
}
