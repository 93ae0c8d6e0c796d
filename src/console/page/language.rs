//! The language of the page: that of its address, or else the one that the browser prefers.

use axum::extract::Request;
use axum::http::header::ACCEPT_LANGUAGE;
use hola_base::{LANGUAGES, Language};

/// The language that a request asks for.
pub(super) fn of(request: &Request) -> Language {
    let accepted = request.headers().get(ACCEPT_LANGUAGE);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    let query = request.uri().query().unwrap_or_default();
    choose(query, accepted.unwrap_or_default())
}

/// The language for a query such as `lang=es` and the value of `Accept-Language` (RFC 9110, section 12.5.4).
fn choose(query: &str, accepted: &str) -> Language {
    let mut asked = query.split('&').filter_map(|one| one.strip_prefix("lang="));
    asked
        .next()
        .and_then(by_tag)
        .unwrap_or_else(|| preferred(accepted))
}

fn preferred(accepted: &str) -> Language {
    let mut best = (0.0, Language::default());
    for range in accepted.split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight = weight.trim().strip_prefix("q=");
        let weight: f64 = weight.and_then(|weight| weight.parse().ok()).unwrap_or(0.0);
        // Of equal ones, the first counts.
        if let Some(language) = by_tag(tag.trim())
            && weight > best.0
        {
            best = (weight, language);
        }
    }
    best.1
}

/// The language of a tag such as `es` or `es-MX`.
fn by_tag(tag: &str) -> Option<Language> {
    let primary = tag.split('-').next().unwrap_or_default();
    let mut languages = LANGUAGES.into_iter();
    languages.find(|language| language.tag().eq_ignore_ascii_case(primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_decides_and_then_the_browser() {
        use Language::{English, Spanish};
        for (query, accepted, language) in [
            ("", "", English),
            ("", "es", Spanish),
            ("", "es-MX,es;q=0.9,en;q=0.8", Spanish),
            ("", "de,en;q=0.7,es;q=0.3", English),
            ("", "en;q=0.2, ES-ar;q=0.8", Spanish),
            ("", "fr, de;q=0.5", English),
            ("", "es;q=0", English),
            ("", "es;q=x", English),
            ("lang=es", "en", Spanish),
            ("token=1&lang=en", "es", English),
            ("lang=fr", "es", Spanish),
        ] {
            assert_eq!(choose(query, accepted), language, "{query:?} {accepted:?}");
        }
    }
}
