import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { topicCheck } from "../../src/base/hash.ts";
import { markProperties, readMark, stripMark } from "../../src/flow/mark.ts";

const ORIGIN = "brokerlink-origin";
const CHECK = "brokerlink-check";
const pairs = (...userProperties: (readonly [string, string])[]) => ({ userProperties });

describe("the loop mark", () => {
  test("that we write fits its own topic and no other", () => {
    const properties = markProperties(null, "b", "t/1");
    assert.deepEqual(properties, pairs([ORIGIN, "b"], [CHECK, topicCheck("t/1")]));
    assert.deepEqual(readMark(properties, "t/1"), { kind: "fits", origin: "b" });
    assert.deepEqual(readMark(properties, "t/2"), { kind: "foreign" });
  });

  test("is not there: no properties, no user properties, only other ones", () => {
    for (const properties of [null, {}, pairs(), pairs(["origin", "b"], ["Brokerlink-Origin", "b"])])
      assert.deepEqual(readMark(properties, "t"), { kind: "none" });
  });

  test("half a mark never fits, and is taken off", () => {
    const check: readonly [string, string] = [CHECK, topicCheck("t")];
    for (const properties of [pairs([ORIGIN, "b"]), pairs(check), pairs([ORIGIN, "b"], [CHECK, ""])]) {
      assert.deepEqual(readMark(properties, "t"), { kind: "foreign" });
      assert.deepEqual(stripMark(properties), {});
    }
  });

  test("with its keys repeated fits when any of the checks is the topic's", () => {
    const copied = pairs([ORIGIN, "a"], [CHECK, topicCheck("asked")], [ORIGIN, "b"], [CHECK, topicCheck("t")]);
    assert.deepEqual(readMark(copied, "t"), { kind: "fits", origin: "b" });
    assert.deepEqual(readMark(copied, "asked"), { kind: "fits", origin: "b" });
    assert.deepEqual(readMark(copied, "other"), { kind: "foreign" });
    const twice = pairs([CHECK, topicCheck("t")], [CHECK, "00000000"], [ORIGIN, "a"]);
    assert.equal(readMark(twice, "t").kind, "fits");
  });

  test("a check in capitals is not ours", () => {
    const topic = Array.from({ length: 50 }, (_, i) => `t/${i}`).find((name) => /[a-f]/.test(topicCheck(name))) ?? "";
    assert.equal(readMark(pairs([ORIGIN, "b"], [CHECK, topicCheck(topic).toUpperCase()]), topic).kind, "foreign");
  });

  test("taken off leaves everything else as it was, in its order", () => {
    const properties = {
      contentType: "text/plain",
      ...pairs(["k", "1"], [ORIGIN, "b"], ["k", "2"], [CHECK, "x"], ["", ""]),
    };
    assert.deepEqual(stripMark(properties), { contentType: "text/plain", ...pairs(["k", "1"], ["k", "2"], ["", ""]) });
    assert.equal(stripMark(null), null);
    const unmarked = { responseTopic: "r" };
    assert.equal(stripMark(unmarked), unmarked);
  });

  test("that we write replaces whatever mark was there, behind the other properties", () => {
    const before = { contentType: "c", ...pairs([CHECK, "old"], ["k", "v"], [ORIGIN, "old"]) };
    assert.deepEqual(markProperties(before, "b", "t"), {
      contentType: "c",
      ...pairs(["k", "v"], [ORIGIN, "b"], [CHECK, topicCheck("t")]),
    });
  });
});
