/** While the backlog of a cut drains, messages of other topics pass it, and those of its own topics come behind it, in order. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import { NumberedStream } from "./numbered-stream.ts";
import { Pair, type Site } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const TOPICS = 5;
const BACKLOG = 600;
const DRAIN_RATE = 60;
const FRESH = 20;

describe("a backlog after a cut", { concurrency: false }, () => {
  let pair: Pair;
  let proxy: TcpProxy;
  const dataDir = mkdtempSync(join(tmpdir(), "brokerlink-lanes-"));

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

  test("is passed by what has nothing in it; its own topics keep their order; nothing is lost, also by a kill on the way", async (t) => {
    const { a, b } = pair;
    const reader = await a.client();
    const writer = await b.client();
    await reader.subscribe("#");
    await writer.reaches(reader, "probe");
    proxy.cut();
    await b.agent.untilLink("a", "the cut is noticed", (link) => link.status !== "connected");
    const backlog = new NumberedStream(writer, (n) => `a/${n % TOPICS}`, 2, "old");
    await backlog.reached(BACKLOG);
    const last = await backlog.stop();
    await until("the backlog is old enough to be one", async () => {
      const { oldestAtMs } = (await b.agent.linkStatus("a")).queue;
      return (oldestAtMs !== null && Date.now() - oldestAtMs > 2_500) || `oldest ${oldestAtMs}`;
    });
    proxy.heal();
    await b.agent.linked("a", 30_000);
    const healedMs = Date.now();
    await reader.arrival("old 1", 30_000);
    // Of the same topics as the backlog, and of fresh ones, at the same moments.
    const arrivedMs = new Map<string, number>();
    reader.onMessage(({ text }) => arrivedMs.set(text, Date.now()));
    const sentMs = new Map<string, number>();
    const publish = async (topic: string, text: string): Promise<void> => {
      sentMs.set(text, Date.now());
      await writer.publish(topic, text);
    };
    for (let n = 1; n <= FRESH; n += 1) {
      await publish(`a/${n % TOPICS}`, `behind ${n}`);
      await publish(`fresh/${n % 3}`, `fresh ${n}`);
      await until(`fresh ${n} crosses`, () => arrivedMs.has(`fresh ${n}`) || `${reader.received.length}`, 20_000);
    }
    const slowestMs = Math.max(...[...sentMs].map(([text, ms]) => (arrivedMs.get(text) ?? ms) - ms));
    assert.ok(!reader.texts().includes(`old ${last}`), "the backlog still drains");
    assert.ok(!reader.texts().some((text) => text.startsWith("behind")), "its own topics wait behind it");
    await b.agent.stop("SIGKILL");
    await b.agent.start();
    await b.agent.linked("a", 30_000);
    await backlog.complete(reader, 1, last, 60_000);
    const drainedMs = Date.now() - healedMs;
    await reader.arrival(`behind ${FRESH}`, 30_000);
    t.diagnostic(`fresh ones crossed in ${slowestMs} ms at most, the backlog took ${drainedMs} ms`);
    assert.ok(slowestMs * 4 < drainedMs, `${slowestMs} ms against ${drainedMs} ms`);
    for (let topic = 0; topic < TOPICS; topic += 1) {
      const numbers = [...new Set(reader.texts(`a/${topic}`))];
      const old = numbers.filter((text) => text.startsWith("old")).map((text) => Number(text.split(" ")[1]));
      assert.deepEqual(
        old,
        [...old].sort((one, two) => one - two),
        `a/${topic} in order`,
      );
      const behind = numbers.filter((text) => text.startsWith("behind")).map((text) => Number(text.split(" ")[1]));
      assert.deepEqual(
        behind,
        [...behind].sort((one, two) => one - two),
        `a/${topic} in order`,
      );
      assert.ok(numbers.indexOf(`behind ${behind[0]}`) >= old.length, `what came later on a/${topic} comes later`);
    }
    for (let topic = 0; topic < 3; topic += 1) {
      const fresh = [...new Set(reader.texts(`fresh/${topic}`))].map((text) => Number(text.split(" ")[1]));
      assert.deepEqual(
        fresh,
        [...fresh].sort((one, two) => one - two),
        `fresh/${topic} in order`,
      );
    }
  });
});
