import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CODES, LinkError } from "../../src/base/error-codes.ts";

test("every code is upper snake case and has one sentence", () => {
  for (const [code, sentence] of Object.entries(ERROR_CODES)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.match(sentence, /^[A-Z][^\n]*\.$/, code);
    assert.doesNotMatch(sentence, /\. [A-Z]/, `${code} has more than one sentence`);
  }
});

test("a link error carries its code, its message and its cause", () => {
  const cause = new Error("ECONNREFUSED");
  const error = new LinkError("LOCAL_UNREACHABLE", "mqtt://localhost:1883 refused", { cause });
  assert.ok(error instanceof Error);
  assert.equal(error.name, "LinkError");
  assert.equal(error.code, "LOCAL_UNREACHABLE");
  assert.equal(error.message, "mqtt://localhost:1883 refused");
  assert.equal(error.cause, cause);
});
