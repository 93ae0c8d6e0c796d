//! The source of every model, so that a report can count it: to write and read a model is a cost, too.

/// The code that a person who writes a model by hand has to write.
#[derive(Clone, Copy, Debug)]
pub struct ModelPage {
    /// Name of the model on the command line.
    pub model: &'static str,
    /// The model's own file.
    pub page: &'static str,
    /// Code that only models of this kind need: the event loop under a selector. The blocking models need only the
    /// operating system.
    pub shared_code: &'static [&'static str],
}

const DEADLINES: &str = include_str!("loops/deadlines.rs");
const ACCEPTOR: &str = include_str!("loops/acceptor.rs");
const READINESS: &[&str] = &[include_str!("loops/readiness.rs"), ACCEPTOR, DEADLINES];
const COMPLETION: &[&str] = &[include_str!("loops/completion.rs"), ACCEPTOR, DEADLINES];

const fn alone(model: &'static str, page: &'static str) -> ModelPage {
    ModelPage {
        model,
        page,
        shared_code: &[],
    }
}

const fn on(
    model: &'static str,
    page: &'static str,
    shared_code: &'static [&'static str],
) -> ModelPage {
    ModelPage {
        model,
        page,
        shared_code,
    }
}

/// Every model's page, in teaching order.
pub const PAGES: &[ModelPage] = &[
    alone("iterative", include_str!("models/iterative.rs")),
    alone("fork-per-client", include_str!("models/fork_per_client.rs")),
    alone("pre-forked", include_str!("models/pre_forked.rs")),
    alone(
        "thread-per-client",
        include_str!("models/thread_per_client.rs"),
    ),
    alone("pre-threaded", include_str!("models/pre_threaded.rs")),
    alone("thread-pool", include_str!("models/thread_pool.rs")),
    alone(
        "selector-threads",
        include_str!("models/selector_threads.rs"),
    ),
    on("poll", include_str!("models/poll.rs"), READINESS),
    on("epoll", include_str!("models/epoll.rs"), READINESS),
    on(
        "epoll-per-core",
        include_str!("models/epoll_per_core.rs"),
        READINESS,
    ),
    alone(
        "tokio-current-thread",
        include_str!("models/tokio_current_thread.rs"),
    ),
    alone("tokio", include_str!("models/tokio.rs")),
    on("io-uring", include_str!("models/io_uring.rs"), COMPLETION),
];

/// The page of the model of that name.
pub fn find(model: &str) -> Option<&'static ModelPage> {
    PAGES.iter().find(|page| page.model == model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::MODELS;

    #[test]
    fn every_model_has_its_own_page() {
        assert_eq!(PAGES.len(), MODELS.len());
        for (page, model) in PAGES.iter().zip(MODELS) {
            assert_eq!(page.model, model.name);
            assert!(page.page.contains(&format!("name: \"{}\"", model.name)));
        }
    }
}
