//! Certificates for those who have none: an authority, and what it has signed.

use std::fs;
use std::io;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use thiserror::Error;

use super::secret_file::{self, SecretFileError};

/// Why there are no certificates.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// The name is neither a host name nor an address, or a key cannot be made.
    #[error("cannot make a certificate for `{name}`: {source}")]
    Make {
        /// For whom.
        name: String,
        /// Why not.
        source: rcgen::Error,
    },
    /// A key cannot be kept.
    #[error(transparent)]
    Key(#[from] SecretFileError),
    /// A file cannot be written.
    #[error("cannot write to {directory}: {source}")]
    Write {
        /// Where to.
        directory: String,
        /// Why not.
        source: io::Error,
    },
    /// What is there stays.
    #[error("{0} is there already; name another directory, or take it away")]
    Exists(String),
}

/// Writes `ca.crt` and, for each host name or address, `NAME.crt` and `NAME.key` to `directory`. The key
/// of the authority is not kept: who needs another certificate makes a new set.
///
/// # Errors
/// When a name is none, or a file is there already or cannot be written.
pub fn write_certificates(directory: &Path, names: &[String]) -> Result<(), CertificateError> {
    let shown = directory.display().to_string();
    let failed = |source| CertificateError::Write { directory: shown.clone(), source };
    let authority_path = directory.join("ca.crt");
    if authority_path.exists() {
        return Err(CertificateError::Exists(authority_path.display().to_string()));
    }
    let (authority, issuer) = authority()?;
    let signed = names.iter().map(|name| Ok((name, signed(name, &issuer)?)));
    let signed: Vec<_> = signed.collect::<Result<_, CertificateError>>()?;
    fs::create_dir_all(directory).map_err(failed)?;
    for (name, (certificate, key)) in signed {
        secret_file::create(&directory.join(format!("{name}.key")), key.as_bytes())?;
        fs::write(directory.join(format!("{name}.crt")), certificate).map_err(failed)?;
    }
    fs::write(authority_path, authority).map_err(failed)
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), CertificateError> {
    let failed = |source| CertificateError::Make { name: "the authority".to_owned(), source };
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "gleam-sql agents");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?.pem();
    Ok((certificate, Issuer::new(params, key)))
}

fn signed(name: &str, issuer: &Issuer<'_, KeyPair>) -> Result<(String, String), CertificateError> {
    let failed = |source| CertificateError::Make { name: name.to_owned(), source };
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, name);
    // An agent is called, and calls others.
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.signed_by(&key, issuer).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
