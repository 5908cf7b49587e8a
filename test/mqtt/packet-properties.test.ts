import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generate, type IPublishPacket, parser } from "mqtt-packet";
import {
  type PacketProperties,
  toBuffer,
  toLibrary,
  toMessageProperties,
  toPacketProperties,
} from "../../src/mqtt/packet-properties.ts";
import type { MessageProperties } from "../../src/wire/message.ts";

/** Through the library's own bytes. */
function sent(properties: MessageProperties): MessageProperties | null {
  const packet = toPacketProperties(properties);
  const bytes = generate(
    {
      cmd: "publish",
      topic: "t",
      payload: "",
      qos: 0,
      dup: false,
      retain: false,
      ...(packet === null ? {} : { properties: toLibrary(packet) as NonNullable<IPublishPacket["properties"]> }),
    },
    { protocolVersion: 5 },
  );
  let received: MessageProperties | null = null;
  const reader = parser({ protocolVersion: 5 });
  reader.on("packet", (read) => {
    assert.equal(read.cmd, "publish");
    received = toMessageProperties(((read as IPublishPacket).properties ?? null) as PacketProperties | null);
  });
  reader.parse(bytes);
  return received;
}

describe("a message's properties cross the library's bytes unchanged", () => {
  const cases: readonly [name: string, properties: MessageProperties][] = [
    ["all of them", { payloadFormatIndicator: true, contentType: "text/plain", responseTopic: "r/1" }],
    ["a false format indicator", { payloadFormatIndicator: false }],
    ["an empty content type", { contentType: "" }],
    [
      "user properties in order",
      {
        userProperties: [
          ["b", "1"],
          ["a", "2"],
          ["c", ""],
        ],
      },
    ],
    [
      "a key more than once",
      {
        userProperties: [
          ["a", "1"],
          ["a", "2"],
          ["a", "2"],
        ],
      },
    ],
    [
      "keys that objects are made of",
      {
        userProperties: [
          ["__proto__", "x"],
          ["constructor", "y"],
          ["toString", "z"],
        ],
      },
    ],
    [
      "`__proto__` more than once",
      {
        userProperties: [
          ["__proto__", "1"],
          ["__proto__", "2"],
        ],
      },
    ],
    ["an empty key", { userProperties: [["", "x"]] }],
  ];
  for (const [name, properties] of cases) {
    test(name, () => assert.deepEqual(sent(properties), properties));
  }

  test("correlation data, byte for byte", () => {
    const correlationData = Uint8Array.from({ length: 256 }, (_, index) => index);
    assert.deepEqual(Buffer.from(sent({ correlationData })?.correlationData ?? []), Buffer.from(correlationData));
  });
});

test("what the object form loses is the order between keys that repeat, and of keys that look like numbers", () => {
  assert.deepEqual(
    sent({
      userProperties: [
        ["a", "1"],
        ["b", "2"],
        ["a", "3"],
      ],
    })?.userProperties,
    [
      ["a", "1"],
      ["a", "3"],
      ["b", "2"],
    ],
  );
  assert.deepEqual(
    sent({
      userProperties: [
        ["b", "2"],
        ["7", "1"],
      ],
    })?.userProperties,
    [
      ["7", "1"],
      ["b", "2"],
    ],
  );
});

test("an empty list of user properties is none: the packet is written all the same", () => {
  assert.equal(sent({ userProperties: [] }), null);
  assert.deepEqual(sent({ contentType: "a", userProperties: [] }), { contentType: "a" });
});

test("no properties stay none, and what belongs to the packet stays behind", () => {
  assert.equal(toPacketProperties(null), null);
  assert.equal(toMessageProperties(null), null);
  assert.equal(toMessageProperties({}), null);
  assert.equal(toMessageProperties({ messageExpiryInterval: 5, userProperties: {} }), null);
});

test("bytes are handed to the library as they lie, not copied", () => {
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  const buffer = toBuffer(bytes);
  assert.deepEqual([...buffer], [2, 3]);
  bytes[0] = 9;
  assert.deepEqual([...buffer], [9, 3]);
});
