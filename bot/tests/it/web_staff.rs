//! Pages for the staff of a server and for operators, and the API for programs.

mod numbers;
mod staff;

use eventide::config::Config;

use crate::support::{
    asking::{Here, here_with},
    browser::URL,
};

/// A world and a bot with a website on which nobody can sign in by themselves.
async fn here_with_website(configure: impl FnOnce(&mut Config)) -> Here {
    here_with(|config| {
        config.web.listen = Some("127.0.0.1:0".parse().expect("an address"));
        URL.clone_into(&mut config.web.url);
        configure(config);
    })
    .await
}
