//! Files that users have uploaded, from Discord's CDN: by their path alone, with a limit of size.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{Request, StatusCode, Uri};
use tokio::{sync::Semaphore, time::timeout};

use crate::support::https::{HttpsClient, client};

/// The time limit for a file.
const PATIENCE: Duration = Duration::from_secs(10);
/// Files that are read at the same time, so that they take little memory.
const AT_ONCE: usize = 2;

/// Where files of users are: their hosts, and the beginnings of their paths.
const HOSTS: [&str; 2] = ["https://cdn.discordapp.com", "https://media.discordapp.net"];
const FOLDERS: [&str; 2] = ["/attachments/", "/ephemeral-attachments/"];

/// Why there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFile {
    /// Discord has no such file, or its link has expired.
    Gone,
    TooLarge,
    /// It can be there later.
    Later,
}

/// Reads files.
pub(super) struct Files {
    client: HttpsClient,
    base: String,
    places: Semaphore,
}

impl fmt::Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Files")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// The path of a file with its query, if the address is one of Discord's.
pub(crate) fn path_of(address: &str) -> Option<&str> {
    let path = HOSTS.iter().find_map(|host| address.strip_prefix(host))?;
    FOLDERS
        .iter()
        .any(|folder| path.starts_with(folder))
        .then_some(path)
}

/// The address of the file with this path.
pub(crate) fn address_of(path: &str) -> String {
    let [host, ..] = HOSTS;
    format!("{host}{path}")
}

impl Files {
    /// Use the CDN at `base`, `scheme://host[:port]`.
    pub(super) fn new(base: &str) -> Self {
        Self {
            client: client(PATIENCE),
            base: base.to_owned(),
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// The file with this path.
    pub(super) async fn read(&self, path: &str, largest: usize) -> Result<Bytes, NoFile> {
        let Ok(_place) = self.places.acquire().await else {
            return Err(NoFile::Later);
        };
        let read = timeout(PATIENCE, self.download(path, largest)).await;
        read.unwrap_or(Err(NoFile::Later))
    }

    async fn download(&self, path: &str, largest: usize) -> Result<Bytes, NoFile> {
        let address: Uri = format!("{}{path}", self.base)
            .parse()
            .map_err(|_error| NoFile::Gone)?;
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = address;
        // Redirects are not followed: they could lead anywhere.
        let response = self
            .client
            .request(request)
            .await
            .map_err(|_error| NoFile::Later)?;
        match response.status() {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(NoFile::Later);
            }
            _ => return Err(NoFile::Gone),
        }
        let body = Limited::new(response.into_body(), largest).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                NoFile::TooLarge
            } else {
                NoFile::Later
            }
        })?;
        Ok(body.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn only_files_of_discord_have_a_path() {
        let file = "https://cdn.discordapp.com/ephemeral-attachments/1/2/a.png?ex=1";
        assert_eq!(path_of(file), Some("/ephemeral-attachments/1/2/a.png?ex=1"));
        for other in [
            "https://cdn.discordapp.com/avatars/1/2.png",
            "https://cdn.discordapp.com.example.org/attachments/1/2/a.png",
            "https://cdn.discordapp.com@example.org/attachments/1/2/a.png",
            "http://127.0.0.1/attachments/1/2/a.png",
        ] {
            assert_eq!(path_of(other), None, "{other}");
        }
    }
}
