//! Files for browsers, which are part of the binary. Their names have a digest, so browsers keep them for good.

use std::{fmt::Write as _, sync::LazyLock};

use sha2::{Digest as _, Sha256};

use super::answer::Answer;

/// A file.
struct Asset {
    path: String,
    content_type: &'static str,
    content: &'static [u8],
}

impl Asset {
    fn new(name: &str, extension: &str, content_type: &'static str, content: &'static [u8]) -> Self {
        let mut digest = String::new();
        for byte in &Sha256::digest(content)[..8] {
            write!(digest, "{byte:02x}").expect("a string takes everything");
        }
        Self {
            path: format!("/assets/{name}.{digest}.{extension}"),
            content_type,
            content,
        }
    }
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_bytes!("assets/style.css");
    Asset::new("style", "css", "text/css; charset=utf-8", content)
});
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_bytes!("assets/script.js");
    Asset::new("script", "js", "text/javascript; charset=utf-8", content)
});

/// The path of the style sheet.
pub(super) fn style() -> &'static str {
    &STYLE.path
}

/// The path of the script.
pub(super) fn script() -> &'static str {
    &SCRIPT.path
}

/// The path of the icon.
pub(super) fn icon() -> &'static str {
    &ICON.path
}

/// The file with this path.
pub(super) fn find(path: &str) -> Option<Answer> {
    if path == "/robots.txt" {
        let text: &[u8] = b"User-agent: *\nDisallow: /\n";
        return Some(Answer::bytes("text/plain; charset=utf-8", text).cached("public, max-age=3600"));
    }
    let asset = [&*STYLE, &*ICON, &*SCRIPT]
        .into_iter()
        .find(|asset| asset.path == path)?;
    let answer = Answer::bytes(asset.content_type, asset.content);
    Some(answer.cached("public, max-age=31536000, immutable"))
}

#[cfg(test)]
mod tests {
    use super::{find, icon, script, style};

    #[test]
    fn only_the_files_themselves_are_found() {
        for path in [style(), icon(), script(), "/robots.txt"] {
            assert!(find(path).is_some(), "{path}");
        }
        for path in [
            "/assets/style.css",
            "/assets/style.0000000000000000.css",
            "/assets/",
            "/assets/../Cargo.toml",
            "/assets/%2e%2e/%2e%2e/etc/passwd",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
