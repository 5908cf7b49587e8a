/** Ends and beginnings of either side of a link with EMQX: what comes back by itself, and what is lost. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../support/until.ts";
import { EmqxSite, type EmqxSiteOptions } from "./emqx-site.ts";
import { EVENT_LINES } from "./site.ts";

async function withSite(options: EmqxSiteOptions, body: (site: EmqxSite) => Promise<void>): Promise<void> {
  const site = await EmqxSite.linked(options);
  try {
    await body(site);
    assert.deepEqual(site.emqx.violations, []);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.stack : error}\n${site.m.tail(40)}`);
  } finally {
    await site.close();
  }
}

function arrivedAt(site: EmqxSite, text: string): Promise<void> {
  return until(
    `EMQX gets ${text}`,
    () =>
      site.emqx.arrived.some(({ payload }) => payload.toString() === text) ||
      site.emqx.arrived.map(({ payload }) => payload.toString()).join(),
    30_000,
  );
}

test("an agent that is killed makes EMQX's actor begin again, and gets what came meanwhile", async () => {
  await withSite({}, async (site) => {
    site.emqx.subscribe("back/#");
    await site.mHolds(1);
    const client = await site.m.client();
    await client.subscribe("t/#");
    await site.eHolds("t/#");
    const actor = site.emqx.actor("m");
    const { connections, greetings } = actor;
    await site.m.agent.stop("SIGKILL");
    await site.emqx.forward("m", { topic: "t/1", payload: "while nobody listened" });
    site.emqx.subscribe("more/#");
    await site.m.agent.start();
    await client.arrival("while nobody listened", 20_000);
    // EMQX's connection to the local broker stands all the while: it has to be told.
    await site.mHolds(2, 40_000);
    assert.equal(actor.connections, connections + 1, "its session was taken over once");
    assert.equal(actor.greetings, greetings + 1);
    assert.equal(site.emqx.answers.at(-1)?.needBootstrap, true);
    await site.m.agent.linked("e");
    await (await site.m.client()).publish("more/1", "after the restart");
    await arrivedAt(site, "after the restart");
  });
});

test("an agent with a disk forwards from the first moment of its next life", async () => {
  const dir = mkdtempSync(join(tmpdir(), "brokerlink-emqx-"));
  try {
    await withSite({ config: { data_dir: join(dir, "data") } }, async (site) => {
      site.emqx.subscribe("back/#");
      await site.mHolds(1);
      const publisher = await site.m.client();
      await site.m.agent.stop("SIGKILL");
      await publisher.publish("back/1", "while the agent was away");
      const { greetings } = site.emqx.actor("m");
      await site.m.agent.start();
      await arrivedAt(site, "while the agent was away");
      assert.equal(site.emqx.actor("m").greetings, greetings, "before EMQX's actor has said anything");
      // What was saved goes once the actor has said its own: a route that went meanwhile is gone then.
      site.emqx.unsubscribe("back/#");
      await site.mHolds(0, 60_000);
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("an EMQX that is away for a while gets what was published meanwhile, and its new life's routes take the old one's place", async () => {
  await withSite({}, async (site) => {
    site.emqx.subscribe("back/#");
    site.emqx.subscribe("old/#");
    await site.mHolds(2);
    const client = await site.m.client();
    await client.subscribe("t/#");
    await site.eHolds("t/#");
    await site.emqx.stop();
    await site.eBroker.kill();
    await site.m.agent.untilLink("e", "the agent notices", (link) => link.out.state !== "online" || link.out.state);
    for (let count = 0; count < 50; count += 1) await client.publish("back/1", `away ${count}`);
    await site.m.agent.untilLink("e", "all are spooled", ({ queue }) => queue.spooled === 50 || String(queue.spooled));
    site.emqx.unsubscribe("old/#");
    await site.eBroker.restart(EVENT_LINES);
    site.emqx.incarnation += 1_000;
    await site.emqx.start();
    await arrivedAt(site, "away 49");
    assert.deepEqual(
      site.emqx.arrived.map(({ payload }) => payload.toString()),
      Array.from({ length: 50 }, (_, count) => `away ${count}`),
    );
    await site.eHolds("t/#");
    await site.mHolds(1);
    await site.m.agent.linked("e");
    assert.equal((await site.m.agent.linkStatus("e")).queue.spooled, 0);
  });
});

test("a local broker that restarts loses nothing of either side's routes", async () => {
  await withSite({}, async (site) => {
    site.emqx.subscribe("back/#");
    await site.mHolds(1);
    await site.m.broker.restart(EVENT_LINES);
    await until("EMQX's actor is back", () => site.emqx.actor("m").state === "online", 20_000);
    const client = await site.m.client();
    await client.subscribe("t/#");
    await site.m.agent.exact(40_000);
    await site.eHolds("t/#");
    await site.mHolds(1);
    await (await site.eClient()).publish("t/1", "to m");
    await client.arrival("to m");
    await client.publish("back/1", "to e");
    await arrivedAt(site, "to e");
  });
});

test("EMQX's silence: its routes stay for the retention, and are there again when it speaks", async () => {
  await withSite({ link: { route_retention: "4s" } }, async (site) => {
    site.emqx.subscribe("back/#");
    await site.mHolds(1);
    const actor = site.emqx.actor("m");
    actor.isMute = true;
    await site.m.agent.untilLink(
      "e",
      "it counts as silent",
      ({ in: { state } }) => state === "silent" || state,
      50_000,
    );
    const { in: incoming, out } = await site.m.agent.linkStatus("e");
    assert.deepEqual([incoming.routes, out.state], [1, "online"], "our half works all the while");
    await (await site.m.client()).publish("back/1", "to a silent peer");
    await arrivedAt(site, "to a silent peer");
    await site.m.agent.untilLink(
      "e",
      "its routes expire",
      ({ in: { routes } }) => routes === 0 || String(routes),
      20_000,
    );
    actor.isMute = false;
    await site.mHolds(1, 30_000);
    await site.m.agent.linked("e");
  });
});

test("an agent that EMQX had to forget sends everything again", async () => {
  await withSite({}, async (site) => {
    const client = await site.m.client();
    await client.subscribe(["t/1", "t/2"]);
    await site.eHolds("t/1", "t/2");
    process.kill(site.m.agent.pid, "SIGSTOP");
    await until("EMQX forgets", () => site.emqx.external.get("m")?.size === 0, 60_000);
    process.kill(site.m.agent.pid, "SIGCONT");
    await site.eHolds("t/1", "t/2");
    assert.equal(site.emqx.greetings.at(-1)?.needBootstrap, true);
    await site.m.agent.linked("e", 40_000);
  });
});
