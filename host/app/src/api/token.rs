//! The token: who has it may change things. It stands in a file of the state folder that only its owner can read.

use crate::trouble::Trouble;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The file's name in the state folder.
pub const TOKEN_FILE: &str = "api.token";

/// Bytes of randomness in a token; its text has twice as many hexadecimal digits.
const TOKEN_BYTES: usize = 32;

/// What a request that changes something has to show.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    file: PathBuf,
}

impl Token {
    /// The token of a state folder, which is made if there is none yet. `random` fills it.
    ///
    /// # Errors
    /// The file cannot be read or written, or what stands in it is no token.
    pub fn of_state(state: &Path, random: impl FnOnce(&mut [u8]) -> Result<(), String>) -> Result<Self, Trouble> {
        match Self::read(state)? {
            Some(token) => Ok(token),
            None => Self::make(state, random),
        }
    }

    /// The token of a state folder; none: no `serve` has made one.
    ///
    /// # Errors
    /// The file cannot be read, or what stands in it is no token.
    pub fn read(state: &Path) -> Result<Option<Self>, Trouble> {
        let path = state.join(TOKEN_FILE);
        let told = |error: std::io::Error| {
            Trouble::new(format!("the token {} cannot be read: {error}", path.display()))
                .help("it has to be a file that belongs to the user who runs sluicebox")
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(error)),
        };
        own(&file).map_err(told)?;
        let mut text = String::new();
        file.take(1024).read_to_string(&mut text).map_err(told)?;
        let text = text.trim();
        if text.len() != 2 * TOKEN_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = format!("what stands in {} is no token", path.display());
            return Err(Trouble::new(message).help("delete the file: the next `sluicebox serve` makes a new token"));
        }
        Ok(Some(Self { text: text.to_owned(), file: path }))
    }

    fn make(state: &Path, random: impl FnOnce(&mut [u8]) -> Result<(), String>) -> Result<Self, Trouble> {
        let path = state.join(TOKEN_FILE);
        let told = |error: &dyn fmt::Display| {
            Trouble::new(format!("the token {} cannot be made: {error}", path.display()))
                .help("see that the state folder is writable, and on a disk with room")
        };
        let mut bytes = [0; TOKEN_BYTES];
        random(&mut bytes).map_err(|error| told(&error))?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Whole or not at all, and never readable by others, not for a moment.
        let fresh = state.join(format!("{TOKEN_FILE}.{}", std::process::id()));
        let _ = std::fs::remove_file(&fresh);
        let written = write_own(&fresh, &text).and_then(|()| std::fs::hard_link(&fresh, &path));
        let _ = std::fs::remove_file(&fresh);
        match written {
            Ok(()) => Ok(Self { text, file: path }),
            // Another process was faster: its token holds.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::read(state)?.ok_or_else(|| told(&"it comes and goes"))
            }
            Err(error) => Err(told(&error)),
        }
    }

    /// The text itself, for who is to show it.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The file in which it stands.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether this is the token. Takes the same time wherever it differs.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        let wanted = self.text.as_bytes();
        let differs = wanted.iter().zip(shown).fold(0, |differs, (a, b)| std::hint::black_box(differs | (a ^ b)));
        wanted.len() == shown.len() && differs == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("file", &self.file).finish_non_exhaustive()
    }
}

fn write_own(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Takes from others the right to read the file, should they have it.
#[cfg(unix)]
fn own(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(mode & 0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn own(_: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn fill(with: u8) -> impl FnOnce(&mut [u8]) -> Result<(), String> {
        move |bytes| {
            bytes.fill(with);
            Ok(())
        }
    }

    #[cfg(unix)]
    fn mode(state: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(state.join(TOKEN_FILE)).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn it_is_made_once() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Token::read(state.path()).unwrap(), None);
        let token = Token::of_state(state.path(), fill(0xab)).unwrap();
        assert_eq!(token.reveal(), "ab".repeat(32));
        assert_eq!(std::fs::read_to_string(token.file()).unwrap(), format!("{}\n", "ab".repeat(32)));
        let again = Token::of_state(state.path(), |_| panic!("there is one")).unwrap();
        assert_eq!(again, token);
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 1, "nothing else is left");
        assert!(!format!("{token:?}").contains("abab"));
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let token = Token::of_state(state.path(), fill(1)).unwrap();
        assert_eq!(mode(state.path()), 0o600);
        std::fs::set_permissions(token.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Token::of_state(state.path(), fill(2)).unwrap(), token);
        assert_eq!(mode(state.path()), 0o600);
    }

    #[test]
    fn what_is_no_token_is_told() {
        let state = tempfile::tempdir().unwrap();
        for text in ["", "short", &"xy".repeat(32), &"ab".repeat(33)] {
            std::fs::write(state.path().join(TOKEN_FILE), text).unwrap();
            let told = Token::of_state(state.path(), fill(0)).unwrap_err();
            assert!(told.message.contains("is no token") && told.help.unwrap().contains("delete"), "{text}");
        }
        let missing = Token::of_state(&state.path().join("missing"), fill(0)).unwrap_err();
        assert!(missing.message.contains("cannot be made"), "{missing}");
    }

    #[test]
    fn only_the_whole_token_is_it() {
        let state = tempfile::tempdir().unwrap();
        let token = Token::of_state(state.path(), fill(0xab)).unwrap();
        let text = token.reveal().to_owned();
        assert!(token.is(text.as_bytes()));
        assert!(!token.is(b"") && !token.is(&text.as_bytes()[1..]) && !token.is(format!("{text}0").as_bytes()));
        assert!(!token.is("ab".repeat(31).as_bytes()) && !token.is(text.to_uppercase().as_bytes()));
    }
}
