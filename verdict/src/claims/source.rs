//! How much there is to write and read: lines and branches, counted from the source that is measured.
//!
//! **A line** has code on it: blank lines, comments and tests do not count. **A branch** is a place where a reader has to
//! think of two ways on: `if`, `while`, `for`, `loop`, an arm of a `match`, and `?`. Texts in quotes are no code. Counted
//! is the model's page and, under a hand-made selector, the loop that only such models need: it is part of what somebody
//! who writes one has to write. What all models share is not.

use hola_servers::pages::{self, Page};
use serde::Serialize;

use super::decide::Finding;
use super::effect::Effect;
use super::evidence::Gap;
use super::rule::SourceTest;

/// Words that make a branch.
const BRANCHING: &[&str] = &["if", "while", "for", "loop"];

/// How much source there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Lines of code.
    pub lines: u32,
    /// Branches.
    pub branches: u32,
}

impl Size {
    /// Size of a text of Rust, up to its tests.
    pub fn of(text: &str) -> Size {
        let code = text.lines().map(str::trim);
        let until_tests = code.take_while(|line| *line != "#[cfg(test)]");
        let mut size = Size::default();
        for line in until_tests.filter(|line| !line.is_empty() && !line.starts_with("//")) {
            size.lines += 1;
            size.branches += branches(&without_texts(line));
        }
        size
    }

    /// Size of a model's page and of what only such models need beneath it.
    pub fn of_page(page: &Page) -> Size {
        let parts = page.beneath.iter().chain([&page.page]);
        parts.fold(Size::default(), |sum, part| {
            let size = Size::of(part);
            Size {
                lines: sum.lines + size.lines,
                branches: sum.branches + size.branches,
            }
        })
    }
}

/// Lines and branches of one model against another's.
pub(super) fn compare(test: &SourceTest) -> Vec<Finding> {
    let sizes = [test.model, test.over].map(|model| pages::find(model).map(Size::of_page));
    let finding = |figure: &str, count: fn(Size) -> u32| {
        let [own, other] = sizes.map(|size| size.map(count).map(f64::from));
        let effect = match (own, other) {
            (Some(own), Some(other)) if other > 0.0 => Ok(Effect::counted(own / other)),
            _ => Err(Gap::NothingToDivideBy),
        };
        Finding {
            experiment: "source".into(),
            figure: figure.into(),
            model: test.model.into(),
            level: String::new(),
            over: Some(test.over.into()),
            expect: test.expect,
            outcome: effect.as_ref().ok().map(|found| found.outcome(test.expect)),
            effect,
        }
    };
    vec![
        finding("lines", |size| size.lines),
        finding("branches", |size| size.branches),
    ]
}

fn branches(code: &str) -> u32 {
    let words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    // The `for` of `impl Trait for Type` repeats nothing.
    let repeats = !code.starts_with("impl");
    let words = words.filter(|word| BRANCHING.contains(word) && (repeats || *word != "for"));
    let signs = code.matches("=>").count() + code.matches('?').count();
    u32::try_from(words.count() + signs).unwrap_or(u32::MAX)
}

/// The line with everything between quotes, and a comment at its end, taken out.
fn without_texts(line: &str) -> String {
    let mut code = String::new();
    let mut in_text = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if in_text => {
                letters.next();
            }
            '"' => in_text = !in_text,
            '/' if !in_text && letters.peek() == Some(&'/') => break,
            _ if in_text => {}
            _ => code.push(letter),
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blank_lines_and_tests_do_not_count() {
        let text = "//! Head: if.\n\n// why\nfn serve() {\n    accept()?; // if not\n}\n\n#[cfg(test)]\nmod tests {}\n";
        let counted = Size {
            lines: 3,
            branches: 1,
        };
        assert_eq!(Size::of(text), counted);
    }

    #[test]
    fn a_branch_is_a_place_with_two_ways_on() {
        for (code, count) in [
            ("if a {", 1),
            ("} else if b {", 1),
            ("while let Some(client) = next() {", 1),
            ("for client in clients {", 1),
            ("impl Selector for Epoll {", 0),
            ("Some(1) if late => {}", 2),
            ("let x = a()?.b()?;", 2),
            ("let text = \"if \\\" ? =>\";", 0),
            ("platform(iffy)", 0),
        ] {
            assert_eq!(Size::of(code).branches, count, "{code}");
        }
    }

    #[test]
    fn every_page_has_lines_and_the_loop_counts_where_it_is_needed() {
        for page in pages::PAGES {
            assert!(Size::of_page(page).lines > 10, "{}", page.model);
        }
        let epoll = pages::find("epoll").expect("a page");
        assert!(Size::of_page(epoll).lines > Size::of(epoll.page).lines);
    }
}
