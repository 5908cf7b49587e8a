import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { COLUMNS_MIN, drawPicture, type Picture } from "../../src/demo/picture.ts";
import { painter } from "../../src/demo/screen.ts";

const PLAIN = painter(false);

function picture(changes: Partial<Picture> = {}): Picture {
  return {
    upper: {
      name: "office",
      url: "mqtt://127.0.0.1:1111",
      exact: true,
      clients: [
        { name: "dashboard", filters: ["line/+/temperature"], receivedPerSecond: 4 },
        { name: "visitor", filters: [], receivedPerSecond: 0 },
      ],
      asksFor: ["line/+/temperature"],
      isAskedFor: [],
      publishedPerSecond: 0.5,
    },
    lower: {
      name: "factory",
      url: "mqtt://127.0.0.1:2222",
      exact: false,
      clients: [{ name: "machines", filters: [], receivedPerSecond: 0 }],
      asksFor: [],
      isAskedFor: ["line/+/temperature"],
      publishedPerSecond: 24.25,
    },
    up: { messagesPerSecond: 4, bytesPerSecond: 1_234, messages: 12_345 },
    down: { messagesPerSecond: 0, bytesPerSecond: 80, messages: 7 },
    link: "connected",
    healthy: true,
    waiting: 3,
    dropped: 2,
    suppressed: 1,
    news: ["first", "second"],
    hint: "Try: something",
    ...changes,
  };
}

describe("the picture", () => {
  test("shows both clusters, what they want of each other, and what crosses", () => {
    assert.deepEqual(drawPicture(picture(), 70, 30, PLAIN), [
      "┌─ office ── mqtt://127.0.0.1:1111 ──────────────────────────────────┐",
      "│ dashboard    line/+/temperature                         gets 4.0/s │",
      "│ visitor      no subscription                                       │",
      "│ asks for     line/+/temperature                                    │",
      "│ is asked for nothing                                               │",
      "│ publishes    0.5/s, of which cross 0.0/s                           │",
      "└────────────────────────────────────────────────────────────────────┘",
      " ▲    4.0/s   1.2 kB/s    12,345 in all                link connected",
      " ▼    0.0/s     80 B/s         7 in all",
      "   waiting 3, dropped 2, suppressed 1",
      "┌─ factory ── mqtt://127.0.0.1:2222 ─────────────────────────────────┐",
      "│ machines     no subscription                                       │",
      "│ asks for     nothing  (not sure of its clients yet)                │",
      "│ is asked for line/+/temperature                                    │",
      "│ publishes    24.3/s, of which cross 4.0/s                          │",
      "└────────────────────────────────────────────────────────────────────┘",
      "",
      " first",
      " second",
      " Ctrl-C ends it. Try: something",
    ]);
  });

  test("fits every width from 60 columns on, however long names and filters are", () => {
    const { upper } = picture();
    const long = "a/".repeat(200);
    const crowded = picture({
      upper: {
        ...upper,
        url: `mqtt://${long}`,
        clients: [{ name: long, filters: [long, long], receivedPerSecond: 1_234_567 }],
        asksFor: [long],
        isAskedFor: [long],
      },
      up: { messagesPerSecond: 999_999, bytesPerSecond: 9_999_999, messages: 999_999_999 },
      news: [long],
      hint: long,
    });
    for (let columns = COLUMNS_MIN; columns <= 200; columns += 1) {
      for (const line of drawPicture(crowded, columns, 30, PLAIN)) {
        assert.ok([...line].length <= columns, `${columns} columns: ${line}`);
      }
    }
    const boxes = drawPicture(crowded, COLUMNS_MIN, 30, PLAIN).filter((line) => /^[┌│└]/u.test(line));
    assert.deepEqual([...new Set(boxes.map((line) => [...line].length))], [COLUMNS_MIN]);
  });

  test("has the same text with and without colours", () => {
    const plain = drawPicture(picture({ healthy: false }), 80, 30, PLAIN);
    const colored = drawPicture(picture({ healthy: false }), 80, 30, painter(true));
    assert.notDeepEqual(colored, plain);
    assert.deepEqual(colored.map(stripVTControlCharacters), plain);
    assert.ok(colored.some((line) => line.includes("\u001b[31mlink connected\u001b[39m")));
    assert.ok(plain.every((line) => !line.includes("\u001b")));
  });

  test("shows the latest three news", () => {
    const lines = drawPicture(picture({ news: ["one", "two", "three", "four"] }), 60, 40, PLAIN);
    assert.deepEqual(lines.slice(-4, -1), [" two", " three", " four"]);
  });

  test("is never higher than the terminal, and keeps the line that says how to leave", () => {
    for (let rows = 1; rows < 25; rows += 1) {
      const lines = drawPicture(picture(), 80, rows, PLAIN);
      assert.ok(lines.length <= rows, `${lines.length} lines in ${rows} rows`);
      assert.match(lines.at(-1) ?? "", /Ctrl-C ends it/);
    }
    assert.deepEqual(drawPicture(picture(), 80, 0, PLAIN), []);
  });
});
