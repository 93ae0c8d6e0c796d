//! The figures of a lesson, computed from the records of its measurement, and the choice that they decide for.

use hola_base::{Language, Text, text};
use hola_lab::record::{Block, Run};
use hola_verdict::analysis::EstimateResult;
use hola_verdict::{Analysis, LevelKey};

use super::{Lesson, LessonFigure, in_language};

const SAID: Text = text("You said", "Dijiste");
const MEASURED: Text = text("Measured", "Medido");
const DECIDES: Text = text("That is", "Eso es");
const AS_PREDICTED: Text = text(
    "The whole interval agrees with your prediction.",
    "El intervalo entero coincide con tu predicción.",
);
const UNDECIDED: Text = text(
    "The interval reaches over more than one answer, so it decides for none: measure more blocks (--blocks).",
    "El intervalo alcanza a más de una respuesta, así que no decide por ninguna: mide más bloques (--blocks).",
);
const NOT_MEASURED: Text = text(
    "So nothing decides between the answers here.",
    "Así que aquí nada decide entre las respuestas.",
);

/// What a lesson has measured.
#[derive(Debug)]
pub struct LessonResult<'l> {
    pub(super) lesson: &'l Lesson,
    /// In the order of the lesson's figures.
    pub(super) figures: Vec<EstimateResult>,
    /// The choice that the first figure decides for.
    pub(super) decided: Option<usize>,
}

impl<'l> LessonResult<'l> {
    /// Computes the figures from the records.
    pub fn new(lesson: &'l Lesson, run: &Run, blocks: &[Block]) -> Self {
        let analysis = Analysis::new(run, blocks);
        let figures = lesson.figures.iter();
        let figures = figures.map(|figure| estimate(&analysis, figure));
        let figures: Vec<EstimateResult> = figures.collect();
        let first = figures.first().and_then(|first| first.as_ref().ok());
        LessonResult {
            lesson,
            decided: first.and_then(|first| lesson.decided_by(first)),
            figures,
        }
    }

    /// Whether any figure could be measured.
    pub fn is_measured(&self) -> bool {
        self.figures.iter().any(Result::is_ok)
    }

    /// The figure with its interval, or why it is missing.
    pub(super) fn shown(&self, number: usize, language: Language) -> String {
        let figure = &self.lesson.figures[number];
        match &self.figures[number] {
            Ok(estimate) if figure.is_comparison() => {
                hola_report::comparison(figure.metric, estimate, language)
            }
            Ok(estimate) => hola_report::value(figure.metric, estimate, language),
            Err(why) => format!("— {}", in_language(&why.text(), language)),
        }
    }

    /// The prediction beside the measurement, in two or three sentences.
    pub(super) fn beside_prediction(&self, predicted: usize, language: Language) -> Vec<String> {
        let figure = in_language(&self.lesson.figures[0].text, language);
        let said = self.lesson.lettered(predicted, language);
        let mut sentences = vec![
            format!("{}: {said}", language.of(SAID)),
            format!(
                "{}: {figure}: {}",
                language.of(MEASURED),
                self.shown(0, language)
            ),
        ];
        sentences.push(match self.decided {
            Some(choice) if choice == predicted => language.of(AS_PREDICTED).into(),
            Some(choice) => {
                let choice = self.lesson.lettered(choice, language);
                format!("{}: {choice}", language.of(DECIDES))
            }
            None if self.figures[0].is_ok() => language.of(UNDECIDED).into(),
            None => language.of(NOT_MEASURED).into(),
        });
        sentences
    }
}

fn estimate(analysis: &Analysis<'_>, figure: &LessonFigure) -> EstimateResult {
    let at = LevelKey::new(&figure.experiment, &figure.level);
    let (participant, metric) = (&figure.participant, figure.metric);
    match (&figure.against, &figure.from_level) {
        (Some(other), _) => analysis.ratio(at, participant, other, metric),
        (None, Some(from)) => {
            let from = LevelKey::new(&figure.experiment, from);
            analysis.change(participant, metric, from, at)
        }
        (None, None) => analysis.value(at, participant, metric),
    }
}
