//! The task that transfers a connection's messages.

use std::{future::poll_fn, pin::pin, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Connection, tls::TlsStream};

/// A connection's future: it sends what the client requests, and ends with the client.
pub type Driver = BoxFuture<'static, Result<(), tokio_postgres::Error>>;

/// Receives the payload of each notification, in the order in which the server sends them.
pub(in crate::postgres) type OnNotification = Arc<dyn Fn(&str) + Send + Sync>;

/// Transfer the messages of `connection`, and pass the notifications to `on_notification`.
pub(super) fn driver<S, T>(
    mut connection: Connection<S, T>,
    on_notification: Option<OnNotification>,
) -> Driver
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsStream + Unpin + Send + 'static,
{
    let Some(on_notification) = on_notification else {
        return Box::pin(connection);
    };
    Box::pin(async move {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(notification) = message? {
                on_notification(notification.payload());
            }
        }
        Ok(())
    })
}

/// Wait for an answer on a connection that has no task of its own yet.
pub(super) async fn while_driving(
    mut driver: Driver,
    answer: impl Future<Output = Result<(), tokio_postgres::Error>>,
) -> Result<Driver, tokio_postgres::Error> {
    let mut answer = pin!(answer);
    tokio::select! {
        answered = &mut answer => answered?,
        ended = &mut driver => {
            ended?;
            // The end of a connection makes pending requests fail.
            answer.await?;
        }
    }
    Ok(driver)
}
