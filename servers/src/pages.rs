//! The source of every model, for those who count it: what a model costs to write and read is a cost, too.

/// What somebody who wrote a model by hand would have to write.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Name of the model on the command line.
    pub model: &'static str,
    /// The model's own file.
    pub page: &'static str,
    /// What no other way of attending needs: the loop under a selector. The blocking models stand on the operating system.
    pub beneath: &'static [&'static str],
}

const DEADLINES: &str = include_str!("loops/deadlines.rs");
const DOOR: &str = include_str!("loops/door.rs");
const READINESS: &[&str] = &[include_str!("loops/readiness.rs"), DOOR, DEADLINES];
const COMPLETION: &[&str] = &[include_str!("loops/completion.rs"), DOOR, DEADLINES];

const fn alone(model: &'static str, page: &'static str) -> Page {
    Page {
        model,
        page,
        beneath: &[],
    }
}

const fn on(model: &'static str, page: &'static str, beneath: &'static [&'static str]) -> Page {
    Page {
        model,
        page,
        beneath,
    }
}

/// Every model's page, in teaching order.
pub const PAGES: &[Page] = &[
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
pub fn find(model: &str) -> Option<&'static Page> {
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
