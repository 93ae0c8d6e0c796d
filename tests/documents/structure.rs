//! Checks, in the source itself, which file of a crate imports which, and the names of public types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

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
        let mut module = parent.to_vec();
        let name = path.file_stem().and_then(|name| name.to_str());
        module.extend(
            name.filter(|name| !["lib", "main", "mod"].contains(name))
                .map(str::to_owned),
        );
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

fn is_test(attributes: &[Attribute]) -> bool {
    let is = |argument: syn::Ident| argument == "test";
    let mut cfgs = attributes.iter().filter(|one| one.path().is_ident("cfg"));
    cfgs.any(|cfg| cfg.parse_args().is_ok_and(is))
}

/// Paths that a file names, outside its tests.
#[derive(Default)]
struct Paths(BTreeSet<Vec<String>>);

impl Paths {
    fn add_use(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_use(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|one| self.add_use(one, before)),
            UseTree::Name(name) => drop(self.0.insert(with(&name.ident))),
            UseTree::Rename(name) => drop(self.0.insert(with(&name.ident))),
            UseTree::Glob(_) => drop(self.0.insert(before.to_vec())),
        }
    }
}

impl Visit<'_> for Paths {
    fn visit_item_mod(&mut self, item: &ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.add_use(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names = path.segments.iter().map(|one| one.ident.to_string());
        self.0.insert(names.collect());
        visit::visit_path(self, path);
    }
}

/// The module that a path leads to, seen from another one; `None` if it leads out of the crate.
fn resolve<T>(path: &[String], from: &[String], modules: &BTreeMap<Module, T>) -> Option<Module> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let mut full = match path.first()?.as_str() {
        "crate" => path[1..].to_vec(),
        "self" => [from, &path[1..]].concat(),
        "super" => [&from[..from.len().checked_sub(ups)?], &path[ups..]].concat(),
        _ => return None,
    };
    while !modules.contains_key(&full) {
        full.pop()?;
    }
    Some(full)
}

/// Imports of each module of a crate, except those between a module and one inside it.
fn imports(folder: &str) -> BTreeMap<Module, BTreeSet<Module>> {
    let modules = sources(folder);
    let imports_of = |(module, file): (&Module, &syn::File)| {
        let mut paths = Paths::default();
        paths.visit_file(file);
        let paths = paths.0.iter();
        let imports = paths.filter_map(|path| resolve(path, module, &modules));
        let is_apart = |other: &Module| !other.starts_with(module) && !module.starts_with(other);
        (module.clone(), imports.filter(is_apart).collect())
    };
    modules.iter().map(imports_of).collect()
}

/// The part of a graph that is left after all modules are removed that import no other module of it, or that no other
/// module imports.
fn circles(mut graph: BTreeMap<Module, BTreeSet<Module>>) -> BTreeMap<Module, BTreeSet<Module>> {
    loop {
        let imported: BTreeSet<Module> = graph.values().flatten().cloned().collect();
        let before = graph.len();
        graph.retain(|module, imports| !imports.is_empty() && imported.contains(module));
        let left: BTreeSet<Module> = graph.keys().cloned().collect();
        for imports in graph.values_mut() {
            imports.retain(|module| left.contains(module));
        }
        if graph.len() == before {
            return graph;
        }
    }
}

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    for folder in CRATES {
        let circles = circles(imports(folder));
        assert!(circles.is_empty(), "{folder}: {circles:#?}");
    }
}

#[test]
fn system_modules_import_nothing_of_their_crate() {
    for folder in CRATES {
        for (module, imports) in imports(folder) {
            let is_free = module.first().is_none_or(|name| name != "sys") || imports.is_empty();
            assert!(is_free, "{folder}: {module:?} imports {imports:?}");
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
