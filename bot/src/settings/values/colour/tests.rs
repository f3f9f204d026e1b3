use proptest::prelude::*;

use super::{Colour, LEGIBLE};

#[test]
fn colours_as_people_write_them() {
    let colour = Some(Colour::new(0x12, 0xAB, 0xEF));
    for text in ["#12ABEF", "12abef", " #12AbEf "] {
        assert_eq!(Colour::parse(text), colour, "{text}");
    }
    assert_eq!(Colour::parse("#f0a"), Some(Colour::new(255, 0, 0xAA)));
    for text in [
        "", "#", "red", "#12ABE", "#12ABEFF", "+12ABE", "#12ABEG", "##12ABE", "😀",
    ] {
        assert_eq!(Colour::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_and_stored_is_read_again(number in 0_u32..=0xFF_FF_FF) {
        let colour = Colour::of_number(number);
        prop_assert_eq!(Colour::parse(&colour.to_string()), Some(colour));
        prop_assert_eq!(Colour::from_db(colour.to_db()), Some(colour));
        prop_assert_eq!(colour.to_db(), i64::from(number));
    }

    #[test]
    fn every_colour_becomes_legible(number in 0_u32..=0xFF_FF_FF) {
        let ground = Colour::new(0x1A, 0x1C, 0x22);
        prop_assert!(Colour::of_number(number).legible_on(ground).contrast(ground) >= LEGIBLE);
    }
}

#[test]
fn what_is_legible_stays() {
    let (ground, colour) = (Colour::new(0x1A, 0x1C, 0x22), Colour::new(0xFF, 0xD7, 0));
    assert_eq!(colour.legible_on(ground), colour);
    assert_eq!(Colour::from_db(-1), None);
    assert_eq!(Colour::from_db(0x0100_0000), None);
}
