import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zlibInflate } from "../../src/agent/zlib-inflate.ts";
import { decodeEmqxMessage, type EmqxMessage, encodeEmqxMessage } from "../../src/emqx/emqx-message.ts";
import { encodeTerm } from "../../src/etf/encode-term.ts";
import { atom, binary, EMPTY_MAP, integer, list, map, type Term, tuple } from "../../src/etf/term.ts";
import type { Message } from "../../src/wire/message.ts";
import { bytesOf, PACKETS, packet, payload, SESSION } from "../etf/captured.ts";
import { askErlang, hexOf } from "../etf/erlang.ts";

function decoded(bytes: Uint8Array): EmqxMessage {
  const result = decodeEmqxMessage(bytes, zlibInflate);
  assert.ok(result.ok, `${hexOf(bytes).slice(0, 200)}: ${result.ok || result.problem}`);
  return result.value;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

describe("captured messages", () => {
  test("every one decodes, and the record is that of the packet", () => {
    let count = 0;
    for (const { topic = "", payload: hex } of [...PACKETS, ...SESSION]) {
      if (hex === undefined || !topic.includes("/msg/")) continue;
      const { id, message } = decoded(bytesOf(hex));
      assert.equal(id.length, 16);
      assert.ok(message.topic.length > 0);
      count += 1;
    }
    assert.equal(count, 37);
  });

  test("of each QoS; 2 goes on as 1", () => {
    for (const [name, qos] of [
      ["msg qos0", 0],
      ["msg qos1", 1],
      ["msg qos2", 1],
    ] as const) {
      const found = PACKETS.find((each) => each.name.startsWith(name));
      assert.ok(found?.payload !== undefined, name);
      assert.equal(decoded(bytesOf(found.payload)).message.qos, qos, name);
    }
  });

  test("a will has two headers and its retain flag", () => {
    const { message, from } = decoded(payload("msg will"));
    assert.deepEqual(
      [message.topic, text(message.payload), message.qos, message.retain, from],
      ["t/pre", "will!", 1, true, "willB"],
    );
  });

  test("what EMQX's own API published comes from an atom and has no dup flag", () => {
    const { message, from } = decoded(payload("msg REST publish (from=http_api)"));
    assert.equal(from, "http_api");
    assert.deepEqual(message.properties, { userProperties: [["a", "b"]] });
  });

  test("expiry passes as it is, a topic alias stays behind, UTF-8 is text", () => {
    assert.equal(decoded(payload("msg message-expiry")).message.expiryMs, 1_000);
    assert.equal(decoded(payload("msg topic-alias property leaks")).message.properties, null);
    const { message } = decoded(payload("msg utf8 topic/payload"));
    assert.deepEqual([message.topic, text(message.payload)], ["t/uni/ü", "uü"]);
    assert.equal(decoded(payload("msg 20kB")).message.payload.length, 20_000);
  });

  test("all properties of MQTT 5", () => {
    const found = PACKETS.find(({ name }) => /all.*prop|MQTT5 props|props/i.test(name));
    assert.ok(found?.payload !== undefined, PACKETS.map(({ name }) => name).join("; "));
    const { properties, expiryMs } = decoded(bytesOf(found.payload)).message;
    assert.ok(properties !== null);
    assert.ok(properties.contentType !== undefined && properties.responseTopic !== undefined);
    assert.ok(properties.correlationData !== undefined && properties.userProperties !== undefined);
    assert.ok(properties.payloadFormatIndicator !== undefined && expiryMs !== null);
  });

  test("their wrappers are at the QoS of the message, without properties", () => {
    assert.ok(packet("msg will").hex.startsWith("32"));
  });
});

const FULL: Message = {
  topic: "t/1",
  payload: new Uint8Array([1, 2, 255]),
  qos: 1,
  retain: true,
  properties: {
    payloadFormatIndicator: true,
    contentType: "text/plain",
    responseTopic: "r/1",
    correlationData: new Uint8Array([9]),
    userProperties: [
      ["k", "v"],
      ["k", "w"],
    ],
  },
  expiryMs: 1_500,
};
const ID = new Uint8Array(16).fill(7);

describe("our messages", () => {
  test("come back as they were, the expiry in whole seconds", () => {
    const bytes = encodeEmqxMessage({ id: ID, from: "c", timestampMs: 1_700_000_000_000, message: FULL });
    const { id, from, timestampMs, message } = decoded(bytes);
    assert.deepEqual({ ...message, payload: [...message.payload] }, { ...FULL, payload: [1, 2, 255], expiryMs: 2_000 });
    assert.deepEqual([[...id], from, timestampMs], [[...ID], "c", 1_700_000_000_000]);
  });

  test("are safe terms to Erlang, with every property and with none", () => {
    const plain: Message = { ...FULL, qos: 0, retain: false, properties: null, expiryMs: null };
    const ours = [FULL, plain].map((message) =>
      hexOf(encodeEmqxMessage({ id: ID, from: "c", timestampMs: 1_700_000_000_000, message })),
    );
    assert.equal(askErlang(ours).includes("badarg"), false);
  });
});

describe("what a receiver takes, as EMQX does", () => {
  const fields = (changes: Readonly<Record<number, Term>>): Uint8Array => {
    const items: Term[] = [
      atom("message"),
      binary(ID),
      integer(1),
      binary("c1"),
      map([[atom("dup"), atom("false")]]),
      EMPTY_MAP,
      binary("x/in/1"),
      binary("hi"),
      integer(1),
      EMPTY_MAP,
    ];
    for (const [at, term] of Object.entries(changes)) items[Number(at)] = term;
    return encodeTerm(tuple(...items));
  };
  const taken: readonly (readonly [string, Uint8Array])[] = [
    ["empty flags", fields({ 4: EMPTY_MAP })],
    ["from the atom undefined", fields({ 3: atom("undefined") })],
    ["an identifier of 15 bytes", fields({ 1: binary(new Uint8Array(15)) })],
    ["an empty identifier", fields({ 1: binary("") })],
    ["the time 0", fields({ 8: integer(0) })],
    ["something in extra", fields({ 9: map([[atom("link_origin"), binary("x")]]) })],
    [
      "properties under binary names",
      fields({ 5: map([[atom("properties"), map([[binary("Content-Type"), binary("a")]])]]) }),
    ],
    ["headers of every kind", fields({ 5: map([[atom("pid"), { kind: "float", value: 1.5 }]]) })],
  ];
  for (const [name, bytes] of taken)
    test(`takes ${name}`, () => assert.equal(text(decoded(bytes).message.payload), "hi"));

  test("takes a payload that is a list, which kills an EMQX's subscribers", () => {
    assert.equal(text(decoded(fields({ 7: list([integer(104), list([binary("i")])]) })).message.payload), "hi");
  });

  test("takes retain for set only when it is the atom true", () => {
    assert.equal(decoded(fields({ 4: map([[atom("retain"), integer(1)]]) })).message.retain, false);
    assert.equal(decoded(fields({ 4: map([[atom("retain"), atom("true")]]) })).message.retain, true);
  });

  test("leaves out properties of the wrong kind, and takes the others", () => {
    const properties = map([
      [atom("Content-Type"), integer(1)],
      [atom("Payload-Format-Indicator"), integer(7)],
      [atom("Message-Expiry-Interval"), binary("soon")],
      [atom("User-Property"), list([tuple(binary("a"), binary("b")), tuple(binary("c")), binary("d")])],
      [atom("No-Such-Property"), integer(1)],
    ]);
    const { message } = decoded(fields({ 5: map([[atom("properties"), properties]]) }));
    assert.deepEqual(message.properties, { userProperties: [["a", "b"]] });
    assert.equal(message.expiryMs, null);
  });

  const dropped: readonly (readonly [string, Uint8Array])[] = [
    ["nine fields", encodeTerm(tuple(...Array.from({ length: 9 }, () => EMPTY_MAP)))],
    ["another record", fields({ 0: atom("delivery") })],
    ["an identifier that is an atom", fields({ 1: atom("a") })],
    ["QoS 3", fields({ 2: integer(3) })],
    ["flags that are no map", fields({ 4: list([]) })],
    ["headers that are no map", fields({ 5: atom("undefined") })],
    ["extra that is no map", fields({ 9: list([]) })],
    ["a topic that is no text", fields({ 6: binary(new Uint8Array([0xff])) })],
    ["a topic with a wildcard", fields({ 6: binary("x/#") })],
    ["an empty topic", fields({ 6: binary("") })],
    ["a payload of numbers beyond bytes", fields({ 7: list([integer(256)]) })],
    ["a payload that is an atom", fields({ 7: atom("hi") })],
    ["no time", fields({ 8: atom("now") })],
    ["no term", new Uint8Array([131, 0])],
    ["nothing", new Uint8Array(0)],
  ];
  for (const [name, bytes] of dropped)
    test(`drops ${name}`, () => assert.equal(decodeEmqxMessage(bytes, zlibInflate).ok, false));
});
