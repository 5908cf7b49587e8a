import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HubEvent } from "../../src/hub/hub-event.ts";
import { CHANGES_MAX, LinkHistory } from "../../src/ops/link-history.ts";

function change(link: string, why: string): HubEvent {
  return { type: "link_status", link, from: "connecting", to: "connected", why };
}

describe("the past of a link", () => {
  test("is its last changes, oldest first, each with its time and reason", () => {
    const history = new LinkHistory();
    for (let i = 0; i < CHANGES_MAX + 3; i += 1) history.note(change("b", `${i}`), i);
    history.note(change("c", "other"), 99);
    const past = history.of("b");
    assert.equal(past.length, CHANGES_MAX);
    assert.deepEqual(past[0], { atMs: 3, from: "connecting", to: "connected", why: "3" });
    assert.equal(past.at(-1)?.why, `${CHANGES_MAX + 2}`);
    assert.deepEqual(history.of("nobody"), []);
  });

  test("takes no other report, and of many links keeps the youngest", () => {
    const history = new LinkHistory();
    history.note({ type: "routes_expired", link: "b", count: 1 }, 0);
    assert.deepEqual(history.of("b"), []);
    for (let i = 0; i < 1_001; i += 1) history.note(change(`link${i}`, ""), i);
    assert.deepEqual(history.of("link0"), []);
    assert.equal(history.of("link1000").length, 1);
  });

  test("is told to who watches, until they stop", () => {
    const history = new LinkHistory();
    const seen: string[] = [];
    const stop = history.watch((link, { why }) => seen.push(`${link} ${why}`));
    history.note(change("b", "one"), 0);
    stop();
    history.note(change("b", "two"), 0);
    assert.deepEqual(seen, ["b one"]);
  });
});
