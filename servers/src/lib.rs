//! The same greeting under every concurrency model.
