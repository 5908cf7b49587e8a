import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkAnswer } from "../../src/page/overview.ts";
import { retainedText } from "../../src/page/retained-text.ts";

const NOTHING = { wanted: false, blocked: null, waiting: 0, readings: 0, sent: 0, published: 0, skipped: [] };

function textOf(retained: string, states: object | null): string {
  return retainedText({ retained, brokerlink: { retained: states } } as unknown as LinkAnswer);
}

test("the choice is said, and what came of it", () => {
  assert.equal(textOf("live", null), "live", "nothing runs behind a disabled link");
  assert.equal(textOf("strip", NOTHING), "strip");
  assert.equal(textOf("strip", { ...NOTHING, sent: 1_234 }), "strip, 1.2k given to the peer");
  assert.equal(textOf("sync", { ...NOTHING, published: 9, waiting: 5 }), "sync, 9 brought here, 5 waiting");
  assert.equal(textOf("sync", { ...NOTHING, blocked: "the broker is old" }), "sync, but the broker is old");
});
