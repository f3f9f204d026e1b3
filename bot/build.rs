//! Makes Cargo rebuild the bot when a migration is added: the macro that embeds the files cannot tell Cargo so itself.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
