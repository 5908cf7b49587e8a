import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { ControlProbe } from "../../src/agent/control-probe.ts";
import { FakeSession } from "./fake-session.ts";

const TOPIC = "$LINK/v1/a/a/probe";
const INBOX = "$LINK/v1/a/a/msg";
const TIMES = { answerMs: 5_000, everyMs: 20_000, doubtMs: 1_000, askAgainMs: 20_000, askAgainMaxMs: 60_000 };

function probe() {
  const data = new FakeSession();
  const said: string[] = [];
  const events = {
    controlDenied: (topic: string, why: string) => said.push(`${topic} denied: ${why}`),
    controlWorks: () => said.push("works"),
  };
  const probe = new ControlProbe([TOPIC, INBOX], data, events, TIMES);
  return {
    data,
    said,
    probe,
    /** Questions so far. */
    get asked() {
      return data.published.filter(({ topic }) => topic === TOPIC).length;
    },
    answer(reasonCode: number) {
      for (const { done } of data.published.slice(-2)) done({ ok: true, reasonCode });
    },
    lose() {
      for (const { done } of data.published.slice(-2)) done({ ok: false, why: "lost" });
    },
    arrive(...topics: readonly string[]) {
      return topics.map((topic) => probe.message(topic));
    },
  };
}

describe("the control probe", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());
  const pass = (ms: number): void => mock.timers.tick(ms);

  test("asks once both sessions are there, whichever comes first", () => {
    const one = probe();
    one.data.connected = false;
    one.probe.listening(true);
    assert.equal(one.asked, 0);
    one.data.connected = true;
    one.probe.dataUp();
    assert.deepEqual(
      one.data.published.map(({ topic, text }) => [topic, text]),
      [
        [TOPIC, "probe"],
        [INBOX, "probe"],
      ],
    );
    one.probe.dataUp();
    assert.equal(one.asked, 1, "one at a time");
    const other = probe();
    other.probe.dataUp();
    assert.equal(other.asked, 0);
    other.probe.listening(true);
    assert.equal(other.asked, 1);
  });

  test("works when everything came back, and is asked again after 20 s", () => {
    const rig = probe();
    rig.probe.listening(true);
    assert.deepEqual(rig.arrive("$LINK/v1/a/b/ctl", TOPIC), [false, true]);
    assert.deepEqual(rig.said, []);
    rig.arrive(INBOX);
    assert.deepEqual(rig.said, ["works"]);
    pass(19_999);
    assert.equal(rig.asked, 1);
    pass(1);
    assert.equal(rig.asked, 2);
    rig.answer(0x87);
    assert.match(rig.said[1] ?? "", /probe denied: PUBLISH refused: not authorized/);
  });

  test("a publish that is refused is named at once, with the right that is missing, and once", () => {
    const rig = probe();
    rig.probe.listening(true);
    rig.answer(0x87);
    assert.deepEqual(rig.said, [`${TOPIC} denied: PUBLISH refused: not authorized (0x87); the user needs write on it`]);
  });

  test("what never comes back is named after a while; in 3.1.1 either right may be missing", () => {
    for (const [version, rights] of [
      [5, "needs read on it"],
      [4, "needs read and write on it"],
    ] as const) {
      const rig = probe();
      rig.data.protocolVersion = version;
      rig.probe.listening(true);
      rig.answer(0);
      rig.arrive(TOPIC);
      pass(4_999);
      assert.deepEqual(rig.said, []);
      pass(1);
      assert.match(rig.said[0] ?? "", new RegExp(`^${INBOX.replace("$", "\\$")} denied: .* the user ${rights}$`));
    }
  });

  test("after a denial it asks again, until the list is mended", () => {
    const rig = probe();
    rig.probe.listening(true);
    for (let round = 1; round <= 3; round += 1) {
      assert.equal(rig.asked, round);
      rig.answer(0x87);
      pass(20_000);
    }
    rig.arrive(TOPIC, INBOX);
    assert.deepEqual(
      rig.said.map((text) => text === "works"),
      [false, false, false, true],
    );
  });

  test("a broker that hangs up behind each refusal is not asked with each connection, and more seldom", () => {
    const rig = probe();
    rig.probe.listening(true);
    const waits: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      rig.answer(0x87);
      const { asked } = rig;
      rig.data.connected = false;
      rig.data.connected = true;
      rig.probe.dataUp();
      assert.equal(rig.asked, asked);
      let waitedMs = 0;
      for (; rig.asked === asked && waitedMs < 200_000; waitedMs += 1_000) pass(1_000);
      waits.push(waitedMs);
    }
    assert.deepEqual(waits, [20_000, 40_000, 60_000, 60_000]);
    rig.arrive(TOPIC, INBOX);
    pass(20_000);
    rig.answer(0x87);
    const { asked } = rig;
    pass(20_000);
    assert.equal(rig.asked, asked + 1, "what worked in between is forgotten");
  });

  test("a doubt is asked a second later, many doubts once, and none while it is asked or denied anyway", () => {
    const rig = probe();
    rig.probe.doubt();
    pass(1_000);
    assert.equal(rig.asked, 0, "nobody listens yet");
    rig.probe.listening(true);
    rig.probe.doubt();
    rig.arrive(TOPIC, INBOX);
    pass(5_000);
    assert.equal(rig.asked, 1);
    rig.probe.doubt();
    pass(900);
    rig.probe.doubt();
    pass(100);
    assert.equal(rig.asked, 2);
    rig.answer(0x87);
    rig.probe.doubt();
    pass(19_999);
    assert.equal(rig.asked, 2);
  });

  test("a connection that is lost says nothing about rights, and the next one asks again", () => {
    const rig = probe();
    rig.probe.listening(true);
    rig.lose();
    rig.probe.dataUp();
    assert.equal(rig.asked, 2);
    rig.probe.listening(false);
    rig.probe.listening(true);
    assert.equal(rig.asked, 3);
    rig.data.published[2]?.done({ ok: true, reasonCode: 0x87 });
    assert.deepEqual(rig.said, [], "an answer to an earlier question is none to this one");
  });

  test("what was denied stays so while no connection can be asked, and is asked after it", () => {
    const rig = probe();
    rig.probe.listening(true);
    rig.answer(0x87);
    rig.data.connected = false;
    pass(60_000);
    assert.equal(rig.asked, 1);
    rig.data.connected = true;
    pass(20_000);
    assert.equal(rig.asked, 2);
    rig.answer(0x87);
    rig.probe.listening(false);
    pass(60_000);
    assert.equal(rig.asked, 2);
    rig.probe.listening(true);
    pass(20_000);
    assert.equal(rig.asked, 3);
  });

  test("after stop nothing is said any more, and nothing asked", () => {
    const rig = probe();
    rig.probe.listening(true);
    rig.probe.stop();
    rig.answer(0x87);
    rig.probe.doubt();
    pass(100_000);
    assert.deepEqual(rig.said, []);
    assert.equal(rig.asked, 1);
  });
});
