//! The controls: what one can do to the simulated Discord, and see of it.

mod channels;
mod guilds;
mod http;

use std::{collections::HashMap, future::Future, sync::Arc};

pub(crate) use http::routes;
use serde_json::Value;
use tokio::time::{Duration, Instant};

use crate::{
    config::{GatewayRules, OAuthRules, Rate, RestRules},
    engine::{Command, HeartbeatAcks},
    hub::Hub,
    interaction::{self, InteractionRequest, InteractionState},
    oracle::{Hours, Ledger, Members, OracleError, Report, Row},
    payload::RawEvent,
    rest::{RestCall, RestFault, SentFile, route},
    stats::{Resume, SessionInfo, Stats},
};

/// The interval at which an awaited condition is checked.
const POLL: Duration = Duration::from_millis(5);

/// A handle to everything that can be done to a running simulator. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    hub: Arc<Hub>,
}

/// Which connections a control is for: all, or those of a shard with this number.
pub type Shard = Option<u32>;

impl Control {
    pub(crate) const fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// Sets the rate of traffic. What [`generate`](Self::generate) still owes is made all the same.
    pub fn set_rate(&self, rate: Rate) {
        let mut engine = self.hub.lock();
        engine.rate = rate;
        engine.clock.follow(1);
        engine.wake_all();
        drop(engine);
        self.hub.driver.notify_one();
    }

    /// Stops the traffic, what [`generate`](Self::generate) still owes excepted.
    pub fn pause(&self) {
        self.set_rate(Rate::Paused);
    }

    /// Makes exactly this number of additional events, as fast as possible, once any shard has had a session. They are added to the
    /// sessions' logs whether or not anybody is connected. Returns at once.
    pub fn generate(&self, events: u64) {
        self.hub.lock().add_pending(events);
        self.hub.driver.notify_one();
    }

    /// Changes how much faster than the wall clock the simulated time runs.
    pub fn set_time_scale(&self, scale: f64) {
        self.hub.lock().clock.set_scale(scale);
    }

    /// Moves the simulated time on.
    pub fn advance_time(&self, by: Duration) {
        self.hub.lock().clock.advance(by.as_secs_f64() * 1_000.0);
    }

    /// The simulated Unix time in milliseconds.
    pub fn now_ms(&self) -> u64 {
        let mut engine = self.hub.lock();
        engine.clock.follow(1);
        engine.clock.now_ms()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.hub.lock().snapshot()
    }

    /// All sessions, those that are over included, in the order of their beginnings.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.hub.lock().session_infos()
    }

    /// All RESUMEs that succeeded, in their order, with the time that each session had been without a connection.
    pub fn resumes(&self) -> Vec<Resume> {
        self.hub.lock().resumes.clone()
    }

    /// Waits until the counters are as wanted. False when the time is over before.
    pub async fn wait_until(&self, wanted: impl Fn(&Stats) -> bool, patience: Duration) -> bool {
        self.wait_for(patience, || async { wanted(&self.stats()).then_some(()) })
            .await
            .is_some()
    }

    /// Whether everything generated so far was handed to connected clients, all live sessions having one.
    pub fn drained(&self) -> bool {
        self.hub.lock().drained()
    }

    /// Waits until [`drained`](Self::drained). False when the time is over before.
    pub async fn wait_drained(&self, patience: Duration) -> bool {
        self.wait_for(patience, || async { self.drained().then_some(()) })
            .await
            .is_some()
    }

    async fn wait_for<T, F: Future<Output = Option<T>>>(
        &self,
        patience: Duration,
        look: impl Fn() -> F,
    ) -> Option<T> {
        let until = Instant::now() + patience;
        loop {
            if let Some(found) = look().await {
                return Some(found);
            }
            if Instant::now() >= until {
                return None;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn command(&self, shard: Shard, command: impl Fn() -> Command) -> usize {
        self.hub.lock().command(shard, command)
    }

    /// Ends connections by a TCP reset. Like all of these, it returns the number of connections.
    pub fn reset(&self, shard: Shard) -> usize {
        self.command(shard, || Command::Reset)
    }

    /// Ends connections without a close frame.
    pub fn drop_connections(&self, shard: Shard) -> usize {
        self.command(shard, || Command::Drop)
    }

    /// Closes connections with a code. The sessions stay.
    pub fn close(&self, shard: Shard, code: u16) -> usize {
        self.command(shard, || Command::Close(code))
    }

    /// Asks clients to reconnect (op 7). The connections stay open: a client goes by itself.
    pub fn reconnect(&self, shard: Shard) -> usize {
        self.command(shard, || Command::Reconnect)
    }

    /// Declares sessions invalid (op 9). Those that are not resumable end.
    pub fn invalidate(&self, shard: Shard, resumable: bool) -> usize {
        self.command(shard, || Command::Invalidate(resumable))
    }

    /// Asks clients for a heartbeat (op 1).
    pub fn ask_heartbeat(&self, shard: Shard) -> usize {
        self.command(shard, || Command::AskHeartbeat)
    }

    /// Stops reading from and writing to connections, or goes on with it.
    pub fn freeze(&self, shard: Shard, frozen: bool) -> usize {
        self.command(shard, || Command::Freeze(frozen))
    }

    /// Sends a text unchanged, valid or not, without a place in any session.
    pub fn send_text(&self, shard: Shard, text: &str) -> usize {
        self.command(shard, || Command::Send(text.to_owned()))
    }

    /// Sends a binary frame unchanged, compressed or not.
    pub fn send_binary(&self, shard: Shard, bytes: &[u8]) -> usize {
        self.command(shard, || Command::SendBinary(bytes.to_vec()))
    }

    /// Ends sessions without a word: the next RESUME is refused. A connection that uses one gets no more events.
    pub fn kill_sessions(&self, shard: Shard) -> usize {
        let mut engine = self.hub.lock();
        let matching: Vec<usize> = engine
            .live_sessions()
            .filter(|&key| shard.is_none_or(|shard| engine.sessions[key].shard[0] == shard))
            .collect();
        for &key in &matching {
            engine.end_session(key);
        }
        matching.len()
    }

    /// Ends the sessions of a number of shards that no connection uses, as Discord does after some minutes.
    pub fn kill_unconnected_sessions(&self, shards: u32) -> usize {
        let mut engine = self.hub.lock();
        let unused: Vec<usize> = engine
            .live_sessions()
            .filter(|&key| {
                engine.sessions[key].connection.is_none() && engine.sessions[key].shard[1] == shards
            })
            .collect();
        for &key in &unused {
            engine.end_session(key);
        }
        unused.len()
    }

    /// Chooses what happens to heartbeats.
    pub fn set_heartbeat_acks(&self, acks: HeartbeatAcks) {
        self.hub.lock().acks = acks;
    }

    /// Refuses new gateway connections, or takes them again.
    pub fn refuse_connections(&self, refuse: bool) {
        self.hub.lock().refuse_connections = refuse;
    }

    /// The gateway's rules as they are now.
    pub fn gateway_rules(&self) -> GatewayRules {
        self.hub.lock().rules.clone()
    }

    /// Changes the gateway's rules. The heartbeat interval and the compression hold for connections made afterwards.
    pub fn change_gateway(&self, change: impl FnOnce(&mut GatewayRules)) {
        change(&mut self.hub.lock().rules);
    }

    /// Changes the rules of REST.
    pub fn change_rest(&self, change: impl FnOnce(&mut RestRules)) {
        change(&mut self.hub.rest().rules);
    }

    /// Changes how people sign in.
    pub fn change_oauth(&self, change: impl FnOnce(&mut OAuthRules)) {
        change(&mut self.hub.rest().oauth_rules);
    }

    /// Lets REST requests of a route fail.
    pub fn add_fault(&self, fault: RestFault) {
        self.hub.rest().faults.add(fault);
    }

    /// Takes back all faults.
    pub fn clear_faults(&self) {
        self.hub.rest().faults.clear();
    }

    /// The REST calls whose route fits a pattern (see [`RestFault::route`]), oldest first.
    pub fn rest_calls(&self, pattern: &str) -> Vec<RestCall> {
        self.hub
            .records()
            .calls
            .iter()
            .filter(|call| route::fits(pattern, &call.route))
            .cloned()
            .collect()
    }

    /// The number of the newest REST call; 0 before the first.
    pub fn newest_rest_call(&self) -> u64 {
        self.hub.records().calls.back().map_or(0, |call| call.number)
    }

    /// The REST calls after the one with this number, oldest first.
    pub fn rest_calls_after(&self, number: u64) -> Vec<RestCall> {
        let rest = self.hub.records();
        let first = rest.calls.partition_point(|call| call.number <= number);
        rest.calls.range(first..).cloned().collect()
    }

    /// The files of the last requests that were carried out, oldest first; at most 64.
    pub fn sent_files(&self) -> Vec<SentFile> {
        self.hub.records().files.all()
    }

    /// Uploads a file as an option of a command, whose value is the ID that this returns.
    pub fn upload(&self, file: SentFile) -> u64 {
        let id = {
            let mut engine = self.hub.lock();
            engine.clock.follow(1);
            engine.clock.next_id()
        };
        self.hub.rest().uploads.insert(id, file);
        id
    }

    /// Lets the links of uploaded files expire.
    pub fn expire_uploads(&self) {
        self.hub.rest().uploads.clear();
    }

    /// The messages that the bot has sent over REST and that are still there, in the order in which they appeared: each once,
    /// however often it was sent with the same nonce.
    pub fn bot_messages(&self) -> Vec<Value> {
        self.hub.rest().bot_messages()
    }

    /// The roles that a member has now.
    pub fn member_roles(&self, guild_id: u64, user_id: u64) -> Option<Vec<u64>> {
        let world = &self.hub.world;
        let guild = world.guild_index(guild_id)?;
        let member = world.member_index(guild, user_id)?;
        Some(self.hub.lock().overlay.roles(world, guild, member))
    }

    /// The commands that the bot has registered: for all guilds, or for one.
    pub fn commands(&self, guild_id: Option<u64>) -> Vec<Value> {
        self.hub.rest().commands(guild_id).to_vec()
    }

    /// Adds a command for all guilds as Discord itself does: an application with an activity has an Entry Point command.
    pub fn add_command(&self, command: Value) {
        self.hub.rest().add_command(command);
    }

    /// Dispatches any event, with `data` as its JSON, valid or not. Without a guild it goes to shard 0.
    pub fn dispatch(&self, guild_id: Option<u64>, event: &str, data: &str) {
        let guild = guild_id.and_then(|id| self.hub.world.guild_index(id));
        let event = RawEvent {
            name: event.to_owned(),
            data: data.to_owned(),
            intents: 0,
            id: None,
        };
        self.hub.lock().publish_raw(&self.hub.world, guild, event);
    }

    /// Starts an interaction. Returns its id, or `None` for an unknown guild, member or channel.
    pub fn interact(&self, request: &InteractionRequest) -> Option<u64> {
        interaction::start(&self.hub, request)
    }

    /// Dispatches an interaction once more, with the same id and token, as a resume can. False for one that there is not.
    pub fn interact_again(&self, id: u64) -> bool {
        interaction::repeat(&self.hub, id)
    }

    /// What has become of an interaction.
    pub fn interaction(&self, id: u64) -> Option<InteractionState> {
        self.hub.interactions().state(id)
    }

    /// Waits for an interaction to become as wanted; `None` when the time is over before.
    pub async fn wait_interaction(
        &self,
        id: u64,
        wanted: impl Fn(&InteractionState) -> bool,
        patience: Duration,
    ) -> Option<InteractionState> {
        self.wait_for(patience, || async {
            self.interaction(id).filter(|state| wanted(state))
        })
        .await
    }

    /// Starts an interaction and waits for the bot's message, deferred or not.
    pub async fn ask(&self, request: &InteractionRequest, patience: Duration) -> Option<InteractionState> {
        let id = self.interact(request)?;
        self.wait_interaction(id, |state| state.reply().is_some(), patience)
            .await
    }
}

/// What a correct bot must have counted.
#[derive(Clone)]
pub struct Oracle {
    hub: Arc<Hub>,
}

impl Oracle {
    pub(crate) const fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// The state after every event that was given to a session.
    pub fn expected(&self) -> Members {
        self.hub.lock().expected(&self.hub.world)
    }

    /// The messages that count and were given to a session, by channel and hour.
    pub fn hours(&self) -> Hours {
        self.hub.lock().hours(&self.hub.world)
    }

    /// The state when each session counts only up to the sequence given for its id, that included; other sessions count
    /// whole. An event that is in several sessions counts once, when it is within the limit of any of them.
    pub fn expected_at(&self, limits: &HashMap<String, u64>) -> Result<Members, OracleError> {
        let fresh = Ledger::new(self.hub.config.levels);
        self.hub
            .lock()
            .expected_at(&self.hub.world, fresh, limits, |_| false)
    }

    /// As [`expected_at`](Self::expected_at), with the events for which no session was alive: what a bot must have
    /// that reads its gaps back over REST.
    pub fn expected_with_missed(&self, limits: &HashMap<String, u64>) -> Result<Members, OracleError> {
        self.expected_with_missed_in(limits, |_channel| true)
    }

    /// As [`expected_with_missed`](Self::expected_with_missed), with the missed events of those channels only whose id is
    /// accepted: what a bot must have that could not read the others.
    pub fn expected_with_missed_in(
        &self,
        limits: &HashMap<String, u64>,
        channels: impl Fn(u64) -> bool,
    ) -> Result<Members, OracleError> {
        let fresh = Ledger::new(self.hub.config.levels);
        self.hub
            .lock()
            .expected_at(&self.hub.world, fresh, limits, channels)
    }

    /// How many messages that count were given to sessions.
    pub fn sent(&self) -> u64 {
        self.hub.lock().oracle.sent()
    }

    /// Compares the bot's rows with [`expected`](Self::expected).
    pub fn compare(&self, rows: impl IntoIterator<Item = Row>) -> Report {
        Report::new(&self.expected(), rows)
    }
}
