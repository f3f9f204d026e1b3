//! The inputs of a setting, by its kind.

use maud::{Markup, html};

use super::entered::{self, Inputs};
use crate::{
    discord::guilds::listing::Listing,
    settings::{
        GuildSettings,
        section::{
            Setting,
            field::{Kind, Words},
        },
    },
    support::{
        i18n::Language,
        text::{
            names::Name,
            template::{MAX_CHARS, Placeholder, Template},
        },
    },
    web::context::Context,
};

/// A setting in a form.
pub(super) struct Filled {
    pub(super) setting: Setting,
    /// What its inputs hold.
    pub(super) inputs: Inputs,
    /// What they held when the form was made.
    pub(super) before: String,
    /// Why what was sent is no value.
    pub(super) fault: Option<String>,
}

/// What inputs are made with.
pub(super) struct Around<'a> {
    pub(super) context: &'a Context,
    pub(super) listing: &'a Listing,
    pub(super) usual: &'a GuildSettings,
}

impl Around<'_> {
    fn language(&self) -> Language {
        self.context.language()
    }

    /// A setting with its label, its hint, its inputs and its fault.
    pub(super) fn field(&self, filled: &Filled) -> Markup {
        let setting = filled.setting;
        let id = setting.field.name.replace('_', "-");
        let (hint_id, fault_id) = (format!("{id}-hint"), format!("{id}-fault"));
        let described = match &filled.fault {
            Some(_) => format!("{hint_id} {fault_id}"),
            None => hint_id.clone(),
        };
        let attributes = Attributes {
            id: &id,
            name: setting.field.name,
            described: &described,
            invalid: filled.fault.as_ref().map(|_| "true"),
        };
        let label = setting.label(self.language());
        let hint = html! { span.hint id=(hint_id) { (self.hint(setting)) } };
        let fault = html! {
            @if let Some(fault) = &filled.fault {
                p.fault id=(fault_id) { (fault) }
            }
        };
        html! {
            input type="hidden" name=(entered::before_name(setting)) value=(filled.before);
            @match setting.field.kind {
                Kind::Roles(_) => fieldset.field aria-describedby=(described) {
                    legend { (label) }
                    (hint)
                    (self.roles(filled, &attributes))
                    (fault)
                },
                Kind::Switch => div.field {
                    label.choice {
                        input type="checkbox" id=(id) name=(attributes.name) value="on" checked[!filled.inputs.is_empty()]
                            aria-describedby=(described);
                        span { (label) }
                    }
                    (hint)
                    (fault)
                },
                kind => div.field {
                    label for=(id) { (label) }
                    (hint)
                    (self.input(kind, filled, &attributes))
                    (fault)
                },
            }
        }
    }

    /// What the setting does, and how its input is used.
    fn hint(&self, setting: Setting) -> String {
        let language = self.language();
        let mut hint = setting.hint(language);
        if let Kind::Limit(most) = setting.field.kind {
            let usual = setting.field.kind.shown(&setting.usual(self.usual), language);
            let values = [
                ("most", language.number(most.unsigned_abs()).into()),
                ("default", usual.into()),
            ];
            hint.push(' ');
            hint.push_str(&language.filled("settings-page-limit", &values));
        }
        hint
    }

    fn input(&self, kind: Kind, filled: &Filled, attributes: &Attributes<'_>) -> Markup {
        let Attributes {
            id,
            name,
            described,
            invalid,
        } = *attributes;
        let now = filled.inputs.first().map_or("", String::as_str);
        match kind {
            Kind::Limit(most) => html! {
                input type="number" inputmode="numeric" min="0" max=(most) step="1" id=(id) name=(name) value=(now)
                    aria-describedby=(described) aria-invalid=[invalid];
            },
            Kind::Mark(most) => html! {
                input type="text" maxlength=(most) autocomplete="off" id=(id) name=(name) value=(now)
                    aria-describedby=(described) aria-invalid=[invalid];
            },
            Kind::Template(allowed) => html! {
                textarea maxlength=(MAX_CHARS) id=(id) name=(name) aria-describedby=(described) aria-invalid=[invalid] {
                    "\n" (now)
                }
                p.hint {
                    (self.context.text("settings-page-placeholders")) " "
                    @for placeholder in allowed { code { "{" (placeholder.name()) "}" } " " }
                }
                (self.preview(id, now, allowed))
            },
            // A line break after the tag is not part of the text.
            Kind::Text(most) => html! {
                textarea maxlength=(most) id=(id) name=(name) aria-describedby=(described) aria-invalid=[invalid] {
                    "\n" (now)
                }
            },
            Kind::Choice(words) => self.select(words, false, now, attributes),
            Kind::ChannelOr(words) => self.select(words, true, now, attributes),
            Kind::Channel | Kind::Switch | Kind::Roles(_) => self.select(NO_CHANNEL, true, now, attributes),
        }
    }

    /// A menu with words, and with the channels.
    fn select(&self, words: Words, has_channels: bool, now: &str, attributes: &Attributes<'_>) -> Markup {
        let Attributes {
            id,
            name,
            described,
            invalid,
        } = *attributes;
        let channels = if has_channels {
            &*self.listing.channels
        } else {
            &[]
        };
        let is_there = words.all.contains(&now) || channels.iter().any(|(id, _)| id.to_string() == now);
        html! {
            select id=(id) name=(name) aria-describedby=(described) aria-invalid=[invalid] {
                @for word in words.all {
                    option value=(word) selected[*word == now] { (words.text(word, self.language())) }
                }
                @for (id, channel) in channels {
                    @let id = id.to_string();
                    option value=(id) selected[id == now] { "#" (channel.as_plain()) }
                }
                @if !is_there { option value=(now) selected { (now) } }
            }
        }
    }

    /// A box to tick for each role.
    fn roles(&self, filled: &Filled, attributes: &Attributes<'_>) -> Markup {
        let is_chosen = |id: &str| filled.inputs.iter().any(|chosen| chosen == id);
        let unknown = filled.inputs.iter().filter(|chosen| {
            let mut roles = self.listing.roles.iter();
            !roles.any(|(id, _)| id.to_string() == **chosen)
        });
        let roles = self
            .listing
            .roles
            .iter()
            .map(|(id, name)| (id.to_string(), format!("@{}", name.as_plain())));
        let roles = roles.chain(unknown.map(|id| (id.clone(), id.clone())));
        html! {
            div.choices {
                @for (id, label) in roles {
                    label.choice {
                        input type="checkbox" name=(attributes.name) value=(id) checked[is_chosen(&id)];
                        span { (label) }
                    }
                }
                @if self.listing.roles.is_empty() { p.hint { (self.context.text("settings-none")) } }
            }
        }
    }

    /// What a template makes of an example; hidden if it cannot be used.
    fn preview(&self, id: &str, text: &str, allowed: &[Placeholder]) -> Markup {
        let template = Template::parse_with(text, allowed).ok();
        let example = template.map(|template| self.example(&template));
        html! {
            div.preview id={ (id) "-preview" } data-preview aria-live="polite" hidden[example.is_none()] {
                small { (self.context.text("settings-page-preview")) }
                p { (example.unwrap_or_default()) }
            }
        }
    }

    fn example(&self, template: &Template) -> String {
        let server = self.context.staff().ok().map(|staff| &staff.name);
        let role = self.listing.roles.first().map(|(_, name)| name);
        let role = role.map_or_else(String::new, |name| format!("@{}", name.as_plain()));
        let language = self.language();
        template.render_with(|placeholder, message| {
            message.push_str(&match placeholder {
                Placeholder::User => "@Ada".to_owned(),
                Placeholder::UserName => "Ada".to_owned(),
                Placeholder::UserId => "123456789012345678".to_owned(),
                Placeholder::Level => "5".to_owned(),
                Placeholder::LevelBefore => "4".to_owned(),
                Placeholder::Xp => language.number(1_250),
                Placeholder::XpNext => language.number(295),
                Placeholder::Server => server.map_or("", Name::as_plain).to_owned(),
                Placeholder::Roles => role.clone(),
                Placeholder::Case => "12".to_owned(),
                Placeholder::Reason => self.context.text("settings-page-example-reason"),
                Placeholder::Until => self.context.text("settings-page-example-until"),
            });
        })
    }
}

/// The only word beside channels.
const NO_CHANNEL: Words = Words {
    all: &["none"],
    texts: "settings-page-channel",
};

/// What all inputs have.
struct Attributes<'a> {
    id: &'a str,
    name: &'a str,
    /// The elements that describe it.
    described: &'a str,
    invalid: Option<&'static str>,
}
