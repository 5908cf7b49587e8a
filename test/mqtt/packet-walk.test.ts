import assert from "node:assert/strict";
import { test } from "node:test";
import { generate, type Packet } from "mqtt-packet";
import { PacketWalk } from "../../src/mqtt/packet-walk.ts";

const PACKETS: Packet[] = [
  { cmd: "pingreq" },
  { cmd: "publish", topic: "t", payload: "", qos: 0, dup: false, retain: false },
  { cmd: "puback", messageId: 7 },
  // Remaining lengths of two and three bytes.
  { cmd: "publish", topic: "t", payload: "x".repeat(200), qos: 1, messageId: 9, dup: false, retain: true },
  { cmd: "publish", topic: "t", payload: "y".repeat(16_500), qos: 0, dup: false, retain: false },
  { cmd: "pingresp" },
];

function stream(): { bytes: Buffer; starts: number[]; ends: number[] } {
  const parts = PACKETS.map((packet) => generate(packet));
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const part of parts) {
    starts.push(part[0] ?? 0);
    at += part.length;
    ends.push(at);
  }
  return { bytes: Buffer.concat(parts), starts, ends };
}

test("packets are told apart wherever the bytes are cut in two", () => {
  const { bytes, starts, ends } = stream();
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const walk = new PacketWalk();
    const began: number[] = [];
    walk.feed(bytes.subarray(0, cut), (first) => began.push(first));
    if (walk.atBoundary !== (cut === 0 || ends.includes(cut))) assert.fail(`boundary is wrong at ${cut}`);
    walk.feed(bytes.subarray(cut), (first) => began.push(first));
    assert.deepEqual(began, starts);
    assert.equal(walk.atBoundary, true);
  }
});

test("and when they come byte by byte", () => {
  const { bytes, starts, ends } = stream();
  const walk = new PacketWalk();
  const began: number[] = [];
  const boundaries: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    walk.feed(bytes.subarray(at, at + 1), (first) => began.push(first));
    if (walk.atBoundary) boundaries.push(at + 1);
  }
  assert.deepEqual(began, starts);
  assert.deepEqual(boundaries, ends);
});

test("a fifth length byte begins the body, so that a malformed length cannot run on", () => {
  const walk = new PacketWalk();
  walk.feed(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff), () => {});
  assert.equal(walk.atBoundary, false);
  const began: number[] = [];
  walk.feed(new Uint8Array(268_435_455), (first) => began.push(first));
  assert.deepEqual(began, []);
  assert.equal(walk.atBoundary, true);
});
