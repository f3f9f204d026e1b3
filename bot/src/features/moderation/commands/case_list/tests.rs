use twilight_model::{channel::message::Component, id::Id};

use super::{Filter, Kind, LAST, Page};

#[test]
fn a_button_leads_to_its_page() {
    let page = Page {
        filter: Filter {
            user_id: Some(Id::new(u64::MAX)),
            moderator_id: Some(Id::new(u64::MAX)),
            kind: Some(Kind::Untimeout),
            with_hidden: true,
        },
        asker_id: Id::new(u64::MAX),
        number: LAST - 1,
    };
    let of_all = Page {
        filter: Filter::default(),
        ..page
    };
    for page in [page, of_all] {
        let Component::Button(button) = page.button("history", 1, "▶️", true) else {
            unreachable!("it is a button");
        };
        let custom_id = button.custom_id.expect("an ID");
        assert!(custom_id.len() <= 100, "{custom_id}");
        let parts: Vec<&str> = custom_id.split(':').skip(1).collect();
        let expected = Page { number: LAST, ..page };
        assert_eq!(Page::read(&parts), Some(expected));
    }
    for parts in [
        &["page", "-", "-", "-", "-", "1", "-1", "on"][..],
        &["page", "-", "-", "exile", "-", "1", "1", "on"],
        &["page", "0", "-", "-", "-", "1", "1", "on"],
        &[],
    ] {
        assert_eq!(Page::read(parts), None, "{parts:?}");
    }
}
