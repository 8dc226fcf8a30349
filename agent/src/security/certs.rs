//! Certificates for those who have none: an authority, and what it has signed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
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
    /// Files are called as their certificate.
    #[error("`{0}` is neither a host name nor an address")]
    Name(String),
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
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
        return Err(CertificateError::Name((*wrong).to_owned()));
    }
    let authority_path = directory.join("ca.crt");
    let files = names.iter().flat_map(|name| [format!("{name}.crt"), format!("{name}.key")]);
    let mut paths = files.map(|file| directory.join(file)).chain([authority_path.clone()]);
    // A key of an earlier set would not belong to the new certificate beside it.
    if let Some(path) = paths.find(|path| path.symlink_metadata().is_ok()) {
        return Err(CertificateError::Exists(path.display().to_string()));
    }
    let (authority, issuer) = authority()?;
    let signed = names.into_iter().map(|name| Ok((name, signed(name, &issuer)?)));
    let signed: Vec<_> = signed.collect::<Result<_, CertificateError>>()?;
    fs::create_dir_all(directory).map_err(failed)?;
    for (name, (certificate, key)) in signed {
        secret_file::create(&directory.join(format!("{name}.key")), key.as_bytes())?;
        write_new(&directory.join(format!("{name}.crt")), &certificate).map_err(failed)?;
    }
    write_new(&authority_path, &authority).map_err(failed)
}

/// Whether `name` can be called, and cannot lead a file out of its directory.
fn is_name(name: &str) -> bool {
    let is_host = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        name.bytes().all(allowed) && name.starts_with(|first: char| first.is_ascii_alphanumeric())
    };
    // Its files would be those of the authority.
    name != "ca" && (is_host(name) || name.parse::<IpAddr>().is_ok())
}

/// Follows no link that somebody has put there.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), CertificateError> {
    let failed = |source| CertificateError::Make { name: "the authority".to_owned(), source };
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "gleam-sql agents");
    // It signs no other authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_made_once_and_within_its_directory() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("certs");
        let write = |name: &str| write_certificates(&directory, &[name.to_owned()]);
        for wrong in ["../x", "/etc/x", "", ".", "..", "a/b", "*", "ca", "a b", "-x"] {
            let error = write(wrong).unwrap_err();
            assert!(matches!(error, CertificateError::Name(_)), "{wrong}: {error}");
        }
        write("::1").unwrap();
        assert!(matches!(write("::1"), Err(CertificateError::Exists(_))));
        // Another authority with the old key would be worse than none.
        fs::remove_file(directory.join("ca.crt")).unwrap();
        assert!(matches!(write("::1"), Err(CertificateError::Exists(_))));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
