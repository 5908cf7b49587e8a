import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { PacketSplitter } from "../../src/mqtt/packet-splitter.ts";

const publish = (payloadBytes: number): Packet => ({
  cmd: "publish",
  topic: "t",
  payload: Buffer.alloc(payloadBytes, "0123456789"),
  qos: 1,
  messageId: 7,
  dup: false,
  retain: true,
});
const WRITTEN: Packet[] = [
  { cmd: "pingresp" },
  publish(0),
  { cmd: "puback", messageId: 7 },
  // Remaining lengths of two bytes.
  publish(200),
  { cmd: "pubrel", messageId: 9 },
  { cmd: "suback", messageId: 9, granted: [1, 0, 128] },
];
const PACKETS = WRITTEN.map((packet) => generate(packet));

/** What is taken of the bytes when they come in pieces that end at `cuts`. */
function split(bytes: Buffer, cuts: readonly number[], bytesMax = 1_000_000) {
  const splitter = new PacketSplitter(bytesMax);
  const taken: Buffer[] = [];
  const bodies: Buffer[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const chunk = Buffer.from(bytes.subarray(from, to));
    const used = splitter.feed(chunk, (firstByte, whole, begin, body, end) => {
      assert.equal(firstByte, whole[begin]);
      taken.push(Buffer.from(whole.subarray(begin, end)));
      bodies.push(Buffer.from(whole.subarray(body, end)));
      return true;
    });
    if (splitter.problem === null) assert.equal(used, chunk.length);
    from = to;
  }
  return { splitter, taken, bodies };
}

test("packets come whole, wherever the bytes are cut in two, and byte by byte", () => {
  const bytes = Buffer.concat(PACKETS);
  const everywhere = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
  for (const cuts of [...everywhere.map((cut) => [cut]), everywhere]) {
    const { taken, bodies, splitter } = split(bytes, cuts);
    assert.deepEqual(taken, PACKETS);
    assert.equal(splitter.atBoundary, true);
    assert.deepEqual(
      bodies.map(({ length }) => length),
      PACKETS.map(({ length }) => length - (length > 129 ? 3 : 2)),
    );
  }
});

test("packets of every size come whole, cut and merged by chance", () => {
  const size = fc.oneof(fc.nat(300), fc.constantFrom(118, 119, 16_374, 16_375, 70_000, 200_000));
  fc.assert(
    fc.property(
      fc.array(size, { minLength: 1, maxLength: 6 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
      (sizes, places) => {
        const packets = sizes.flatMap((bytes) => [generate(publish(bytes)), PACKETS[0] ?? Buffer.alloc(0)]);
        const bytes = Buffer.concat(packets);
        const cuts = places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b);
        const { taken } = split(bytes, cuts);
        assert.equal(taken.length, packets.length);
        for (const [index, packet] of packets.entries()) assert.ok(taken[index]?.equals(packet));
      },
    ),
    { numRuns: 200 },
  );
});

test("who wants no more gets no more, and is told where it stopped", () => {
  const splitter = new PacketSplitter(1_000);
  const bytes = Buffer.concat(PACKETS);
  const [first, second] = PACKETS;
  let taken = 0;
  const used = splitter.feed(bytes, () => {
    taken += 1;
    return taken < 2;
  });
  assert.equal(used, (first?.length ?? 0) + (second?.length ?? 0));
  assert.equal(splitter.atBoundary, true);
  const cut = new PacketSplitter(1_000);
  assert.equal(
    cut.feed(bytes.subarray(0, 1), () => false),
    1,
  );
  assert.equal(
    cut.feed(bytes.subarray(1), () => false),
    1,
    "also behind a packet that was cut",
  );
});

describe("what cannot be read is named at once, however it is cut, and nothing behind it is taken", () => {
  const cases: readonly [name: string, bytes: number[], problem: RegExp][] = [
    ["type 0", [0x00, 0x00], /no MQTT .*0x00/],
    ["HTTP", [...Buffer.from("HTTP/1.1")], /no MQTT .*0x48/],
    ["what only clients send: CONNECT", [0x10, 0x00], /no MQTT .*0x10/],
    ["SUBSCRIBE", [0x82, 0x00], /no MQTT .*0x82/],
    ["PINGREQ", [0xc0, 0x00], /no MQTT .*0xc0/],
    ["flags that have no meaning", [0xd1, 0x00], /no MQTT .*0xd1/],
    ["a PUBREL without its flag", [0x60, 0x02, 0, 1], /no MQTT .*0x60/],
    ["a length of five bytes", [0x30, 0xff, 0xff, 0xff, 0xff, 0x01], /more than four bytes/],
    ["a packet beyond the limit", [0x30, 0xe7, 0x07], /a packet of 1002 bytes, more than we take/],
  ];
  for (const [name, bad, problem] of cases) {
    test(name, () => {
      const good = PACKETS[1] ?? Buffer.alloc(0);
      const bytes = Buffer.concat([good, Buffer.from(bad), good]);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const { splitter, taken } = split(bytes, [cut], 1_001);
        assert.match(splitter.problem ?? "", problem);
        assert.deepEqual(taken, [good]);
      }
    });
  }
});

test("a length that is promised takes no memory until the bytes come", () => {
  const before = process.memoryUsage().arrayBuffers;
  const splitters = Array.from({ length: 50 }, () => {
    const splitter = new PacketSplitter(268_435_460);
    splitter.feed(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3), () => true);
    return splitter;
  });
  assert.ok(splitters.every(({ atBoundary }) => !atBoundary));
  assert.ok(process.memoryUsage().arrayBuffers - before < 20_000_000);
});
