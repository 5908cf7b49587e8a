import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AedesRig } from "./aedes-rig.ts";
import { readCapture } from "./captures.ts";
import { seeded } from "./recorder.ts";

const UTF8_ID = "ünï/#+\"'%s%n\\";
const LONG = /^([+-])longtopic L\/x+\/END$/;

const MEANING: Readonly<Record<string, readonly string[]>> = {
  init: ["+OBSERVER $SYS/#"],
  "v4-connect-clean": ["up v4clean ? ?"],
  "v4-sub-multi q0,q1,q2": ["+v4clean a/b", "+v4clean c/#", "+v4clean d/+/e"],
  "v4-resub-same-filter-other-qos a/b q2": ["+v4clean a/b"],
  "v4-unsub-known c/#": ["-v4clean c/#"],
  "v4-unsub-unknown zz/y": ["-v4clean zz/y"],
  "v4-unsub-multi": ["-v4clean a/b", "-v4clean d/+/e"],
  "v4-sub-shared $share/g/t/1": ["+v4clean $share/g/t/1"],
  "v4-sub $SYS/#": ["+v4clean $SYS/broker/version"],
  "v4-clean-disconnect (had subs)": ["down v4clean", "-v4clean $share/g/t/1", "-v4clean $SYS/broker/version"],
  "id-with-spaces connect+sub+unsub+disc": [
    "up id 2 with spaces ? ?",
    "+id 2 with spaces s p/a c e",
    "+id 2 with spaces plain",
    "-id 2 with spaces s p/a c e",
    "down id 2 with spaces",
    "-id 2 with spaces plain",
  ],
  "id-odd: utf8 + quote + slash + wildcard": [
    `up ${UTF8_ID} ? ?`,
    `+${UTF8_ID} ü/ñ/"x"/%s%d`,
    `down ${UTF8_ID}`,
    `-${UTF8_ID} ü/ñ/"x"/%s%d`,
  ],
  "id-with-newline": ["up nl\nid ? ?", "+nl\nid nl", "down nl\nid", "-nl\nid nl"],
  "topic-with-newline": ["up nltopic ? ?", "+nltopic x\ny 0 z", "down nltopic", "-nltopic x\ny 0 z"],
  "topic-1500-chars": ["up longtopic ? ?", "+longtopic LONG", "down longtopic", "-longtopic LONG"],
  "v4-persist connect+sub": ["up v4persist ? ?", "+v4persist p/1", "+v4persist p/2"],
  "v4-persist clean DISCONNECT (session stays)": ["down v4persist"],
  "v4-persist reconnect clean=0 (subs restored, no SUBSCRIBE)": ["up v4persist ? ?"],
  "v4-persist takeover clean=0 (same id, other socket)": ["down v4persist", "up v4persist ? ?"],
  "v4-persist takeover by clean=1 (subs wiped)": ["down v4persist", "up v4persist ? ?"],
  "v4 clean: takeover by clean (subs lost)": [
    "up dup ? ?",
    "+dup dup/1",
    "down dup",
    "up dup ? ?",
    "-dup dup/1",
    "down dup",
  ],
  "kill -9 of client process (mosquitto_sub -k 5)": ["up killed ? ?", "+killed k/9", "down killed", "-killed k/9"],
  "second CONNECT on same socket": ["up twice ? ?", "down twice"],
  "invalid filter a/#/b": ["up badfilter ? ?", "down badfilter"],
};

describe("captures of Aedes", () => {
  test("every step means what it means", () => {
    const rig = new AedesRig().ready();
    const steps = new Map<string, string[]>();
    for (const { step, topic, payload, retain } of readCapture("aedes-1.2.0")) {
      rig.raw(topic, payload, retain);
      const events = rig.sink.take().map((event) => event.replace(LONG, "$1longtopic LONG"));
      steps.set(step, [...(steps.get(step) ?? []), ...events]);
    }
    for (const [step, events] of Object.entries(MEANING)) assert.deepEqual(steps.get(step), events, step);
    assert.deepEqual(rig.sink.oddities, []);
  });
});

describe("the probe", () => {
  test("asks with an unsubscribe nobody else can print, and an answer proves the events", () => {
    const rig = new AedesRig();
    rig.up();
    assert.deepEqual(rig.sink.take(), []);
    assert.deepEqual(rig.session.subscribed, [
      ["$SYS/+/new/clients", "$SYS/+/new/subscribes", "$SYS/+/new/unsubscribes", "$SYS/+/disconnect/clients"],
    ]);
    rig.unsubs("other", [rig.session.probe()]);
    assert.ok(!rig.sink.take().includes("enabled"));
    rig.unsubs("OBSERVER", [rig.session.probe()]);
    assert.deepEqual(rig.sink.take(), ["enabled"]);
    assert.equal(rig.adapter.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("no answer in 5 s: disabled with advice, asked again, believed later", () => {
    const rig = new AedesRig();
    rig.up();
    rig.adapter.tick(rig.nowMs + 5_000);
    assert.deepEqual(rig.sink.take(), ["disabled"]);
    assert.match(rig.sink.advice[0] ?? "", /authorizeForward/);
    rig.adapter.tick(rig.nowMs + 35_000);
    rig.unsubs("OBSERVER", [rig.session.probe()]);
    assert.deepEqual(rig.sink.take(), ["enabled"]);
    rig.adapter.refreshCount(rig.nowMs);
    assert.equal(rig.session.subscribed.length, 1);
  });

  test("every reconnect is a gap, for nothing is queued", () => {
    const rig = new AedesRig().ready();
    for (const [how, reason] of [
      [{ sessionPresent: true, awayMs: 5 }, "events_dropped"],
      [{ sessionPresent: true, awayMs: 15_001 }, "away_too_long"],
      [{ sessionPresent: false, awayMs: 5 }, "session_lost"],
    ] as const) {
      rig.adapter.down(rig.nowMs);
      rig.up(how);
      assert.deepEqual(rig.sink.take(), [`gap ${reason}`]);
    }
    const late = new AedesRig();
    late.up({ sessionPresent: true, awayMs: null });
    assert.deepEqual(late.sink.take(), ["gap session_lost"]);
  });
});

describe("limits and hostile events", () => {
  test("clients past the limit are counted as unknown: nothing of theirs is removed for certain", () => {
    const rig = new AedesRig(1).ready();
    rig.client("one");
    rig.client("two");
    rig.subs("two", ["x"]);
    rig.unsubs("two", ["x"]);
    assert.deepEqual(rig.sink.take(), ["up one ? ?", "up two ? ?", "+two x", "-two x ?"]);
    rig.gone("one");
    rig.client("three");
    rig.subs("three", ["x"]);
    rig.unsubs("three", ["x"]);
    assert.deepEqual(rig.sink.take(), ["down one", "up three ? ?", "+three x", "-three x"]);
  });

  test("a refused subscription is none", () => {
    const rig = new AedesRig().ready();
    rig.subs("c", ["secret"], 128);
    assert.deepEqual(rig.sink.take(), []);
    assert.deepEqual(rig.sink.oddities, []);
  });

  test("retained and other topics are not events", () => {
    const rig = new AedesRig().ready();
    rig.raw("$SYS/n/new/clients", "c", true);
    rig.raw("$SYS/n/heartbeat", "n");
    rig.raw("$SYS/n/x/new/clients", "c");
    rig.raw("x/n/new/clients", "c");
    assert.deepEqual(rig.sink.take(), []);
  });

  test("what is not an event makes the table incomplete and is counted", () => {
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      '"x"',
      "{}",
      '{"clientId":1,"subs":[]}',
      '{"clientId":"c"}',
      '{"clientId":"c","subs":{}}',
      '{"__proto__":{"clientId":"c","subs":[{"topic":"x","qos":1}]}}',
      '{"clientId":"c","subs":[{"__proto__":{"topic":"x","qos":1}}]}',
      '{"clientId":"c","subs":[null]}',
      '{"clientId":"c","subs":[{"topic":"x"}]}',
      '{"clientId":"c","subs":[{"topic":"a/#/b","qos":1}]}',
      "[".repeat(100_000),
      `{"clientId":"c","subs":[],"pad":"${"x".repeat(4 * 1024 * 1024)}"}`,
    ]) {
      const rig = new AedesRig().ready();
      rig.raw("$SYS/n/new/subscribes", text);
      assert.deepEqual(rig.sink.take(), ["gap events_unparsable"], text.slice(0, 60));
      assert.deepEqual(rig.sink.oddities, ["unparsable"]);
    }
    const rig = new AedesRig().ready();
    rig.unsubs("c", ["x", 7, "a/#/b"]);
    rig.client("");
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable", "-c x", "gap events_unparsable"]);
  });

  test("random events never throw", () => {
    const random = seeded(5);
    const rig = new AedesRig().ready();
    for (let round = 0; round < 5_000; round += 1) {
      const bytes = new Uint8Array(Math.floor(random() * 60)).map(() => Math.floor(random() * 256));
      const topic = ["new/clients", "new/subscribes", "new/unsubscribes", "disconnect/clients"][round % 4];
      rig.adapter.message(`$SYS/n/${topic}`, bytes, false, rig.nowMs);
    }
  });
});
