/** The sender is killed while both lanes of its link hold messages that nobody has confirmed: nothing is lost, each topic in order. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { until } from "../support/until.ts";
import { Pair, type Site } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import type { TestClient } from "./test-client.ts";

const TOPICS = 4;
const BACKLOG = 400;
const DRAIN_RATE = 60;
/** Published while the link is a black hole, to topics of the backlog and to fresh ones; then while the sender is dead. */
const HELD = 40;
const LATER = 12;

let pair: Pair;
let proxy: TcpProxy;
const dataDir = mkdtempSync(join(tmpdir(), "brokerlink-killed-"));

before(async () => {
  pair = await Pair.open({
    bWants: [],
    aDials: () => null,
    bDials: async (a: Site) => {
      proxy = await TcpProxy.start(a.broker.port);
      return proxy.url;
    },
    bConfig: { data_dir: dataDir, links: [{ name: "a", drain_rate: DRAIN_RATE }] },
  });
});
after(async () => {
  await pair?.close();
  await proxy?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** What arrived on a topic, each text where it came first. */
function firstOf(reader: TestClient, topic: string): number[] {
  return [...new Set(reader.texts(topic))].map(Number);
}

test("kill -9 of the sender, both lanes full: nothing is lost, and each topic keeps its order", async (t) => {
  const { a, b } = pair;
  const reader = await a.client();
  const writer = await b.client();
  await reader.subscribe("#");
  await writer.reaches(reader, "probe");
  const last = new Map<string, number>();
  const publish = async (topic: string): Promise<void> => {
    const next = (last.get(topic) ?? 0) + 1;
    last.set(topic, next);
    await writer.publish(topic, String(next));
  };
  const queue = async () => (await b.agent.linkStatus("a")).queue;

  proxy.cut();
  await b.agent.untilLink("a", "the cut is noticed", (link) => link.status !== "connected");
  for (let n = 0; n < BACKLOG; n += 1) await publish(`a/${n % TOPICS}`);
  await until("the backlog is old enough to be one", async () => {
    const { oldestAtMs } = await queue();
    return (oldestAtMs !== null && Date.now() - oldestAtMs > 2_500) || `oldest ${oldestAtMs}`;
  });
  proxy.heal();
  await b.agent.linked("a", 30_000);
  await until("it drains", () => firstOf(reader, "a/0").length > 0 || "nothing yet", 30_000);
  // Each on a topic of its own: one that came a moment too early would hold up those behind it.
  let probes = 0;
  await until("it is passed", async () => {
    probes += 1;
    await publish(`probe/${probes}`);
    const { passed } = await queue();
    return passed > 0 || "not yet";
  });

  proxy.blackHole();
  const before = await queue();
  // All at once: what waits in the live lane for ten seconds is passed by nothing any more.
  const held: Promise<void>[] = [];
  for (let n = 0; n < HELD; n += 1) held.push(publish(`a/${n % TOPICS}`), publish(`fresh/${n % TOPICS}`));
  await Promise.all(held);
  await until("both lanes have more", async () => {
    const { passed, spooled } = await queue();
    const hasAll = passed > before.passed && spooled >= before.spooled + HELD;
    return hasAll || JSON.stringify({ before, passed, spooled });
  });
  // Else the broker would deliver again what the disk is to bring back.
  await b.agent.untilStatus(
    "the disk has all of it",
    ({ store }) => store?.waitingBytes === 0 || `${store?.waitingBytes} bytes`,
  );
  await b.agent.stop("SIGKILL");
  proxy.cut();
  for (let n = 0; n < LATER; n += 1) {
    await publish(`a/${n % TOPICS}`);
    await publish(`fresh/${n % TOPICS}`);
  }
  proxy.heal();
  await b.agent.start();
  await b.agent.linked("a", 30_000);
  for (const [topic, count] of last) {
    await until(
      `all of ${topic} arrives`,
      () => firstOf(reader, topic).length === count || `${firstOf(reader, topic).length} of ${count}`,
      60_000,
    );
    assert.deepEqual(
      firstOf(reader, topic),
      Array.from({ length: count }, (_, at) => at + 1),
      `${topic} in order`,
    );
  }
  const twice = reader.received.length - [...last.keys()].reduce((sum, topic) => sum + (last.get(topic) ?? 0), 0);
  t.diagnostic(`${[...last.values()].reduce((sum, count) => sum + count, 0)} messages, ${twice} came twice`);
});
