//! A builder of the few SVG elements that charts need. Colours and fonts are the page's: elements carry classes only.

use std::fmt::Write;

use super::{Frame, Name};

/// Size of text, in pixels; the page's style sheet says the same.
pub(super) const TEXT_SIZE: f64 = 13.0;

/// From one line of text to the next, in pixels.
pub(super) const LINE: f64 = 16.0;

/// Widest average letter of system fonts, in ems: no font is at hand to measure with.
const LETTER_EM: f64 = 0.56;

/// Width that text needs at most, in pixels.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * TEXT_SIZE * LETTER_EM
}

/// Text cut to a width, with an ellipsis where something is missing.
pub(super) fn fitted(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for letter in text.chars() {
        cut.push(letter);
        if text_width(&cut) > width - TEXT_SIZE {
            break;
        }
    }
    cut.pop();
    format!("{}…", cut.trim_end())
}

/// Text in at most `most` lines that fit a width, broken at spaces and after hyphens; the last is cut if need be.
pub(super) fn wrapped(text: &str, width: f64, most: usize) -> Vec<String> {
    let mut lines = broken(text, width);
    if lines.len() > most {
        let rest = lines.split_off(most - 1).concat();
        lines.push(rest);
    }
    lines
        .iter()
        .map(|line| fitted(line.trim_end(), width))
        .collect()
}

/// Whether [`wrapped`] has nothing to cut.
pub(super) fn wraps(text: &str, width: f64, most: usize) -> bool {
    let lines = broken(text, width);
    lines.len() <= most
        && lines
            .iter()
            .all(|line| text_width(line.trim_end()) <= width)
}

fn broken(text: &str, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in text.split_inclusive([' ', '-']) {
        match lines.last_mut() {
            Some(line)
                if line.is_empty() || text_width(line) + text_width(piece.trim_end()) <= width =>
            {
                line.push_str(piece);
            }
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line from one place to another.
type Stroke = ((f64, f64), (f64, f64));

/// A drawing under construction.
#[derive(Debug)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// Begins a drawing that a screen reader announces by title and description.
    pub(super) fn new(frame: Frame, height: f64, called: Name<'_>) -> Self {
        let Frame { name, width } = frame;
        let Name {
            id,
            title,
            description,
        } = called;
        let (id, height) = (escape(id), height.ceil());
        let mut svg = Self {
            text: String::new(),
        };
        // One of two drawings of a chart has the frame in its name.
        let id = if frame.is_one_of_two() {
            format!("{id}-{name}")
        } else {
            id
        };
        svg.put(format_args!(
            "<svg class=\"chart {name}\" role=\"img\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            escape(title),
            escape(description),
        ));
        svg
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }

    /// All of a series, or what several series share.
    pub(super) fn one(&mut self, series: &[usize], draw: impl FnOnce(&mut Self)) {
        let numbers: Vec<String> = series.iter().map(usize::to_string).collect();
        let numbers = numbers.join(" ");
        self.group(
            format_args!("class=\"one\" data-series=\"{numbers}\""),
            draw,
        );
    }

    /// A series' entry in the legend.
    pub(super) fn entry(&mut self, series: usize, draw: impl FnOnce(&mut Self)) {
        self.group(
            format_args!("class=\"entry\" data-series=\"{series}\""),
            draw,
        );
    }

    /// A part that has something to say, if only when it is pointed at; nothing when the text is empty.
    pub(super) fn saying(&mut self, say: &str, draw: impl FnOnce(&mut Self)) {
        if say.is_empty() {
            return draw(self);
        }
        let begun = self.text.len();
        draw(self);
        let drawn = self.text.split_off(begun);
        let say = escape(say);
        // A part of one element says it by itself.
        match drawn.strip_suffix("/>") {
            Some(element) if element.matches('<').count() == 1 => {
                self.put(format_args!("{element} data-say=\"{say}\"/>"));
            }
            _ => self.put(format_args!("<g data-say=\"{say}\">{drawn}</g>")),
        }
    }

    fn group(&mut self, attributes: std::fmt::Arguments<'_>, draw: impl FnOnce(&mut Self)) {
        self.put(format_args!("<g {attributes}>"));
        draw(self);
        self.put(format_args!("</g>"));
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.lines(class, &[(from, to)]);
    }

    /// Several lines in one element.
    pub(super) fn lines(&mut self, class: &str, lines: &[Stroke]) {
        let data: Vec<String> = lines
            .iter()
            .map(|(from, to)| through(&[*from, *to]))
            .collect();
        self.path(class, &data.concat());
    }

    pub(super) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            short(corner.0),
            short(corner.1),
            short(size.0.max(0.0)),
            short(size.1.max(0.0))
        ));
    }

    pub(super) fn circle(&mut self, class: &str, centre: (f64, f64), radius: f64) {
        self.put(format_args!(
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
            short(centre.0),
            short(centre.1),
            short(radius)
        ));
    }

    /// A path by its data, such as `M0,0l10 5`.
    pub(super) fn path(&mut self, class: &str, data: &str) {
        self.put(format_args!("<path class=\"{class}\" d=\"{data}\"/>"));
    }

    pub(super) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " middle",
            Anchor::End => " end",
        };
        self.put(format_args!(
            "<text class=\"{class}{anchor}\" x=\"{}\" y=\"{}\">{}</text>",
            short(at.0),
            short(at.1),
            escape(text)
        ));
    }

    /// Lines of text below each other, the first at a point.
    pub(super) fn texts(&mut self, class: &str, at: (f64, f64), anchor: Anchor, lines: &[String]) {
        for (line, number) in lines.iter().zip(0..) {
            let y = at.1 + f64::from(number) * LINE;
            self.text(class, (at.0, y), anchor, line);
        }
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(element);
    }
}

/// Data of a path through places: where it begins, then the steps, which are a third shorter to write. They lead from
/// one rounded place to the next, so roundings do not add up.
pub(super) fn through(places: &[(f64, f64)]) -> String {
    let rounded = |length: f64| (length * 10.0).round() / 10.0;
    let mut places = places.iter().map(|(x, y)| (rounded(*x), rounded(*y)));
    let Some(first) = places.next() else {
        return String::new();
    };
    let mut data = format!("M{},{}", short(first.0), short(first.1));
    let mut here = first;
    for there in places {
        let (right, down) = (step(there.0 - here.0), step(there.1 - here.1));
        data += &match (right.as_str(), down.as_str()) {
            (_, "0") => format!("h{right}"),
            ("0", _) => format!("v{down}"),
            (_, down) if down.starts_with('-') => format!("l{right}{down}"),
            _ => format!("l{right} {down}"),
        };
        here = there;
    }
    data
}

/// A step to a tenth of a pixel, without the zero before its point.
fn step(length: f64) -> String {
    let written = short(length);
    if let Some(tenths) = written.strip_prefix("0.") {
        format!(".{tenths}")
    } else if let Some(tenths) = written.strip_prefix("-0.") {
        format!("-.{tenths}")
    } else {
        written
    }
}

/// A length to a tenth of a pixel: a page has a hundred thousand of them.
fn short(length: f64) -> String {
    let written = format!("{length:.1}");
    let whole = written.strip_suffix(".0").unwrap_or(&written);
    match whole {
        "-0" => "0".to_owned(),
        whole => whole.to_owned(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_to_its_width() {
        let cut = fitted("a very long title of a model", 90.0);
        assert!(cut.ends_with('…') && text_width(&cut) <= 90.0, "{cut}");
        assert_eq!(fitted("short", 90.0), "short");
    }

    #[test]
    fn text_is_broken_where_words_end() {
        let lines = wrapped("always a heavy one", 80.0, 3);
        assert_eq!(lines, ["always a", "heavy one"]);
        assert_eq!(
            wrapped("tokio-current-thread", 60.0, 3),
            ["tokio-", "current-", "thread"]
        );
        assert!(wraps("always a heavy one", 80.0, 2));
        assert!(!wraps("always a heavy one", 80.0, 1));
        let cut = wrapped("always a heavy one", 80.0, 1);
        assert!(cut.len() == 1 && cut[0].ends_with('…'), "{cut:?}");
    }

    #[test]
    fn a_path_goes_step_by_step_between_rounded_places() {
        assert_eq!(through(&[]), "");
        assert_eq!(
            through(&[
                (10.04, 20.0),
                (20.04, 20.0),
                (20.04, 10.5),
                (20.3, 10.0),
                (10.0, 12.25)
            ]),
            "M10,20h10v-9.5l.3-.5l-10.3 2.3"
        );
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            escape("<b a=\"1\">&'"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39;"
        );
    }
}
