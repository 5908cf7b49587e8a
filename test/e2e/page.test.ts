/** The page in a real browser, against two real agents and brokers. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { openBrowser, openPage, screenshot } from "./browser.ts";
import { Pair } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const TOKEN = "the-token-of-this-test";

/** Waits until the element's text matches. */
async function shows(page: Page, selector: string, pattern: RegExp, timeoutMs = 20_000): Promise<void> {
  await until(
    `${selector} shows ${pattern}`,
    async () => {
      const text = await page
        .locator(selector)
        .first()
        .innerText({ timeout: 1_000 })
        .catch(() => "nothing there");
      return pattern.test(text) || text;
    },
    timeoutMs,
  );
}

describe("the page", { concurrency: false }, () => {
  let pair: Pair;
  let proxy: TcpProxy;
  let browser: Browser;
  let dir: string;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "brokerlink-page-"));
    writeFileSync(join(dir, "token"), `${TOKEN}\n`, { mode: 0o600 });
    browser = await openBrowser();
    pair = await Pair.open({
      aDials: async (b) => {
        proxy = await TcpProxy.start(b.broker.port);
        return proxy.url;
      },
    });
  });
  after(async () => {
    await browser?.close();
    await Promise.all([pair?.close(), proxy?.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  test("it shows the link, what crosses it, its loss and its return", async () => {
    const { page, errors } = await openPage(browser, pair.a.agent.url);
    await shows(page, "#link-b h3", /b\s+connected/);
    const [reader, writer] = [await pair.b.client(), await pair.a.client()];
    await reader.subscribe("plant/#");
    await writer.reaches(reader, "plant/1");
    let sent = 0;
    await until("the rate is shown", async () => {
      sent += 1;
      await writer.publish("plant/1", `n ${sent}`);
      const text = await page.locator("#link-b figure").first().innerText();
      return /out [1-9]/.test(text) || text;
    });
    assert.ok((await page.locator(".picture .flow.out").count()) > 0, "the picture moves");
    for (const scheme of ["light", "dark"] as const) {
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        await until("it is drawn for this width", async () => {
          const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - window.innerWidth");
          return overflow <= 0 || `${overflow} pixels too wide`;
        });
        await screenshot(page, `links-${scheme}-${width}`);
      }
    }
    proxy.cut();
    await shows(page, "#link-b h3", /b\s+(inconsistent|disconnected|connecting)/);
    await shows(page, "#link-b", /ECONNREFUSED|closed|connection|answer|reach/i);
    await screenshot(page, "cut");
    proxy.heal();
    await shows(page, "#link-b h3", /b\s+connected/, 30_000);
    await page.locator("#link-b summary").click();
    await shows(page, "#link-b details", /→\s*connected/);
    assert.deepEqual(errors, []);
  });

  test("a topic is explained, and routes are found, with the keyboard alone", async () => {
    const reader = await pair.b.client();
    await reader.subscribe(["explain/+/x", "explain/other"]);
    await pair.settled();
    const { page, errors } = await openPage(browser, pair.a.agent.url);
    await shows(page, "#links", /b/);
    await page.locator("#explain-topic").focus();
    await page.keyboard.type("explain/7/x");
    await page.keyboard.press("Enter");
    await shows(page, ".verdicts", /b\s+sent.*explain\/\+\/x/s);
    await page.locator("h1").click();
    await page.keyboard.press("/");
    await page.keyboard.type("explain/ot");
    await shows(page, "table", /^(?!.*explain\/\+).*explain\/other/s);
    await page.locator("#explain-topic").fill("no/#");
    await page.keyboard.press("Enter");
    await shows(page, ".problem", /./);
    assert.deepEqual(errors, []);
    await screenshot(page, "explained");
  });

  test("a wrong token is refused, the right one opens", async (t) => {
    const guarded = await AgentProcess.start({
      cluster: "c",
      local: pair.b.broker.url,
      links: { a: null },
      config: { http: { token_file: join(dir, "token") } },
    });
    t.after(() => guarded.dispose());
    const { page } = await openPage(browser, guarded.url);
    await page.locator("#token").fill("wrong");
    await page.keyboard.press("Enter");
    await shows(page, ".gate", /refuses this token/);
    await screenshot(page, "token");
    await page.locator("#token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await shows(page, "#link-a h3", /^a\s/);
  });

  test("a link is added, refused, edited, switched off and deleted, and the file says so", async (t) => {
    const agent = await AgentProcess.start({ cluster: "e", local: pair.b.broker.url, config: { links: [] } });
    t.after(() => agent.dispose());
    const links = (): unknown => JSON.parse(readFileSync(agent.configFile, "utf8")).links;
    const { page } = await openPage(browser, agent.url);
    await page.getByRole("button", { name: "Add a link" }).click();
    await page.locator("#link-name").fill("far");
    await page.locator("#link-server").fill("http://127.0.0.1:1");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page, "dialog .problem", /unknown scheme/);
    assert.deepEqual(links(), [], "what is refused changes nothing");
    await page.locator("#link-server").fill(pair.a.broker.url);
    await page.locator("#link-topics").fill("plant/#\nline/+");
    await page.locator("#link-username").fill("somebody");
    await page.locator("#link-password").fill("never shown again");
    await screenshot(page, "form");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page, "#link-far h3", /^far\s/);
    const [far] = links() as { name: string; server: string; topics: string[]; username: string; password: string }[];
    assert.deepEqual([far?.name, far?.server, far?.topics], ["far", pair.a.broker.url, ["plant/#", "line/+"]]);
    assert.deepEqual([far?.username, far?.password], ["somebody", "never shown again"]);

    await page.getByRole("button", { name: "Edit far" }).click();
    assert.equal(await page.locator("#link-password").inputValue(), "******");
    await page.locator("#link-topics").fill("line/+");
    await page.getByRole("button", { name: "Save" }).click();
    await until("the file has the other topics", () => {
      const [link] = links() as { topics: string[]; password: string }[];
      assert.equal(link?.password, "never shown again", "a password that is not typed anew stays");
      return link.topics.join() === "line/+" || link.topics.join();
    });

    await page.getByRole("button", { name: "Disable far" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await shows(page, "#link-far h3", /disabled|off/);
    await page.getByRole("button", { name: "Delete far" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await shows(page, "#link-far h3", /^far\s/);
    await page.getByRole("button", { name: "Delete far" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await until("it is gone from page and file", async () => {
      const cards = await page.locator("#link-far").count();
      return (cards === 0 && JSON.stringify(links()) === "[]") || `${cards} cards, ${JSON.stringify(links())}`;
    });
  });

  test("nothing is loaded from elsewhere, and nothing inline runs but the import map", async () => {
    const answer = await fetch(pair.a.agent.url);
    const policy = answer.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'; script-src 'self' 'sha256-/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
    for (const path of ["page/../../package.json", "page/%2e%2e/%2e%2e/package.json", "page/vendor", "page/none.js"]) {
      assert.equal((await fetch(new URL(path, pair.a.agent.url))).status, 404, path);
    }
  });
});
