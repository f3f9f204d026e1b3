use super::{is_dead, started, this_process};
use crate::pipeline::fleet::{
    balance::Member,
    registry::{Known, Process},
};

fn known(process: &Process) -> Known {
    Known {
        member: Member {
            id: process.id.clone(),
            capacity: process.capacity,
            draining: false,
        },
        pid_space: process.pid_space.clone(),
        pid: process.pid,
        pid_started: process.pid_started,
    }
}

#[test]
fn a_process_is_itself_and_alive() {
    let me = this_process(1);
    assert_ne!(me.id, this_process(1).id);
    assert!(me.pid_started > 0 && !me.pid_space.is_empty());
    assert!(!is_dead(&known(&me), &me));
}

#[test]
fn a_number_that_was_given_out_again_or_to_nobody_is_dead_here_and_unknown_elsewhere() {
    let me = this_process(1);
    let mut other = known(&me);
    other.pid_started += 1;
    assert!(is_dead(&other, &me));
    // Beyond the largest PID of Linux.
    other.pid = 1 << 30;
    assert!(is_dead(&other, &me));
    other.pid_space.push('x');
    assert!(!is_dead(&other, &me));
    assert!(started(1 << 30).is_err());
}

#[test]
fn a_zombie_is_dead() {
    let me = this_process(1);
    let mut child = std::process::Command::new("true").spawn().expect("a process");
    let path = format!("/proc/{}/stat", child.id());
    let mut other = known(&me);
    other.pid = child.id();
    let stat = loop {
        let stat = std::fs::read_to_string(&path).expect("it has not been waited for");
        if stat.contains(") Z ") {
            break stat;
        }
        std::thread::yield_now();
    };
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let began = fields.split(' ').nth(19).and_then(|field| field.parse().ok());
    other.pid_started = began.expect("a number");
    assert!(is_dead(&other, &me));
    child.wait().expect("it has ended");
}
