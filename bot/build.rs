//! Makes Cargo rebuild the bot when a migration is added, which the macro that embeds the files cannot tell it, and embeds the undo of
//! each version, which the macro does not look at. Tells the bot of which commit it is, and how far it is optimized.

use std::{env, fmt::Write as _, fs, path::Path, process::Command};

fn main() {
    println!("cargo:rustc-env=EVENTIDE_COMMIT={}", commit());
    let optimized = env::var_os("OPT_LEVEL").expect("Cargo says how far to optimize");
    println!("cargo:rustc-env=EVENTIDE_OPT_LEVEL={}", optimized.display());
    println!("cargo:rerun-if-changed=../migrations");
    let mut files: Vec<String> = fs::read_dir("../migrations")
        .expect("the migrations are beside the crate")
        .filter_map(|entry| {
            entry
                .expect("a readable directory")
                .file_name()
                .into_string()
                .ok()
        })
        .filter(|file| file.ends_with(".undo.sql"))
        .collect();
    files.sort();
    let mut code = "const UNDOS: &[(&str, &str)] = &[\n".to_owned();
    for file in files {
        let name = file.trim_end_matches(".undo.sql");
        writeln!(
            code,
            "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))),",
            format!("/../migrations/{file}")
        )
        .expect("a string takes all");
    }
    code.push_str("];\n");
    let directory = env::var_os("OUT_DIR").expect("Cargo gives a directory");
    fs::write(Path::new(&directory).join("undos.rs"), code).expect("Cargo's directory can be written");
}

/// The commit, by `EVENTIDE_COMMIT` or Git; `unknown` where neither says it, and `development` in a debug build: each commit would
/// make Cargo compile the bot and its tests anew.
fn commit() -> String {
    println!("cargo:rerun-if-env-changed=EVENTIDE_COMMIT");
    let said = env::var_os("EVENTIDE_COMMIT").unwrap_or_default();
    let said = said.to_string_lossy();
    let said = said.trim();
    if !said.is_empty() && said.chars().all(|c| c.is_ascii_alphanumeric()) {
        return said.to_owned();
    }
    if env::var_os("PROFILE").is_some_and(|profile| profile == "debug") {
        return "development".to_owned();
    }
    of_git().unwrap_or_else(|| "unknown".to_owned())
}

fn of_git() -> Option<String> {
    let top = git(&["rev-parse", "--show-toplevel"])?;
    // A copy without its history may lie in somebody else's repository.
    if fs::canonicalize(top).ok()? != fs::canonicalize("..").ok()? {
        return None;
    }
    // HEAD names a branch, whose file moves with a commit and may be missing (packed); the log of HEAD moves with everything.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for file in ["HEAD", "logs/HEAD", "packed-refs"]
        .into_iter()
        .chain(branch.as_deref())
    {
        if let Some(path) = git(&["rev-parse", "--git-path", file])
            && Path::new(&path).exists()
        {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
