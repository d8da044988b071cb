use std::fmt;
use std::sync::Arc;

/// The name of a policy: 1 to 64 characters of printable ASCII.
///
/// Printable are the characters from the space to `~`. A clone is cheap.
///
/// ```
/// use casgate_tower::fields::Name;
///
/// let name = Name::new("per client")?;
/// assert_eq!(name.as_str(), "per client");
/// # Ok::<(), casgate_tower::fields::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// The most characters of a name.
const LONGEST: usize = 64;

impl Name {
    /// Checks a name and copies it.
    ///
    /// ```
    /// use casgate_tower::fields::Name;
    /// assert!(Name::new(r#"a"b\c"#).is_ok());
    /// assert!(Name::new("größe").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// A [`NameError`] if the name is empty, is too long, or has a character that is not printable
    /// ASCII.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let error = if name.is_empty() {
            Problem::Empty
        } else if let Some(at) = name.bytes().position(|byte| !(0x20..=0x7e).contains(&byte)) {
            Problem::Character(at)
        } else if name.len() > LONGEST {
            Problem::TooLong(name.len())
        } else {
            return Ok(Self(name.into()));
        };
        Err(NameError(error))
    }

    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Returns the name as text.
    ///
    /// ```
    /// # use casgate_tower::fields::Name;
    /// assert_eq!(Name::new("daily")?.as_str(), "daily");
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text is not the [name](Name) of a policy.
///
/// ```
/// use casgate_tower::fields::Name;
///
/// let error = Name::new("größe").unwrap_err();
/// assert_eq!(error.position(), Some(2));
/// assert_eq!(error.to_string(), "a policy's name must be printable ASCII (character 2 is not)");
/// assert_eq!(Name::new("").unwrap_err().to_string(), "a policy's name cannot be empty");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NameError(Problem);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Problem {
    Empty,
    /// The position of the first character that a name cannot have. All before it are ASCII.
    Character(usize),
    /// The length.
    TooLong(usize),
}

impl NameError {
    /// Returns the position of the first character that a name cannot have, counted from zero.
    /// `None` if the name is empty or too long.
    ///
    /// ```
    /// use casgate_tower::fields::Name;
    /// assert_eq!(Name::new("a\nb").unwrap_err().position(), Some(1));
    /// assert_eq!(Name::new("").unwrap_err().position(), None);
    /// ```
    #[must_use]
    pub const fn position(&self) -> Option<usize> {
        match self.0 {
            Problem::Character(at) => Some(at),
            Problem::Empty | Problem::TooLong(_) => None,
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Problem::Empty => f.write_str("a policy's name cannot be empty"),
            Problem::Character(at) => {
                write!(f, "a policy's name must be printable ASCII (character {at} is not)")
            }
            Problem::TooLong(length) => {
                write!(f, "a policy's name has at most {LONGEST} characters, not {length}")
            }
        }
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        for (name, position, text) in [
            ("", None, "a policy's name cannot be empty"),
            ("\u{7f}", Some(0), "a policy's name must be printable ASCII (character 0 is not)"),
            ("ab\t", Some(2), "a policy's name must be printable ASCII (character 2 is not)"),
            ("aé", Some(1), "a policy's name must be printable ASCII (character 1 is not)"),
            (&"x".repeat(65), None, "a policy's name has at most 64 characters, not 65"),
        ] {
            let error = Name::new(name).unwrap_err();
            assert_eq!((error.position(), error.to_string()), (position, text.to_owned()));
        }
    }

    #[test]
    fn every_printable_character_can_stand_in_a_name() {
        let all: String = (0x20..=0x7e_u8).map(char::from).collect();
        for part in [&all[..64], &all[64..], " ", "~"] {
            let name = Name::new(part).unwrap();
            assert_eq!((name.as_ref(), name.to_string()), (part, part.to_owned()));
        }
    }
}
