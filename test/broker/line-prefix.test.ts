import assert from "node:assert/strict";
import { test } from "node:test";
import { LinePrefix } from "../../src/broker/line-prefix.ts";

function strip(sample: string, line: string): string | null {
  return LinePrefix.learn(sample)?.strip(line) ?? null;
}

test("no prefix leaves every line as it is", () => {
  assert.equal(strip("", "17: x"), "17: x");
});

test("a prefix is recognised by its shape, whatever the time", () => {
  for (const [sample, other] of [
    ["1795396775: ", "17953967750: "],
    ["2026-11-23T01:25:52: ", "2027-01-01T00:00:00: "],
    ["Mon Nov  3 01:25:52 2026: ", "Tue Nov 13 11:25:52 2026: "],
    ["Tue Nov 13 11:25:52 2026: ", "Mon Nov  3 01:25:52 2026: "],
    [" 3.11.: ", "13.11.: "],
    ["13.11.: ", " 3.11.: "],
    ["[Samstag, 3. März] 10h: ", "[Mittwoch, 14. August] 9h: "],
    ["2026-11-23T01:25:52+0100: ", "2026-11-23T01:25:52-0330: "],
    ["12: 30: ", "1: 5: "],
    ["Time error: ", "Time error: "],
  ] as const) {
    assert.equal(strip(sample, `${other}id 1 x`), "id 1 x", `${sample} → ${other}`);
  }
});

test("nothing of the line is taken for the prefix", () => {
  assert.equal(strip("17: ", "18:  x 1 f"), " x 1 f");
  assert.equal(strip("17: ", "18: 19: x"), "19: x");
  assert.equal(strip("17: ", "18: "), "");
});

test("a line of another shape has no prefix", () => {
  for (const line of ["", "x", "17", "17:", "17:x", "a: x", ": x", " : x", "17 : x", "17.: x"]) {
    assert.equal(strip("17: ", line), null, line);
  }
  assert.equal(strip("2026-11-23: ", "2026-11: x"), null);
});

test("what cannot be a timestamp of the broker is not learnt", () => {
  for (const sample of ["x", "17:", "17 ", "evil 1 "]) assert.equal(LinePrefix.learn(sample), null, sample);
});

test("equal shapes are equal, whatever the time", () => {
  const learn = (sample: string): LinePrefix => LinePrefix.learn(sample) ?? assert.fail(sample);
  assert.ok(learn("17: ").equals(learn("1795396775: ")));
  assert.ok(learn("Nov  3: ").equals(learn("May 13: ")));
  assert.ok(!learn("17: ").equals(learn("")));
  assert.ok(!learn("17: ").equals(learn("1-7: ")));
});
