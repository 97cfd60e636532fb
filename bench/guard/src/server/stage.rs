//! A server whose thread is counted, and a thread of clients whose is not.
//!
//! Owns the server's runtime and the order of things: the clients do nothing before the server has come to rest, so it reads
//! each request by itself however the two threads are scheduled. Knows no protocol.

use crate::counted::counted;
use encke_server::Server;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

/// What requests come through.
#[derive(Clone, Copy)]
pub enum Route {
    /// The server's own listener.
    Listener,
    /// tokio's listener.
    Axum,
}

/// Between looks at whether the server rests.
const GLANCE: Duration = Duration::from_micros(20);
/// One round in so many is played before counting begins: until then tables and buffers grow.
const WARM_UP: u64 = 10;

/// What the clients see of the server.
pub struct Stage {
    address: SocketAddr,
    /// How often the server's thread has gone to rest.
    rests: Arc<AtomicU64>,
}

impl Stage {
    /// For whatever the server has to do; a guard against a hanging one.
    pub const PATIENCE: Duration = Duration::from_secs(60);

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does something that the server notices, and waits until it has nothing more to do.
    pub fn step<T>(&self, act: impl FnOnce() -> T) -> T {
        self.steps(1, act)
    }

    /// The same for what the server wakes up for several times.
    pub fn steps<T>(&self, times: u64, act: impl FnOnce() -> T) -> T {
        let before = self.rests.load(Ordering::Acquire);
        let result = act();
        let asked = Instant::now();
        while self.rests.load(Ordering::Acquire) < before + times {
            assert!(asked.elapsed() < Self::PATIENCE, "the server does not come to rest");
            thread::sleep(GLANCE);
        }
        result
    }
}

/// Has the clients that `enter` makes play `rounds` rounds, in which the server is counted.
pub fn play<C: Send>(
    server: Server,
    route: Route,
    rounds: u64,
    enter: impl FnOnce(&Stage) -> C + Send,
    mut round: impl FnMut(&Stage, &mut C) + Send,
) {
    let rests = Arc::new(AtomicU64::new(0));
    let rested = rests.clone();
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().on_thread_park(move || {
        rested.fetch_add(1, Ordering::Release);
    });
    let runtime = builder.build().expect("a runtime needs an epoll and a pipe");
    let address = runtime.block_on(serve(server, route));
    let (begin, begun) = oneshot::channel();
    let (end, mut ended) = oneshot::channel::<()>();
    thread::scope(|scope| {
        let clients = scope.spawn(move || {
            let stage = Stage { address, rests };
            let mut clients = enter(&stage);
            (0..rounds.div_ceil(WARM_UP)).for_each(|_| round(&stage, &mut clients));
            stage.step(|| begin.send(()).expect("the server waits for it"));
            (0..rounds).for_each(|_| round(&stage, &mut clients));
            drop(end);
            clients
        });
        // Where the clients have panicked, joining them says so.
        let _ = runtime.block_on(begun);
        counted(&mut || drop(runtime.block_on(&mut ended)));
        // Only now do they close their connections.
        clients.join().map_or_else(|panic| std::panic::resume_unwind(panic), drop);
    });
}

async fn serve(server: Server, route: Route) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let router = server.router();
    tokio::spawn(async move {
        match route {
            Route::Listener => axum::serve(server.listener(listener), router).await,
            Route::Axum => axum::serve(listener, router).await,
        }
    });
    address
}
