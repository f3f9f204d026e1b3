//! `/rank`: a member's level and progress, as an image or, on request, as text.

use std::sync::Arc;

use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    http::attachment::Attachment,
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
    util::ImageHash,
};

use crate::{
    features::levels::{
        card::{Card, Cards, Portrait, avatar::AvatarKey},
        rows::{
            leaderboard::{self, Rank as Stored},
            member_card,
        },
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        payload::{InteractionPayload, User},
        reply::Reply,
    },
    postgres::StoreError,
    settings::{
        GuildSettings,
        values::{colour::Colour, curve::Curve},
    },
    support::{
        i18n::{Language, Value},
        ids::MemberKey,
        text::names::Name,
    },
};

/// Segments of the bar.
const PARTS: u64 = 12;
/// The default colour of a card: Discord's own.
const ACCENT: Colour = Colour::new(0x58, 0x65, 0xF2);
/// The discs of members without an avatar, in the colours of [Discord's](https://docs.discord.com/developers/reference#image-formatting).
const DISCS: [Colour; 6] = [
    Colour::new(0x58, 0x65, 0xF2),
    Colour::new(0x74, 0x7F, 0x8D),
    Colour::new(0x3B, 0xA5, 0x5D),
    Colour::new(0xFA, 0xA6, 0x1A),
    Colour::new(0xED, 0x42, 0x45),
    Colour::new(0xEB, 0x45, 0x9E),
];

#[derive(Debug)]
pub(crate) struct Rank;

impl Command for Rank {
    fn name(&self) -> &'static str {
        "rank"
    }

    fn definition(&self) -> Definition {
        let member = Opt::named(Kind::User, "rank-option-member", "member");
        let as_text = Opt::named(Kind::Boolean, "rank-option-text", "text");
        for_servers(self.name(), None)
            .option(member)
            .option(as_text)
            .build()
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let language = context.language();
        let guild_id = context.guild()?;
        let (user, name) = context.payload.user_option("member")?;
        let as_text = context.payload.boolean("text")?.unwrap_or(false);
        let key = MemberKey {
            guild_id,
            user_id: user.id,
        };
        let avatar = avatar_of(&context.payload, guild_id, &user).filter(|_| !as_text);
        let standing = async {
            // Messages sent before the command are included.
            context.wait_for_members().await;
            leaderboard::rank_of(&services.store, key).await
        };
        // Each takes some time, and they are independent of one another.
        let (rank, portrait, chosen) =
            tokio::join!(standing, portrait(services, avatar), chosen(services, key));
        let Some(rank) = rank? else {
            let values = [("name", name.in_markdown().into())];
            return Ok(Reply::public(language.filled("rank-nobody", &values)));
        };
        let (own, settings) = chosen?;
        let curve = settings.curve;
        let in_words = in_words(&name, rank, curve, language);
        if as_text {
            return Ok(Reply::public(in_words));
        }
        let alt = in_alt_text(&name, rank, curve, language);
        let card = card_of(
            &name,
            rank,
            curve,
            language,
            (user.id, portrait, own.or(settings.card_colour).unwrap_or(ACCENT)),
        );
        // If the image is not ready in time, the reply is text.
        let Ok(png) = Cards::of(services).png(card).await else {
            return Ok(Reply::public(in_words));
        };
        let mut picture = Attachment::from_bytes("rank.png".to_owned(), png.to_vec(), 0);
        picture.description(alt);
        Ok(Reply::public(String::new())
            .with_file(picture)
            .or_in_words(in_words))
    }
}

/// The member's guild avatar, or else the user's own.
fn avatar_of(payload: &InteractionPayload, guild_id: Id<GuildMarker>, user: &User) -> Option<AvatarKey> {
    let read = |hash: &str| ImageHash::parse(hash.as_bytes()).ok();
    let key = |guild_id, hash| AvatarKey {
        guild_id,
        user_id: user.id,
        hash,
    };
    let here = payload.guild_avatar(user.id).and_then(read);
    let own = user.avatar.as_deref().and_then(read);
    here.map(|hash| key(Some(guild_id), hash))
        .or_else(|| own.map(|hash| key(None, hash)))
}

async fn portrait(services: &Services, avatar: Option<AvatarKey>) -> Option<Portrait> {
    let key = avatar?;
    let png = Cards::of(services).avatars.get(key).await.ok()?;
    Some(Portrait { key, png })
}

/// The member's colour, and the guild's settings.
async fn chosen(
    services: &Services,
    key: MemberKey,
) -> Result<(Option<Colour>, Arc<GuildSettings>), StoreError> {
    tokio::try_join!(
        member_card::colour(&services.store, key),
        services.settings.of(&services.store, key.guild_id)
    )
}

/// Progress within a level.
struct Progress {
    level: u32,
    /// XP earned since the level was reached.
    done: u64,
    /// XP from this level to the next. Beyond the highest level, `done` stays at this value.
    needed: u64,
}

impl Progress {
    fn of(rank: Stored, curve: Curve) -> Self {
        let level = curve.level_of(rank.xp);
        let from = curve.xp_at(level);
        let needed = curve.xp_at(level + 1).saturating_sub(from);
        Self {
            level,
            done: rank.xp.saturating_sub(from).min(needed),
            needed,
        }
    }

    /// The completed part of the level, in units of `parts`.
    fn of_parts(&self, parts: u64) -> u64 {
        let parts_done = u128::from(self.done) * u128::from(parts) / u128::from(self.needed.max(1));
        u64::try_from(parts_done).unwrap_or(parts).min(parts)
    }
}

/// A member's card without an avatar, for the website.
pub(crate) async fn card(
    services: &Services,
    key: MemberKey,
    name: &Name,
    rank: Stored,
    language: Language,
) -> Result<Card, StoreError> {
    let (own, settings) = Box::pin(chosen(services, key)).await?;
    let accent = own.or(settings.card_colour).unwrap_or(ACCENT);
    Ok(card_of(
        name,
        rank,
        settings.curve,
        language,
        (key.user_id, None, accent),
    ))
}

/// The card of nobody, with the colour of a server's cards or another one.
pub(crate) fn example(settings: &GuildSettings, colour: Option<Colour>, language: Language) -> Card {
    let level = 5;
    let (from, to) = (settings.curve.xp_at(level), settings.curve.xp_at(level + 1));
    let rank = Stored {
        xp: from + (to - from) * 3 / 5,
        messages: 1_234,
        position: 7,
    };
    let accent = colour.or(settings.card_colour).unwrap_or(ACCENT);
    let user_id = Id::new(1);
    let name = Name::first([Some("Ada")], user_id);
    card_of(&name, rank, settings.curve, language, (user_id, None, accent))
}

fn card_of(
    name: &Name,
    rank: Stored,
    curve: Curve,
    language: Language,
    (user_id, avatar, accent): (Id<UserMarker>, Option<Portrait>, Colour),
) -> Card {
    let progress = Progress::of(rank, curve);
    let Progress { level, done, needed } = progress;
    let number = |number: u64| language.number(number);
    let messages = [
        ("messages", Value::Count(rank.messages)),
        ("count", number(rank.messages).into()),
    ];
    let xp = [("done", number(done).into()), ("needed", number(needed).into())];
    // The upper bits are a timestamp in milliseconds, as in Discord's own choice.
    let disc = (user_id.get() >> 22) % 6;
    Card {
        name: name.as_plain().to_owned(),
        level: (language.text("rank-card-level"), number(level.into())),
        rank: (
            language.text("rank-card-rank"),
            format!("#{}", number(rank.position)),
        ),
        messages: language.filled("rank-card-messages", &messages),
        xp: language.filled("rank-card-xp", &xp),
        done: u16::try_from(progress.of_parts(1_000)).unwrap_or(1_000),
        accent,
        avatar,
        disc: DISCS[usize::try_from(disc).unwrap_or(0)],
    }
}

/// The alternative text of the image.
fn in_alt_text(name: &Name, rank: Stored, curve: Curve, language: Language) -> String {
    let Progress { level, done, needed } = Progress::of(rank, curve);
    let number = |number: u64| Value::from(language.number(number));
    language.filled(
        "rank-card-alt",
        &[
            ("name", name.as_plain().into()),
            ("level", number(level.into())),
            ("rank", number(rank.position)),
            ("done", number(done)),
            ("needed", number(needed)),
            ("next", number(u64::from(level) + 1)),
            ("total", number(rank.xp)),
            ("messages", Value::Count(rank.messages)),
            ("count", number(rank.messages)),
        ],
    )
}

fn in_words(name: &Name, rank: Stored, curve: Curve, language: Language) -> String {
    let progress = Progress::of(rank, curve);
    let Progress { level, .. } = progress;
    let number = |number: u64| Value::from(language.number(number));
    let filled = progress.of_parts(PARTS);
    let bar: String = (0..PARTS)
        .map(|part| if part < filled { '▰' } else { '▱' })
        .collect();
    language.filled(
        "rank-reply",
        &[
            ("name", name.in_markdown().into()),
            ("level", number(level.into())),
            ("rank", number(rank.position)),
            ("bar", bar.into()),
            ("xp", number(rank.xp)),
            ("messages", Value::Count(rank.messages)),
            ("count", number(rank.messages)),
            ("missing", number(progress.needed - progress.done)),
            ("next", number(u64::from(level) + 1)),
        ],
    )
}

#[cfg(test)]
mod tests;
