//! Starting and stopping.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    config::SimulatorConfig,
    control::{self, Control, Oracle},
    gateway,
    hub::Hub,
    rest, task, traffic,
    world::World,
};

/// A running simulator. Dropping it stops it as well, without waiting.
pub struct Simulator {
    hub: Arc<Hub>,
    running: Option<Running>,
    /// The kernel's number of the thread that does the work, 0 when it is the caller's runtime.
    thread_id: Arc<AtomicU64>,
}

enum Running {
    Task(tokio::task::JoinHandle<()>),
    Thread(oneshot::Receiver<()>),
}

impl Simulator {
    /// Starts on the caller's runtime. Fails when an address cannot be listened on.
    pub async fn start(config: SimulatorConfig) -> io::Result<Self> {
        let hub = Arc::new(Hub::new(config));
        let listeners = Listeners::open(&hub).await?;
        let running = Running::Task(task::spawn("simulator", run(Arc::clone(&hub), listeners)));
        Ok(Self {
            hub,
            running: Some(running),
            thread_id: Arc::default(),
        })
    }

    /// Starts on a thread of its own, so that its work shows in neither the metrics nor the CPU time of the caller's
    /// runtime. Fails when an address cannot be listened on.
    pub async fn start_on_own_thread(config: SimulatorConfig) -> io::Result<Self> {
        let (started, start) = oneshot::channel();
        let (finished, finish) = oneshot::channel();
        let thread_id = Arc::new(AtomicU64::new(0));
        let own_id = Arc::clone(&thread_id);
        thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                own_id.store(this_thread(), Ordering::Relaxed);
                let outcome = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map(|runtime| {
                        runtime.block_on(async {
                            let hub = Arc::new(Hub::new(config));
                            match Listeners::open(&hub).await {
                                Ok(listeners) => {
                                    if started.send(Ok(Arc::clone(&hub))).is_ok() {
                                        run(hub, listeners).await;
                                    }
                                }
                                // The start is no longer awaited, so the error is not missed.
                                Err(error) => drop(started.send(Err(error))),
                            }
                        });
                    });
                if let Err(error) = outcome {
                    tracing::error!(%error, "the simulator's thread has no runtime");
                }
                // The receiver learns of the end by this drop.
                drop(finished);
            })?;
        let hub = start
            .await
            .map_err(|_ended| io::Error::other("the simulator's thread ended at once"))??;
        Ok(Self {
            hub,
            running: Some(Running::Thread(finish)),
            thread_id,
        })
    }

    /// The base of REST and the controls, for example `http://127.0.0.1:40001`.
    pub fn rest_url(&self) -> String {
        self.hub.rest_url.get().cloned().unwrap_or_default()
    }

    /// The gateway's address, for example `ws://127.0.0.1:40002`.
    pub fn gateway_url(&self) -> String {
        self.hub.gateway_url().to_owned()
    }

    /// The controls.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.hub))
    }

    /// The oracle.
    pub fn oracle(&self) -> Oracle {
        Oracle::new(Arc::clone(&self.hub))
    }

    /// The guilds and people.
    pub fn world(&self) -> &World {
        &self.hub.world
    }

    /// The configuration it was started with.
    pub fn config(&self) -> &SimulatorConfig {
        &self.hub.config
    }

    /// CPU time that the simulator's own thread has used; `None` when it has none or the system does not tell.
    pub fn cpu_time(&self) -> Option<Duration> {
        let thread = self.thread_id.load(Ordering::Relaxed);
        if thread == 0 {
            return None;
        }
        // The first number of schedstat is the time on a CPU in nanoseconds.
        let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }

    /// Stops: connections end without a close frame, and both ports are free afterwards.
    pub async fn stop(mut self) {
        self.hub.stopping.send_replace(true);
        match self.running.take() {
            Some(Running::Task(task)) => {
                if let Err(error) = task.await {
                    tracing::error!(%error, "the simulator did not end in order");
                }
            }
            // An error means that the thread is over already.
            Some(Running::Thread(finish)) => drop(finish.await),
            None => {}
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.hub.stopping.send_replace(true);
    }
}

struct Listeners {
    gateway: TcpListener,
    rest: TcpListener,
}

impl Listeners {
    async fn open(hub: &Hub) -> io::Result<Self> {
        let open = async |address: SocketAddr| {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
            TcpListener::bind(address).await.map_err(named)
        };
        let gateway = open(hub.config.gateway_addr).await?;
        let rest = open(hub.config.rest_addr).await?;
        // Clients get these addresses, so they must be the real ones.
        let (gateway_at, rest_at) = (gateway.local_addr()?, rest.local_addr()?);
        hub.gateway_url.get_or_init(|| format!("ws://{gateway_at}"));
        hub.rest_url.get_or_init(|| format!("http://{rest_at}"));
        Ok(Self { gateway, rest })
    }
}

async fn run(hub: Arc<Hub>, listeners: Listeners) {
    let app = Router::new()
        .merge(control::routes())
        .fallback(rest::handle)
        .with_state(Arc::clone(&hub));
    let mut web = task::spawn("rest", async move {
        if let Err(error) = axum::serve(listeners.rest, app).await {
            tracing::error!(%error, "REST ended");
        }
    });
    tokio::select! {
        () = gateway::serve(Arc::clone(&hub), listeners.gateway) => {}
        () = traffic::drive(&hub) => {}
        () = hub.stopped() => {}
        ended = &mut web => drop(ended),
    }
    web.abort();
    // Whether it was aborted or had ended is all the same now.
    drop(web.await);
}

/// The kernel's number of this thread, 0 where the system does not tell.
fn this_thread() -> u64 {
    std::fs::read_link("/proc/thread-self")
        .ok()
        .and_then(|path| path.file_name()?.to_str()?.parse().ok())
        .unwrap_or(0)
}
