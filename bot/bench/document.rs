//! Replacing the generated part of a document.

use crate::Failure;

const BEGIN: &str = "<!-- written by make bench -->\n";
const END: &str = "<!-- end of what make bench writes -->";

/// `text` with `generated` between the two marks.
///
/// # Errors
///
/// There are no marks in it.
pub(crate) fn replace(text: &str, generated: &str) -> Result<String, Failure> {
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or("the document has no mark where the figures begin")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("the document has no mark where the figures end")?;
    Ok(format!("{before}{BEGIN}\n{generated}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn what_others_wrote_stays() {
        let text =
            "# Title\n<!-- written by make bench -->\nold\n<!-- end of what make bench writes -->\nends\n";
        let once = replace(text, "new").expect("marks");
        assert!(
            once.starts_with("# Title\n") && once.ends_with("\nends\n"),
            "{once}"
        );
        assert!(once.contains("\nnew\n") && !once.contains("old"), "{once}");
        assert_eq!(replace(&once, "new").expect("marks"), once);
        replace("no marks", "new").expect_err("no marks");
    }

    #[test]
    fn the_document_has_the_marks() {
        replace(include_str!("../../docs/benchmarks.md"), "new").expect("marks");
    }
}
