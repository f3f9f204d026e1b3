//! `/rank` as text, used while messages come.

use std::time::Duration;

use discord_simulator::{InteractionRequest, Simulator};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::{Failure, histogram::Histogram, subject::Bot};

/// The bot's own measure: from when its process has read the interaction to when the answer was accepted.
const INSIDE: &str = "eventide_interaction_seconds_bucket{command=\"rank\",le=\"";

/// Between two commands: in no step with a bot's flushes.
const EVERY: Duration = Duration::from_millis(47);
/// How long commands are used.
const FOR: Duration = Duration::from_secs(3);
/// Discord waits no longer for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long the answers took, in milliseconds, from the dispatch of the interaction to the end of the callback's request; and how many
/// commands had none in Discord's three seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) took_ms: Vec<f64>,
    pub(crate) unanswered: usize,
    /// The same from when the bot has read the interaction, in seconds; of a bot that measures it.
    pub(crate) inside: Histogram,
}

/// Use the command.
pub(crate) async fn ask(discord: &Simulator, bot: &Bot) -> Result<Answers, Failure> {
    let before = Histogram::read(&bot.metrics().await?, INSIDE)?;
    let control = discord.control();
    let guilds = discord.world().guilds();
    let options = json!([{"name": "text", "type": 5, "value": true}]);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut asked, end) = (Vec::new(), Instant::now() + FOR);
    while Instant::now() < end {
        ticks.tick().await;
        let guild = guilds[asked.len() % guilds.len()].id();
        // Another member each time: none asks too often.
        let member = u32::try_from(asked.len() / guilds.len())?;
        let user = discord.world().member_id(guild, member).ok_or("no such member")?;
        let request = InteractionRequest::command(guild, user, "rank", &options);
        asked.push(control.interact(&request).ok_or("no such member")?);
    }
    let deadline = Instant::now() + PATIENCE;
    let mut answers = Answers::default();
    for id in asked {
        let took = loop {
            let answered = control.interaction(id).and_then(|state| state.answered_after_ms);
            if answered.is_some() || Instant::now() > deadline {
                break answered;
            }
            sleep(Duration::from_millis(5)).await;
        };
        match took {
            Some(took_ms) => answers.took_ms.push(f64::from(u32::try_from(took_ms)?)),
            None => answers.unanswered += 1,
        }
    }
    answers.inside = Histogram::read(&bot.metrics().await?, INSIDE)?.since(&before);
    Ok(answers)
}
