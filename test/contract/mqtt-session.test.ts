/** What a session promises, against each kind of broker and transport that the machine can have. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SubscribeEntry } from "../../src/mqtt/subscribe.ts";
import { Forwarder } from "../mqtt/forwarder.ts";
import { type RigOptions, SessionRig } from "../mqtt/session-rig.ts";
import { until } from "../support/until.ts";
import { SESSION_WORLDS, type SessionWorld } from "./session-worlds.ts";

/** An order that an object would not keep. */
const PAIRS = [
  ["b", "1"],
  ["7", ""],
  ["a", "2"],
  ["b", "3"],
] as const;

const DEMAND = { qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 } as const;

for (const kind of SESSION_WORLDS) {
  describe(kind.name, () => {
    let world: SessionWorld;
    before(async () => {
      world = await kind.start();
    });
    after(async () => {
      await world.stop();
    });
    const up = (options: Partial<RigOptions> = {}): Promise<SessionRig> =>
      SessionRig.up({
        urls: [world.url],
        ...options,
        endpoint: { tls: world.tls, protocolVersion: kind.protocolVersion, ...options.endpoint },
      });
    const demand = (filter: string, id: number): SubscribeEntry =>
      kind.version === 5 ? { filter, ...DEMAND, id } : { filter, qos: 1 };

    test(`speaks MQTT ${kind.version}, with the bridge bit where it has to`, async () => {
      await using rig = await up();
      assert.equal(rig.ups[0]?.protocolVersion, kind.version);
      assert.equal(rig.ups[0]?.bridged, kind.version === 4);
      assert.deepEqual(rig.problems, []);
    });

    test("messages of both kinds arrive, each in its order, and stop at UNSUBACK", async () => {
      await using from = await up();
      await using to = await up();
      assert.deepEqual(await to.subscribe("order/+"), [1]);
      const numbers = Array.from({ length: 50 }, (_, i) => `m${i}`);
      for (const [i, text] of numbers.entries()) void from.publish("order/1", text, { qos: i % 2 === 0 ? 1 : 0 });
      await to.got(...numbers);
      for (const qos of [0, 1]) {
        const kept = to.messages.filter(({ about }) => about.qos === qos).map(({ text }) => text);
        assert.deepEqual(
          kept,
          numbers.filter((_, i) => i % 2 !== qos),
        );
      }
      assert.equal(
        to.messages.some(({ about }) => about.retain),
        false,
      );
      assert.deepEqual(await to.unsubscribe("order/+"), [0]);
      await from.publish("order/1", "unheard");
      await to.subscribe("sentinel/order");
      await from.publish("sentinel/order", "sentinel");
      await to.got("sentinel");
      assert.equal(to.texts.includes("unheard"), false);
    });

    test("large messages cross as they are", async () => {
      await using from = await up();
      await using to = await up();
      await to.subscribe("large");
      // Mosquitto hands a WebSocket client 4 KiB each 100 ms where nothing else wakes it: no more than takes a second there.
      const text = "0123456789abcdef".repeat(2_500);
      assert.equal((await from.publish("large", text)).ok, true);
      await to.got(text);
    });

    test("2,000 publishes at once are all answered", async () => {
      await using from = await up();
      await using to = await up();
      await to.subscribe("many");
      const results = await Promise.all(Array.from({ length: 2_000 }, (_, i) => from.publish("many", `${i}`)));
      assert.equal(results.filter((result) => result.ok && result.reasonCode === 0).length, 2_000);
      await until("all arrive", () => to.messages.length === 2_000 || `${to.messages.length}`);
    });

    test("our own messages do not come back, those of others do, with the flag they were published with", async () => {
      await using one = await up();
      await using other = await up();
      await one.subscribe(demand("echo/#", 7));
      await one.publish("echo/1", "own");
      await other.publish("echo/1", "kept", { retain: true });
      await other.publish("echo/1", "live");
      await one.got("live");
      assert.deepEqual(
        one.messages.map(({ text, about }) => [text, about.retain]),
        [
          ["kept", true],
          ["live", false],
        ],
      );
      assert.deepEqual(one.messages[0]?.about.subscriptionIds, kind.version === 5 ? [7] : []);
      await other.publish("echo/1", "", { retain: true });
    });

    test("500 filters are granted in one request and released in one", async () => {
      await using rig = await up();
      const filters = Array.from({ length: 500 }, (_, i) => `site/${i}/+/state`);
      assert.deepEqual(
        await rig.subscribe(...filters.map((filter, i) => demand(filter, i + 1))),
        new Array(500).fill(1),
      );
      assert.deepEqual(await rig.unsubscribe(...filters), new Array(500).fill(0));
    });

    test("properties and what is left of an expiry cross in MQTT 5, and are left out in 3.1.1", async () => {
      await using from = await up();
      await using to = await up();
      await to.subscribe("properties");
      await from.publish("properties", "x", {
        properties: {
          contentType: "text/plain",
          responseTopic: "reply/1",
          correlationData: Uint8Array.of(0, 1, 255),
          payloadFormatIndicator: true,
          userProperties: PAIRS,
        },
        expirySeconds: 60,
      });
      await to.got("x");
      const properties = to.messages[0]?.about.properties ?? null;
      if (kind.version === 4) {
        assert.equal(properties, null);
        return;
      }
      assert.equal(properties?.contentType, "text/plain");
      assert.equal(properties?.responseTopic, "reply/1");
      assert.deepEqual([...(properties?.correlationData ?? [])], [0, 1, 255]);
      assert.equal(properties?.payloadFormatIndicator, true);
      assert.deepEqual(properties?.userProperties, PAIRS);
      const left = properties?.messageExpiryInterval ?? 0;
      assert.ok(left > 50 && left <= 60, `${left} s left`);
    });

    test("a durable session keeps what arrives while it is away; `first` forgets what an earlier life left", async () => {
      await using forwarder = await Forwarder.start(world.port);
      await using from = await up();
      const clientId = `durable-${kind.name.replaceAll(/\W/g, "-")}`;
      const session = { cleanStart: "never", expirySeconds: 120 } as const;
      // The transport does not matter here, being cut off does.
      const options = { urls: [forwarder.url], clientId, session, endpoint: { tls: null } };
      const rig = await up({ ...options, reconnect: { baseMs: 300, capMs: 300, settledMs: 1_000 } });
      await rig.subscribe("durable/1");
      const away = new Promise<void>((resolve) => {
        rig.onDown = () => void from.publish("durable/1", "while away").then(() => resolve());
      });
      forwarder.cut();
      await away;
      await rig.connected(2);
      await rig.got("while away");
      assert.equal(rig.ups[1]?.sessionPresent, true);
      assert.equal(rig.problems[0]?.wasConnected, true);
      await rig.session.stop(1_000);
      await from.publish("durable/1", "for an earlier life");
      await using next = await up({ ...options, session: { cleanStart: "first", expirySeconds: 120 } });
      assert.equal(next.ups[0]?.sessionPresent, false);
      await next.subscribe("sentinel/durable");
      await from.publish("durable/1", "unheard");
      await from.publish("sentinel/durable", "sentinel");
      await next.got("sentinel");
      assert.deepEqual(next.texts, ["sentinel"]);
      forwarder.cut();
      await next.connected(2);
      assert.equal(next.ups[1]?.sessionPresent, true);
      assert.deepEqual(next.problems.length, 1);
    });

    test("the last words are said when the connection is cut, and not after a goodbye", async () => {
      await using forwarder = await Forwarder.start(world.port);
      await using witness = await up();
      await witness.subscribe("will/+");
      const willing = (name: string): Partial<RigOptions> => ({
        urls: [forwarder.url],
        endpoint: { tls: null },
        will: () => ({ topic: `will/${name}`, payload: Buffer.from(name), qos: 1 }),
      });
      const polite = await up(willing("polite"));
      await using cut = await up(willing("cut"));
      await polite.session.stop(1_000);
      forwarder.cut();
      await witness.got("cut");
      await cut.connected(2);
      assert.deepEqual(witness.texts, ["cut"]);
    });

    test("a session that another client takes is told, and comes back", async () => {
      const clientId = `taken-${kind.name.replaceAll(/\W/g, "-")}`;
      await using first = await up({ clientId });
      await using _second = await up({ clientId, reconnect: { baseMs: 60_000, capMs: 60_000, settledMs: 1_000 } });
      const problem = await first.failed();
      assert.equal(problem.wasConnected, true);
      assert.match(problem.code, /LOCAL_UNREACHABLE|LOCAL_SESSION_TAKEN/);
      await first.connected(2);
    });

    test("two that take one session from each other name it, and slow down", async () => {
      const clientId = `rivals-${kind.name.replaceAll(/\W/g, "-")}`;
      const reconnect = { baseMs: 10, capMs: 1_000, settledMs: 10_000 };
      await using one = await up({ clientId, reconnect });
      await using other = await up({ clientId, reconnect });
      const named = (rig: SessionRig) => rig.problems.find(({ code }) => code === "LOCAL_SESSION_TAKEN");
      await until("one of them names it", () => named(one) !== undefined || named(other) !== undefined);
      const problem = named(one) ?? named(other);
      assert.equal(problem?.willRetryInMs, 1_000);
    });
  });
}
