//! What public types are called, read from the source itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Item, Visibility};

use crate::path_of;

/// Folders of the crates.
const CRATES: [&str; 7] = [
    "base", "servers", "loadgen", "lab", "verdict", "report", ".",
];

/// Path of a module within its crate, such as `["engine", "worker"]`.
type Module = Vec<String>;

/// Every source file of a crate, by its module.
fn sources(folder: &str) -> BTreeMap<Module, syn::File> {
    let mut found = BTreeMap::new();
    collect(&path_of(folder).join("src"), &Module::new(), &mut found);
    found
}

fn collect(folder: &Path, parent: &[String], found: &mut BTreeMap<Module, syn::File>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.expect("a name").to_owned();
        let is_root = ["lib", "main", "mod"].contains(&name.as_str());
        let module: Module = match is_root {
            true => parent.to_vec(),
            false => [parent, &[name]].concat(),
        };
        if path.is_dir() {
            collect(&path, &module, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            // A library and its binary share the root.
            found.entry(module).or_insert(file);
        }
    }
}

/// Names of types that are visible outside their file.
fn type_names(items: &[Item]) -> Vec<String> {
    let name = |item: &Item| {
        let (visibility, name) = match item {
            Item::Struct(item) => (&item.vis, &item.ident),
            Item::Enum(item) => (&item.vis, &item.ident),
            Item::Union(item) => (&item.vis, &item.ident),
            Item::Trait(item) => (&item.vis, &item.ident),
            Item::Type(item) => (&item.vis, &item.ident),
            _ => return None,
        };
        (!matches!(visibility, Visibility::Inherited)).then(|| name.to_string())
    };
    items.iter().filter_map(name).collect()
}

#[test]
fn a_public_type_name_means_one_thing_in_the_workspace() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in CRATES {
        for (module, file) in sources(folder) {
            for name in type_names(&file.items) {
                let place = format!("{folder}: {}", module.join("::"));
                places.entry(name).or_default().push(place);
            }
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}
