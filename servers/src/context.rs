//! System errors that name what failed, not only why.

use std::io;

/// Adds to an error what failed; the system only says why.
pub(crate) trait ErrorContext<T> {
    /// Puts `what` before the system's message.
    fn context(self, what: impl FnOnce() -> String) -> io::Result<T>;
}

impl<T, E: Into<io::Error>> ErrorContext<T> for Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> io::Result<T> {
        self.map_err(|error| {
            let error = error.into();
            io::Error::new(error.kind(), format!("{}: {}", what(), plain(&error)))
        })
    }
}

/// The system's message without the error number.
pub(crate) fn plain(error: &io::Error) -> String {
    let words = error.to_string();
    match words.rfind(" (os error ") {
        Some(end) => words[..end].to_owned(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_comes_before_the_words_of_the_system() {
        let refused = Err::<(), _>(io::Error::from_raw_os_error(libc::EMFILE));
        let named = refused.context(|| "cannot make an epoll instance".to_owned());
        assert_eq!(
            named.expect_err("refused").to_string(),
            "cannot make an epoll instance: Too many open files"
        );
    }
}
