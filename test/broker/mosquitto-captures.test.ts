import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Captured, readCapture } from "./captures.ts";
import { MosquittoRig } from "./mosquitto-rig.ts";

const UTF8_ID = "ünï/#+\"'%s%n\\";

/** What each step of the driver means, the same for every version and timestamp. */
const MEANING: Readonly<Record<string, readonly string[]>> = {
  init: ["+OBSERVER $SYS/broker/log/#"],
  "v4-connect-clean": ["up v4clean clean dies"],
  "v4-sub-multi q0,q1,q2": ["+v4clean a/b", "+v4clean c/#", "+v4clean d/+/e"],
  "v4-resub-same-filter-other-qos a/b q2": ["+v4clean a/b"],
  "v4-unsub-known c/#": ["-v4clean c/#"],
  "v4-unsub-unknown zz/y": ["-v4clean zz/y"],
  "v4-unsub-multi": ["-v4clean a/b", "-v4clean d/+/e"],
  "v4-sub-shared $share/g/t/1": ["+v4clean $share/g/t/1"],
  "v4-sub $SYS/#": ["+v4clean $SYS/broker/version"],
  "v4-clean-disconnect (had subs)": ["down v4clean"],
  "v5-connect-clean-start exp0 userprops": ["up v5clean clean ?"],
  "v5-sub options nl rap rh2 subid userprops": ["+v5clean o/1"],
  "v5-sub-shared $share/g1/t/# q2": ["+v5clean $share/g1/t/#"],
  "v5-unsub-shared": ["-v5clean $share/g1/t/#"],
  "v5-unsub-unknown": ["-v5clean nope/x"],
  "v5-disconnect-normal": ["down v5clean"],
  "id-with-spaces connect+sub+unsub+disc": [
    "up id 2 with spaces clean dies",
    "+id 2 with spaces s p/a c e",
    "+id 2 with spaces plain",
    "-id 2 with spaces s p/a c e",
    "down id 2 with spaces",
  ],
  "id-odd: X 1 evil/topic": ["up X 1 evil/topic clean dies", "+X 1 evil/topic real/topic", "down X 1 evil/topic"],
  "id-odd: utf8 + quote + slash + wildcard": [
    `up ${UTF8_ID} clean dies`,
    `+${UTF8_ID} ü/ñ/"x"/%s%d`,
    `down ${UTF8_ID}`,
  ],
  "id-with-newline": [],
  "topic-with-newline": ["up nltopic clean dies", "down nltopic"],
  "topic-with-tab/0x7f": ["up tabtopic clean dies", "down tabtopic"],
  "topic-1500-chars": ["up longtopic clean dies", "+longtopic L/# ?", "down longtopic"],
  "topic-300-levels": ["up manylevels clean dies", "down manylevels"],
  "empty-client-id v4": ["up AUTO clean dies", "+AUTO anon/1", "down AUTO"],
  "empty-client-id v5": ["up AUTO clean ?", "+AUTO anon/2", "down AUTO"],
  "v4-persist connect+sub": ["up v4persist kept stays", "+v4persist p/1", "+v4persist p/2"],
  "v4-persist clean DISCONNECT (session stays)": ["down v4persist"],
  "v4-persist reconnect clean=0 (subs restored, no SUBSCRIBE)": ["up v4persist kept stays"],
  "v4-persist takeover clean=0 (same id, other socket)": ["down v4persist", "up v4persist kept stays"],
  "v4-persist takeover by clean=1 (subs wiped)": ["down v4persist", "up v4persist clean dies"],
  "v4 socket FIN without DISCONNECT": ["down v4persist"],
  "v4 clean: socket RST": ["up v4rst clean dies", "+v4rst r/1", "down v4rst"],
  "v4 clean: takeover by clean (subs lost)": [
    "up dup clean dies",
    "+dup dup/1",
    "down dup",
    "up dup clean dies",
    "down dup",
  ],
  "v5 takeover (reason to old?)": ["up dup5 clean ?", "+dup5 dup/1", "down dup5", "up dup5 clean ?", "down dup5"],
  "kill -9 of client process (mosquitto_sub -k 5)": ["up killed clean dies", "+killed k/9", "down killed"],
  "SIGSTOP keepalive timeout k=1 (raw silent client)": ["up silent clean dies", "+silent k/a", "down silent"],
  "v5 keepalive timeout k=1": ["up silent5 clean ?", "+silent5 k/a", "down silent5"],
  "v5 session-expiry 2s connect+sub": ["up v5exp2 clean ?", "+v5exp2 exp/1"],
  "v5 session-expiry 2s disconnect then wait 6s": ["down v5exp2", "end v5exp2"],
  "v5 expiry60 disconnect with override expiry 0": ["up v5ovr clean ?", "+v5ovr exp/2", "down v5ovr"],
  "v5 expiry60 then reconnect cleanStart=1 (subs wiped)": [
    "up v5re clean ?",
    "+v5re exp/3",
    "down v5re",
    "up v5re clean ?",
    "down v5re",
  ],
  "v5 expiry60 then reconnect cleanStart=0 (subs kept)": [
    "up v5rk clean ?",
    "+v5rk exp/3",
    "down v5rk",
    "up v5rk kept ?",
    "down v5rk",
  ],
  "v5 disconnect reason 4 with will": ["up will5 clean ?", "+will5 w/1", "down will5"],
  "v5 disconnect reason 0x80 (error)": ["up err5 clean ?", "down err5"],
  "v4 will + FIN": ["up will4 clean dies", "+will4 w/1", "down will4"],
  "protocol error (garbage)": ["up garbage clean dies", "+garbage g/1", "down garbage"],
  "second CONNECT on same socket": ["up twice clean dies", "down twice"],
  "tcp connect no CONNECT, close": [],
  "v3.1 (MQIsdp) connect sub": ["up v31 clean dies", "+v31 v31/x", "down v31"],
  "invalid filter a/#/b": ["up badfilter clean dies", "down badfilter"],
  "ACL-denied sub/unsub/pub (user lim)": [
    "up denied5 clean ?",
    "up denied4 clean dies",
    "+denied5 secret/#",
    "+denied5 public/x",
    "+denied4 secret/#",
    "+denied4 public/x",
    "-denied5 secret/#",
    "down denied5",
    "down denied4",
  ],
  "bad password": [],
};

const NO_LOCAL_STEP = "v5-sub-shared + no-local (protocol error expected)";
const NO_LOCAL_ACCEPTED = ["up v5nlshare clean ?", "+v5nlshare $share/g1/t/#", "down v5nlshare"];
const NO_LOCAL_REFUSED = ["up v5nlshare clean ?", "down v5nlshare"];

const FILES = [
  { name: "mosquitto-2.0.11", prefix: "", noLocal: NO_LOCAL_ACCEPTED },
  { name: "mosquitto-2.0.11-ts", prefix: "1795396775: ", noLocal: NO_LOCAL_ACCEPTED },
  { name: "mosquitto-2.0.11-acl", prefix: "2026-11-23T01:25:52: ", noLocal: NO_LOCAL_ACCEPTED },
  { name: "mosquitto-2.0.20", prefix: "", noLocal: NO_LOCAL_REFUSED },
];

function replay(rig: MosquittoRig, lines: readonly Captured[]): Map<string, string[]> {
  const steps = new Map<string, string[]>();
  for (const line of lines) {
    rig.nowMs += 10;
    rig.text(line.topic, line.payload, line.retain);
    const events = rig.sink.take().map((event) => event.replace(/auto-[0-9A-F-]{36}/, "AUTO"));
    steps.set(line.step, [...(steps.get(line.step) ?? []), ...events]);
  }
  return steps;
}

describe("captures of Mosquitto", () => {
  for (const { name, prefix, noLocal } of FILES) {
    test(`every step of ${name} means what it means`, () => {
      const rig = new MosquittoRig({ prefix }).ready();
      const steps = replay(rig, readCapture(name));
      assert.ok(steps.size >= 50, `${steps.size} steps`);
      for (const [step, events] of steps) {
        assert.deepEqual(events, step === NO_LOCAL_STEP ? noLocal : MEANING[step], step);
      }
      assert.deepEqual(rig.sink.oddities, ["cut"]);
      assert.deepEqual(rig.sink.advice, []);
    });
  }

  test("the close of a WebSocket that was taken over is not taken for the end of the new connection", () => {
    const rig = new MosquittoRig({ own: "OBS" }).ready();
    const steps = replay(rig, readCapture("mosquitto-2.0.11-ws"));
    assert.deepEqual(steps.get("ws takeover"), [
      "up ws3 clean dies",
      "+ws3 ws/3",
      "down ws3",
      "up ws3 clean dies",
      "down ws3",
    ]);
    assert.deepEqual(steps.get("ws clean DISCONNECT"), ["down ws1", "count 2 -"]);
    assert.deepEqual(steps.get("ws abrupt"), ["up ws2 clean dies", "+ws2 ws/2", "down ws2"]);
  });
});
