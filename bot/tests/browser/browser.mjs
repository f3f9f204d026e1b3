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
const { owner, member } = await scene(rest);

let passed = 0;
let failed = 0;

async function test(name, options, use) {
    const context = await browser.newContext({ baseURL: base, locale: "en-GB", ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
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

/** A path without IDs and other numbers, as the name of a screenshot. */
function nameOf(path) {
    const name = path.replaceAll(/\d+/g, "n").replaceAll(/[^a-z0-9]+/gi, "-").replaceAll(/^-|-$/g, "");
    return name === "" ? "home" : name;
}

/** The paths of all pages that links lead to, one for each kind. */
async function crawl(page, from) {
    const seen = new Map([[nameOf(from), from]]);
    for (const path of seen.values()) {
        const answer = await page.goto(path);
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

for (const scheme of ["light", "dark"]) {
    await test(`every page is accessible in the ${scheme} theme, and fits a phone`, { colorScheme: scheme }, async (page) => {
        await signIn(page);
        const paths = await crawl(page, "/servers");
        console.log(`# ${paths.map(nameOf).join(", ")}`);
        for (const path of paths) {
            await page.setViewportSize({ width: 1200, height: 800 });
            await page.goto(path);
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
