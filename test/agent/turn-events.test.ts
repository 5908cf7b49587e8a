import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Turn } from "../../src/agent/turn.ts";
import { until } from "../support/until.ts";

/** Two ends of one connection on loopback. */
async function wire(): Promise<{ readonly near: Socket; readonly far: Socket; close(): void }> {
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const near = connect(address.port, "127.0.0.1");
  const far = await accepted;
  await until("connected", () => !near.connecting);
  near.setNoDelay(true);
  return {
    near,
    far,
    close: () => {
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}

test("what comes after events waits for an event written before it was read, on a socket that this round did not read", async () => {
  const [events, data] = [await wire(), await wire()];
  const log: string[] = [];
  const turn = new Turn(
    () => {},
    () => Number.POSITIVE_INFINITY,
  );
  try {
    events.far.on("data", () => log.push("event"));
    data.far.on("data", () => {
      // While this socket is being read the broker writes an event to the other, then what we read here.
      events.near.write("e");
      turn.afterEvents(() => log.push("message"));
    });
    for (let n = 1; n <= 200; n += 1) {
      data.near.write("m");
      await until("both are there", () => log.length === 2 * n || log.join());
    }
    assert.deepEqual(log, Array.from({ length: 200 }, () => ["event", "message"]).flat());
  } finally {
    turn.stop();
    events.close();
    data.close();
  }
});

test("what comes after events keeps its order, and the turn's own work follows it", async () => {
  const log: string[] = [];
  let ran = 0;
  const turn = new Turn(
    () => {
      ran += 1;
      log.push("run");
    },
    () => Number.POSITIVE_INFINITY,
  );
  turn.afterEvents(() => log.push("first"));
  turn.afterEvents(() => log.push("second"));
  await until("both turns ran", () => ran === 2);
  assert.deepEqual(log, ["run", "first", "second", "run"]);
  turn.afterEvents(() => log.push("never"));
  turn.stop();
  await new Promise((again) => setImmediate(() => setImmediate(again)));
  assert.ok(!log.includes("never"));
});
