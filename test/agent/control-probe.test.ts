import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlProbe } from "../../src/agent/control-probe.ts";
import { until } from "../support/until.ts";
import { FakeSession } from "./fake-session.ts";

const TOPIC = "$LINK/v1/a/a/probe";

function probe(times = { answerMs: 30, askAgainMs: 30 }) {
  const data = new FakeSession();
  const said: string[] = [];
  const probe = new ControlProbe(
    TOPIC,
    data,
    {
      controlDenied: (topic, why) => said.push(`${topic} denied: ${why}`),
      controlWorks: () => said.push("works"),
    },
    times,
  );
  return { data, said, probe };
}

test("asks once both sessions are there, whichever comes first", () => {
  const one = probe();
  one.data.connected = false;
  one.probe.listening(true);
  assert.deepEqual(one.data.texts, []);
  one.data.connected = true;
  one.probe.dataUp();
  assert.deepEqual(one.data.texts, ["probe"]);
  one.probe.dataUp();
  assert.deepEqual(one.data.texts, ["probe"], "one at a time");
  one.probe.stop();
  const other = probe();
  other.probe.dataUp();
  other.probe.listening(true);
  assert.deepEqual(other.data.texts, ["probe"]);
  other.probe.stop();
});

test("what comes back works, and is nobody else's message", () => {
  const { said, probe: asked } = probe();
  asked.listening(true);
  assert.equal(asked.message("$LINK/v1/a/b/ctl"), false);
  assert.equal(asked.message(TOPIC), true);
  assert.deepEqual(said, ["works"]);
});

test("a publish that is refused is named at once, with the right that is missing", () => {
  const { data, said, probe: asked } = probe({ answerMs: 60_000, askAgainMs: 60_000 });
  asked.listening(true);
  data.published[0]?.done({ ok: true, reasonCode: 0x87 });
  assert.deepEqual(said, [`${TOPIC} denied: PUBLISH refused: not authorized (0x87); the user needs write on it`]);
  asked.stop();
});

test("what never comes back is named after a while; in 3.1.1 either right may be missing", async () => {
  for (const [version, rights] of [
    [5, "needs read on it"],
    [4, "needs read and write on it"],
  ] as const) {
    const { data, said, probe: asked } = probe({ answerMs: 10, askAgainMs: 60_000 });
    data.protocolVersion = version;
    asked.listening(true);
    data.published[0]?.done({ ok: true, reasonCode: 0 });
    await until("it is named", () => said.length === 1);
    assert.match(said[0] ?? "", new RegExp(`never delivered to us: the user ${rights}$`));
    asked.stop();
  }
});

test("after a denial it asks again, until the list is mended", async () => {
  const { data, said, probe: asked } = probe({ answerMs: 60_000, askAgainMs: 5 });
  asked.listening(true);
  for (let round = 1; round <= 3; round += 1) {
    await until(`question ${round}`, () => data.published.length === round);
    data.published[round - 1]?.done({ ok: true, reasonCode: 0x87 });
  }
  await until("question 4", () => data.published.length === 4);
  asked.message(TOPIC);
  assert.deepEqual(
    said.map((text) => text === "works"),
    [false, false, false, true],
  );
});

test("a connection that is lost says nothing about rights, and the next one asks again", () => {
  const { data, said, probe: asked } = probe({ answerMs: 60_000, askAgainMs: 60_000 });
  asked.listening(true);
  data.published[0]?.done({ ok: false, why: "lost" });
  asked.dataUp();
  assert.equal(data.published.length, 2);
  asked.listening(false);
  asked.listening(true);
  assert.equal(data.published.length, 3);
  assert.deepEqual(said, []);
  asked.stop();
});

test("after stop nothing is said any more, and nothing asked", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { data, said, probe: asked } = probe();
  asked.listening(true);
  asked.stop();
  data.published[0]?.done({ ok: true, reasonCode: 0x87 });
  t.mock.timers.tick(1_000);
  assert.deepEqual(said, []);
  assert.equal(data.published.length, 1);
});
