//! The seeded bugs still fit the source; `cargo run -p hola-loadgen --example mutants` shows that each is caught.

mod seeded;

use std::fs;
use std::path::Path;

#[test]
fn every_seeded_bug_still_has_its_place_in_the_source() {
    for bug in seeded::BUGS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(bug.file);
        let source =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(
            source.matches(bug.original).count(),
            1,
            "{}: {:?} in {}",
            bug.name,
            bug.original,
            bug.file
        );
        let (program, test) = bug.caught_by;
        let program = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(format!("{program}.rs"));
        let tests = fs::read_to_string(&program).unwrap();
        assert!(
            tests.contains(&format!("fn {test}(")),
            "{}: {test}",
            bug.name
        );
    }
}
