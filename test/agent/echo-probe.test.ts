import assert from "node:assert/strict";
import { test } from "node:test";
import { EchoProbe } from "../../src/agent/echo-probe.ts";
import { FakeSession } from "./fake-session.ts";

const TOPIC = "$LINK/v1/a/a/probe-echo";
const OK = { ok: true, reasonCode: 0 } as const;

function probe(askAgainMs = 60_000) {
  const data = new FakeSession();
  const link = new FakeSession();
  const answers: boolean[] = [];
  const probe = new EchoProbe(TOPIC, data, link, askAgainMs);
  const arrives = (text: string): boolean => probe.message(TOPIC, Buffer.from(text));
  return { data, link, answers, probe, arrives, ready: () => probe.dataReady((echoing) => answers.push(echoing)) };
}

test("the sentinel goes only when our own message is known to be at the broker and the link session is there", () => {
  const { data, link, probe: asked, ready } = probe();
  asked.linkReady();
  ready();
  assert.deepEqual([data.texts, link.texts], [[], []]);
  data.subscribed[0]?.done([1]);
  assert.deepEqual([data.texts, link.texts], [["own 1"], []]);
  data.published[0]?.done(OK);
  assert.deepEqual(link.texts, ["sentinel 1"]);
  asked.stop();
  const later = probe();
  later.ready();
  later.data.subscribed[0]?.done([1]);
  later.data.published[0]?.done(OK);
  assert.deepEqual(later.link.texts, []);
  later.probe.linkReady();
  assert.deepEqual(later.link.texts, ["sentinel 1"]);
  later.probe.stop();
});

for (const [first, echoing] of [
  ["own 1", true],
  ["sentinel 1", false],
] as const) {
  test(`"${first}" first: the broker ${echoing ? "echoes" : "does not echo"}`, () => {
    const { data, answers, arrives, ready } = probe();
    ready();
    data.subscribed[0]?.done([1]);
    assert.equal(arrives(first), true);
    arrives(echoing ? "sentinel 1" : "own 1");
    assert.deepEqual(answers, [echoing]);
  });
}

test("other topics are not the probe's, and odd bytes on its own are nobody's answer", () => {
  const { data, answers, probe: asked, arrives, ready } = probe();
  ready();
  data.subscribed[0]?.done([1]);
  assert.equal(asked.message("t", Buffer.from("own 1")), false);
  for (const text of ["", "own", "own 7", "sentinel", "\u0000"]) assert.equal(arrives(text), true);
  assert.deepEqual(answers, []);
  asked.stop();
});

test("what a durable session still holds from before is no answer to a new question", () => {
  const { data, answers, probe: asked, arrives, ready } = probe();
  ready();
  data.subscribed[0]?.done([1]);
  data.published[0]?.done(OK);
  asked.dataLost();
  ready();
  data.subscribed[1]?.done([1]);
  arrives("sentinel 1");
  assert.deepEqual(answers, []);
  arrives("own 2");
  assert.deepEqual(answers, [true]);
});

test("a sentinel that is lost with its connection goes again on the next", () => {
  const { data, link, probe: asked, ready } = probe();
  asked.linkReady();
  ready();
  data.subscribed[0]?.done([1]);
  data.published[0]?.done(OK);
  asked.linkLost();
  asked.linkReady();
  assert.deepEqual(link.texts, ["sentinel 1", "sentinel 1"]);
  asked.stop();
});

test("while neither comes through it asks again, and stops when it knows", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { data, link, answers, probe: asked, arrives, ready } = probe(5_000);
  asked.linkReady();
  ready();
  data.subscribed[0]?.done([1]);
  t.mock.timers.tick(5_000);
  t.mock.timers.tick(5_000);
  assert.deepEqual(data.texts, ["own 1", "own 2", "own 3"]);
  data.published[1]?.done(OK);
  assert.deepEqual(link.texts, [], "the answer to an earlier round counts no more");
  data.published[2]?.done(OK);
  assert.deepEqual(link.texts, ["sentinel 3"]);
  arrives("sentinel 3");
  assert.deepEqual(answers, [false]);
  t.mock.timers.tick(60_000);
  assert.equal(data.published.length, 3);
});

test("a connection that is lost ends the question", () => {
  const { data, answers, probe: asked, arrives, ready } = probe();
  ready();
  data.subscribed[0]?.done(null);
  assert.deepEqual(data.texts, []);
  asked.dataLost();
  arrives("own 1");
  assert.deepEqual(answers, []);
});
