import assert from "node:assert/strict";
import { test } from "node:test";
import { FILTERS_MAX, ROUNDS_MAX, StoredDoubt } from "../../src/agent/stored-doubt.ts";
import { FakeSession } from "./fake-session.ts";

const TOPIC = "$LINK/v1/a/a/probe-echo";
const BRIDGED = { protocolVersion: 4, bridged: true } as const;

/** Connected, and sure of what it gets. */
function sure() {
  const link = new FakeSession();
  const doubt = new StoredDoubt(TOPIC, "life", link, 5_000);
  doubt.dataConnected(BRIDGED);
  doubt.dataReady();
  doubt.linkReady();
  const arrives = (text = link.texts.at(-1) ?? "none"): boolean => doubt.message(TOPIC, Buffer.from(text));
  arrives();
  return { link, doubt, arrives };
}

test("from the first connection on stored messages are in doubt, until the sentinel has come", () => {
  const link = new FakeSession();
  const doubt = new StoredDoubt(TOPIC, "life", link);
  doubt.dataConnected(BRIDGED);
  doubt.linkReady();
  assert.deepEqual(link.texts, [], "nobody would receive it");
  doubt.dataReady();
  assert.deepEqual(link.texts, ["stored life 1"]);
  assert.equal(doubt.message(TOPIC, Buffer.from("stored life 1")), true);
  assert.equal(doubt.doubts("t"), false);
});

test("a SUBSCRIBE brings the doubt back, and only a sentinel from behind the last SUBACK ends it", () => {
  const { link, doubt, arrives } = sure();
  doubt.subscribing(["t"]);
  doubt.subscribing(["t"]);
  doubt.subscribed();
  assert.deepEqual(link.texts, ["stored life 1"]);
  doubt.subscribed();
  assert.equal(link.texts.length, 2);
  const early = link.texts.at(-1);
  doubt.subscribing(["t"]);
  assert.equal(arrives(early), true);
  assert.equal(doubt.doubts("t"), true);
  doubt.subscribed();
  arrives();
  arrives();
  assert.equal(doubt.doubts("t"), false);
});

test("a round in which one came is followed by another, up to the limit", () => {
  const { link, doubt, arrives } = sure();
  doubt.subscribing(["t"]);
  doubt.subscribed();
  assert.equal(doubt.doubts("t"), true);
  arrives();
  assert.equal(doubt.doubts("t"), true, "one of those that come at the broker's leisure");
  arrives();
  arrives();
  assert.equal(doubt.doubts("t"), false, "nothing came in the last round");
  assert.equal(link.texts.length, 4);
  doubt.subscribing(["t"]);
  doubt.subscribed();
  for (let round = 1; round < ROUNDS_MAX; round += 1) {
    assert.equal(doubt.doubts("t"), true);
    arrives();
  }
  assert.equal(doubt.doubts("t"), true);
  arrives();
  assert.equal(doubt.doubts("t"), false, "clients that never stop get their flag back");
});

test("only what a filter of the last SUBSCRIBEs matches is in doubt; past the limit everything is", () => {
  const { doubt, arrives } = sure();
  const inDoubt = (): boolean[] => ["t/1", "u/1", "v/1"].map((topic) => doubt.doubts(topic));
  doubt.subscribing(["t/#"]);
  assert.deepEqual(inDoubt(), [true, false, false]);
  doubt.subscribed();
  doubt.subscribing(["u/+"]);
  assert.deepEqual(inDoubt(), [true, true, false]);
  doubt.subscribed();
  arrives();
  doubt.doubts("v/1");
  arrives();
  assert.deepEqual(inDoubt(), [false, false, false], "and what is not in doubt asks for no further round");
  doubt.subscribing(["v/1"]);
  assert.deepEqual(inDoubt(), [false, false, true]);
  doubt.subscribing(Array.from({ length: FILTERS_MAX }, (_, n) => `w/${n}`));
  assert.deepEqual(inDoubt(), [true, true, true]);
  doubt.stop();
});

test("other topics and payloads are not the sentinel's, and that of an earlier life ends nothing", () => {
  const { link, doubt } = sure();
  doubt.subscribing(["t"]);
  doubt.subscribed();
  assert.equal(doubt.message("t", Buffer.from(link.texts.at(-1) ?? "")), false);
  assert.equal(doubt.message(TOPIC, Buffer.from("own 1")), false, "the other probe's");
  assert.equal(doubt.message(TOPIC, Buffer.from("stored before 3")), true);
  assert.equal(doubt.doubts("t"), true);
  doubt.stop();
});

test("a connection that breaks leaves the doubt as it was, and the next one asks again", () => {
  const { link, doubt, arrives } = sure();
  doubt.dataLost();
  doubt.dataConnected(BRIDGED);
  doubt.dataReady();
  assert.equal(doubt.doubts("t"), false, "the session holds what clients published meanwhile");
  assert.equal(link.texts.length, 1);
  doubt.subscribing(["t"]);
  doubt.dataLost();
  doubt.dataConnected(BRIDGED);
  doubt.dataReady();
  assert.equal(doubt.doubts("t"), true);
  arrives();
  arrives();
  assert.equal(doubt.doubts("t"), false);
});

test("a sentinel that gets lost is sent again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { link, doubt, arrives } = sure();
  doubt.subscribing(["t"]);
  doubt.linkLost();
  doubt.subscribed();
  assert.equal(link.texts.length, 1);
  doubt.linkReady();
  assert.equal(link.texts.length, 2);
  for (let n = 0; n < 2; n += 1) t.mock.timers.tick(5_000);
  assert.equal(link.texts.length, 4);
  arrives();
  t.mock.timers.tick(60_000);
  assert.equal(link.texts.length, 4);
});

test("on MQTT 5 nothing is in doubt, without the bridge bit all that is flagged was stored, and neither is asked about", () => {
  for (const [protocolVersion, doubts] of [
    [5, false],
    [4, true],
  ] as const) {
    const link = new FakeSession();
    const doubt = new StoredDoubt(TOPIC, "life", link);
    doubt.dataConnected({ protocolVersion, bridged: false });
    doubt.linkReady();
    doubt.dataReady();
    doubt.subscribing(["t"]);
    doubt.subscribed();
    assert.deepEqual([doubt.doubts("t"), link.texts], [doubts, []]);
  }
});
