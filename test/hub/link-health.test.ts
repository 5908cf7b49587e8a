import assert from "node:assert/strict";
import { test } from "node:test";
import { linkHealth } from "../../src/hub/link-health.ts";
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

function letters(out: AnnouncerState, nowMs: number, transportUp = true): string {
  return IN.map(
    (incoming) => WORDS[linkHealth({ transportUp, transportSinceMs: 0, everUp: true, out, in: incoming, nowMs })],
  ).join("");
}

test("a link's word is connected only when both halves are, for every pair of states", () => {
  for (const out of OUT) assert.equal(letters(out, PATIENCE_MS - 1), YOUNG[out], `${out}, young`);
});

test("after 15 s a half that is still on its way counts as bad, except a bootstrap", () => {
  for (const out of OUT) assert.equal(letters(out, PATIENCE_MS), OLD[out], `${out}, old`);
});

test("a link whose transport never came up is connecting for 15 s, then disconnected", () => {
  const word = (nowMs: number, everUp: boolean) =>
    linkHealth({ transportUp: false, transportSinceMs: 0, everUp, out: "idle", in: "none", nowMs });
  assert.equal(word(PATIENCE_MS - 1, false), "connecting");
  assert.equal(word(PATIENCE_MS, false), "disconnected");
  assert.equal(word(PATIENCE_MS, true), "disconnected");
});
