//! The answer to the question that everybody asks, in three sentences over all plain loads of a run.

use hola_servers::models::Bilingual;

use crate::analysis::Analysis;
use crate::analysis::comparison::Verdict;
use crate::analysis::winners::{self, Duel};
use crate::lab::record::Run;
use crate::language::Language;

use super::answer::title;
use super::numbers;
use super::words;

/// Two models of which people ask which to take.
struct Question {
    asked: Bilingual,
    model: &'static str,
    other: &'static str,
    /// The answer where the model costs less under some loads and more under none.
    model_wins: Bilingual,
    other_wins: Bilingual,
}

const QUESTIONS: [Question; 2] = [
    Question {
        asked: words::THREADS_OR_PROCESSES,
        model: "fork-per-client",
        other: "thread-per-client",
        model_wins: words::PROCESSES_COST_LESS,
        other_wins: words::THREADS_COST_LESS,
    },
    Question {
        asked: words::THREADS_OR_ASYNC,
        model: "tokio",
        other: "thread-per-client",
        model_wins: words::ASYNC_COSTS_LESS,
        other_wins: words::THREADS_COST_LESS,
    },
];

/// Three sentences; none of them where the run has no load to compare the models under.
pub(super) fn sentences(run: &Run, analyses: &[Analysis<'_>], language: Language) -> Vec<String> {
    let answers = QUESTIONS.iter().filter_map(|question| {
        let Question { model, other, .. } = question;
        let titles = [model, other].map(|name| title(run, name, language));
        let duels = winners::duels(analyses, model, other);
        sentence(question, titles, &duels, language)
    });
    answers.chain(cheapest(run, analyses, language)).collect()
}

fn sentence(
    question: &Question,
    titles: [&str; 2],
    duels: &[Duel<'_>],
    language: Language,
) -> Option<String> {
    let ratios = || duels.iter().map(|duel| duel.comparison.ratio.value);
    let [low, high] = [ratios().reduce(f64::min)?, ratios().reduce(f64::max)?];
    let count = |verdict| {
        let same = duels
            .iter()
            .filter(|duel| duel.comparison.verdict == verdict);
        same.count()
    };
    let came = words::Came {
        loads: duels.len(),
        dearer: count(Verdict::More),
        cheaper: count(Verdict::Less),
        tied: count(Verdict::Tie),
        open: count(Verdict::TooFew),
    };
    let answer = match (came.cheaper, came.dearer) {
        (0, 0) => words::NO_DIFFERENCE,
        (_, 0) => question.model_wins,
        (0, _) => question.other_wins,
        _ => words::DEPENDS_ON_LOAD,
    };
    let answered = [question.asked, answer].map(|text| language.of(text));
    let range = [low, high].map(|ratio| numbers::times(ratio, language));
    Some(words::duel(answered, titles, &range, &came, language))
}

/// Who is the cheapest under most loads.
fn cheapest(run: &Run, analyses: &[Analysis<'_>], language: Language) -> Option<String> {
    let map = winners::map(analyses);
    let wins = |model: &str| {
        let places = map.iter().filter(|place| place.winners.contains(&model));
        places.count()
    };
    let most = run.models.iter().map(|card| wins(&card.name)).max()?;
    let first = run.models.iter().find(|card| wins(&card.name) == most)?;
    let title = words::title_of(first, language);
    (most > 0).then(|| words::cheapest(title, most, map.len(), language))
}
