//! Who sees a server's leaderboard. For all others there is no such page, whether the server exists or not.

use std::sync::Arc;

use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use crate::{
    features::levels::settings::{LevelSettings, Visibility},
    interactions::Services,
    settings::GuildSettings,
    support::text::names::Name,
    web::{access::Age, answer::Fault, context::Context},
};

/// A server whose leaderboard the visitor may see.
pub(super) struct Viewed {
    pub(super) guild_id: Id<GuildMarker>,
    pub(super) name: Name,
    pub(super) settings: Arc<GuildSettings>,
    pub(super) visibility: Visibility,
}

/// The server in the path.
///
/// # Errors
///
/// [`Fault::NotFound`] for a server that is unknown, one that shows its leaderboard to others only, and one of which the visitor is no
/// member.
pub(super) async fn admit(context: &mut Context, services: &Services) -> Result<Viewed, Fault> {
    let guild_id = context.guild()?;
    let settings = services.settings.of(&services.store, guild_id).await?;
    let visibility = settings.sections.of::<LevelSettings>().leaderboard;
    let user_id = context.session().map(|session| session.user_id);
    let site = context.site();
    let staff = match user_id {
        Some(user_id) => site.staff(guild_id, user_id, Age::Recent).await,
        None => Ok(None),
    };
    let may_see = match (visibility, &staff) {
        (Visibility::Public, _) => true,
        (Visibility::Members, Ok(staff)) => staff.is_some(),
        (Visibility::Off, Ok(staff)) => staff
            .as_ref()
            .is_some_and(|staff| staff.may(Permissions::MANAGE_GUILD)),
        (_, Err(_)) => false,
    };
    if !may_see {
        return Err(staff.err().unwrap_or(Fault::NotFound));
    }
    let staff = staff.ok().flatten();
    let name = match &staff {
        Some(staff) => staff.name.clone(),
        None => site.server_name(guild_id).await?,
    };
    if let Some(staff) = staff {
        context.recognize(staff);
    }
    Ok(Viewed {
        guild_id,
        name,
        settings,
        visibility,
    })
}
