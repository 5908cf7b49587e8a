/** The two uses that the whole exists for: some topics one way, and moving house. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NumberedStream } from "./numbered-stream.ts";
import { Pair } from "./site.ts";

describe("one way: A wants t/# and c/1 of B, and B wants nothing", { concurrency: false }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.open({ aWants: ["t/#", "c/1"], bWants: [] });
  });
  after(() => pair?.close());

  test("what A's clients subscribe to arrives once, within the link's topics and nowhere else", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe(["t/1", "c/+", "other/#"]);
    await writer.reaches(reader, "t/1");
    await writer.reaches(reader, "c/1");
    for (const topic of ["other/1", "c/2", "t/2", "t/1", "c/1"]) await writer.publish(topic, `on ${topic}`);
    await reader.arrival("on c/1");
    assert.deepEqual(reader.texts(), ["on t/1", "on c/1"]);
    const { local } = (await pair.b.agent.status()).hub;
    assert.equal(local["unrouted"] ?? 0, 0, "B's agent was given nothing but what A wants");
    await pair.endClients();
  });

  test("nothing flows from A to B, whatever B's clients subscribe to", async () => {
    const [reader, writer, local] = [await pair.b.client(), await pair.a.client(), await pair.a.client()];
    await reader.subscribe("#");
    await local.subscribe("t/#");
    await writer.publish("t/1", "stays on A");
    await local.arrival("stays on A");
    const sentinel = await pair.b.client();
    await sentinel.publish("t/1", "sentinel");
    await reader.arrival("sentinel");
    await local.arrival("sentinel");
    assert.deepEqual(reader.texts(), ["sentinel"]);
    const toB = await pair.a.agent.linkStatus("b");
    assert.equal(toB.sent.messages, 0);
    await pair.endClients();
  });

  test("both sides agree on routes, and EMQX's API calls the link connected on both", async () => {
    const reader = await pair.a.client();
    await reader.subscribe(["t/a", "t/b", "c/1"]);
    await pair.b.agent.untilLink("a", "three routes at B", (link) => link.in.routes === 3 || `${link.in.routes}`);
    const [out, back] = [await pair.a.agent.link("b"), await pair.b.agent.link("a")];
    assert.deepEqual([out.status, out.brokerlink.out?.routes, out.topics], ["connected", 3, ["t/#", "c/1"]]);
    assert.deepEqual([back.status, back.brokerlink.in?.routes, back.topics], ["connected", 3, []]);
    const ready = await pair.a.agent.get("/readyz");
    assert.equal(ready.status, 200);
    await pair.endClients();
  });
});

describe("migration: # on both sides, clients move one by one, then A goes", { concurrency: false }, () => {
  const DEVICES = 8;

  test("a client gets every message published while it was subscribed, on whichever side", async () => {
    const pair = await Pair.open();
    try {
      const devices = [];
      for (let n = 0; n < DEVICES; n += 1) {
        const device = await pair.a.client({ id: `device-${n}`, version: n % 2 === 0 ? 4 : 5 });
        await device.subscribe([`house/${n}/+`, "house/all"]);
        devices.push(device);
      }
      const onA = await pair.a.client({ id: "on-a" });
      const onB = await pair.b.client({ id: "on-b" });
      const first = devices[0];
      assert.ok(first !== undefined);
      await onB.reaches(first, "house/all");
      // One publisher on each side, all the time.
      const fromA = new NumberedStream(onA, "house/all", 10, "a");
      const fromB = new NumberedStream(onB, "house/all", 10, "b");
      for (let n = 0; n < DEVICES; n += 1) {
        const old = devices[n];
        assert.ok(old !== undefined);
        const moved = await pair.b.client({ id: `device-${n}`, version: n % 2 === 0 ? 4 : 5 });
        const since = [fromA.sent, fromB.sent] as const;
        await moved.subscribe([`house/${n}/+`, "house/all"]);
        const [firstA, firstB] = [fromA.sent + 1, fromB.sent + 1];
        await onA.reaches(moved, `house/${n}/x`);
        // Both connections are subscribed now: until the old one ends it misses nothing either.
        await old.arrival(`a ${firstA}`);
        const [lastA, lastB] = [fromA.sent - 1, fromB.sent - 1];
        await fromA.complete(old, since[0] + 1, lastA);
        await fromB.complete(old, since[1] + 1, lastB);
        await old.end();
        const [nextA, nextB] = [fromA.sent + 1, fromB.sent + 1];
        await fromA.reached(nextA + 10);
        await fromB.reached(nextB + 10);
        const local = await fromB.complete(moved, firstB, nextB + 9);
        const remote = await fromA.complete(moved, nextA, nextA + 9);
        assert.equal(local.duplicates + remote.duplicates, 0, "an undisturbed link makes no duplicates");
        devices[n] = moved;
      }
      await fromA.stop();
      await onA.end();
      await pair.a.agent.stop("SIGTERM");
      await pair.a.broker.kill("SIGTERM");
      const between = fromB.sent + 1;
      await fromB.reached(between + 50);
      await fromB.stop();
      for (const device of devices) {
        const tally = await fromB.complete(device, between);
        assert.deepEqual([tally.duplicates, tally.disordered], [0, 0]);
      }
      await pair.b.agent.untilLink("a", "B knows that A is gone", (link) => link.status !== "connected" || link.status);
      assert.equal((await pair.b.agent.get("/readyz")).status, 200, "a peer that is gone does not make B unready");
    } finally {
      await pair.close();
    }
  });
});
