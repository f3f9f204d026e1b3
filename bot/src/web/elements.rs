//! Parts that several pages have.

use std::time::SystemTime;

use maud::{Markup, html};

use crate::support::text::moment::{rfc3339, written};

/// A time in UTC.
pub(crate) fn moment(at: SystemTime) -> Markup {
    html! {
        time datetime=(rfc3339(at)) { (written(at)) }
    }
}

/// A path with those fields of a query that are not empty.
pub(crate) fn link(path: &str, fields: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// A field of a search.
pub(crate) fn search_field(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) autocomplete="off";
        }
    }
}

/// A choice of a search: values with their texts.
pub(crate) fn search_choice(name: &str, label: &str, chosen: &str, choices: &[(&str, String)]) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, text) in choices {
                    option value=(value) selected[*value == chosen] { (text) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{link, moment};

    #[test]
    fn a_link_has_what_is_not_empty() {
        assert_eq!(link("/a", &[("b", ""), ("c", "")]), "/a");
        assert_eq!(
            link("/a", &[("b", "x y&z"), ("c", ""), ("d", "ä")]),
            "/a?b=x+y%26z&d=%C3%A4"
        );
    }

    #[test]
    fn a_time_is_readable_for_people_and_programs() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_462_015_105);
        assert_eq!(
            moment(at).into_string(),
            r#"<time datetime="2016-04-30T11:18:25Z">2016-04-30 11:18 UTC</time>"#
        );
    }
}
