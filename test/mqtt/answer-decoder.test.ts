import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generate, type Packet } from "mqtt-packet";
import { type Answer, decodePuback, decodeSuback } from "../../src/mqtt/answer-decoder.ts";
import { PacketReader } from "../../src/mqtt/packet-reader.ts";
import { encodeAnswer, PUBACK, PUBCOMP, PUBREC } from "../../src/mqtt/publish-encoder.ts";
import { WriteBuffer } from "../../src/mqtt/write-buffer.ts";

type Decode = typeof decodePuback;

/** `body`: what is behind the fixed header of two bytes. */
function read(decode: Decode, body: Uint8Array, version: 4 | 5): Answer | string {
  const reader = new PacketReader();
  reader.open(Buffer.from(body), 0, body.length);
  return decode(reader, version) ?? reader.problem ?? "no answer and no problem";
}

const written = (packet: Packet, version: 4 | 5): Buffer => generate(packet, { protocolVersion: version }).subarray(2);

describe("what the reference library writes is read", () => {
  const properties = { reasonString: "why", userProperties: { a: "b" } };
  for (const version of [4, 5] as const) {
    test(`PUBACK, MQTT ${version}`, () => {
      const packet = { cmd: "puback", messageId: 51_966, ...(version === 5 ? { reasonCode: 0x87 } : {}) } as const;
      const codes = version === 5 ? [0x87] : [0];
      assert.deepEqual(read(decodePuback, written(packet, version), version), { packetId: 51_966, codes });
    });
    test(`SUBACK, MQTT ${version}`, () => {
      const packet: Packet = { cmd: "suback", messageId: 300, granted: [0, 1, 2, 128] };
      assert.deepEqual(read(decodeSuback, written(packet, version), version), {
        packetId: 300,
        codes: [0, 1, 2, 128],
      });
    });
    test(`UNSUBACK, MQTT ${version}`, () => {
      const packet: Packet = { cmd: "unsuback", messageId: 300, granted: [0, 0x11] };
      const codes = version === 5 ? [0, 0x11] : [];
      assert.deepEqual(read(decodeSuback, written(packet, version), version), { packetId: 300, codes });
    });
  }
  test("with properties", () => {
    const puback = written({ cmd: "puback", messageId: 7, reasonCode: 0x10, properties }, 5);
    assert.deepEqual(read(decodePuback, puback, 5), { packetId: 7, codes: [0x10] });
    const suback = written({ cmd: "suback", messageId: 7, granted: [1], properties }, 5);
    assert.deepEqual(read(decodeSuback, suback, 5), { packetId: 7, codes: [1] });
  });
});

test("any reason code is told, in the short form of a PUBACK and in the long one", () => {
  for (let code = 0; code < 256; code += 1) {
    assert.deepEqual(read(decodePuback, Uint8Array.of(1, 2, code), 5), { packetId: 0x0102, codes: [code] });
    assert.deepEqual(read(decodePuback, Uint8Array.of(1, 2, code, 0), 5), { packetId: 0x0102, codes: [code] });
  }
  assert.deepEqual(read(decodePuback, Uint8Array.of(1, 2), 5), { packetId: 0x0102, codes: [0] });
});

describe("what is malformed is refused", () => {
  const cases: readonly [name: string, decode: Decode, version: 4 | 5, body: number[], problem: RegExp][] = [
    ["a PUBACK of one byte", decodePuback, 4, [1], /beyond its end/],
    ["identifier 0", decodePuback, 4, [0, 0], /packet identifier 0/],
    ["a reason code on 3.1.1", decodePuback, 4, [0, 1, 0], /bytes behind its end/],
    ["properties beyond the PUBACK", decodePuback, 5, [0, 1, 0, 5, 1], /beyond its end/],
    ["bytes behind them", decodePuback, 5, [0, 1, 0, 0, 1], /bytes behind its end/],
    ["a SUBACK without an identifier", decodeSuback, 4, [], /beyond its end/],
    ["one with identifier 0", decodeSuback, 4, [0, 0, 1], /packet identifier 0/],
    ["one whose properties go beyond it", decodeSuback, 5, [0, 1, 9, 1], /beyond its end/],
    ["one of MQTT 5 without properties", decodeSuback, 5, [0, 1], /beyond its end/],
  ];
  for (const [name, decode, version, body, problem] of cases) {
    test(name, () => {
      const found = read(decode, Uint8Array.from(body), version);
      if (typeof found !== "string") assert.fail(`was read as ${JSON.stringify(found)}`);
      assert.match(found, problem);
    });
  }
});

test("our own answers are those of the reference library, and 3.1.1 hears no reason", () => {
  for (const [firstByte, cmd] of [
    [PUBACK, "puback"],
    [PUBREC, "pubrec"],
    [PUBCOMP, "pubcomp"],
  ] as const) {
    for (const version of [4, 5] as const) {
      for (const reasonCode of [0, 0x83]) {
        const out = new WriteBuffer();
        encodeAnswer(out, firstByte, 51_966, reasonCode, version);
        const [bytes = Buffer.alloc(0)] = out.take();
        if (version === 5 && reasonCode !== 0) {
          assert.deepEqual(bytes, Buffer.of(firstByte, 3, 0xca, 0xfe, reasonCode));
        } else assert.deepEqual(bytes, generate({ cmd, messageId: 51_966 }, { protocolVersion: 4 }));
      }
    }
  }
});
