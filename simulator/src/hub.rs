//! What every part of the simulator shares: the world, and behind one lock everything that changes.
//!
//! One lock suffices: it is held for microseconds, and the simulator is built to run on one thread, where nobody ever
//! waits for it.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::{Notify, watch};

use crate::{
    config::SimulatorConfig, engine::Engine, interaction::Interactions, rest::RestState, world::World,
};

/// The shared parts.
pub(crate) struct Hub {
    pub(crate) config: SimulatorConfig,
    pub(crate) world: World,
    engine: Mutex<Engine>,
    rest: Mutex<RestState>,
    /// Shared by the requests that are carried out, from their effect to their record.
    recording: RwLock<()>,
    interactions: Mutex<Interactions>,
    /// Wakes the traffic's driver after a change by the controls.
    pub(crate) driver: Notify,
    /// Wakes the waiters for an interaction's answer.
    pub(crate) answered: Notify,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) gateway_url: OnceLock<String>,
    pub(crate) rest_url: OnceLock<String>,
}

impl Hub {
    pub(crate) fn new(config: SimulatorConfig) -> Self {
        let world = World::new(&config);
        Self {
            engine: Mutex::new(Engine::new(&config, &world)),
            rest: Mutex::new(RestState::new(&config)),
            recording: RwLock::default(),
            interactions: Mutex::new(Interactions::default()),
            driver: Notify::new(),
            answered: Notify::new(),
            stopping: watch::Sender::new(false),
            gateway_url: OnceLock::new(),
            rest_url: OnceLock::new(),
            world,
            config,
        }
    }

    /// The state of the gateway and the traffic.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of REST. Where both locks are needed, this one is taken first.
    pub(crate) fn rest(&self) -> MutexGuard<'_, RestState> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while a request has its effect and is recorded.
    pub(crate) fn carrying_out(&self) -> RwLockReadGuard<'_, ()> {
        self.recording.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of REST, in which every request is recorded whose effect can be seen.
    pub(crate) fn records(&self) -> MutexGuard<'_, RestState> {
        drop(self.recording.write().unwrap_or_else(PoisonError::into_inner));
        self.rest()
    }

    pub(crate) fn interactions(&self) -> MutexGuard<'_, Interactions> {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the simulator is told to stop.
    pub(crate) async fn stopped(&self) {
        // The sender lives as long as the hub, so this cannot fail before the wish comes true.
        drop(self.stopping.subscribe().wait_for(|&stopping| stopping).await);
    }

    pub(crate) fn gateway_url(&self) -> &str {
        self.gateway_url.get().map_or("", String::as_str)
    }
}
