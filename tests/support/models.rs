//! The table of models, as tests go through it.

use std::fmt::Debug;
use std::thread;

use hola_servers::models::{Attention, Capacity, MODELS, Model, find};

use super::WORKERS;

/// All models that this system has, in teaching order.
pub fn table() -> impl Iterator<Item = &'static Model> {
    MODELS.iter().filter(|model| (model.available)().is_ok())
}

/// Names of all models that this system has, in teaching order.
pub fn models() -> impl Iterator<Item = &'static str> {
    table().map(|model| model.name)
}

/// Clients that a model serves at once with [`WORKERS`]; `None` means no limit.
pub fn serves_at_once(model: &str) -> Option<usize> {
    find(model).expect("a model").serves_at_once(WORKERS)
}

/// Child processes of the server while no client is connected.
pub fn children_at_rest(model: &str, arguments: &[&str]) -> usize {
    let model = find(model).expect("a model");
    match (model.attention, model.capacity) {
        (Attention::Process, Capacity::Workers) => WORKERS,
        _ if arguments.contains(&"--processes") => WORKERS,
        _ => 0,
    }
}

/// A model and further arguments: one way of serving.
pub type Way = (&'static str, Vec<&'static str>);

/// Every way of giving clients to processes other than the server's own.
pub fn ways_with_processes() -> Vec<Way> {
    let with_processes = |model: &'static Model| match model.attention {
        Attention::Process => Some((model.name, vec![])),
        _ if model.threads_or_processes => Some((model.name, vec!["--processes"])),
        _ => None,
    };
    table().filter_map(with_processes).collect()
}

/// Does `work` for every model at the same time; a failure names its model.
pub fn for_each_model(work: impl Fn(&'static str) + Sync) {
    for_each(&models().collect::<Vec<_>>(), |&model| work(model));
}

/// Does `work` for everything in `list` at the same time; a failure names its item.
pub fn for_each<T: Debug + Sync>(list: &[T], work: impl Fn(&T) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = list
            .iter()
            .map(|item| (item, scope.spawn(move || work(item))))
            .collect();
        for (item, thread) in threads {
            assert!(thread.join().is_ok(), "{item:?} failed; its panic is above");
        }
    });
}
