//! A task per client, on one thread or on several.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;

use super::{ANSWER, Bare, workers};

pub(super) fn on_workers(bare: &'static Bare) -> io::Result<()> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers("tokio")?)
        .enable_all()
        .build()?;
    // On a worker, as in the model: if it ran on the main thread, each client would have to change threads.
    runtime.spawn(accept(bare));
    bare.wait_for_stop();
    Ok(())
}

pub(super) fn on_one_thread(bare: &'static Bare) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let accepting = tokio::spawn(accept(bare));
        while !bare.should_stop() && !accepting.is_finished() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    Ok(())
}

async fn accept(bare: &'static Bare) -> io::Result<()> {
    let listener = bare.listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (mut client, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut request = [0; 1024];
            if client.read(&mut request).await? > 0 {
                client.write_all(ANSWER).await?;
            }
            io::Result::Ok(())
        });
    }
}
