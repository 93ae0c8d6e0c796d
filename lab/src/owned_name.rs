//! Names of the folders and control groups that a process makes. A name contains the id of that process, so that
//! cleanup never removes anything else.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nix::unistd::geteuid;

/// A name such as `hola-1234-x7Qz`: the id of the process that made it, and a suffix. It is never a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedName {
    maker: u32,
    name: String,
}

impl OwnedName {
    /// Prefix of all names that this process gives.
    pub fn prefix() -> String {
        format!("hola-{}-", std::process::id())
    }

    /// Parses the last part of a path.
    pub fn from_path(path: &Path) -> Option<Self> {
        path.file_name()?.to_str()?.parse().ok()
    }

    /// Id of the process that made it.
    pub fn maker(&self) -> u32 {
        self.maker
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The folder of that name in the system's folder for temporary files.
    ///
    /// # Errors
    /// Returns the reason if it is not a folder of this user.
    pub fn temporary_folder(&self) -> Result<PathBuf, String> {
        let path = std::env::temp_dir().join(&self.name);
        let found =
            fs::symlink_metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !found.is_dir() || found.uid() != geteuid().as_raw() {
            return Err(format!("{} is no folder of this user's", path.display()));
        }
        Ok(path)
    }
}

impl FromStr for OwnedName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        // `parse` would also accept a sign.
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let parts = name
            .strip_prefix("hola-")
            .and_then(|rest| rest.split_once('-'));
        let parts = parts.filter(|(maker, rest)| is_number(maker) && is_word(rest));
        let maker = parts.and_then(|(maker, _)| maker.parse().ok());
        let maker = maker.ok_or("write a name such as hola-1234-x7Qz: the id of the process that made it, and letters and digits")?;
        let name = name.to_owned();
        Ok(OwnedName { maker, name })
    }
}

impl fmt::Display for OwnedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_who_made_it_and_is_no_path() {
        let made: OwnedName = "hola-1234-x7Qz".parse().expect("a name");
        assert_eq!((made.maker(), made.as_str()), (1234, "hola-1234-x7Qz"));
        for bad in [
            "",
            "hola",
            "hola-",
            "hola-1",
            "hola-1-",
            "hola--x",
            "hola-x-1",
            "hola-1-x/y",
            "hola-1-..",
            "hola-1-x/../../etc",
            "/tmp/hola-1-x",
            "../hola-1-x",
            "hola-+1-x",
            "hola-99999999999-x",
            "hola-1-x\n",
        ] {
            assert!(bad.parse::<OwnedName>().is_err(), "{bad:?}");
        }
    }
}
