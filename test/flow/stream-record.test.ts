import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { StreamRecord } from "../../src/flow/stream-record.ts";

const WINDOW_MAX = 65_536;

/** Takes all numbers up to the highest, and settles these. */
function settled(record: StreamRecord, ...numbers: number[]): void {
  while (record.next <= Math.max(...numbers)) assert.equal(record.begin(record.next), "new");
  for (const number of numbers) record.settle(number);
}

describe("a stream record", () => {
  test("has no news until something settles, and tells each only once", () => {
    const record = new StreamRecord();
    assert.equal(record.begin(1), "new");
    assert.equal(record.news(), null);
    record.settle(1);
    assert.deepEqual(record.news(), { upTo: 1, ranges: [] });
    assert.equal(record.news(), null);
  });

  test("names what is settled beyond a gap as ranges, and closes the gap in one go", () => {
    const record = new StreamRecord();
    settled(record, 3, 5, 4, 9, 7);
    assert.deepEqual(record.news(), {
      upTo: 0,
      ranges: [
        [3, 5],
        [7, 7],
        [9, 9],
      ],
    });
    settled(record, 2, 1);
    assert.deepEqual(record.news(), {
      upTo: 5,
      ranges: [
        [7, 7],
        [9, 9],
      ],
    });
    settled(record, 8, 6);
    assert.deepEqual(record.news(), { upTo: 9, ranges: [] });
  });

  test("a number in hand or settled is seen, and said to be so", () => {
    const record = new StreamRecord();
    record.begin(1);
    record.begin(2);
    assert.equal(record.begin(2), "seen");
    assert.deepEqual(record.news(), { upTo: 0, ranges: [] }, "in hand: it was not lost on the way");
    record.settle(2);
    record.news();
    assert.equal(record.begin(2), "seen");
    assert.deepEqual(record.news(), { upTo: 0, ranges: [[2, 2]] });
    settled(record, 1);
    record.news();
    assert.equal(record.begin(1), "seen");
    assert.deepEqual(record.news(), { upTo: 2, ranges: [] });
  });

  test("refuses numbers that no honest sender has under way, which are not seen", () => {
    const record = new StreamRecord();
    assert.equal(record.begin(WINDOW_MAX + 1), "beyond");
    assert.equal(record.begin(WINDOW_MAX), "ahead");
    record.advance(1);
    assert.equal(record.begin(WINDOW_MAX + 1), "ahead");
    record.skipTo(WINDOW_MAX + 3);
    assert.equal(record.next, 2, "nor is a gap of that size believed");
  });

  test("takes numbers in order only: one ahead of a gap waits until what is missing was taken, or is left out", () => {
    const record = new StreamRecord();
    assert.equal(record.begin(2), "ahead");
    assert.equal(record.next, 1);
    assert.equal(record.begin(1), "new");
    assert.equal(record.begin(2), "new");
    assert.equal(record.begin(5), "ahead");
    record.skipTo(5);
    assert.equal(record.begin(5), "new");
    assert.equal(record.begin(4), "seen", "left out is as good as settled");
    record.skipTo(7);
    record.settle(5);
    assert.deepEqual(record.news(), { upTo: 0, ranges: [[3, 6]] });
    record.settle(1);
    record.settle(2);
    assert.deepEqual(record.news(), { upTo: 6, ranges: [] });
    record.skipTo(3);
    assert.equal(record.next, 7, "an older gap takes nothing back");
  });

  test("never waits for what the sender gave up, whatever is under way there", () => {
    const record = new StreamRecord();
    settled(record, 4, 6);
    record.advance(4);
    assert.equal(record.upTo, 4);
    record.settle(2);
    settled(record, 5);
    assert.equal(record.upTo, 6);
    record.advance(3);
    assert.equal(record.upTo, 6, "an older base takes nothing back");
    assert.equal(record.begin(3), "seen");
  });

  test("names at most 32 ranges, the lowest ones", () => {
    const record = new StreamRecord();
    for (let number = 2; number <= 200; number += 2) settled(record, number);
    const news = record.news();
    assert.equal(news?.ranges.length, 32);
    assert.deepEqual(news?.ranges[31], [64, 64]);
  });

  test("agrees with a plain set of numbers, whatever order they come in", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(-5, -17))), (steps) => {
        const record = new StreamRecord();
        const known = new Set<number>();
        for (const step of steps) {
          if (step < 0) {
            record.advance(-step);
            for (let number = 1; number <= -step; number += 1) known.add(number);
          } else {
            while (record.next <= step) assert.equal(record.begin(record.next), "new");
            assert.equal(record.begin(step), "seen");
            record.settle(step);
            known.add(step);
          }
        }
        let upTo = 0;
        while (known.has(upTo + 1)) upTo += 1;
        assert.equal(record.upTo, upTo);
        const named = new Set<number>();
        settled(record, 1);
        known.add(1);
        const news = record.news();
        for (let number = 1; number <= (news?.upTo ?? 0); number += 1) named.add(number);
        for (const [first, last] of news?.ranges ?? [])
          for (let number = first; number <= last; number += 1) named.add(number);
        assert.deepEqual([...named].sort(), [...known].sort());
      }),
    );
  });
});

describe("a stream record that comes back", () => {
  const saved = {
    upTo: 3,
    ranges: [
      [5, 6],
      [9, 9],
    ],
  } as const;

  test("knows what was settled, and takes again what was only in hand", () => {
    const record = new StreamRecord(saved);
    const begun = [2, 4, 5, 6, 7, 8, 9, 10].map((number) => record.begin(number));
    assert.deepEqual(begun, ["seen", "new", "seen", "seen", "new", "new", "seen", "new"]);
    record.settle(4);
    assert.deepEqual(record.news(), { upTo: 6, ranges: [[9, 9]] });
    for (const number of [7, 8, 10]) record.settle(number);
    assert.deepEqual(record.news(), { upTo: 10, ranges: [] });
  });

  test("joins what the sender leaves out with what was settled", () => {
    const record = new StreamRecord(saved);
    assert.equal(record.begin(4), "new");
    record.skipTo(8);
    assert.deepEqual(record.saved.ranges, [
      [5, 7],
      [9, 9],
    ]);
    record.skipTo(12);
    record.settle(4);
    assert.deepEqual(record.news(), { upTo: 11, ranges: [] });
    assert.equal(record.next, 12);
  });
});
