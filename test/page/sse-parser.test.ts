import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SseParser } from "../../src/page/sse-parser.ts";

const TEXT =
  ': hello\n\nevent: overview\ndata: {"a":1}\n\nretry: 3\ndata: one\r\ndata: two\r\n\r\nevent: change\ndata:x\n\nda';
const EVENTS = [
  { event: "overview", data: '{"a":1}' },
  { event: "message", data: "one\ntwo" },
  { event: "change", data: "x" },
];

test("events come out whole, wherever the text was cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(TEXT.length)), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
      const parser = new SseParser();
      const found = at.slice(1).flatMap((end, index) => parser.push(TEXT.slice(at[index], end)));
      assert.deepEqual(found, EVENTS);
    }),
  );
});

test("an event without an end is given up before the browser's memory is", () => {
  const parser = new SseParser();
  const piece = `data: ${"x".repeat(1 << 20)}`;
  assert.throws(() => {
    for (let n = 0; n < 20; n += 1) parser.push(piece);
  }, /too large/);
});
