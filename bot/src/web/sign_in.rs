//! The pages for signing in and out.

use hyper::{Method, StatusCode};
use maud::html;

use super::{
    answer::{Answer, Fault, local},
    context::Context,
    oauth::{self, SignInError},
    random::{Secret256, is_same},
    route::{Access, Route},
    session::{Session, cookie, sent_cookie},
};
use crate::{
    postgres::{Statement, StoreError, statement::statement},
    support::i18n::Language,
};

/// The cookie that binds a sign-in to its browser, and how long it lives, in seconds.
const COOKIE: (&str, u32) = ("sign_in", 600);

/// The pages.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::plain("/sign-in", Access::Public, None, |context| {
            Box::pin(begin(context))
        }),
        Route::plain("/sign-in/callback", Access::Public, None, |context| {
            Box::pin(callback(context))
        }),
        Route::plain("/sign-out", Access::SignedIn, None, |context| {
            Box::pin(sign_out(context))
        }),
    ]
}

/// Send the browser to Discord, with a secret by which it is recognized when it comes back.
async fn begin(context: &mut Context) -> Result<Answer, Fault> {
    const BEGIN: Statement = statement!(
        "web_sign_in_begin",
        [BYTEA, TEXT],
        "INSERT INTO web_sign_in (digest, return_to) VALUES ($1, $2)"
    );
    if *context.method() != Method::GET {
        return Err(Fault::NoForm);
    }
    let to = context
        .query()
        .get("to")
        .and_then(local)
        .unwrap_or("/servers")
        .to_owned();
    if context.session().is_some() {
        return Ok(Answer::see_other(&to));
    }
    let site = context.site();
    let Some(oauth) = &site.oauth else {
        return Err(Fault::NotFound);
    };
    let browser = Secret256::random();
    site.store.query(BEGIN, &[&digest(&browser), &to]).await?;
    let (name, seconds) = COOKIE;
    Ok(
        Answer::to_discord(&oauth.authorize_url(&browser)).with_cookie(&cookie(
            &site.config,
            name,
            &browser.to_text(),
            seconds,
        )),
    )
}

/// The browser comes back from Discord.
async fn callback(context: &mut Context) -> Result<Answer, Fault> {
    let site = context.site();
    let Some(oauth) = &site.oauth else {
        return Err(Fault::NotFound);
    };
    let forget = cookie(&site.config, COOKIE.0, "", 0);
    let failed = |context: &Context, key| Ok(failure(context, key).with_cookie(&forget));
    let browser = sent_cookie(&site.config, context.headers(), COOKIE.0).and_then(Secret256::parse);
    let (Some(browser), Some(state)) = (browser, context.query().get("state")) else {
        return failed(context, "web-sign-in-stale");
    };
    if !is_same(state, &oauth::state(&browser)) {
        return failed(context, "web-sign-in-stale");
    }
    let Some(to) = take(context, &browser).await? else {
        return failed(context, "web-sign-in-stale");
    };
    let Some(code) = context.query().get("code") else {
        // Discord sends `error=access_denied` if the user has refused.
        return failed(context, "web-sign-in-refused");
    };
    let user = match oauth.user(code, &browser).await {
        Ok(user) => user,
        Err(SignInError::Refused) => return failed(context, "web-sign-in-stale"),
        Err(error) => {
            tracing::warn!(%error, "a user could not sign in to the website");
            return failed(context, "web-sign-in-failed");
        }
    };
    // A session that the browser had before, perhaps planted by somebody else, ends here.
    if let Some(before) = context.session() {
        before.end(&site.store).await?;
    }
    let language = user.locale.as_deref().and_then(Language::of_locale);
    let session = Session::begin(&site.store, user.id, &user.name, language).await?;
    let value = session.secret().to_text();
    Ok(Answer::see_other(&to)
        .with_cookie(&cookie(&site.config, Session::COOKIE, &value, Session::SECONDS))
        .with_cookie(&forget))
}

/// Use a sign-in that has begun: its return path, once.
async fn take(context: &Context, browser: &Secret256) -> Result<Option<String>, StoreError> {
    const TAKE: Statement = statement!(
        "web_sign_in_take",
        [BYTEA],
        "DELETE FROM web_sign_in WHERE digest = $1 RETURNING return_to, created_at > now() - interval '10 minutes'"
    );
    let rows = context.site().store.query(TAKE, &[&digest(browser)]).await?;
    let fresh = rows.first().filter(|row| row.get::<_, bool>(1));
    Ok(fresh.map(|row| row.get(0)))
}

fn digest(browser: &Secret256) -> Vec<u8> {
    browser.derived("sign-in").to_vec()
}

fn failure(context: &Context, key: &str) -> Answer {
    let title = context.text("web-sign-in-title");
    let main = html! {
        h1 { (title) }
        p { (context.text(key)) }
        p { a.button href="/sign-in" { (context.text("web-sign-in")) } }
    };
    context.page(&title, &main).with_status(StatusCode::BAD_REQUEST)
}

/// Ask, and then end this session, or all sessions of the user.
async fn sign_out(context: &mut Context) -> Result<Answer, Fault> {
    let site = context.site();
    if *context.method() == Method::GET {
        let title = context.text("web-sign-out");
        let main = html! {
            h1 { (title) }
            form.actions method="post" action="/sign-out" {
                (context.token())
                button type="submit" { (title) }
                button.quiet type="submit" name="everywhere" value="yes" { (context.text("web-sign-out-everywhere")) }
            }
        };
        return Ok(context.page(&title, &main));
    }
    let session = context.session().ok_or(Fault::SignIn)?;
    if context.form().get("everywhere").is_some() {
        session.end_all(&site.store).await?;
    } else {
        session.end(&site.store).await?;
    }
    Ok(Answer::see_other("/").with_cookie(&cookie(&site.config, Session::COOKIE, "", 0)))
}
