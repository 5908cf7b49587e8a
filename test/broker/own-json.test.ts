import assert from "node:assert/strict";
import { test } from "node:test";
import { asRecord, ownFlag, ownList, ownNumber, ownText, parseRecord } from "../../src/broker/own-json.ts";
import { encoder } from "./recorder.ts";

const parse = (text: string, bytesMax = 1_000): ReturnType<typeof parseRecord> =>
  parseRecord(encoder.encode(text), bytesMax);

test("only objects are records", () => {
  for (const text of ["", "1", "null", '"x"', "[]", "{", "\ufeff{}x"]) assert.equal(parse(text), null, text);
  assert.equal(parseRecord(new Uint8Array([0x7b, 0xff, 0x7d]), 10), null);
  assert.equal(asRecord(undefined), null);
  assert.deepEqual(parse("{}"), {});
});

test("the limit holds before anything is parsed", () => {
  assert.deepEqual(parse('{"a":1}', 7), { a: 1 });
  assert.equal(parse('{"a":1}', 6), null);
});

test("values are read by type, and only from the object itself", () => {
  const record = parse('{"t":"x","n":1.5,"f":false,"l":[1],"z":null,"__proto__":{"p":"x"}}') ?? assert.fail();
  assert.deepEqual(
    [ownText(record, "t"), ownNumber(record, "n"), ownFlag(record, "f"), ownList(record, "l")],
    ["x", 1.5, false, [1]],
  );
  for (const read of [ownText, ownNumber, ownFlag, ownList]) {
    for (const key of ["z", "p", "absent", "toString", "constructor"]) assert.equal(read(record, key), null, key);
  }
  const polluted = Object.prototype as unknown as Record<string, unknown>;
  polluted["brokerlinkTest"] = "inherited";
  try {
    assert.equal(ownText(record, "brokerlinkTest"), null);
  } finally {
    delete polluted["brokerlinkTest"];
  }
});
