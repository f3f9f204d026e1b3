//! Makes Cargo rebuild the bot when a migration is added, which the macro that embeds the files cannot tell it, and embeds the
//! undo of each version, which the macro does not look at.

use std::{fmt::Write as _, fs, path::Path};

fn main() {
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
    let directory = std::env::var_os("OUT_DIR").expect("Cargo gives a directory");
    fs::write(Path::new(&directory).join("undos.rs"), code).expect("Cargo's directory can be written");
}
