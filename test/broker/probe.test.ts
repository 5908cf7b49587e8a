import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBE_AGAIN_MS, PROBE_ANSWER_MS, Probe } from "../../src/broker/probe.ts";
import { seeded } from "./recorder.ts";

test("asks with names nobody can guess, is silent once, and asks again", () => {
  const probe = new Probe("p", seeded(7));
  assert.equal(probe.deadlineMs, Number.POSITIVE_INFINITY);
  assert.equal(probe.tick(1e12), null);
  const first = probe.ask(0);
  assert.match(first, /^p-[0-9a-f]{16}$/);
  assert.equal(probe.tick(PROBE_ANSWER_MS - 1), null);
  assert.equal(probe.tick(PROBE_ANSWER_MS), "silent");
  assert.equal(probe.filter, first);
  assert.equal(probe.tick(PROBE_ANSWER_MS + PROBE_AGAIN_MS), "again");
  assert.notEqual(probe.ask(40_000), first);
});

test("an answer ends the waiting, and so does a lost connection", () => {
  const probe = new Probe("p", seeded(7));
  probe.ask(0);
  probe.answered();
  assert.deepEqual([probe.filter, probe.deadlineMs, probe.tick(1e12)], [null, Number.POSITIVE_INFINITY, null]);
});

test("an answer that was not enough is asked for again", () => {
  const probe = new Probe("p", seeded(7));
  probe.ask(0);
  probe.answered();
  probe.notEnough(100);
  assert.equal(probe.tick(100 + PROBE_AGAIN_MS), "again");
});
