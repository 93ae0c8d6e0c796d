//! The report's pages, made from a made-up run.

mod fixture;

use std::fs;
use std::path::Path;

use hola_lab::plan::Profile;

/// Not a judgement: it leaves the pages where a browser finds them.
#[test]
fn writes_its_pages() {
    for profile in [Profile::Quick, Profile::Full] {
        let (run, blocks) = fixture::run(profile);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(profile.name());
        fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in hola_report::files(&run, &blocks) {
            println!(
                "{} {name}: {} KiB, {} words",
                profile.name(),
                text.len() / 1024,
                text.split_whitespace().count()
            );
            fs::write(folder.join(name), text).expect("a file");
        }
        fs::write(
            folder.join("summary.txt"),
            hola_report::summary(&run, &blocks, hola_base::Language::English),
        )
        .expect("a file");
        fs::write(
            folder.join("readme.md"),
            hola_report::readme(&run, &blocks, hola_base::Language::Spanish, "answer.svg"),
        )
        .expect("a file");
    }
}
