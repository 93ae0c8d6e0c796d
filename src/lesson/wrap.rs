//! Breaks paragraphs into lines for a terminal.

/// A text in lines of at most `width` columns; a longer word has a line of its own. The first line begins with `first`,
/// the others with as many spaces.
pub(super) fn wrapped(text: &str, first: &str, width: usize) -> String {
    let indent = " ".repeat(first.chars().count());
    let mut lines = vec![first.to_owned()];
    let mut columns = indent.len();
    let mut is_empty = true;
    for word in text.split_ascii_whitespace() {
        let length = word.chars().count();
        if !is_empty && columns + 1 + length > width {
            lines.push(indent.clone());
            columns = indent.len();
            is_empty = true;
        }
        let line = lines.last_mut().expect("it begins with one");
        if !is_empty {
            line.push(' ');
            columns += 1;
        }
        line.push_str(word);
        columns += length;
        is_empty = false;
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn no_line_is_longer_than_the_terminal_unless_a_word_is() {
        let text = "one two\nthree  incomprehensibilities four";
        assert_eq!(
            wrapped(text, "a) ", 12),
            "a) one two\n   three\n   incomprehensibilities\n   four\n"
        );
        assert_eq!(wrapped("", "", 12), "\n");
        assert_eq!(wrapped("¿qué tal?", "", 9), "¿qué tal?\n");
    }
}
