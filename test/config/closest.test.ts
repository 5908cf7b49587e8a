import assert from "node:assert/strict";
import { test } from "node:test";
import { closest, didYouMean } from "../../src/config/closest.ts";

const KEYS = ["server", "servername", "username", "password", "topics", "export"];

test("the nearest word is found through missing, added, changed and swapped letters, and through case and underscores", () => {
  for (const [typed, meant] of [
    ["serve", "server"],
    ["serverr", "server"],
    ["sarver", "server"],
    ["sevrer", "server"],
    ["SERVER_NAME", "servername"],
    ["user-name", "username"],
    ["topic", "topics"],
    ["passwd", "password"],
  ] as const) {
    assert.equal(closest(typed, KEYS), meant, typed);
  }
});

test("nothing is suggested for what is near to nothing, or is no typing error", () => {
  for (const typed of ["", "x", "retain", "zzzzzz", "server".repeat(20)])
    assert.equal(closest(typed, KEYS), null, typed);
  assert.equal(didYouMean("zzzzzz", KEYS), "");
  assert.equal(didYouMean("topic", KEYS), '; did you mean "topics"?');
});
