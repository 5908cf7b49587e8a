import assert from "node:assert/strict";
import { test } from "node:test";
import { STATIC_CLIENT, StaticAdapter } from "../../src/broker/static.ts";
import { FakeSession, Recorder } from "./recorder.ts";

const EVENTS = ["enabled", `up ${STATIC_CLIENT} clean stays`, `+${STATIC_CLIENT} t/#`, `+${STATIC_CLIENT} $share/g/x`];

test("the filters are there before the broker is reached, once", () => {
  const sink = new Recorder();
  const adapter = new StaticAdapter(["t/#", "$share/g/x"], sink);
  assert.equal(adapter.deadlineMs, 0);
  adapter.tick(5);
  assert.deepEqual(sink.take(), EVENTS);
  assert.equal(adapter.deadlineMs, Number.POSITIVE_INFINITY);
  adapter.up(new FakeSession("own"), { sessionPresent: false, awayMs: null }, 6);
  adapter.message("x", new Uint8Array(), false, 7);
  adapter.refreshCount(8);
  adapter.down(9);
  adapter.tick(10);
  assert.deepEqual(sink.take(), []);
});

test("a connection that comes first does as well", () => {
  const sink = new Recorder();
  const session = new FakeSession("own");
  new StaticAdapter(["t/#", "$share/g/x"], sink).up(session, { sessionPresent: true, awayMs: null }, 6);
  assert.deepEqual(sink.take(), EVENTS);
  assert.deepEqual(session.subscribed, []);
});
