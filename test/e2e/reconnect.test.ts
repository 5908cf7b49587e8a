/** A client that loses its connection and is back within a second finds its route as it was: nothing published meanwhile finds it gone. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NumberedStream } from "./numbered-stream.ts";
import { Pair } from "./site.ts";
import type { TestClient } from "./test-client.ts";

const ROUNDS = 10;
const EVERY_MS = 2;
/** Published while the client is away, in turn: up to 0.8 s. */
const AWAY = [0, 1, 50, 200, 400] as const;
const TOGETHER = 60;

describe("a clean session's client that reconnects again and again", { concurrency: false }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.open({ bWants: [] });
  });
  after(() => pair?.close());

  type Way = readonly [how: string, version: 4 | 5, leave: (client: TestClient) => Promise<void>];
  const ways: readonly Way[] = [
    ["by a DISCONNECT", 4, (client) => client.end()],
    ["by a DISCONNECT", 5, (client) => client.end()],
    ["because its socket is destroyed", 4, (client) => client.vanish()],
    ["because it is taken over", 5, async () => {}],
  ];
  for (const [number, [how, version, leave]] of ways.entries()) {
    test(`${how}, MQTT ${version === 4 ? "3.1.1" : "5"}: all from its SUBACK on arrives, and its route never went`, async () => {
      const [topic, id] = [`back/${number}`, `back-${number}`];
      const writer = await pair.b.client();
      let reader = await pair.a.client({ id, version });
      await reader.subscribe(topic);
      await writer.reaches(reader, topic);
      await pair.settled();
      const { lastOp } = (await pair.a.agent.linkStatus("b")).out;
      const stream = new NumberedStream(writer, topic, EVERY_MS);
      for (let round = 0; round < ROUNDS; round += 1) {
        await leave(reader);
        await stream.reached(stream.sent + (AWAY[round % AWAY.length] ?? 0));
        reader = await pair.a.client({ id, version });
        await reader.subscribe(topic);
        const first = stream.sent + 1;
        await stream.reached(first + TOGETHER);
        await stream.complete(reader, first, first + TOGETHER);
      }
      await stream.stop();
      assert.equal((await pair.a.agent.linkStatus("b")).out.lastOp, lastOp, "no route was added or deleted");
      await reader.end();
      await pair.b.agent.untilLink(
        "a",
        "the route goes in the end",
        ({ in: { routes } }) => routes === 0 || `${routes}`,
      );
      const { interest } = (await pair.a.agent.status()).hub;
      assert.deepEqual([interest.lingering, interest.lingeringOverflows], [0, 0]);
      await pair.endClients();
    });
  }
});
