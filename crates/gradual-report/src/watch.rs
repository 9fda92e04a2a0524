//! A page on the loopback address that follows experiments while they run.
//!
//! A thread looks at the run folders ([`follow`]). Where they changed, it reads them as the report does, draws progress and
//! figures, and publishes them with a number. The server ([`server`]) has three addresses: the page, what was published
//! last, and a stream of server-sent events that tells the numbers. The page's script fetches what is new.
//!
//! A file that is being written is no error: the torn last line of a journal is left out until it is whole, and whatever else
//! can't be read is said on the page, above the figures of before.

mod follow;
mod server;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::ReportError;
use follow::Snapshot;

/// Serves the page of the experiments in `dirs` on this machine until the program is stopped by a signal. `ready` is told
/// the address first, and says whether to go on.
///
/// # Errors
/// [`ReportError::Serve`] when the port can't be taken, [`ReportError::Follow`] when there is no thread to follow the runs.
pub(crate) fn serve(
    dirs: Vec<PathBuf>,
    port: u16,
    ready: impl FnOnce(SocketAddr) -> bool,
) -> Result<(), ReportError> {
    let failed = |source: io::Error| ReportError::Serve { port, source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (published, seen) = watch::channel(Snapshot::first(&dirs));
        // It ends with the program.
        let follow = move || follow::follow(&dirs, &published);
        let followed = thread::Builder::new().spawn(follow);
        followed.map_err(|source| ReportError::Follow { source })?;
        if !ready(address) {
            return Ok(());
        }
        let served = axum::serve(listener, server::router(address.port(), seen));
        tokio::select! {
            ended = served => ended.map_err(failed),
            stopped = asked_to_stop() => stopped.map_err(failed),
        }
    })
}

/// Waits for Ctrl-C, for the signal that ends a program, or for the one of a terminal that was closed.
async fn asked_to_stop() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut ends = signal(SignalKind::terminate())?;
        let mut closed = signal(SignalKind::hangup())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = ends.recv() => Ok(()),
            _ = closed.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
