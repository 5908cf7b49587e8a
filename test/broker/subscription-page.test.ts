import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parseSubscriptionPage } from "../../src/broker/subscription-page.ts";
import { captureFile } from "./captures.ts";
import { encoder, seeded } from "./recorder.ts";

interface Captured {
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

function parsed(body: string) {
  return parseSubscriptionPage(encoder.encode(body));
}

function page(data: unknown, meta: unknown = { count: 1, hasnext: false, limit: 100, page: 1 }) {
  return parsed(JSON.stringify({ data, meta }));
}

describe("a page of EMQX's list", () => {
  const captured = JSON.parse(readFileSync(captureFile("emqx-5.8.9-rest.json"), "utf8")) as Captured[];

  test("every captured list is one, and no captured error is", () => {
    for (const { path, status, body } of captured) {
      const found = parsed(body);
      assert.equal(found !== null, status === 200, path);
      assert.deepEqual(found?.odd ?? [], []);
    }
  });

  test("the captured rows mean what they mean", () => {
    const whole = parsed(captured.find(({ path }) => path === "/subscriptions")?.body ?? "");
    assert.deepEqual(
      whole?.rows.map(({ client, filter }) => `${client} ${filter}`),
      [
        "rc s/1",
        "rb s/1",
        "ra s/1",
        "ra s/+",
        "ra dev/#",
        "rb $share/g2/job/+",
        "rb $share/g1/job/+",
        "ra $share/g1/job/+",
        "ra $share/$queue/qq",
      ],
    );
    assert.deepEqual([whole?.length, whole?.count, whole?.hasNext], [9, 9, false]);
    const first = parsed(captured.find(({ path }) => path.endsWith("limit=2&page=1"))?.body ?? "");
    assert.deepEqual([first?.length, first?.count, first?.hasNext], [2, 9, true]);
    const past = parsed(captured.find(({ path }) => path.endsWith("page=99"))?.body ?? "");
    assert.deepEqual([past?.length, past?.hasNext], [0, false]);
    const matched = parsed(captured.find(({ path }) => path.includes("match_topic"))?.body ?? "");
    assert.equal(matched?.count, null);
  });

  test("durable rows name no node, exclusive ones are plain, who has no client id has a name of ours", () => {
    const rows = page([
      { clientid: "d", durable: true, node: null, qos: 1, topic: "x/y" },
      { clientid: "e/f", durable: false, topic: "$exclusive/only" },
      { clientid: null, topic: "inside" },
      { topic: "inside/2" },
    ])?.rows.map(({ client, filter }) => `${client} ${filter}`);
    assert.deepEqual(rows, ["d x/y", "e/f only", "(no client id) inside", "(no client id) inside/2"]);
  });

  test("what is no row is left out and shown", () => {
    const found = page([
      { clientid: "c", topic: "a/#/b" },
      { clientid: "c", topic: "" },
      { clientid: "c" },
      { clientid: 7, topic: "x" },
      "text",
      null,
      { clientid: "c", topic: "good" },
    ]);
    assert.deepEqual(found?.rows, [{ client: "c", filter: "good" }]);
    assert.equal(found?.odd.length, 6);
    assert.equal(found?.length, 7);
  });

  test("what is no page is none", () => {
    for (const body of ["", "{", "[]", "null", "{}", '{"data":[]}', '{"data":{},"meta":{"hasnext":false}}', "<html>"]) {
      assert.equal(parsed(body), null, body);
    }
    assert.equal(page([], { count: 0, limit: 1, page: 1 }), null);
    assert.equal(page([], { hasnext: "no" }), null);
    assert.equal(parseSubscriptionPage(new Uint8Array([0xff, 0xfe])), null);
  });

  test("random bytes never throw", () => {
    const random = seeded(3);
    const whole = encoder.encode(captured[0]?.body ?? "");
    for (let round = 0; round < 3_000; round += 1) {
      const bytes = whole.slice(0, Math.floor(random() * whole.length));
      for (let hit = 0; hit < 3; hit += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      parseSubscriptionPage(bytes);
    }
  });
});
