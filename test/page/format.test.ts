import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAgo, formatBytes, formatCount, formatSome, formatSpan } from "../../src/page/format.ts";

test("numbers, sizes and times are short", () => {
  const counts = [0, 0.24, 7, 9.96, 999, 999.6, 1_234, 12_345, 999_600, 5e9].map(formatCount);
  assert.deepEqual(counts, ["0", "0.2", "7", "10.0", "999", "1.0k", "1.2k", "12k", "1.0M", "5G"]);
  assert.deepEqual([0, 1_023, 1_024, 1_536, 20 << 20].map(formatBytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "20 MiB",
  ]);
  assert.deepEqual([-5, 99_000, 180_000, 7.2e6, 4.4e8].map(formatSpan), ["0 s", "99 s", "3 min", "2 h", "5 d"]);
  assert.deepEqual([formatSome(1, "route"), formatSome(2, "route")], ["1 route", "2 routes"]);
  assert.equal(formatAgo("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:00:10Z")), "10 s ago");
  assert.equal(formatAgo(null, 0), "never");
});
