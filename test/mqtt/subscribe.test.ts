import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { generate } from "mqtt-packet";
import {
  type SubscribeEntry,
  type SubscribePacket,
  subscribeBytesMax,
  subscribePackets,
  unsubscribePackets,
} from "../../src/mqtt/subscribe.ts";

const ANY_SIZE = 268_435_460;
const entry = (filter: string, more: Partial<SubscribeEntry> = {}): SubscribeEntry => ({ filter, qos: 1, ...more });
const filtersOf = (packets: readonly SubscribePacket[]): (readonly string[])[] => packets.map(({ filters }) => filters);

test("entries with the same options share a packet; each change begins another, and the order stays", () => {
  const packets = subscribePackets(
    [
      entry("a"),
      entry("b"),
      entry("c", { qos: 0 }),
      entry("d", { noLocal: true }),
      entry("e", { noLocal: true, retainAsPublished: true }),
      entry("f", { noLocal: true, retainAsPublished: true, retainHandling: 2 }),
      entry("g"),
    ],
    true,
    ANY_SIZE,
  );
  assert.deepEqual(filtersOf(packets), [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"]]);
  assert.deepEqual(packets[4], {
    filters: ["f"],
    qos: 1,
    noLocal: true,
    retainAsPublished: true,
    retainHandling: 2,
    id: null,
  });
});

test("an identifier counts for its whole packet, so each has its own; without identifiers they share", () => {
  const entries = [entry("a", { id: 1 }), entry("b", { id: 2 }), entry("c", { id: 2 })];
  assert.deepEqual(filtersOf(subscribePackets(entries, true, ANY_SIZE)), [["a"], ["b", "c"]]);
  const without = subscribePackets(entries, false, ANY_SIZE);
  assert.deepEqual(filtersOf(without), [["a", "b", "c"]]);
  assert.equal(without[0]?.id, null);
});

test("no packet is larger than the broker takes, nor than 32 KiB; only a filter that is too long alone exceeds it", () => {
  const filter = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 200 }), fc.integer({ min: 30, max: 40_000 }), (filters, limit) => {
      const packets = subscribePackets(
        filters.map((text) => entry(text, { id: 268_435_455 })),
        true,
        limit,
      );
      assert.deepEqual(
        packets.flatMap(({ filters: some }) => some),
        filters,
      );
      for (const packet of packets) {
        const bytes = generate(
          {
            cmd: "subscribe",
            messageId: 65_535,
            properties: { subscriptionIdentifier: 268_435_455 },
            subscriptions: packet.filters.map((topic) => ({ topic, qos: 1, nl: true, rap: true, rh: 2 })),
          },
          { protocolVersion: 5 },
        ).length;
        assert.ok(bytes <= subscribeBytesMax(packet), `${bytes} bytes, said ${subscribeBytesMax(packet)} at most`);
        if (packet.filters.length > 1) assert.ok(bytes <= Math.min(limit, 32_768));
      }
    }),
    { numRuns: 200 },
  );
});

test("a hundred thousand filters become packets of about 32 KiB", () => {
  const packets = unsubscribePackets(
    Array.from({ length: 100_000 }, (_, index) => `site/${index}/state`),
    ANY_SIZE,
  );
  assert.equal(packets.flatMap(({ filters }) => filters).length, 100_000);
  for (const packet of packets.slice(0, -1)) assert.ok(subscribeBytesMax(packet) > 32_000);
});
