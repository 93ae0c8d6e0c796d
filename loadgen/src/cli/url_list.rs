//! Lists of URLs: a file with a line `[WEIGHT] URL` for each.

use std::fs;
use std::path::Path;

use super::parse::ServerUrl;
use crate::workload::WeightedPath;

/// The URLs of a list.
#[derive(Debug, Default)]
pub(super) struct UrlList {
    /// The one server that they name; `None` if all of them are paths.
    pub(super) server: Option<ServerUrl>,
    pub(super) paths: Vec<WeightedPath>,
}

impl UrlList {
    /// Reads a list; the error names the file and the line.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| error.to_string());
        text.and_then(|text| Self::parse(&text))
            .map_err(|reason| format!("--urls {}: {reason}", file.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            list.add(line)
                .map_err(|reason| format!("line {number}: {reason}"))?;
        }
        match list.paths.is_empty() {
            true => Err("it names no URL".to_owned()),
            false => Ok(list),
        }
    }

    /// Adds the URL of a line, if it has one.
    fn add(&mut self, line: &str) -> Result<(), String> {
        let words = line.split_whitespace();
        let words: Vec<&str> = words.take_while(|word| !word.starts_with('#')).collect();
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let (weight, url) = match words[..] {
            [] => return Ok(()),
            // A port alone would be a URL, too, but hardly what a list means.
            [weight] if is_number(weight) => {
                return Err(format!("{weight} is a weight without a URL"));
            }
            [url] => (1, url),
            [weight, url] => match weight.parse() {
                Ok(weight @ 1..) => (weight, url),
                _ => return Err(format!("`{weight}` is not a weight, a whole number from 1")),
            },
            _ => return Err("a line has the form `[WEIGHT] URL`".to_owned()),
        };
        let path = self.path_of(url)?;
        self.paths.push(WeightedPath { path, weight });
        Ok(())
    }

    /// Path of a URL, whose server must be that of the others.
    fn path_of(&mut self, url: &str) -> Result<String, String> {
        if url.starts_with('/') {
            return Ok(url.split('#').next().unwrap_or(url).to_owned());
        }
        let url = ServerUrl::parse(url)?;
        let server = self.server.get_or_insert_with(|| url.clone());
        if (&server.host, server.is_tls) != (&url.host, url.is_tls) {
            return Err(format!(
                "all URLs are of one server, and {} is not {}",
                url.host, server.host
            ));
        }
        Ok(url.path.unwrap_or_else(|| "/".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_url_or_a_path_with_or_without_a_weight() {
        let text =
            "# what people ask for\n\n/a?b=1#c\n  20\thttp://a:80/b # often\nHTTP://a:80\n/d#\n";
        let list = UrlList::parse(text).unwrap();
        assert_eq!(list.server.unwrap().host, "a:80");
        let paths: Vec<_> = list
            .paths
            .iter()
            .map(|path| (path.weight, &*path.path))
            .collect();
        assert_eq!(paths, [(1, "/a?b=1"), (20, "/b"), (1, "/"), (1, "/d")]);
        assert!(UrlList::parse("/a").unwrap().server.is_none());
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, reason) in [
            ("", "it names no URL"),
            ("# /a", "it names no URL"),
            ("/a\n0 /b", "line 2: `0` is not a weight"),
            ("-1 /b", "line 1: `-1` is not a weight"),
            ("5000000000 /b", "is not a weight"),
            ("\n3", "line 2: 3 is a weight without a URL"),
            ("1 /a b", "line 1: a line has the form"),
            ("ftp://a/", "line 1: `ftp://a/` is not a URL"),
            ("http://me:secret@a/", "--user"),
            (
                "http://a/\nhttp://b/",
                "line 2: all URLs are of one server, and b is not a",
            ),
        ] {
            let error = UrlList::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
