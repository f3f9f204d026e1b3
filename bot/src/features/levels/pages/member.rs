//! A member on the leaderboard of a server, and the member's card.

use std::time::Duration;

use maud::html;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::UserMarker},
};

use super::{
    leaderboard::{name_of, names},
    visibility::{self, Viewed},
    weeks,
};
use crate::{
    discord::rest::Priority,
    features::levels::{
        card::{Card, Cards, HEIGHT, NoCard, WIDTH},
        commands::rank,
        rows::{
            leaderboard::{Line, Order, Rank},
            public_board,
        },
        settings::Visibility,
    },
    interactions::{Services, page::Page},
    settings::values::colour::Colour,
    support::{ids::MemberKey, text::names::Name},
    web::{
        answer::{Answer, Fault},
        context::Context,
        layout::{Document, Preview},
        route::Access,
    },
};

/// How long the picture of a card waits for the member's name.
const NAME_PATIENCE: Duration = Duration::from_millis(800);
/// How long browsers keep a picture. One without the name is not kept.
const LASTS: &str = "private, max-age=300";

#[derive(Debug)]
pub(crate) struct Member;

impl Page for Member {
    fn path(&self) -> &'static str {
        "/servers/{guild}/members/{user}"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let (viewed, line) = shown(context, services).await?;
        let (guild_id, user_id) = (viewed.guild_id, line.standing.user_id);
        let key = MemberKey { guild_id, user_id };
        let weeks = weeks::read(services, key, line.standing.xp).await?;
        let names = names(services, &viewed, &[line]);
        let name = name_of(context, &names.names, user_id);
        let level = viewed.settings.curve.level_of(line.standing.xp);
        let language = context.language();
        let facts = [
            ("web-leaderboard-rank", format!("#{}", language.number(line.rank))),
            ("web-leaderboard-level", language.number(level.into())),
            ("web-leaderboard-xp", language.number(line.standing.xp)),
            (
                "web-leaderboard-messages",
                language.number(line.standing.message_count),
            ),
        ];
        let path = format!("/servers/{guild_id}/members/{user_id}");
        let picture = format!("{path}/card.png");
        let server = viewed.name.as_plain();
        let main = html! {
            h1 { (name) }
            p { a href={ "/servers/" (guild_id) "/leaderboard" } {
                (context.filled("web-leaderboard-title", &[("server", server.into())]))
            } }
            dl.facts {
                @for (key, value) in &facts {
                    div { dt { (context.text(key)) } dd { (value) } }
                }
            }
            // What it shows is in the list above.
            img.picture src=(picture) alt="" width=(WIDTH) height=(HEIGHT) loading="lazy";
            (weeks::chart(context, &weeks))
        };
        let document = Document::new(&name, &main);
        let answer = if viewed.visibility == Visibility::Public {
            let description = facts.map(|(key, value)| format!("{} {value}", context.text(key)));
            context.document(&document.with_preview(Preview {
                path,
                description: format!("{server}: {}", description.join(" · ")),
                image: Some((picture, WIDTH, HEIGHT)),
            }))
        } else {
            context.document(&document)
        };
        Ok(context.loaded_again(answer, names.are_coming))
    }
}

#[derive(Debug)]
pub(crate) struct CardImage;

impl Page for CardImage {
    fn path(&self) -> &'static str {
        "/servers/{guild}/members/{user}/card.png"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let (viewed, line) = shown(context, services).await?;
        let user_id = line.standing.user_id;
        let key = MemberKey {
            guild_id: viewed.guild_id,
            user_id,
        };
        // A picture is not loaded again, so it waits.
        let names = services
            .guilds
            .member_names_at(viewed.guild_id, [user_id], NAME_PATIENCE, Priority::Background)
            .await;
        let name = Name::first([Some(name_of(context, &names, user_id).as_str())], user_id);
        let rank = Rank {
            xp: line.standing.xp,
            messages: line.standing.message_count,
            position: line.rank,
        };
        let card = Box::pin(rank::card(services, key, &name, rank, context.language())).await?;
        let picture = png(services, card).await?;
        Ok(if names.is_empty() {
            picture
        } else {
            picture.cached(LASTS)
        })
    }
}

/// An example of a card, to choose the server's colour.
#[derive(Debug)]
pub(crate) struct CardPreview;

impl Page for CardPreview {
    fn path(&self) -> &'static str {
        "/servers/{guild}/settings/cards/preview.png"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MANAGE_GUILD)
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.guild()?;
        let settings = services.settings.of(&services.store, guild_id).await?;
        let colour = context.query().get("colour").and_then(Colour::parse);
        let card = rank::example(&settings, colour, context.language());
        Ok(png(services, card).await?.cached(LASTS))
    }
}

async fn png(services: &Services, card: Card) -> Result<Answer, Fault> {
    match Cards::of(services).png(card).await {
        Ok(png) => Ok(Answer::bytes("image/png", png)),
        Err(NoCard::Busy) => Err(Fault::Busy),
        Err(NoCard::Failed) => Err(Fault::NotFound),
    }
}

/// The member in the path, if the visitor may see the leaderboard and the member is shown on it.
async fn shown(context: &mut Context, services: &Services) -> Result<(Viewed, Line), Fault> {
    let viewed = visibility::admit(context, services).await?;
    let user_id: Id<UserMarker> = context.id("user")?;
    let lines = public_board::these(&services.store, viewed.guild_id, Order::Xp, &[user_id]).await?;
    let line = lines.first().copied().ok_or(Fault::NotFound)?;
    Ok((viewed, line))
}
