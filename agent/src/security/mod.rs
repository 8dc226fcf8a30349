//! Who may talk to an agent.
//!
//! **Invariant:** no call reaches a service before its token was compared, whatever the service.
//!
//! **Invariant:** a token or a key is in no argument, no environment of a child, no message, no plan.

mod auth;
mod certs;
mod secret_file;
mod tls;
mod token;

pub use auth::RequireToken;
pub use certs::{CertificateError, write_certificates};
pub use secret_file::SecretFileError;
pub use tls::{TlsError, TlsFiles};
pub use token::{Token, TokenError};

pub(crate) use auth::credentials;
