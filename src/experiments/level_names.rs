//! Names of levels in the other language.
//!
//! A level's name is its key in records and on the command line, so records keep the English one. It is made of few
//! words, and a report in Spanish puts them in Spanish.

use std::borrow::Cow;

use crate::language::Language;

/// Whole parts of a name.
const PARTS: &[(&str, &str)] = &[
    ("unlimited", "ilimitadas"),
    ("alone", "solas"),
    ("always a heavy one", "siempre una pesada"),
    ("no slow client", "ningún cliente lento"),
    ("greeting", "saludo"),
    ("count", "cuenta"),
    ("up to 1100", "hasta 1100"),
    ("to the limit", "hasta el límite"),
    ("kept", "con plazos"),
    ("none", "sin plazos"),
    ("new", "nuevos"),
    ("stay", "se quedan"),
    ("at once", "al momento"),
    ("one shared", "una compartida"),
];

/// What is counted in a part that begins with a number.
const UNITS: &[(&str, &str)] = &[
    ("client", "cliente"),
    ("clients", "clientes"),
    ("CPU", "CPU"),
    ("CPUs", "CPU"),
    ("request", "petición"),
    ("requests", "peticiones"),
    ("rounds", "vueltas"),
    ("% heavy", "% pesadas"),
    ("slow client", "cliente lento"),
    ("slow clients", "clientes lentos"),
    ("× capacity", "× capacidad"),
    ("in turn", "seguidos"),
];

/// The name of a level as a reader of that language knows it; unchanged where there is nothing to say otherwise.
pub fn level_name(name: &str, language: Language) -> Cow<'_, str> {
    match language {
        Language::English => name.into(),
        Language::Spanish => {
            let parts: Vec<Cow<'_, str>> = name.split(", ").map(in_spanish).collect();
            parts.join(", ").into()
        }
    }
}

fn in_spanish(part: &str) -> Cow<'_, str> {
    if let Some((_, es)) = PARTS.iter().find(|(en, _)| *en == part) {
        return (*es).into();
    }
    let number_ends = part.find(|letter: char| !letter.is_ascii_digit() && !" .".contains(letter));
    let (number, unit) = part.split_at(number_ends.unwrap_or(0));
    match UNITS.iter().find(|(en, _)| *en == unit) {
        Some((_, es)) => format!("{}{es}", number.replace('.', ",")).into(),
        None => part.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::{EXPERIMENTS, Levels};

    #[test]
    fn names_are_told_in_spanish_and_left_alone_in_english() {
        let told = [
            ("1 client", "1 cliente"),
            ("0.5 × capacity", "0,5 × capacidad"),
            ("1 000 000 rounds", "1 000 000 vueltas"),
            ("2 CPUs, one shared", "2 CPU, una compartida"),
            (
                "stay, at once, 16 clients",
                "se quedan, al momento, 16 clientes",
            ),
            ("500 MB", "500 MB"),
            ("", ""),
        ];
        for (en, es) in told {
            assert_eq!(level_name(en, Language::Spanish), es);
            assert_eq!(level_name(en, Language::English), en);
        }
    }

    #[test]
    fn no_level_of_any_experiment_is_left_in_english() {
        // Names of signals, of an option and of units are the same in both.
        const ALIKE: [&str; 6] = ["panic", "abort", "segv", "backlog", "ms", "MB"];
        for experiment in EXPERIMENTS {
            for profile in experiment.profiles {
                let Levels::Named(plans) = profile.levels else {
                    continue;
                };
                for plan in plans {
                    for part in plan.name.split(", ") {
                        let is_alike = part.split(' ').any(|word| ALIKE.contains(&word));
                        let is_told = in_spanish(part) != part;
                        assert!(is_alike || is_told, "{}: {}", experiment.name, plan.name);
                    }
                }
            }
        }
    }
}
