import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkHealth } from "../../src/hub/link-health.ts";
import { Passage } from "../../src/hub/passage.ts";
import type { AcceptorState } from "../../src/link/acceptor.ts";
import type { AnnouncerState } from "../../src/link/announcer.ts";

const PATIENCE_MS = 15_000;
const OUT: readonly AnnouncerState[] = ["idle", "greeting", "refused", "bootstrapping", "online"];
const IN: readonly AcceptorState[] = ["none", "greeted", "online", "silent", "paused", "left"];

/** Rows: our routes at the peer; columns: the peer's here. First letters of connected, connecting (g), disconnected, inconsistent. */
const YOUNG: Readonly<Record<AnnouncerState, string>> = {
  idle: "ggiddd",
  greeting: "gggggg",
  refused: "ggiddd",
  bootstrapping: "gggggg",
  online: "ggciii",
};
const OLD: Readonly<Record<AnnouncerState, string>> = {
  idle: "ddiddd",
  greeting: "ddiddd",
  refused: "ddiddd",
  bootstrapping: "gggggg",
  online: "iiciii",
};
const WORDS = { connected: "c", connecting: "g", disconnected: "d", inconsistent: "i" } as const;

function letters(out: AnnouncerState, nowMs: number): string {
  return IN.map((incoming) => {
    const health = new LinkHealth(new Passage("b"), 0);
    health.transport(true, 0);
    health.judge({ out, in: incoming, nowMs });
    return WORDS[health.word];
  }).join("");
}

test("a link's word is connected only when both halves are, for every pair of states", () => {
  for (const out of OUT) assert.equal(letters(out, PATIENCE_MS - 1), YOUNG[out], `${out}, young`);
});

test("after 15 s a half that is still on its way counts as bad, except a bootstrap", () => {
  for (const out of OUT) assert.equal(letters(out, PATIENCE_MS), OLD[out], `${out}, old`);
});

test("a link whose transport never came up is connecting for 15 s, then disconnected", () => {
  const word = (nowMs: number, everUp: boolean) => {
    const health = new LinkHealth(new Passage("b"), 0);
    if (everUp) health.transport(true, 0);
    health.transport(false, 0);
    health.judge({ out: "idle", in: "none", nowMs });
    return health.word;
  };
  assert.equal(word(PATIENCE_MS - 1, false), "connecting");
  assert.equal(word(PATIENCE_MS, false), "disconnected");
  assert.equal(word(PATIENCE_MS, true), "disconnected");
});

test("only a change of the word is told, and patience begins anew with each change of the transport", () => {
  const health = new LinkHealth(new Passage("b"), 0);
  assert.equal(health.judge({ out: "idle", in: "none", nowMs: 1 }), false);
  health.transport(true, 20_000);
  assert.equal(health.judge({ out: "greeting", in: "none", nowMs: 20_001 }), false);
  assert.equal(health.judge({ out: "online", in: "online", nowMs: 20_002 }), true);
  assert.equal(health.judge({ out: "online", in: "online", nowMs: 20_003 }), false);
  health.transport(false, 30_000);
  // It was gone already: nothing new.
  health.transport(false, 40_000);
  assert.equal(health.judge({ out: "idle", in: "greeted", nowMs: 44_999 }), true);
  assert.equal(health.word, "connecting");
  assert.equal(health.judge({ out: "idle", in: "greeted", nowMs: 45_000 }), true);
  assert.equal(health.word, "disconnected");
});

test("a half whose messages or words are refused on the way does not work, whatever the conversation believes", () => {
  const passage = new Passage("b");
  const health = new LinkHealth(passage, 0);
  health.transport(true, 0);
  const word = (): string => {
    health.judge({ out: "online", in: "online", nowMs: 1 });
    return health.word;
  };
  assert.equal(word(), "connected");
  passage.frameAnswered(0x87);
  assert.equal(word(), "inconsistent");
  assert.equal(
    health.why({ out: "online", in: "online" }),
    "out online, in online, transport up, the broker refuses our message frames with 0x87",
  );
  passage.frameAnswered(0);
  assert.equal(word(), "connected");
  passage.controlAnswered(0x87);
  assert.equal(word(), "inconsistent");
  passage.peerSays({ framesRefused: 0x87, unheard: false });
  assert.equal(word(), "disconnected", "neither direction works");
  passage.controlAnswered(0);
  assert.equal(word(), "inconsistent");
});
