import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frame, framesOf, inbound, LIVE_STREAM, message, outbound, STREAM } from "./rig.ts";

const MINUTE_MS = 60_000;

type Inbound = ReturnType<typeof inbound>["into"];

/** Frames of one message each, `everyMs`; answers the texts. */
function arrive(into: Inbound, first: number, count: number, fromMs: number, everyMs: number): void {
  for (let n = 0; n < count; n += 1) into.frame(frame(first + n, [`${first + n}`]), 10, 0, fromMs + n * everyMs);
}

/** Each turn of `forMs`, as the deadlines ask for it, with an answer to each message; answers the texts by time. */
function republished(into: Inbound, fromMs: number, forMs: number): Map<number, string[]> {
  const byTime = new Map<number, string[]>();
  for (let nowMs = fromMs; nowMs <= fromMs + forMs; ) {
    const messages = into.pump(0, nowMs);
    for (const { token } of messages) if (token !== null) into.republished(token, 0, nowMs);
    const texts = messages.map(({ message: { payload } }) => new TextDecoder().decode(payload));
    if (texts.length > 0) byTime.set(nowMs, [...(byTime.get(nowMs) ?? []), ...texts]);
    else nowMs = Math.max(nowMs + 1, Math.min(into.deadlineMs, fromMs + forMs + 1));
  }
  return byTime;
}

const all = (byTime: Map<number, string[]>): string[] => [...byTime.values()].flat();
const named = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => `${from + i}`);

describe("a backlog on its way to the peer", () => {
  test("takes no more than the configured rate, all in order, and what is fresh is not held back", () => {
    const { out } = outbound(1_000_000, "drop_oldest", 64, MINUTE_MS, 40);
    for (let n = 0; n < 200; n += 1) out.offer(message("t", `${n}`), null, 0);
    out.opened(1_000_000);
    let gone = 0;
    let nowMs = 2_000;
    for (let before = 0; gone < 200; before = gone) {
      for (const { messages } of framesOf(out, nowMs)) gone += messages.length;
      out.settled(STREAM, gone, [], nowMs);
      assert.ok(gone - before <= 40, `${gone - before} at once`);
      if (gone < 200) nowMs = Math.max(nowMs + 1, out.deadlineMs);
    }
    assert.ok(nowMs > 6_500 && nowMs < 7_100, `${nowMs}`);
    for (let n = 0; n < 100; n += 1) out.offer(message("t", "fresh"), null, nowMs);
    assert.equal(framesOf(out, nowMs).flatMap(({ messages }) => messages).length, 100);
  });
});

describe("a backlog before the local broker", () => {
  test("goes on at half more than the rate of arrival, in order, and ends when what goes is fresh", () => {
    const { into } = inbound();
    for (let second = 0; second < MINUTE_MS / 1_000; second += 1) {
      arrive(into, second * 100 + 1, 100, second * 1_000, 10);
      republished(into, second * 1_000 + 995, 0);
    }
    assert.equal(into.pace.draining, false);
    into.localDown();
    for (let second = 0; second < 10; second += 1) {
      arrive(into, 6_001 + second * 100, 100, MINUTE_MS + second * 1_000, 10);
      assert.deepEqual(into.pump(0, MINUTE_MS + second * 1_000 + 995), []);
    }
    into.localUp();
    const upMs = MINUTE_MS + 10_000;
    const first = republished(into, upMs, 1_000);
    const count = all(first).length;
    assert.ok(count > 150 && count < 200, `${count} in the first second`);
    assert.equal(into.pace.draining, true);
    const rest = republished(into, upMs + 1_001, 8_000);
    assert.deepEqual([...all(first), ...all(rest)], named(6_001, 1_000));
    const lastMs = [...rest.keys()].at(-1) ?? 0;
    assert.ok(lastMs > upMs + 4_500 && lastMs < upMs + 7_500, `the last after ${lastMs - upMs} ms`);
    arrive(into, 7_001, 400, upMs + 10_000, 0);
    assert.equal(into.pump(0, upMs + 10_000).length, 400, "fresh");
  });

  test("of one stream holds back no other one, nor what is best effort, while each keeps its order", () => {
    const { into } = inbound(["#"], 20);
    into.localDown();
    arrive(into, 1, 100, 0, 0);
    into.pump(0, 0);
    into.localUp();
    republished(into, 2_000, 100);
    const live = { ...frame(1, ["live 1", "live 2"]), stream: LIVE_STREAM };
    const best = { number: null, message: message("t", "best", 0), origin: null };
    into.frame({ ...live, messages: [...live.messages, best] }, 10, 0, 2_101);
    const texts = into.pump(0, 2_101).map(({ message: { payload } }) => new TextDecoder().decode(payload));
    assert.deepEqual(texts, ["live 1", "live 2", "best"]);
    assert.deepEqual(all(republished(into, 2_102, 10_000)).at(-1), "100");
  });

  test("of two streams is paced as one, in the order in which it came", () => {
    const { into } = inbound(["#"], 20);
    into.localDown();
    for (let n = 1; n <= 50; n += 1) {
      into.frame(frame(n, [`${2 * n - 1}`]), 10, 0, 0);
      into.frame({ ...frame(n, [`${2 * n}`]), stream: LIVE_STREAM }, 10, 0, 0);
    }
    into.pump(0, 0);
    into.localUp();
    const texts = all(republished(into, 2_000, 3_000));
    assert.ok(texts.length >= 60 && texts.length <= 66, `${texts.length}`);
    assert.deepEqual(texts, named(1, texts.length));
  });

  test("of a peer's life before goes first, whatever its next life sends", () => {
    const { into } = inbound(["#"], 20);
    into.localDown();
    arrive(into, 1, 50, 0, 0);
    into.pump(0, 0);
    into.localUp();
    into.speakerChanged();
    into.frame({ ...frame(1, ["next life"]), stream: LIVE_STREAM }, 10, 0, 2_000);
    assert.deepEqual(all(republished(into, 2_000, 10_000)), [...named(1, 50), "next life"]);
  });

  test("takes no more than the configured rate", () => {
    const { into } = inbound(["#"], 20);
    into.localDown();
    arrive(into, 1, 100, 0, 0);
    into.pump(0, 0);
    into.localUp();
    const texts = all(republished(into, 2_000, 3_000));
    assert.ok(texts.length >= 60 && texts.length <= 66, `${texts.length}`);
  });

  test("what was under way when the broker went goes first, at the same pace", () => {
    const { into } = inbound(["#"], 20);
    arrive(into, 1, 100, 0, 0);
    assert.equal(into.pump(0, 0).length, 100);
    into.localDown();
    assert.equal(into.deadlineMs, Number.POSITIVE_INFINITY, "it is away");
    arrive(into, 101, 10, 1_990, 0);
    into.localUp();
    assert.ok(into.pump(0, 2_000).length <= 5);
    assert.ok(into.deadlineMs > 2_000 && into.deadlineMs <= 2_050, `${into.deadlineMs}`);
    into.localDown();
    into.localUp();
    assert.deepEqual(all(republished(into, 2_100, 10_000)), named(1, 110));
  });

  test("however old, as long as the brokers before held it: only the wait here counts", () => {
    const { into } = inbound(["#"], 1);
    for (let n = 1; n <= 50; n += 1) into.frame(frame(n, ["x"]), 10, 30_000, 0);
    assert.equal(into.pump(0, 500).length, 50);
  });

  test("more best-effort messages than may be under way all go in one turn", () => {
    const { into } = inbound();
    const messages = named(1, 1_200).map((text) => ({ number: null, message: message("t", text, 0), origin: null }));
    into.frame({ ...frame(1, []), messages }, 10, 0, 0);
    assert.equal(into.pump(0, 0).length, 1_200);
    assert.equal(into.deadlineMs, Number.POSITIVE_INFINITY);
  });
});
