import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fit } from "../../src/demo/fit.ts";
import { Rates } from "../../src/demo/rates.ts";
import { wrap } from "../../src/demo/wrap.ts";

describe("fit", () => {
  test("fills up or cuts to the exact width, counting characters and not code units", () => {
    assert.equal(fit("abc", 5), "abc  ");
    assert.equal(fit("abc", 5, "─"), "abc──");
    assert.equal(fit("abcdef", 4), "abc…");
    assert.equal(fit("😀😀😀", 2), "😀…");
    assert.equal(fit("😀😀", 2), "😀😀");
    assert.equal(fit("abc", 0), "");
    assert.equal(fit("abc", 1), "…");
  });
});

describe("wrap", () => {
  test("breaks at spaces, fills each line, and leaves longer words whole", () => {
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
    assert.deepEqual(wrap("one", 7), ["one"]);
    assert.deepEqual(wrap("", 7), [""]);
    assert.deepEqual(wrap("a/very/long/topic is", 7), ["a/very/long/topic", "is"]);
  });
});

describe("rates", () => {
  test("follow a total over a few seconds and forget what was before", () => {
    const rates = new Rates();
    assert.equal(rates.perSecond("x", 1_000, 0), 0);
    for (let second = 1; second <= 10; second += 1) rates.perSecond("x", 1_000 + 5 * second, second * 1_000);
    assert.equal(rates.perSecond("x", 1_055, 11_000), 5);
    for (let second = 12; second <= 20; second += 1) rates.perSecond("x", 1_055, second * 1_000);
    assert.equal(rates.perSecond("x", 1_055, 21_000), 0);
  });

  test("of different names do not mix, and one instant gives no rate", () => {
    const rates = new Rates();
    rates.perSecond("x", 0, 0);
    assert.equal(rates.perSecond("y", 100, 1_000), 0);
    assert.equal(rates.perSecond("y", 200, 1_000), 0);
    assert.equal(rates.perSecond("x", 10, 1_000), 10);
  });
});
