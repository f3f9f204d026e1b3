//! Each command, entry of a menu and button while Discord refuses, limits or fails every request but the answer: the member gets an answer
//! that says what is wrong, nothing is half stored, and the same works as soon as Discord does. Effects wait meanwhile: their
//! delivery is tested for each kind in `every_effect`.

use std::collections::BTreeSet;

use discord_simulator::{Control, InteractionRequest, LimitScope, RestFault, RestFaultKind};
use twilight_model::id::Id;

use super::{
    asked::{said, stored},
    lines::{BUTTONS, COMMANDS, Line},
    server::{Found, Server},
    success::unlisted,
};

/// What answers an interaction, and is not affected.
const ANSWERS: [&str; 2] = ["* /interactions/*", "* /webhooks/*"];

/// The words of an answer that says what Discord did.
const SAYS_WHY: [(&[u16], &str); 3] = [
    (&[403], "Discord does not let me"),
    (&[404], "Discord no longer knows"),
    (&[429, 502], "Discord is not available"),
];

/// No effect is delivered while the table `held` has a row.
const HOLD: &str = "
    CREATE TABLE held ();
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN IF EXISTS (SELECT FROM held) THEN NEW.due_at := 'infinity'; END IF; RETURN NEW; END$$;
    CREATE TRIGGER hold BEFORE INSERT OR UPDATE ON outbox_lane FOR EACH ROW EXECUTE FUNCTION hold()";

/// What is left of effects that are not delivered.
const FORGET: &str = "
    DELETE FROM outbox; DELETE FROM outbox_lane; DELETE FROM channel_lock; DELETE FROM channel_slowmode";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_discord_refuses() {
    let refused = [403, 404].map(RestFaultKind::Status);
    Box::pin(everything_while(&refused)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_discord_is_unavailable() {
    let limit = RestFaultKind::RateLimit {
        scope: LimitScope::User,
        retry_after: 0.2,
    };
    Box::pin(everything_while(&[limit, RestFaultKind::Status(502)])).await;
}

async fn everything_while(kinds: &[RestFaultKind]) {
    // Refusals are counted, and stop everything but interactions in the end.
    let mut server = Server::new(|config| config.discord.invalid_requests_limit = 9_000).await;
    server.session.execute(HOLD).await;
    let mut all = All::default();
    let listed: Vec<Line<'_>> = COMMANDS.iter().chain(BUTTONS).copied().collect();
    let is_listed = |what: &String| listed.iter().any(|line| line.what == what);
    let commands: Vec<String> = server.leaves.keys().cloned().collect();
    for line in listed.iter().copied().chain(unlisted(&commands, is_listed)) {
        all.ask(&mut server, kinds, &line).await;
    }
    let shown: Vec<String> = all.found.keys().cloned().collect();
    for line in unlisted(&shown, is_listed) {
        all.ask(&mut server, kinds, &line).await;
    }
    assert!(all.faults.is_empty(), "{}", all.faults.join("\n"));
    assert!(
        all.asked > 20,
        "only {} attempts asked Discord for anything",
        all.asked
    );
    server.end().await;
}

/// What came of all attempts.
#[derive(Default)]
struct All {
    found: Found,
    faults: Vec<String>,
    /// The number of those in which Discord was asked for anything.
    asked: usize,
}

impl All {
    /// Ask while Discord does each of these, and once more when it works again.
    async fn ask(&mut self, server: &mut Server, kinds: &[RestFaultKind], line: &Line<'_>) {
        let (mut ready, mut added) = (None, Vec::new());
        for kind in kinds {
            let again: Option<InteractionRequest> = ready.take();
            let request = match again {
                Some(request) => Some(request),
                None => server.ready(line, &self.found).await,
            };
            let Some(request) = request else {
                self.faults.push(format!("{} is not there", line.what));
                return;
            };
            let attempt = attempt(server, &request, kind).await;
            self.asked += usize::from(!attempt.statuses.is_empty());
            let fault = attempt.fault(line);
            self.faults
                .extend(fault.map(|fault| format!("{} with {kind:?}: {fault}: {}", line.what, attempt.said)));
            match attempt.added {
                // It can be asked for again.
                None => ready = Some(request),
                Some(effects) => added.push(effects),
            }
        }
        let request = match ready {
            Some(request) => Some(request),
            None => server.ready(line, &self.found).await,
        };
        let request = request.expect("it was there before");
        let before = server.begin().await;
        let state = server.answer(&request).await;
        let usual = server.added_by(state.id).await;
        let led = server.led_to(before).await;
        let difference = line.difference(&led);
        self.faults
            .extend(difference.map(|difference| format!("afterwards {difference}: {}", said(&state))));
        if line.changes.is_some() && added.iter().any(|added| Some(added) != usual.as_ref()) {
            self.faults
                .push(format!("{}: {added:?} instead of {usual:?}", line.what));
        }
        self.found.extend(server.shown(&state, request.user_id));
    }
}

/// What came of an attempt.
struct Attempt {
    said: String,
    /// The statuses of the requests that were refused.
    statuses: BTreeSet<u16>,
    /// The kinds of effects that were added with the change; `None` if nothing was changed.
    added: Option<BTreeSet<String>>,
    /// What has changed although it is no request: tables and effects.
    half_stored: Vec<String>,
}

impl Attempt {
    /// What is wrong with it.
    fn fault(&self, line: &Line<'_>) -> Option<String> {
        if self.said.contains("Something went wrong") {
            return Some("nobody can understand it".to_owned());
        }
        let is_refused = line.changes == Some(true) && self.added.is_none();
        let says_why = SAYS_WHY.iter().any(|(of, words)| {
            of.iter().any(|status| self.statuses.contains(status)) && self.said.contains(words)
        });
        if says_why && !self.half_stored.is_empty() {
            return Some(format!("half of it is stored: {:?}", self.half_stored));
        }
        (is_refused && !says_why).then(|| format!("it does not say why after {:?}", self.statuses))
    }
}

/// Ask, and take back the effects.
async fn attempt(server: &Server, request: &InteractionRequest, kind: &RestFaultKind) -> Attempt {
    let control = server.here.discord.control();
    server.session.execute("INSERT INTO held DEFAULT VALUES").await;
    // What the bot knows of the server may be old at any time.
    server.here.bot.guilds.forget(Id::new(server.here.guild()));
    only_answers(&control, kind);
    let since = control.newest_rest_call();
    let before = stored(&server.session).await;
    let effects = server.begin().await;
    let state = server.asked(request).await;
    let added = server.added_by(state.id).await;
    let (after, led) = (stored(&server.session).await, server.led_to(effects).await);
    let calls = control.rest_calls_after(since).into_iter();
    let statuses: BTreeSet<u16> = calls
        .map(|call| call.status)
        .filter(|status| *status >= 400)
        .collect();
    control.clear_faults();
    if added.is_some() {
        server.session.execute(FORGET).await;
        let channel = server.here.channel();
        control.remove_overwrite(channel, server.here.guild());
        control.set_slowmode(channel, 0);
    }
    server.session.execute("DELETE FROM held").await;
    let mut half_stored = Vec::new();
    if added.is_none() {
        let changed = before
            .iter()
            .filter(|(table, rows)| after.get(*table) != Some(rows));
        half_stored.extend(changed.map(|(table, _)| table.clone()));
        half_stored.extend(led.effects);
    }
    Attempt {
        said: said(&state),
        statuses,
        added,
        half_stored,
    }
}

/// Let Discord do this to every request but answers.
pub(super) fn only_answers(control: &Control, kind: &RestFaultKind) {
    let answers = ANSWERS.iter().map(|route| (*route, &RestFaultKind::None));
    for (route, kind) in answers.chain([("*", kind)]) {
        control.add_fault(RestFault {
            route: route.to_owned(),
            count: None,
            delay_ms: 0,
            kind: kind.clone(),
        });
    }
}
