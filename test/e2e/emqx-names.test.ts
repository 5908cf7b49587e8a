/** Names that do not agree, and links that are switched off: each side is told in EMQX's own words, and mended it works. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/until.ts";
import { EmqxSite, type EmqxSiteOptions } from "./emqx-site.ts";

async function withSite(options: EmqxSiteOptions, body: (site: EmqxSite) => Promise<void>): Promise<void> {
  const site = await EmqxSite.open({ ...options, emqxFirst: true });
  try {
    await body(site);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.stack : error}\n${site.m.tail(40)}`);
  } finally {
    await site.close();
  }
}

async function answered(site: EmqxSite, error: string | null): Promise<void> {
  await until(
    `EMQX is answered ${error}`,
    () => site.emqx.answers.at(-1)?.error === error || JSON.stringify(site.emqx.answers.at(-1)),
    30_000,
  );
}

async function refused(site: EmqxSite, result: string, code: string): Promise<void> {
  await site.m.agent.untilLink(
    "e",
    `EMQX refuses with ${result}`,
    ({ out, lastProblem }) =>
      (out.refusedWith === result && lastProblem?.code === code) || JSON.stringify([out, lastProblem]),
    30_000,
  );
}

test("scenario 16: EMQX has our link under another name", async () => {
  await withSite({ eLink: { name: "somebody" } }, async (site) => {
    await answered(site, "bad_remote_cluster_link_name");
    await site.m.agent.logged(/WRONG_NAME.*somebody/);
    // And it has no link with our name, so it does not know us.
    await refused(site, "unknown_link", "PEER_UNKNOWN_LINK");
    await site.emqx.hangUp("somebody");
    site.emqx.links = [];
    await site.emqx.configure({ name: "m", url: site.m.broker.url, topics: ["#"] });
    await site.ready();
    await answered(site, null);
  });
});

test("scenario 16: the EMQX there has another name than our link", async () => {
  await withSite({ eCluster: "another" }, async (site) => {
    await refused(site, "wrong_name", "WRONG_NAME");
    await site.m.agent.logged(/its cluster.name is another/);
    // To us its own greetings are those of a stranger.
    await answered(site, "unknown_cluster");
    await site.m.agent.logged(/UNKNOWN_PEER.*another/);
  });
});

test("scenario 16 and 27: EMQX switches its link off and on", async () => {
  await withSite({ eLink: { enable: false } }, async (site) => {
    await refused(site, "link_disabled", "PEER_LINK_DISABLED");
    await site.emqx.configure({ name: "m", url: site.m.broker.url, topics: ["#"] });
    await site.ready();
    const client = await site.m.client();
    await client.subscribe("t/#");
    await site.eHolds("t/#");
    site.emqx.subscribe("back/#");
    await site.mHolds(1);
    // Off again: what we have of its routes stays, and its messages stop at its own broker.
    await site.emqx.configure({ name: "m", url: site.m.broker.url, topics: ["#"], enable: false });
    assert.equal((await site.m.agent.linkStatus("e")).in.routes, 1);
    await site.emqx.configure({ name: "m", url: site.m.broker.url, topics: ["#"] });
    await (await site.eClient()).publish("t/1", "on again");
    await client.arrival("on again");
  });
});

test("scenario 13: our link is switched off and on, changes its topics, and goes", async () => {
  const config = (link: Readonly<Record<string, unknown>>, site: EmqxSite): Readonly<Record<string, unknown>> => ({
    links: [{ name: "e", server: site.eBroker.url, topics: ["t/#"], protocol: "emqx", ...link }],
  });
  await withSite({ mWants: ["t/#"] }, async (site) => {
    await site.ready();
    const client = await site.m.client();
    await client.subscribe(["t/1", "u/1"]);
    await site.eHolds("t/1");
    site.m.agent.rewrite(config({ topics: ["u/#"] }, site));
    process.kill(site.m.agent.pid, "SIGHUP");
    await site.eHolds("u/1");
    site.m.agent.rewrite(config({ topics: ["u/#"], enable: false }, site));
    process.kill(site.m.agent.pid, "SIGHUP");
    // EMQX has no goodbye: it is told that each route goes.
    await site.eHolds();
    site.emqx.actor("m").cut();
    await answered(site, "cluster_link_disabled");
    site.m.agent.rewrite(config({ topics: ["u/#", "t/#"] }, site));
    process.kill(site.m.agent.pid, "SIGHUP");
    await site.eHolds("t/1", "u/1");
    await answered(site, null);
    site.m.agent.rewrite({ links: [] });
    process.kill(site.m.agent.pid, "SIGHUP");
    await site.eHolds();
    assert.deepEqual(site.emqx.violations, []);
  });
});
