//! The secret that drivers and agents share.

use std::fmt;
use std::path::{Path, PathBuf};

use subtle::ConstantTimeEq;
use thiserror::Error;

use super::secret_file::{self, SecretFileError};

const TOKEN_BYTES: usize = 32;

/// 32 random bytes, written in hexadecimal. It never shows itself but through [`Token::expose`].
#[derive(Clone)]
pub struct Token([u8; TOKEN_BYTES]);

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The system gives no random bytes.
    #[error("no random bytes for a token: {0}")]
    Random(getrandom::Error),
    /// What should be a token is none.
    #[error("{0} holds no token, which is 64 hexadecimal digits")]
    Malformed(String),
    /// Its file cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// Nobody says where the user's files are.
    #[error("neither XDG_CONFIG_HOME nor HOME says where the token is: name it with --token-file")]
    NoHome,
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
        Ok(Self(bytes))
    }

    /// The token that `text` spells; `origin` names where it stands, for the error.
    ///
    /// # Errors
    /// When it spells none.
    pub fn parse(text: &str, origin: &str) -> Result<Self, TokenError> {
        let malformed = || TokenError::Malformed(origin.to_owned());
        let digits = text.trim().as_bytes();
        if digits.len() != TOKEN_BYTES * 2 {
            return Err(malformed());
        }
        let mut bytes = [0; TOKEN_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(malformed());
            };
            *byte = u8::try_from(high * 16 + low).map_err(|_| malformed())?;
        }
        Ok(Self(bytes))
    }

    /// The token in a file that nobody but its owner may read.
    ///
    /// # Errors
    /// When the file cannot be read, may be read by others, or holds no token.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        Self::parse(&secret_file::read(path)?, &path.display().to_string())
    }

    /// The token of this user, in `gleam-sql/token` of the configuration directory; it is made on
    /// first use.
    ///
    /// # Errors
    /// As [`Token::read`], and when the file cannot be made.
    pub fn of_user() -> Result<Self, TokenError> {
        let path = user_path().ok_or(TokenError::NoHome)?;
        if !path.exists() {
            let text = format!("{}\n", Self::random()?.expose());
            secret_file::create_once(&path, text.as_bytes())?;
        }
        Self::read(&path)
    }

    /// The digits, for a connection or a file of mode 0600; nowhere else.
    pub fn expose(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `text` spells this token. How long that takes tells nothing about it.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.expose().as_bytes().ct_eq(text).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn user_path() -> Option<PathBuf> {
    let directory = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let config = directory("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(directory("HOME")?).join(".config")))?;
    Some(config.join("gleam-sql").join("token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let token = Token::random().unwrap();
        let again = Token::parse(&format!(" {}\n", token.expose()), "here").unwrap();
        assert!(again.matches(token.expose().as_bytes()));
        assert!(!token.matches(b""));
        assert!(!token.matches(Token::random().unwrap().expose().as_bytes()));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            let error = Token::parse(text, "here").unwrap_err();
            assert_eq!(error.to_string(), "here holds no token, which is 64 hexadecimal digits");
        }
    }

    #[test]
    fn does_not_show_itself() {
        let token = Token::random().unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
