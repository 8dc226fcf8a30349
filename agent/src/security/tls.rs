//! TLS on both sides of a connection.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

use super::secret_file::{self, SecretFileError};

/// Who says nothing has shown nothing yet, and holds a connection no longer than this.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// PEM files. An agent needs a certificate and its key; with an authority it wants certificates of its
/// callers too, which that has signed. A driver needs the authority that has signed the agents', and
/// a certificate of its own where agents want one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of this process.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// The certificate of the authority.
    pub authority: Option<PathBuf>,
}

/// Why there can be no TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The key is no secret.
    #[error(transparent)]
    Key(#[from] SecretFileError),
    /// One is useless without the other.
    #[error("--tls-cert and --tls-key go together")]
    HalfAnIdentity,
    /// An agent has to prove who it is.
    #[error("TLS on an agent needs --tls-cert and --tls-key")]
    NoIdentity,
    /// A driver cannot tell whom it talks to.
    #[error("TLS needs --tls-ca, the authority that has signed the certificates of the agents")]
    NoAuthority,
}

impl TlsFiles {
    /// Whether there is to be TLS at all.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// For the agent's own port.
    ///
    /// # Errors
    /// When the certificate or the key is missing or cannot be read.
    pub fn server(&self) -> Result<ServerTlsConfig, TlsError> {
        let identity = self.identity()?.ok_or(TlsError::NoIdentity)?;
        let config = ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE_LIMIT);
        Ok(match self.authority()? {
            Some(authority) => config.client_ca_root(authority),
            None => config,
        })
    }

    /// For connections to agents.
    ///
    /// # Errors
    /// When the authority is missing, or a file cannot be read.
    pub fn client(&self) -> Result<ClientTlsConfig, TlsError> {
        let authority = self.authority()?.ok_or(TlsError::NoAuthority)?;
        let config = ClientTlsConfig::new().ca_certificate(authority);
        Ok(match self.identity()? {
            Some(identity) => config.identity(identity),
            None => config,
        })
    }

    fn identity(&self) -> Result<Option<Identity>, TlsError> {
        match (&self.certificate, &self.key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(Identity::from_pem(read(certificate)?, secret_file::read(key)?)))
            }
            _ => Err(TlsError::HalfAnIdentity),
        }
    }

    fn authority(&self) -> Result<Option<Certificate>, TlsError> {
        self.authority.as_ref().map(|path| read(path).map(Certificate::from_pem)).transpose()
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.clone(), source })
}
