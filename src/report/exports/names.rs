//! File names that every system takes and no shell has to quote.

use std::collections::BTreeSet;

/// Characters of a part of a name at most: with two parts, a number and an ending far below the 255 of a file name.
const LENGTH_MAX: usize = 80;

/// A text as a part of a file name: lower-case letters and digits, single `-` for whatever is between them.
pub(super) fn safe(text: &str) -> String {
    let mut name = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(LENGTH_MAX);
    name.truncate(name.trim_end_matches('-').len());
    if name.is_empty() {
        name.push_str("unnamed");
    }
    name
}

/// Whether [`safe`] makes such names, with a number after them or without.
pub(super) fn is_safe(name: &str) -> bool {
    let is_part = |part: &str| {
        let mut characters = part.chars();
        !part.is_empty() && characters.all(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
    };
    name.split('-').all(is_part)
}

/// The paths of one run that are taken.
#[derive(Debug, Default)]
pub(super) struct Paths(BTreeSet<String>);

impl Paths {
    /// A path of its own: different texts may make the same stem, and all but the first get a number.
    pub(super) fn claim(&mut self, stem: &str, ending: &str) -> String {
        let mut path = format!("{stem}.{ending}");
        let mut number = 1_u32;
        while !self.0.insert(path.clone()) {
            number += 1;
            path = format!("{stem}-{number}.{ending}");
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_letters_and_digits() {
        for (text, name) in [
            ("64 clients", "64-clients"),
            ("0.5 × capacity", "0-5-capacity"),
            ("2 CPUs, one shared", "2-cpus-one-shared"),
            ("../../etc/passwd", "etc-passwd"),
            ("-- --", "unnamed"),
            ("", "unnamed"),
        ] {
            assert_eq!(safe(text), name);
            assert!(is_safe(name));
        }
        assert_eq!(safe(&"x ".repeat(500)).len(), LENGTH_MAX - 1);
    }

    #[test]
    fn other_names_are_not_safe() {
        for name in ["", "-", "a--b", "a-", "-a", "A", "a b", "a.b", "é"] {
            assert!(!is_safe(name), "{name}");
        }
    }

    #[test]
    fn no_path_is_given_twice() {
        let mut paths = Paths::default();
        let claimed = ["a", "a", "a-2", "a"].map(|stem| paths.claim(stem, "csv"));
        assert_eq!(claimed, ["a.csv", "a-2.csv", "a-2-2.csv", "a-3.csv"]);
    }
}
