import assert from "node:assert/strict";
import { test } from "node:test";
import { toMessageProperties } from "../../src/mqtt/packet-properties.ts";

test("no properties stay none, and what belongs to the packet stays behind", () => {
  assert.equal(toMessageProperties(null), null);
  assert.equal(toMessageProperties({ messageExpiryInterval: 5 }), null);
  assert.deepEqual(toMessageProperties({ messageExpiryInterval: 5, contentType: "a" }), { contentType: "a" });
  const userProperties = [["a", "1"]] as const;
  assert.deepEqual(toMessageProperties({ userProperties }), { userProperties });
});
