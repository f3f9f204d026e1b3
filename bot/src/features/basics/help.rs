//! `/help`: lists the commands that a member may use, with their descriptions.

use std::fmt::Write as _;

use twilight_model::guild::Permissions;

use crate::interactions::{CommandContext, CommandError, Services, command::Command, menu::Of, reply::Reply};

#[derive(Debug)]
pub(crate) struct Help;

impl Command for Help {
    fn name(&self) -> &'static str {
        "help"
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let language = context.language();
        let mut text = language.text("help-title");
        let has = context.payload.permissions();
        let may = |needed: Permissions| has.contains(needed) || has.contains(Permissions::ADMINISTRATOR);
        let (mut of_members, mut of_messages) = (Vec::new(), Vec::new());
        for command in services.commands.iter() {
            // A guild can override who may use a command; Discord does not send these overrides to the bot.
            if !command.definition().default_member_permissions.is_none_or(may) {
                continue;
            }
            let name = command.name();
            let description = language.text(&format!("{name}-description"));
            write!(text, "\n`/{name}` – {description}").expect("a String takes everything");
            if let Some(menu) = command.menu() {
                let names = match menu.of() {
                    Of::Member => &mut of_members,
                    Of::Message => &mut of_messages,
                };
                names.push(menu.name(language));
            }
        }
        let menus = [
            ("help-menu-members", of_members),
            ("help-menu-messages", of_messages),
        ];
        for (key, names) in menus.into_iter().filter(|(_, names)| !names.is_empty()) {
            text.push('\n');
            text.push_str(&language.filled(key, &[("names", names.join(", ").into())]));
        }
        Ok(Reply::private(text))
    }
}
