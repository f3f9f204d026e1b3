use std::fs;

use tempfile::TempDir;

use super::*;

fn directory() -> (TempDir, Directory) {
    let temporary = tempfile::tempdir().expect("a directory");
    let path = temporary.path().canonicalize().expect("a path");
    (temporary, Directory::open(&path).expect("opened"))
}

#[test]
fn a_bot_waits_for_a_command_whatever_the_file_says() {
    let (_temporary, directory) = directory();
    let directory = &directory;
    let Taken::Ours(command) = Lock::of_command(directory).expect("asked") else {
        unreachable!("nobody has it")
    };
    let Taken::Ours(mut claim) = Claim::take(directory).expect("asked") else {
        unreachable!("nobody has it")
    };
    // A locked file that is not yet written, and one that an earlier bot left.
    for left in ["", "1\n"] {
        fs::write(directory.at(FILE), left).expect("written");
        let Err((back, pid)) = Lock::of_bot(directory, claim).expect("asked") else {
            unreachable!("the command has it")
        };
        assert_eq!(pid, left.trim());
        claim = back;
    }
    drop(command);
    assert!(Lock::of_bot(directory, claim).expect("asked").is_ok());
}

#[test]
fn two_bots_do_not_wait_for_each_other() {
    let (_temporary, directory) = directory();
    let directory = &directory;
    let Taken::Ours(claim) = Claim::take(directory).expect("asked") else {
        unreachable!("nobody has it")
    };
    let own = std::process::id().to_string();
    assert!(matches!(Claim::take(directory), Ok(Taken::Others(pid)) if pid == own));
    let lock = Lock::of_bot(directory, claim).expect("asked").expect("free");
    assert!(matches!(Claim::take(directory), Ok(Taken::Others(pid)) if pid == own));
    assert!(matches!(Lock::of_command(directory), Ok(Taken::Others(pid)) if pid == own));
    drop(lock);
    assert!(matches!(Claim::take(directory), Ok(Taken::Ours(_))));
}
