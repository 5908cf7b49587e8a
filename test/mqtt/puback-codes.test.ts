import assert from "node:assert/strict";
import { test } from "node:test";
import { generate, type Packet, parser } from "mqtt-packet";
import { PacketWalk } from "../../src/mqtt/packet-walk.ts";
import { PubackCodes } from "../../src/mqtt/puback-codes.ts";

const ACCEPTED = Buffer.from([0x40, 0x02, 0x01, 0x02]);
const TOO_LARGE = Buffer.from([0x40, 0x03, 0x12, 0x34, 0x95]);
const TOO_LARGE_WITH_PROPERTIES = Buffer.from([0x40, 0x04, 0x00, 0x07, 0x95, 0x00]);
const DENIED = Buffer.from([0x40, 0x04, 0x00, 0x08, 0x87, 0x00]);
const PUBLISH = generate(
  { cmd: "publish", topic: "t", payload: "@\x03\x12\x34\x95", qos: 0, dup: false, retain: false },
  { protocolVersion: 5 },
);

/** What the client library makes of the bytes when they come in pieces that end at `cuts`. */
function read(bytes: Buffer, cuts: readonly number[]): { packets: Packet[]; codes: PubackCodes } {
  const walk = new PacketWalk();
  const codes = new PubackCodes();
  const packets: Packet[] = [];
  const library = parser({ protocolVersion: 5 });
  library.on("packet", (packet) => packets.push(packet));
  library.on("error", (error: Error) => {
    throw error;
  });
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(from, to));
    walk.feed(
      piece,
      () => {},
      (firstByte, offset, begin, end) => codes.body(firstByte, offset, begin, end, piece),
    );
    library.parse(piece);
    from = to;
  }
  return { packets, codes };
}

test("a PUBACK with 0x95, as Mosquitto sends it, is read, and its code is told, however the bytes are cut", () => {
  const bytes = Buffer.concat([ACCEPTED, PUBLISH, TOO_LARGE, DENIED, TOO_LARGE_WITH_PROPERTIES, PUBLISH]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const { packets, codes } = read(bytes, [cut]);
    const told = packets.flatMap((packet) =>
      packet.cmd === "puback" ? [[packet.messageId, codes.take(packet.messageId ?? 0, packet.reasonCode ?? 0)]] : [],
    );
    assert.deepEqual(told, [
      [0x0102, 0],
      [0x1234, 0x95],
      [0x0008, 0x87],
      [0x0007, 0x95],
    ]);
    const payloads = packets.flatMap((packet) => (packet.cmd === "publish" ? [packet.payload.toString()] : []));
    assert.deepEqual(
      payloads,
      ["@\x03\x12\x34\x95", "@\x03\x12\x34\x95"],
      "what only looks like a PUBACK is not touched",
    );
  }
});

test("byte by byte too, and a code is told once", () => {
  const { packets, codes } = read(TOO_LARGE, [1, 2, 3, 4]);
  assert.equal(packets.length, 1);
  assert.equal(codes.take(0x1234, 0x80), 0x95);
  assert.equal(codes.take(0x1234, 0x80), 0x80);
});
