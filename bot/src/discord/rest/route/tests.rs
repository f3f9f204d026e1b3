use super::Route;

#[test]
fn a_template_holds_no_ids_tokens_codes_or_queries() {
    for (method, path, template) in [
        ("POST", "channels/7/messages", "POST channels/{id}/messages"),
        (
            "GET",
            "channels/7/messages?limit=5&after=9",
            "GET channels/{id}/messages",
        ),
        (
            "PUT",
            "guilds/1/members/2/roles/3",
            "PUT guilds/{id}/members/{id}/roles/{id}",
        ),
        ("GET", "guilds/1/members/@me", "GET guilds/{id}/members/@me"),
        (
            "PUT",
            "channels/1/messages/2/reactions/%E2%AD%90/@me",
            "PUT channels/{id}/messages/{id}/reactions/{emoji}/@me",
        ),
        (
            "POST",
            "interactions/5/aW50ZXJh/callback",
            "POST interactions/{id}/{text}/callback",
        ),
        (
            "PATCH",
            "webhooks/5/aW50ZXJh/messages/@original",
            "PATCH webhooks/{id}/{text}/messages/@original",
        ),
        ("GET", "invites/rust-lang", "GET invites/{text}"),
        ("GET", "gateway/bot", "GET gateway/bot"),
    ] {
        assert_eq!(&*Route::of(method, path).template, template);
    }
}

#[test]
fn majors_are_what_discord_limits_by_itself() {
    let major = |path: &str| Route::of("GET", path).major;
    assert_eq!(major("channels/1/messages/2"), major("channels/1/pins"));
    assert_ne!(major("channels/1/messages/2"), major("channels/2/messages/2"));
    assert_ne!(major("channels/1"), major("guilds/1"));
    assert_ne!(
        major("interactions/1/a/callback"),
        major("interactions/1/b/callback")
    );
    assert_eq!((major("users/1"), major("guilds/templates/abc")), (0, 0));
}

#[test]
fn only_what_has_a_token_of_its_own_is_exempt() {
    let exempt = |path: &str| Route::of("POST", path).exempt;
    assert!(exempt("interactions/1/token/callback"));
    assert!(exempt("webhooks/1/token") && exempt("webhooks/1/token/messages/@original"));
    assert!(!exempt("webhooks/1") && !exempt("channels/1/webhooks") && !exempt("channels/1/messages"));
}
