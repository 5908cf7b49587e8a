import assert from "node:assert/strict";
import { test } from "node:test";
import { expiryOf, failureCode, publishBytes } from "../../src/mqtt/publish.ts";

test("an expiry is a whole second at least, because none left would mean for ever", () => {
  const packet = { topic: "t", payload: new Uint8Array(0), qos: 0, retain: false } as const;
  const expiry = (expirySeconds: number): number | null => expiryOf({ ...packet, expirySeconds });
  assert.deepEqual([0, 0.2, 1, 1.2, 60, Number.POSITIVE_INFINITY].map(expiry), [1, 1, 1, 2, 60, 0xffff_ffff]);
  assert.equal(expiryOf({ ...packet, properties: { messageExpiryInterval: 7 }, expirySeconds: 3 }), 3);
  assert.equal(expiryOf({ ...packet, properties: { messageExpiryInterval: 7 } }), 7);
  assert.equal(expiryOf(packet), null);
});

test("a text that no packet can hold makes it larger than any limit", () => {
  const long = "é".repeat(40_000);
  const packet = { topic: "t", payload: new Uint8Array(0), qos: 0, retain: false } as const;
  for (const properties of [
    { contentType: long },
    { responseTopic: long },
    { correlationData: Buffer.from(long) },
    { userProperties: [["a", long]] as const },
    { userProperties: [[long, "a"]] as const },
  ]) {
    assert.equal(publishBytes({ ...packet, properties }, 5), Number.POSITIVE_INFINITY);
    assert.equal(publishBytes({ ...packet, properties }, 4), 5, "left out there");
  }
  assert.equal(publishBytes({ ...packet, topic: long }, 4), Number.POSITIVE_INFINITY);
});

test("what never left has the code that a broker would give; what was lost has none", () => {
  assert.deepEqual([failureCode("lost"), failureCode("full"), failureCode("tooLarge")], [null, 0x97, 0x95]);
});
