//! The forms of a page, as a browser reads them.

use super::browser::Shown;

/// A form that is sent by POST.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// Where it is sent, if not to its own page.
    pub(crate) action: Option<String>,
    pub(crate) fields: Vec<Field>,
    /// The names and values of its buttons.
    pub(crate) buttons: Vec<(String, String)>,
}

/// An input, a menu or a text area.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    /// The type of an input, or the name of the element.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) is_checked: bool,
    pub(crate) is_required: bool,
    /// The largest number.
    pub(crate) most: Option<String>,
    /// The values of a menu.
    pub(crate) values: Vec<String>,
}

/// The forms of a page that are sent by POST.
pub(crate) fn forms(page: &Shown) -> Vec<Form> {
    let parts = page.text().split("<form").skip(1);
    let forms = parts.filter_map(|part| {
        let (form, _) = part.split_once("</form>").expect("a form has an end");
        let (tag, content) = form.split_once('>').expect("a tag has an end");
        (attribute(tag, "method") == Some("post".to_owned())).then(|| Form {
            action: attribute(tag, "action"),
            ..read(content)
        })
    });
    forms.collect()
}

fn read(content: &str) -> Form {
    let mut form = Form::default();
    for part in content.split('<').skip(1) {
        let Some((tag, text)) = part.split_once('>') else {
            continue;
        };
        let (element, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let get = |name| attribute(attributes, name);
        let name = get("name").unwrap_or_default();
        let value = get("value").unwrap_or_default();
        match element {
            "button" if !name.is_empty() => form.buttons.push((name, value)),
            "input" | "select" | "textarea" => form.fields.push(Field {
                kind: get("type").unwrap_or_else(|| element.to_owned()),
                name,
                // A line break after the tag is not part of the text.
                value: if element == "textarea" {
                    unescaped(text.strip_prefix('\n').unwrap_or(text))
                } else {
                    value
                },
                is_checked: has(attributes, "checked"),
                is_required: has(attributes, "required"),
                most: get("max"),
                values: Vec::new(),
            }),
            "option" => {
                let menu = form.fields.last_mut().expect("an option is in a menu");
                if has(attributes, "selected") || menu.values.is_empty() {
                    menu.value.clone_from(&value);
                }
                menu.values.push(value);
            }
            _ => {}
        }
    }
    form
}

/// The value of an attribute.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = format!(" {tag}")
        .split_once(&format!(" {name}=\""))
        .map(|(before, rest)| (before.to_owned(), rest.to_owned()))?;
    rest.split('"').next().map(unescaped)
}

/// Whether there is an attribute without a value.
fn has(tag: &str, name: &str) -> bool {
    tag.split(' ').any(|part| part == name)
}

fn unescaped(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&amp;", "&")
}
