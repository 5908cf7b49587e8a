/** A message on the other side is the message that was published: payload, properties, limits. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../support/until.ts";
import { EVENT_LINES, Pair } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const LIMIT_BYTES = 20_000;

describe("from B to A, whose broker takes at most 20,000 bytes", { concurrency: false }, () => {
  let pair: Pair;
  let proxy: TcpProxy;
  before(async () => {
    pair = await Pair.open({
      bWants: [],
      aLines: [...EVENT_LINES, `message_size_limit ${LIMIT_BYTES}`],
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

  test("MQTT 5 properties arrive whole: repeated user properties in their order, expiry less the time spent", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("p/1");
    await writer.reaches(reader, "p/1");
    await writer.publish("p/1", '{"ü": 1}', {
      qos: 1,
      properties: {
        payloadFormatIndicator: true,
        messageExpiryInterval: 3_600,
        contentType: "application/json; charset=ütf",
        responseTopic: "p/answer",
        correlationData: Buffer.from([0, 255, 1, 0]),
        userProperties: { b: ["2", "1", ""], a: "ä", "": "empty key" },
      },
    });
    const { properties, payload, qos } = await reader.arrival('{"ü": 1}');
    assert.equal(payload.toString(), '{"ü": 1}');
    assert.equal(qos, 1);
    assert.equal(properties.payloadFormatIndicator, true);
    assert.equal(properties.contentType, "application/json; charset=ütf");
    assert.equal(properties.responseTopic, "p/answer");
    assert.deepEqual([...(properties.correlationData ?? [])], [0, 255, 1, 0]);
    const expiry = properties.messageExpiryInterval ?? 0;
    assert.ok(expiry > 3_590 && expiry <= 3_600, `${expiry}`);
    const mine = Object.entries({ ...properties.userProperties }).filter(([key]) => !key.startsWith("brokerlink-"));
    assert.deepEqual(mine, [
      ["b", ["2", "1", ""]],
      ["a", "ä"],
      ["", "empty key"],
    ]);
    await pair.endClients();
  });

  test("trace context (W3C traceparent, tracestate) passes untouched at every QoS, also through a cut link's spool", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("trace/#", 2);
    await writer.reaches(reader, "trace/1");
    const context = {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    };
    const traced = { properties: { userProperties: context } };
    for (const qos of [0, 1, 2] as const) await writer.publish("trace/1", `at QoS ${qos}`, { qos, ...traced });
    for (const qos of [0, 1, 2]) await reader.arrival(`at QoS ${qos}`);
    proxy.cut();
    await pair.b.agent.untilLink("a", "the cut is noticed", ({ transportUp }) => !transportUp);
    await writer.publish("trace/1", "spooled", traced);
    proxy.heal();
    await reader.arrival("spooled", 20_000);
    for (const { text, properties } of reader.received) {
      const { traceparent, tracestate } = { ...properties.userProperties };
      assert.deepEqual({ traceparent, tracestate }, context, text);
    }
    assert.equal(reader.received.length, 4);
    await pair.endClients();
  });

  test("payloads of no byte, of any byte, and of QoS 0, 1 and 2 arrive as they are", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("bytes/#", 2);
    await writer.reaches(reader, "bytes/1");
    const every = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    for (const qos of [0, 1, 2] as const) {
      await writer.publish(`bytes/empty/${qos}`, "", { qos });
      await writer.publish(`bytes/every/${qos}`, every, { qos });
    }
    await until("six messages", () => reader.received.length === 6 || `${reader.received.length}`);
    const got = new Map(reader.received.map(({ topic, payload, qos }) => [topic, [payload.length, qos]]));
    for (const [qos, arrived] of [
      [0, 0],
      [1, 1],
      // Exactly once ends at the link: a QoS 2 message crosses as QoS 1.
      [2, 1],
    ] as const) {
      assert.deepEqual(got.get(`bytes/empty/${qos}`), [0, arrived]);
      assert.deepEqual(got.get(`bytes/every/${qos}`), [256, arrived]);
    }
    const whole = reader.received.find(({ topic }) => topic === "bytes/every/1");
    assert.ok(whole?.payload.equals(every));
    await pair.endClients();
  });

  test("a retained message crosses once, without its flag, and nothing is retained on the other side", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("kept/#");
    await writer.reaches(reader, "kept/probe");
    await writer.publish("kept/1", "kept on B", { retain: true });
    const message = await reader.arrival("kept on B");
    assert.equal(message.retain, false);
    const late = await pair.a.client();
    await late.subscribe("kept/#");
    await writer.reaches(late, "kept/probe");
    await writer.publish("kept/1", "sentinel");
    await late.arrival("sentinel");
    assert.deepEqual(late.texts(), ["sentinel"], "nothing was waiting there");
    // A new subscription on A does not fetch what B kept either.
    assert.deepEqual(reader.texts(), ["kept on B", "sentinel"]);
    await writer.publish("kept/1", "", { retain: true });
    await pair.endClients();
  });

  test("a message over the other broker's limit is dropped with a reason; the link stays and those around it arrive", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("size/#");
    await writer.reaches(reader, "size/1");
    await pair.settled();
    for (let n = 0; n < 30; n += 1) {
      void writer.publish("size/1", `small ${n}`);
      if (n % 10 === 5) void writer.publish("size/1", "L".repeat(LIMIT_BYTES + n));
    }
    await writer.publish("size/1", "after");
    await reader.arrival("after", 20_000);
    const texts = reader.texts();
    for (let n = 0; n < 30; n += 1) assert.ok(texts.includes(`small ${n}`), `small ${n} of ${texts.length}`);
    assert.ok(texts.every((text) => text.length <= LIMIT_BYTES));
    await until("all three are counted as dropped, somewhere on the way", async () => {
      const [out, back] = [await pair.b.agent.linkStatus("a"), await pair.a.agent.linkStatus("b")];
      const dropped = [...out.dropped, ...back.dropped];
      const count = dropped.reduce((sum, drop) => sum + drop.count, 0);
      return (count >= 3 && out.queue.spooled === 0) || JSON.stringify([dropped, out.queue]);
    });
    await Promise.all([pair.a.agent.linked("b"), pair.b.agent.linked("a")]);
    const again = await pair.b.client();
    await again.publish("size/1", "still linked");
    await reader.arrival("still linked");
    await pair.endClients();
  });

  test("a message that expires while the link is cut is not delivered late, and the others with what is left of theirs", async () => {
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("old/#");
    await writer.reaches(reader, "old/1");
    proxy.cut();
    await pair.b.agent.untilLink("a", "the cut is noticed", ({ transportUp }) => !transportUp);
    await writer.publish("old/1", "gone by then", { properties: { messageExpiryInterval: 1 } });
    await writer.publish("old/1", "lasts", { properties: { messageExpiryInterval: 600 } });
    const sentAtMs = Date.now();
    await until("two seconds have passed", () => Date.now() - sentAtMs > 2_100);
    proxy.heal();
    const message = await reader.arrival("lasts", 20_000);
    assert.ok((message.properties.messageExpiryInterval ?? 600) <= 598);
    await writer.publish("old/1", "sentinel");
    await reader.arrival("sentinel");
    assert.deepEqual(reader.texts(), ["lasts", "sentinel"]);
    await pair.endClients();
  });
});
