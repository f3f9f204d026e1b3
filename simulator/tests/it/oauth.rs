//! Signing in: authorization, codes with PKCE, tokens and what they may read.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use discord_simulator::{Consent, RestFault, RestFaultKind, Simulator};
use serde_json::{Value, json};

use super::{
    http::{Response, call, call_as, send},
    small, start,
};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &str = "application/x-www-form-urlencoded";
const BACK: &str = "http%3A%2F%2Flocalhost%2Fback";

struct Stage {
    simulator: Simulator,
    base: String,
    client: u64,
    user: u64,
}

impl Stage {
    async fn begin() -> Self {
        let simulator = start(small()).await;
        let guild = simulator.world().guilds()[0].id();
        let user = simulator.world().member_id(guild, 2).unwrap();
        simulator
            .control()
            .change_oauth(|rules| rules.consent = Consent::As(user));
        Self {
            base: simulator.rest_url(),
            client: simulator.world().bot_id(),
            user,
            simulator,
        }
    }

    fn question(&self, more: &str) -> String {
        format!(
            "/oauth2/authorize?client_id={}&redirect_uri={BACK}&state=a%20b{more}",
            self.client
        )
    }

    /// Asks for authorization, and returns where the browser is sent.
    async fn authorize(&self, more: &str) -> String {
        let answer = call_as(&self.base, "GET", &self.question(more), None, None).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer.header("location").unwrap().to_owned()
    }

    async fn code(&self, more: &str) -> String {
        let back = self
            .authorize(&format!("&response_type=code&scope=identify{more}"))
            .await;
        let code = back.strip_prefix("http://localhost/back?code=").unwrap();
        code.strip_suffix("&state=a+b").unwrap().to_owned()
    }

    /// Sends a form to the token endpoint, with the application's ID and secret in it.
    async fn post(&self, path: &str, form: &str) -> Response {
        let form = format!("client_id={}&client_secret=sim-secret&{form}", self.client);
        send(
            &self.base,
            "POST",
            &format!("/api/v10/oauth2/{path}"),
            (FORM, &form),
            None,
        )
        .await
    }

    async fn exchange(&self, code: &str, more: &str) -> Response {
        let form = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK}{more}");
        self.post("token", &form).await
    }

    async fn tokens(&self) -> Value {
        let code = self.code("").await;
        let answer = self.exchange(&code, "").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    async fn me(&self, token: &Value) -> Response {
        let header = format!("Bearer {}", token.as_str().unwrap());
        call_as(&self.base, "GET", "/api/v10/users/@me", None, Some(&header)).await
    }
}

fn grant_error(answer: &Response) -> (u16, String) {
    assert_eq!(answer.json()["error"], "invalid_grant", "{}", answer.text);
    (
        answer.status,
        answer.json()["error_description"]
            .as_str()
            .unwrap_or("")
            .to_owned(),
    )
}

#[tokio::test]
async fn a_code_becomes_a_token_that_reads_its_user() {
    let stage = Stage::begin().await;
    let tokens = stage.tokens().await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 604_800);
    assert_eq!(tokens["scope"], "identify");
    let me = stage.me(&tokens["access_token"]).await;
    assert_eq!(me.json()["id"], stage.user.to_string());
    assert_eq!(
        stage.me(&json!("made-up")).await.json()["message"],
        "401: Unauthorized"
    );
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let other = call_as(
        &stage.base,
        "GET",
        "/api/v10/users/@me/guilds",
        None,
        Some(&bearer),
    )
    .await;
    assert_eq!(other.status, 401, "only identify was allowed");
    // The bot's own token still reads the bot.
    let bot = call(&stage.base, "GET", "/api/v10/users/@me", None).await;
    assert_eq!(bot.json()["bot"], true);
    stage.simulator.stop().await;
}

#[tokio::test]
async fn a_code_is_valid_once_for_its_address_and_for_a_time() {
    let stage = Stage::begin().await;
    let code = stage.code("").await;
    assert_eq!(stage.exchange(&code, "").await.status, 200);
    let bad_code = (400, "Invalid \"code\" in request.".to_owned());
    assert_eq!(grant_error(&stage.exchange(&code, "").await), bad_code);
    assert_eq!(grant_error(&stage.exchange("made-up", "").await), bad_code);
    let code = stage.code("").await;
    let elsewhere = format!("grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2Fevil%2F");
    let answer = stage.post("token", &elsewhere).await;
    assert_eq!(grant_error(&answer).1, "Invalid \"redirect_uri\" in request.");
    let control = stage.simulator.control();
    control.change_oauth(|rules| rules.code_ttl = Duration::ZERO);
    let late = stage.code("").await;
    assert_eq!(grant_error(&stage.exchange(&late, "").await), bad_code);
    stage.simulator.stop().await;
}

#[tokio::test]
async fn pkce_needs_the_verifier_of_the_challenge() {
    let stage = Stage::begin().await;
    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = stage.code(&challenge).await;
    let right = format!("&code_verifier={VERIFIER}");
    assert_eq!(stage.exchange(&code, &right).await.status, 200);
    for (question, verifier) in [
        (challenge.as_str(), ""),
        (challenge.as_str(), "&code_verifier=another"),
        ("", right.as_str()),
    ] {
        let code = stage.code(question).await;
        let answer = stage.exchange(&code, verifier).await;
        assert_eq!(grant_error(&answer).1, "Invalid \"code_verifier\" in request.");
    }
    let plain =
        format!("&response_type=code&scope=identify&code_challenge={VERIFIER}&code_challenge_method=plain");
    assert!(stage.authorize(&plain).await.contains("?error=invalid_request&"));
    stage.simulator.stop().await;
}

#[tokio::test]
async fn the_client_must_be_known() {
    let stage = Stage::begin().await;
    let code = stage.code("").await;
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK}");
    let post = async |content: (&str, &str), header: Option<&str>| {
        send(&stage.base, "POST", "/api/v10/oauth2/token", content, header).await
    };
    let wrong = format!("{form}&client_id={}&client_secret=wrong", stage.client);
    let answer = post((FORM, &wrong), None).await;
    assert_eq!(
        (answer.status, answer.json()),
        (401, json!({"error": "invalid_client"}))
    );
    assert_eq!(post((FORM, &form), None).await.json()["error"], "invalid_request");
    let as_json = post(("application/json", "{}"), None).await;
    assert_eq!(
        (as_json.status, &as_json.json()["error"]),
        (400, &json!("invalid_request"))
    );
    let basic = BASE64_STANDARD.encode(format!("{}:sim-secret", stage.client));
    let answer = post((FORM, &form), Some(&format!("Basic {basic}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let other = stage.post("token", "grant_type=password").await;
    assert_eq!(other.json(), json!({"error": "unsupported_grant_type"}));
    stage.simulator.stop().await;
}

#[tokio::test]
async fn tokens_are_refreshed_revoked_and_expire() {
    let stage = Stage::begin().await;
    let first = stage.tokens().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        text(&first["refresh_token"])
    );
    let second = stage.post("token", &form).await.json();
    assert_eq!(stage.me(&first["access_token"]).await.status, 401);
    assert_eq!(stage.me(&second["access_token"]).await.status, 200);
    assert_eq!(grant_error(&stage.post("token", &form).await).0, 400);
    let form = format!("token={}", text(&second["access_token"]));
    assert_eq!(stage.post("token/revoke", &form).await.status, 200);
    assert_eq!(stage.me(&second["access_token"]).await.status, 401);
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        text(&second["refresh_token"])
    );
    grant_error(&stage.post("token", &form).await);
    let control = stage.simulator.control();
    control.change_oauth(|rules| rules.token_ttl = Duration::ZERO);
    let late = stage.tokens().await;
    assert_eq!(stage.me(&late["access_token"]).await.status, 401);
    stage.simulator.stop().await;
}

#[tokio::test]
async fn a_wrong_question_is_refused_where_it_is_safe() {
    let stage = Stage::begin().await;
    let denied = "&response_type=code&scope=identify";
    stage
        .simulator
        .control()
        .change_oauth(|rules| rules.consent = Consent::Deny);
    let back = stage.authorize(denied).await;
    assert!(
        back.starts_with("http://localhost/back?error=access_denied&error_description=The+resource+owner")
    );
    assert!(back.ends_with("&state=a+b"));
    let back = stage.authorize("&response_type=code&scope=everything").await;
    assert!(back.contains("?error=invalid_scope&"));
    let back = stage.authorize("&response_type=token&scope=identify").await;
    assert!(back.contains("?error=unsupported_response_type&"));
    let get = async |path: &str| call_as(&stage.base, "GET", path, None, None).await;
    let known = "http://localhost/back".to_owned();
    let control = stage.simulator.control();
    control.change_oauth(|rules| rules.redirect_uris = vec![known]);
    let elsewhere = stage.question(denied).replace(BACK, "http%3A%2F%2Fevil%2F");
    assert_eq!(
        get(&elsewhere).await.status,
        400,
        "an address that is not registered"
    );
    let stranger = stage.question(denied).replace(&stage.client.to_string(), "12345");
    assert_eq!(get(&stranger).await.status, 400, "another application");
    let script = stage.question(denied).replace(BACK, "javascript%3Aalert(1)");
    assert_eq!(get(&script).await.status, 400, "no web address");
    stage.simulator.stop().await;
}

#[tokio::test]
async fn the_page_asks_and_faults_apply() {
    let stage = Stage::begin().await;
    let body = json!({});
    let answer = call_as(&stage.base, "POST", "/simulator/oauth", Some(body), None).await;
    assert_eq!(answer.status, 204);
    let question = stage.question("&response_type=code&scope=identify");
    let page = call_as(&stage.base, "GET", &question, None, None).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let button = format!("<button name=\"user\" value=\"{}\">", stage.user);
    assert!(page.text.contains(&button), "{}", page.text);
    let press = async |form: &str| send(&stage.base, "POST", &question, (FORM, form), None).await;
    let user = format!("user={}", stage.user);
    let agreed = press(&user).await;
    assert!(
        agreed
            .header("location")
            .unwrap()
            .starts_with("http://localhost/back?code=")
    );
    let cancelled = press("cancel=1").await;
    assert!(
        cancelled
            .header("location")
            .unwrap()
            .contains("error=access_denied")
    );
    assert_eq!(press("user=1").await.status, 400);
    let body = json!({"user_id": stage.user.to_string()});
    let answer = call_as(&stage.base, "POST", "/simulator/oauth", Some(body), None).await;
    assert_eq!(answer.status, 204);
    stage.simulator.control().add_fault(RestFault {
        route: "POST /oauth2/token".to_owned(),
        count: Some(1),
        delay_ms: 0,
        kind: RestFaultKind::Status(503),
    });
    let code = stage.code("").await;
    assert_eq!(stage.exchange(&code, "").await.status, 503);
    assert_eq!(
        stage.exchange(&code, "").await.status,
        200,
        "nothing was carried out"
    );
    stage.simulator.stop().await;
}
