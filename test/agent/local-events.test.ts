/** The events session goes while its broker stays, and comes back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalEvents } from "../../src/agent/local-events.ts";
import type { BrokerAdapter } from "../../src/broker/adapter.ts";
import { clockMs } from "../../src/ops/clock.ts";
import { FakeBroker, obliging } from "../mqtt/fake-broker.ts";
import { until } from "../support/until.ts";
import { endpoint } from "./agent-rig.ts";

function watched(url: string, awayMaxMs: number) {
  const said: string[] = [];
  const broker = { isUp: true };
  const adapter: BrokerAdapter = {
    kind: "test",
    awayMaxMs,
    up: () => {},
    down: () => {},
    message: () => {},
    refreshCount: () => {},
    announceOwn: () => {},
    deadlineMs: Number.POSITIVE_INFINITY,
    tick: () => {},
  };
  const events = new LocalEvents(
    {
      endpoint: endpoint(url, "events"),
      clientId: "events",
      session: { cleanStart: "always", expirySeconds: 0 },
      bridge: false,
      keepAliveSeconds: 20,
      ackByPing: false,
      random: Math.random,
      will: () => null,
      side: "local",
    },
    adapter,
    {
      up: () => said.push("up"),
      down: () => said.push("down"),
      away: () => said.push("away"),
      brokerIsUp: () => broker.isUp,
    },
  );
  return { events, said, broker, [Symbol.asyncDispose]: () => events.stop(0) };
}

/** Connects, then loses the connection and does not get another. */
async function lost(rig: ReturnType<typeof watched>, server: FakeBroker): Promise<number> {
  rig.events.start();
  await until("connected", () => rig.said.includes("up"));
  server.answer = () => {};
  for (const { socket } of server.peers) socket.destroy();
  await until("noticed", () => rig.said.includes("down"));
  return clockMs();
}

describe("the events session away", () => {
  for (const [awayMaxMs, graceMs] of [
    [0, 1_000],
    [15_000, 15_000],
  ] as const) {
    test(`what the broker keeps for ${awayMaxMs} ms is missed after ${graceMs} ms, and that is said once`, async () => {
      await using server = await FakeBroker.start(obliging);
      await using rig = watched(server.url, awayMaxMs);
      const noticedMs = await lost(rig, server);
      assert.ok(rig.events.deadlineMs <= noticedMs + graceMs + 1);
      rig.events.tick(rig.events.deadlineMs - 1);
      assert.equal(rig.said.includes("away"), false);
      for (const laterMs of [1, 2, 60_000]) rig.events.tick(noticedMs + graceMs + laterMs);
      assert.equal(rig.said.filter((word) => word === "away").length, 1);
      assert.equal(rig.events.deadlineMs, Number.POSITIVE_INFINITY);
    });
  }

  test("nobody can subscribe while the whole broker is away; once it is back without this session, they can", async () => {
    await using server = await FakeBroker.start(obliging);
    await using rig = watched(server.url, 0);
    const noticedMs = await lost(rig, server);
    rig.broker.isUp = false;
    assert.equal(rig.events.deadlineMs, Number.POSITIVE_INFINITY);
    rig.events.tick(noticedMs + 60_000);
    assert.equal(rig.said.includes("away"), false);
    rig.broker.isUp = true;
    rig.events.tick(noticedMs + 60_000);
    assert.equal(rig.said.at(-1), "away");
  });

  test("a broker without events has none to miss", async () => {
    await using server = await FakeBroker.start(obliging);
    await using rig = watched(server.url, Number.POSITIVE_INFINITY);
    const noticedMs = await lost(rig, server);
    rig.events.tick(noticedMs + 3_600_000);
    assert.equal(rig.said.includes("away"), false);
  });

  test("one that came back in time has missed nothing", async () => {
    await using server = await FakeBroker.start(obliging);
    await using rig = watched(server.url, 15_000);
    const noticedMs = await lost(rig, server);
    server.answer = obliging;
    for (const { socket } of server.peers) socket.destroy();
    await until("back", () => rig.said.at(-1) === "up");
    rig.events.tick(noticedMs + 60_000);
    assert.equal(rig.said.includes("away"), false);
  });
});
