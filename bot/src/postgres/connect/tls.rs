//! TLS to PostgreSQL, with rustls.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};
use thiserror::Error;
use tokio_postgres_rustls::MakeRustlsConnect;

/// As in libpq, a path that stands for the built-in certificate authorities.
pub(super) const SYSTEM: &str = "system";

/// How the server's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// It is signed by a known authority, is currently valid, and matches the host.
    Full,
    /// As `Full`, but for any host.
    Authority,
    /// Not at all: anyone who controls the network can read and change everything.
    Nothing,
}

/// The TLS settings of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) verify: Verify,
    /// The certificates of the authorities; `None` for those that browsers trust.
    pub(super) ca_file: Option<PathBuf>,
    /// The client certificate.
    pub(super) cert_file: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
    /// Only `TLSv1.2` or only `TLSv1.3`.
    pub(super) only: Option<&'static rustls::SupportedProtocolVersion>,
    /// Whether TLS starts with the first byte, which PostgreSQL 17 and later support.
    pub(super) direct: bool,
}

/// Why TLS is not usable.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is missing or not readable.
    #[error("{key} ({}) cannot be read: {source}", path.display())]
    Unreadable {
        /// The configuration key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file has the wrong content.
    #[error("{key} ({}) holds no {wanted}", path.display())]
    Content {
        /// The configuration key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The expected content.
        wanted: &'static str,
    },
    /// The certificate or its key is missing.
    #[error("database.ssl_cert_file and database.ssl_key_file belong together: give both or neither")]
    Half,
    /// rustls does not accept the two together.
    #[error("database.ssl_cert_file and database.ssl_key_file cannot be used: {0}")]
    Pair(rustls::Error),
    /// rustls does not accept the settings.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// A connector with these settings.
pub(super) fn connector(terms: &Terms) -> Result<MakeRustlsConnect, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let setup = |error: &dyn std::fmt::Display| TlsError::Setup(error.to_string());
    let versions = terms
        .only
        .map_or(rustls::DEFAULT_VERSIONS.to_vec(), |only| vec![only]);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| setup(&error))?;
    let verifier: Arc<dyn ServerCertVerifier> = if terms.verify == Verify::Nothing {
        Arc::new(Unverified(provider))
    } else {
        let roots = Arc::new(authorities(terms.ca_file.as_deref())?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| setup(&error))?;
        if terms.verify == Verify::Full {
            verifier
        } else {
            Arc::new(AnyHost(verifier))
        }
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match (&terms.cert_file, &terms.key_file) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(
                certificates("database.ssl_cert_file", certificate)?,
                private_key("database.ssl_key_file", key)?,
            )
            .map_err(TlsError::Pair)?,
        _ => return Err(TlsError::Half),
    };
    if terms.direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let Some(path) = file.filter(|path| *path != Path::new(SYSTEM)) else {
        return Ok(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        });
    };
    let key = "database.ssl_ca_file";
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(key, path)?);
    if added == 0 {
        return Err(TlsError::Content {
            key,
            path: path.to_owned(),
            wanted: "certificate that can be read",
        });
    }
    Ok(roots)
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = |wanted| TlsError::Content {
        key,
        path: path.to_owned(),
        wanted,
    };
    let pem = read(key, path)?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_error| content("certificate in PEM that can be read"))?;
    if certificates.is_empty() {
        return Err(content("certificate in PEM"));
    }
    Ok(certificates)
}

fn private_key(key: &'static str, path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = read(key, path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_error| TlsError::Content {
        key,
        path: path.to_owned(),
        wanted: "private key in PEM without a passphrase",
    })
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        key,
        path: path.to_owned(),
        source,
    })
}

/// Verifies the authority and the validity period, but not the host name.
#[derive(Debug)]
struct AnyHost(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The name is verified last, so an error about it means that everything else is valid.
        match self
            .0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Accepts any certificate. The signature is still verified, which SCRAM's channel binding relies on.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The meaning of a failed handshake, with advice. `None` for errors without relation to TLS.
pub(in crate::postgres) fn in_words(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.to_string() == "server does not support TLS" {
            return Some(
                "the server does not offer TLS: turn it on there (ssl = on), or set database.ssl (DATABASE_SSL) to \"off\" where \
                 the network between is trusted"
                    .to_owned(),
            );
        }
        // `io::Error` does not return its inner error as `source`.
        let tls = cause
            .downcast_ref::<std::io::Error>()
            .and_then(|error| error.get_ref())
            .and_then(|carried| carried.downcast_ref::<rustls::Error>())
            .or_else(|| cause.downcast_ref::<rustls::Error>());
        if let Some(tls) = tls {
            return Some(explained(tls));
        }
        next = cause.source();
    }
    None
}

fn explained(error: &rustls::Error) -> String {
    use rustls::{AlertDescription, Error};
    let meaning = match error {
        Error::InvalidCertificate(
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::InvalidPurpose
            | CertificateError::InvalidPurposeContext { .. },
        ) => {
            "the server's certificate is not from a known authority: give the authority's certificate in database.ssl_ca_file, or set \
             DATABASE_SSL=no-verify, which encrypts and verifies nothing, as libpq's sslmode=require does"
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "the server's certificate is for another host name: connect with a name in its subjectAltName, or use \
             sslmode=verify-ca if every server of this authority may be trusted"
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the server's certificate has expired: renew it on the server"
        }
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "the server's certificate is not valid yet: compare the clocks of both machines",
        Error::InvalidCertificate(CertificateError::Other(other))
            if other.0.to_string().contains("CaUsedAsEndEntity") =>
        {
            "the server's certificate is an authority's own, self-signed: sign one for the server with it (CA:FALSE), and give the \
             authority's in database.ssl_ca_file, or set DATABASE_SSL=no-verify, which encrypts and verifies nothing, as libpq's \
             sslmode=require does"
        }
        Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure) => {
            "the server asks for a client certificate: give it in database.ssl_cert_file and database.ssl_key_file"
        }
        Error::AlertReceived(_) => {
            "the server refuses the TLS connection; if a client certificate is given, the server does not know its authority"
        }
        _ => "the TLS handshake failed",
    };
    format!("{meaning} ({error})").replace('\n', " ")
}
