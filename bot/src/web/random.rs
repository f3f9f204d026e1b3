//! Secrets for browsers: random, and derived from others.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A 256-bit secret that a browser keeps. The database has only digests of it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret256([u8; 32]);

impl Secret256 {
    /// A new one, from the operating system's generator.
    pub(super) fn random() -> Self {
        let mut bytes = [0; 32];
        let provider = rustls::crypto::ring::default_provider();
        let filled = provider.secure_random.fill(&mut bytes);
        filled.expect("the operating system has random numbers");
        Self(bytes)
    }

    /// One that a browser sent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Its text, for the cookie.
    pub(super) fn to_text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Another secret for this purpose, from which this one cannot be computed.
    pub(super) fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(purpose);
        digest.update([0]);
        digest.update(self.0);
        digest.finalize().into()
    }

    /// The same as text.
    pub(super) fn derived_text(&self, purpose: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.derived(purpose))
    }
}

/// Whether two texts are equal. The time that this takes says nothing about where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}
