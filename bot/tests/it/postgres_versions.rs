//! The list of tests that run on every supported version of PostgreSQL.

use std::process::Command;

/// A name without a test would silently reduce the number of tests in `make test-versions`.
#[test]
fn every_name_in_the_list_is_that_of_a_test() {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--list", "--format", "terse"])
        .output()
        .expect("it runs");
    let tests = String::from_utf8(output.stdout).expect("UTF-8");
    let tests: Vec<&str> = tests
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .collect();
    let (skipped, listed): (Vec<&str>, Vec<&str>) = include_str!("postgres_versions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .partition(|line| line.starts_with('!'));
    for name in &listed {
        assert!(
            tests.iter().any(|test| test.starts_with(name)),
            "postgres_versions.txt lists {name}, but no test's name begins with it"
        );
        // Both test runners match it anywhere in a name.
        assert!(
            tests
                .iter()
                .all(|test| test.starts_with(name) || !test.contains(name)),
            "{name} is also in the middle of another test's name"
        );
    }
    for part in skipped.iter().filter_map(|line| line.strip_prefix('!')) {
        let is_skipped =
            |test: &&str| test.contains(part) && listed.iter().any(|name| test.starts_with(name));
        assert!(
            tests.iter().any(is_skipped),
            "postgres_versions.txt leaves out {part}, but no listed test's name contains it"
        );
    }
}
