/** What must not cross the wide-area link does not, counted in bytes and packets by a proxy in its middle. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Pair } from "./site.ts";
import { type Crossed, TcpProxy } from "./tcp-proxy.ts";

const BULK = 2_000;
const PAYLOAD = "x".repeat(200);

describe("between B's agent and A's broker", { concurrency: false }, () => {
  let pair: Pair;
  let proxy: TcpProxy;
  before(async () => {
    pair = await Pair.open({
      aWants: ["#"],
      bWants: [],
      bDials: async (a) => {
        proxy = await TcpProxy.start(a.broker.port);
        return proxy.url;
      },
    });
  });
  after(async () => {
    await pair?.close();
    await proxy?.stop();
  });

  test("messages that nobody wants do not cross: among thousands only the wanted one is seen", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("wanted/1");
    await writer.reaches(reader, "wanted/1");
    const before = { ...proxy.up };
    for (let n = 0; n < BULK; n += 1) void writer.publish(`unwanted/${n % 50}`, PAYLOAD, { qos: n % 2 === 0 ? 0 : 1 });
    // Behind them, by the same publisher: when it is there, the others would be.
    await writer.publish("wanted/1", "sentinel");
    await reader.arrival("sentinel");
    const crossed = difference(proxy.up, before);
    assert.deepEqual([crossed.frames, crossed.others], [1, 0]);
    assert.ok(crossed.frameBytes < 200, `${crossed.frameBytes} bytes of frames`);
    assert.ok(crossed.bytes < 2_000, `${crossed.bytes} bytes in all`);
    assert.deepEqual(reader.texts(), ["sentinel"]);
    await pair.endClients();
  });

  test("after the last unsubscribe nothing crosses any more", async () => {
    const [reader, other, writer] = [await pair.a.client(), await pair.a.client(), await pair.b.client()];
    await other.subscribe("other/1");
    await writer.reaches(other, "other/1");
    await reader.subscribe("gone/#");
    await writer.reaches(reader, "gone/1");
    await reader.unsubscribe("gone/#");
    await pair.b.agent.untilLink("a", "the route is gone", (link) => link.in.routes === 1 || `${link.in.routes}`);
    await pair.settled();
    const before = { ...proxy.up };
    for (let n = 0; n < BULK; n += 1) void writer.publish(`gone/${n % 50}`, PAYLOAD);
    await writer.publish("other/1", "sentinel");
    await other.arrival("sentinel");
    const crossed = difference(proxy.up, before);
    assert.deepEqual([crossed.frames, crossed.others], [1, 0]);
    assert.ok(crossed.bytes < 2_000, `${crossed.bytes} bytes in all`);
    assert.equal((await pair.b.agent.status()).hub.demand.filters, 1, "B's agent is not even subscribed any more");
    await pair.endClients();
  });

  test("a message that many on A want crosses once", async () => {
    const writer = await pair.b.client();
    const readers = [];
    for (let n = 0; n < 20; n += 1) {
      const reader = await pair.a.client();
      await reader.subscribe(["many/#", "many/1", "+/1"].slice(0, 1 + (n % 3)));
      readers.push(reader);
    }
    for (const reader of readers) await writer.reaches(reader, "many/1");
    await pair.settled();
    const before = { ...proxy.up };
    await writer.publish("many/1", "once");
    for (const reader of readers) await reader.arrival("once");
    assert.equal(difference(proxy.up, before).frames, 1);
    await pair.endClients();
  });
});

test("one connection carries both directions when A has no way to B: its link has no server", async () => {
  let proxy: TcpProxy | null = null;
  const pair = await Pair.open({
    aDials: () => null,
    bDials: async (a) => {
      proxy = await TcpProxy.start(a.broker.port);
      return proxy.url;
    },
  });
  try {
    const clients = [await pair.a.client(), await pair.b.client()] as const;
    for (const client of clients) await client.subscribe("both/#");
    const [onA, onB] = clients;
    await onA.reaches(onB, "both/ways");
    await onB.reaches(onA, "both/ways");
    for (let n = 0; n < 100; n += 1) {
      await onA.publish("both/ways", `a ${n}`);
      await onB.publish("both/ways", `b ${n}`);
    }
    for (const client of clients) {
      for (const stem of ["a", "b"]) {
        await client.arrival(`${stem} 99`);
        const got = client.texts().filter((text) => text.startsWith(`${stem} `));
        assert.deepEqual(
          got,
          Array.from({ length: 100 }, (_, n) => `${stem} ${n}`),
        );
      }
    }
    const counted: TcpProxy = proxy ?? assert.fail("no proxy");
    assert.equal(counted.connections, 1);
    assert.ok(counted.up.frames > 0 && counted.down.frames > 0, "frames went both ways through it");
    const link = await pair.a.agent.link("b");
    assert.deepEqual([link.status, link.brokerlink.peer_dials_in, link.server], ["connected", true, undefined]);
    // And again after a cut.
    counted.cut();
    await pair.a.agent.untilLink("b", "A notices the cut", ({ status }) => status !== "connected" || status);
    counted.heal();
    await pair.a.agent.linked("b");
    await pair.b.agent.linked("a");
    await onA.reaches(onB, "both/again");
  } finally {
    await pair.close();
    await (proxy as TcpProxy | null)?.stop();
  }
});

function difference(now: Crossed, before: Crossed): Crossed {
  return {
    bytes: now.bytes - before.bytes,
    frames: now.frames - before.frames,
    frameBytes: now.frameBytes - before.frameBytes,
    controls: now.controls - before.controls,
    others: now.others - before.others,
  };
}
