//! The answer to the question that everybody asks, in three sentences over all plain loads of a run.

use crate::analysis::Analysis;
use crate::analysis::comparison::Verdict;
use crate::analysis::winners::{self, Duel};
use crate::lab::record::Run;
use crate::language::Language;

use super::answer::title;
use super::numbers;
use super::words;

/// A question, who is asked about, and against whom.
const DUELS: [(hola_servers::models::Bilingual, &str, &str); 2] = [
    (
        words::THREADS_OR_PROCESSES,
        "fork-per-client",
        "thread-per-client",
    ),
    (words::THREADS_OR_ASYNC, "tokio", "thread-per-client"),
];

/// Three sentences; none of them where the run has no load to compare the models under.
pub(super) fn sentences(run: &Run, analyses: &[Analysis<'_>], language: Language) -> Vec<String> {
    let duels = DUELS.iter().filter_map(|(question, model, other)| {
        let titles = [model, other].map(|name| title(run, name, language));
        let duels = winners::duels(analyses, model, other);
        sentence(language.of(*question), titles, &duels, language)
    });
    duels.chain(cheapest(run, analyses, language)).collect()
}

fn sentence(
    question: &str,
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
    let range = [low, high].map(|ratio| numbers::times(ratio, language));
    Some(words::duel(question, titles, &range, &came, language))
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
