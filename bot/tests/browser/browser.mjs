// Uses the website as people do. Each line "ok - …" or "not ok - …" is a test.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

import { control, scene } from "./world.mjs";

const [base, rest, screenshots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 15_000;
const NARROW = { width: 360, height: 740 };

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const { guild, owner, member, others } = await scene(rest);
const settings = `/servers/${guild.id}/settings`;

let passed = 0;
let failed = 0;

async function test(name, options, use) {
    const context = await browser.newContext({ baseURL: base, locale: "en-GB", ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    page.answer = "accept";
    page.on("dialog", (dialog) => dialog[page.answer]());
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
        // Chromium reports each page with an error status; tests that expect one look at it themselves.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
            complaints.push(message.text());
        }
    });
    try {
        await use(page, context);
        assert.deepEqual(complaints, [], "the console has errors");
        console.log(`ok - ${name}`);
        passed += 1;
    } catch (error) {
        console.log(`not ok - ${name}: ${error.stack ?? error}`);
        await page.screenshot({ path: `${screenshots}/failed-${failed}.png` }).catch(() => {});
        failed += 1;
    }
    await context.close();
}

/** Signs in by the simulated Discord's page. */
async function signIn(page, user = owner) {
    await page.goto("/sign-in?to=/servers");
    await page.getByLabel("User ID").fill(user.id);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${base}/servers`);
}

async function signOut(page) {
    await page.getByRole("link", { name: "Sign out" }).click();
    await page.locator("main form button").first().click();
    await page.waitForURL((url) => !url.pathname.startsWith("/sign-out"));
}

/** What axe-core finds wrong with the page. */
async function check(page, name) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(found, [], `${name}: axe-core`);
}

async function noSidewaysScrolling(page, name) {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(over, 0, `${name} is wider than the window`);
}

async function shoot(page, name) {
    await page.screenshot({ path: `${screenshots}/${name}.png`, fullPage: true });
}

/** A path without IDs, other numbers and its query, as the name of a screenshot. */
function nameOf(path) {
    const name = path.replace(/\?.*/, "").replaceAll(/\d+/g, "n").replaceAll(/[^a-z0-9]+/gi, "-").replaceAll(/^-|-$/g, "");
    return name === "" ? "home" : name;
}

/** Opens a page, again if names on it are still being looked up: such a page would load itself again at any moment. */
async function open(page, path) {
    let answer = await page.goto(path);
    while (answer.headers().refresh !== undefined) {
        answer = await page.goto(path);
    }
    return answer;
}

/** The paths of all pages that links lead to, one for each kind. */
async function crawl(page, from) {
    const seen = new Map([[nameOf(from), from]]);
    for (const path of seen.values()) {
        const answer = await open(page, path);
        assert.equal(answer.status(), 200, path);
        const links = await page.locator("a[href^='/']").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
        for (const link of links) {
            const isPage = !/sign-(in|out)|export|\.(csv|json|png|css|svg)/.test(link) && !link.startsWith("#");
            if (isPage && !seen.has(nameOf(link)) && seen.size < 80) {
                seen.set(nameOf(link), link);
            }
        }
    }
    return [...seen.values()];
}

/** Opens a page again and again until it has an element. */
async function eventually(page, path, selector) {
    const deadline = Date.now() + PATIENCE;
    do {
        await page.goto(path);
        if ((await page.locator(selector).count()) > 0) {
            return;
        }
    } while (Date.now() < deadline);
    assert.fail(`${path} has no ${selector}`);
}

async function save(page) {
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("status").filter({ hasText: "Saved" }).waitFor();
}

await control(rest, "generate", { events: 4_000 });

await test("a visitor sees the start page and signs in", {}, async (page) => {
    await page.goto("/");
    await check(page, "home");
    await shoot(page, "home");
    await signIn(page);
    await page.getByText(owner.name).first().waitFor();
});

await test("who refuses is not signed in", {}, async (page) => {
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.waitForURL(`${base}/**`);
    await check(page, "refused");
    await page.goto("/servers");
    assert.ok(page.url().startsWith(rest), "the page asks to sign in");
});

await test("signing in and out works without JavaScript", { javaScriptEnabled: false }, async (page) => {
    await signIn(page);
    await signOut(page);
});

await test("the first stop of the keyboard leads to the content, and the focus is visible", {}, async (page) => {
    await page.goto("/");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), "#main");
    for (let stops = 0; stops < 20; stops += 1) {
        const { style, isLink } = await page.evaluate(() => ({
            style: getComputedStyle(document.activeElement).outlineStyle,
            isLink: document.activeElement.getAttribute("href") === "/sign-in",
        }));
        assert.notEqual(style, "none", "the focus is visible");
        if (isLink) {
            await page.keyboard.press("Enter");
            await page.waitForURL(`${rest}/**`);
            return;
        }
        await page.keyboard.press("Tab");
    }
    assert.fail("the link to sign in cannot be reached");
});

await test("settings are saved", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/moderation`);
    await page.getByLabel("Require a reason").check();
    await page.locator("textarea[name=warn_message]").fill("Case {case}: {reason}");
    await save(page);
    assert.ok(await page.getByLabel("Require a reason").isChecked());
    await page.getByText("Case 12: Advertising").waitFor();
    await shoot(page, "settings-saved");
});

await test("a wrong value is explained, and what was typed stays", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/moderation`);
    await page.locator("main form").evaluateAll((forms) => forms.forEach((form) => form.setAttribute("novalidate", "")));
    const text = page.locator("textarea[name=warn_message]");
    await text.fill("Hello {nobody}");
    const limit = page.locator("input[name=bans_per_hour]");
    await limit.fill("100000");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").waitFor();
    assert.equal(await text.inputValue(), "Hello {nobody}");
    assert.equal(await limit.inputValue(), "100000");
    assert.equal(await limit.getAttribute("aria-invalid"), "true");
    await check(page, "faults");
    await shoot(page, "settings-faults");
});

await test("a change is undone in the history", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/server`);
    await page.getByLabel("Language", { exact: true }).selectOption("de");
    await page.getByLabel("Log channel").selectOption({ index: 1 });
    await save(page);
    await page.goto(`${settings}/history`);
    await shoot(page, "history");
    await page.getByRole("button", { name: "Undo" }).first().click();
    await page.getByRole("status").waitFor();
    await page.goto(`${settings}/server`);
    assert.equal(await page.getByLabel("Language", { exact: true }).inputValue(), "auto");
});

await test("exported settings are imported after a confirmation", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/server`);
    await page.getByLabel("Log channel").selectOption({ index: 1 });
    await save(page);
    await page.goto(`${settings}/transfer`);
    const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name: "Download" }).click(),
    ]);
    const text = readFileSync(await download.path(), "utf8");
    await page.goto(`${settings}/server`);
    await page.getByLabel("Log channel").selectOption("none");
    await save(page);
    await page.goto(`${settings}/transfer`);
    await page.getByLabel("Contents of an exported file").fill(text);
    await page.getByRole("button", { name: "Continue" }).first().click();
    await page.getByRole("heading", { name: "Check the changes" }).waitFor();
    await check(page, "confirm");
    await shoot(page, "transfer-confirm");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.waitForURL(`${base}${settings}/history?imported=1`);
    await page.goto(`${settings}/server`);
    assert.notEqual(await page.getByLabel("Log channel").inputValue(), "none");
});

await test("a file that is none is explained", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/transfer`);
    await page.getByLabel("Contents of an exported file").fill("{}");
    await page.getByRole("button", { name: "Continue" }).first().click();
    await page.getByRole("alert").waitFor();
    await check(page, "bad file");
});

await test("settings work without JavaScript", { javaScriptEnabled: false }, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/moderation`);
    await page.getByLabel("Direct message about kicks").uncheck();
    await save(page);
    assert.ok(!(await page.getByLabel("Direct message about kicks").isChecked()));
    await page.goto(`${settings}/history`);
    await page.getByRole("button", { name: "Undo" }).first().click();
    await page.getByRole("status").waitFor();
});

await test("settings work with the keyboard alone", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/moderation`);
    await page.keyboard.press("Tab");
    const skip = await page.evaluate(() => document.activeElement.getAttribute("href"));
    assert.equal(skip, "#main", "the first stop leads to the content");
    const reach = async (found, what) => {
        for (let stops = 0; stops < 150; stops += 1) {
            await page.keyboard.press("Tab");
            if (await page.evaluate(found)) {
                return;
            }
        }
        assert.fail(`${what} cannot be reached`);
    };
    await page.keyboard.press("Enter");
    await reach(() => document.activeElement.name === "require_reason", "a switch");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", "the focus is visible");
    const before = await page.getByLabel("Require a reason").isChecked();
    await page.keyboard.press("Space");
    await reach(() => document.activeElement.type === "submit" && document.activeElement.closest("main form"), "the button");
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "Saved" }).waitFor();
    assert.notEqual(await page.getByLabel("Require a reason").isChecked(), before);
});

await test("XP is set by forms, without JavaScript", { javaScriptEnabled: false }, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/xp`);
    const form = (text) => page.locator("main form", { hasText: text });
    const range = form("how much XP a message earns");
    await range.getByLabel("The minimum XP").fill("20");
    await range.getByLabel("The maximum XP").fill("10");
    await range.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").waitFor();
    assert.equal(await range.getByLabel("The minimum XP").inputValue(), "20", "what was typed stays");
    await range.getByLabel("The maximum XP").fill("30");
    await range.getByRole("button", { name: "Save" }).click();
    await page.getByRole("status").filter({ hasText: "20 to 30" }).waitFor();
    const multiplier = form("or messages in a channel");
    await multiplier.getByLabel("Such as 2").fill("1.5");
    await multiplier.getByLabel("The channel").selectOption({ index: 1 });
    await multiplier.getByRole("button", { name: "Save" }).click();
    await page.getByRole("status").waitFor();
    await shoot(page, "xp");
    await page.locator("main li", { hasText: "×1.5" }).getByRole("button", { name: "Remove" }).click();
    await page.getByRole("status").waitFor();
    assert.equal(await page.locator("main li", { hasText: "×1.5" }).count(), 0);
});

await test("a threshold is removed after a question", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/thresholds`);
    await page.getByLabel("The number of points").fill("5");
    await page.getByLabel("What happens to the member").selectOption("kick");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("status").waitFor();
    const remove = page.getByRole("button", { name: "Remove" });
    page.answer = "dismiss";
    await remove.click();
    await page.goto(`${settings}/thresholds`);
    page.answer = "accept";
    assert.equal(await remove.count(), 1, "it was not removed");
    await shoot(page, "thresholds");
    await remove.click();
    await page.getByRole("status").waitFor();
    assert.equal(await remove.count(), 0);
});

await test("long lists are filtered", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/moderation`);
    const roles = page.locator(".choices label:visible");
    assert.ok((await roles.count()) >= 8);
    await page.getByLabel("Filter").fill("level");
    const shown = await roles.allTextContents();
    assert.ok(shown.length > 0 && shown.every((role) => role.includes("Level")), shown.join(", "));
    await check(page, "a filtered list");
});

await test("previews follow what is typed", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/announcements`);
    await page.locator("textarea[name=text]").fill("{user} is level {level} now");
    await page.getByText("@Ada is level 5 now").waitFor();
    await page.goto(`${settings}/cards`);
    await page.getByLabel("In the form").fill("#ff0000");
    await page.waitForFunction(() => document.querySelector("img.picture").src.includes("ff0000"));
    const isDrawn = (image) => image.decode().then(() => image.naturalWidth > 0);
    assert.ok(await page.locator("img.picture").evaluate(isDrawn));
    await check(page, "cards");
    await shoot(page, "cards");
});

await test("times are in the visitor's zone", { timezoneId: "Asia/Kolkata" }, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/history`);
    const time = page.locator("main time").first();
    const [at, shown, utc] = await time.evaluate((time) => [time.dateTime, time.textContent, time.title]);
    const options = { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Kolkata" };
    assert.equal(shown, new Intl.DateTimeFormat("en", options).format(new Date(at)));
    assert.match(utc, / UTC$/);
});

await test("the staff reacts to a report, without JavaScript", { javaScriptEnabled: false }, async (page) => {
    const reports = `/servers/${guild.id}/reports`;
    await signIn(page);
    await page.goto(`${settings}/moderation`);
    await page.getByLabel("Channel for reports").selectOption({ index: 1 });
    await page.getByLabel("Banned users can appeal on the website").check();
    await save(page);
    for (const [reporter, reported] of [[member, others[0]], [others[1], others[2]]]) {
        const options = [{ name: "member", type: 6, value: reported.id }, { name: "reason", type: 3, value: "<b>rude</b> words" }];
        const data = { name: "report", type: 1, options };
        await control(rest, "interactions", { guild_id: guild.id, user_id: reporter.id, type: 2, data });
    }
    await eventually(page, reports, "tbody tr:nth-child(2)");
    await page.locator("tbody a").first().click();
    await page.getByRole("button", { name: "Claim" }).click();
    await page.getByRole("status").filter({ hasText: "You have claimed" }).waitFor();
    await shoot(page, "report");
    await page.locator("#warn-reason").fill("be kind");
    await page.getByRole("button", { name: "Warn" }).click();
    await page.getByRole("status").filter({ hasText: "#1" }).waitFor();
    await page.goto(reports);
    assert.equal(await page.locator("tbody tr").count(), 1, "the other one is open");
});

await test("messages are counted and drawn once a server wants that", {}, async (page) => {
    await signIn(page);
    await page.goto(`${settings}/statistics`);
    await page.locator("main form input[type=checkbox]").first().check();
    await save(page);
    await control(rest, "generate", { events: 2_000 });
    await eventually(page, `/servers/${guild.id}/statistics`, "main svg");
    await check(page, "statistics");
    await shoot(page, "statistics");
});

await test("what is scheduled is changed and cancelled, without JavaScript", { javaScriptEnabled: false }, async (page) => {
    const scheduled = `/servers/${guild.id}/scheduled`;
    await signIn(page);
    await page.goto(`${settings}/moderation`);
    const role = await page.locator(".choices label", { hasText: "Level 5" }).first().locator("input").getAttribute("value");
    for (const { id } of others.slice(0, 3)) {
        const options = [{ name: "member", type: 6, value: id }, { name: "role", type: 8, value: role }, { name: "duration", type: 3, value: "2h" }];
        const data = { name: "role", type: 1, options: [{ name: "temp", type: 1, options }] };
        await control(rest, "interactions", { guild_id: guild.id, user_id: owner.id, type: 2, data, member_permissions: "8" });
    }
    await eventually(page, scheduled, "tbody tr:nth-child(3)");
    await shoot(page, "scheduled");
    await page.locator("input[name=duration]").first().fill("3d");
    await page.locator("button[value=change]").first().click();
    await page.getByRole("status").waitFor();
    await page.locator("button[value=cancel]").first().click();
    await page.getByRole("status").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 2);
    await page.locator("input[name=duration]").first().fill("soon");
    await page.locator("button[value=change]").first().click();
    await page.getByRole("alert").waitFor();
});

await test("a banned user appeals and reads the decision", {}, async (page) => {
    const appeal = `/servers/${guild.id}/appeal`;
    for (const banned of [others[3], others[4]]) {
        await control(rest, "bans", { guild_id: guild.id, user_id: banned.id, banned: true });
        await signIn(page, banned);
        await page.goto(appeal);
        await check(page, "appeal");
        await shoot(page, "appeal");
        await page.getByLabel("Why should your ban be lifted?").fill("It was my brother.");
        await page.getByRole("button", { name: "Send" }).click();
        await page.getByRole("status").waitFor();
        await check(page, "appeal sent");
        await signOut(page);
    }
    await signIn(page);
    await page.goto(`/servers/${guild.id}/appeals`);
    await page.locator("tbody a").first().click();
    await page.getByRole("button", { name: "Against it" }).click();
    await page.getByRole("status").waitFor();
    await page.getByLabel("Answer").fill("Not this time.");
    await page.getByRole("button", { name: "Decline" }).click();
    await page.getByRole("status").filter({ hasText: "declined" }).waitFor();
    await check(page, "appeal declined");
    await shoot(page, "appeal-declined");
    await signOut(page);
    await signIn(page, others[4]);
    await page.goto(appeal);
    await page.getByText("Not this time.").waitFor();
    await check(page, "appeal read");
    await page.setViewportSize(NARROW);
    await noSidewaysScrolling(page, "appeal read");
});

let paths;
for (const scheme of ["light", "dark"]) {
    await test(`every page is accessible in the ${scheme} theme, and fits a phone`, { colorScheme: scheme }, async (page) => {
        await signIn(page);
        paths ??= await crawl(page, "/servers");
        console.log(`# ${paths.map(nameOf).join(", ")}`);
        for (const path of paths) {
            await page.setViewportSize({ width: 1200, height: 800 });
            await open(page, path);
            await check(page, path);
            await shoot(page, `${nameOf(path)}-${scheme}`);
            await page.setViewportSize(NARROW);
            await noSidewaysScrolling(page, path);
            if (scheme === "light") {
                await shoot(page, `${nameOf(path)}-phone`);
            }
        }
    });
}

await test("pages are in the browser's language", { locale: "de-DE" }, async (page) => {
    await page.goto("/");
    assert.equal(await page.locator("html").getAttribute("lang"), "de");
    await check(page, "home in German");
});

await test("a member of no page sees their own servers only", {}, async (page) => {
    await signIn(page, member);
    await check(page, "servers of a member");
});

await test("what is not there has a page of its own", {}, async (page) => {
    await signIn(page);
    for (const path of ["/nothing", "/servers/1/settings", "/servers/x/settings"]) {
        const answer = await page.goto(path);
        assert.equal(answer.status(), 404, path);
        await check(page, path);
    }
    await shoot(page, "nothing");
});

await test("signing out ends the session", {}, async (page) => {
    await signIn(page);
    await signOut(page);
    await page.goto("/servers");
    assert.ok(page.url().startsWith(rest), "the page asks to sign in");
});

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
