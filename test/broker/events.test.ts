import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EventsUp } from "../../src/broker/adapter.ts";
import { EMQX_EVENTS_TOPIC, EventsAdapter } from "../../src/broker/events.ts";
import { readCapture } from "./captures.ts";
import { encoder, FakeSession, Recorder, seeded } from "./recorder.ts";
import { RowTable } from "./row-table.ts";

class EventsRig {
  readonly sink = new Recorder();
  readonly adapter: EventsAdapter;
  readonly session = new FakeSession("OWN");
  nowMs = 1_000_000;

  constructor(kind: "emqx" | "events" = "events", clientsMax = 100) {
    const topic = kind === "emqx" ? EMQX_EVENTS_TOPIC : "plugin/events/#";
    this.adapter = new EventsAdapter(kind, topic, {
      cluster: "a",
      controlPrefix: "$LINK",
      sink: this.sink,
      random: seeded(1),
      clientsMax,
    });
  }
  up(how: EventsUp = { sessionPresent: false, awayMs: null }): this {
    this.adapter.up(this.session, how, this.nowMs);
    return this;
  }
  raw(topic: string, text: string, retain = false): void {
    this.adapter.message(topic, encoder.encode(text), retain, this.nowMs);
  }
  json(topic: string, value: unknown): void {
    this.raw(topic, JSON.stringify(value));
  }
}

describe("the events of EMQX", () => {
  const MEANING: Readonly<Record<string, readonly string[]>> = {
    "v5 connect clean user+pw": ["up c5 clean dies"],
    "v5 subscribe t/1 qos1 nl=1 rap=1 rh=2": ["+c5 t/1"],
    "v5 subscribe two filters in one packet, subid 7": ["+c5 a/+", "+c5 b/#"],
    "v5 shared $share/g1/s/+ qos1": ["+c5 $share/g1/s/+"],
    "v5 shared $queue/q/1 qos0": ["+c5 $share/$queue/q/1"],
    "v5 re-subscribe t/1 qos2": ["+c5 t/1"],
    "v5 subscribe $SYS/#": ["+c5 $SYS/brokers"],
    "v5 unsubscribe t/1 + a/+ in one packet": ["-c5 t/1", "-c5 a/+"],
    "v5 unsubscribe shared": ["-c5 $share/g1/s/+"],
    "v5 unsubscribe queue": ["-c5 $share/$queue/q/1"],
    "v5 DISCONNECT rc0 (still subscribed to b/#)": ["down c5"],
    "v311 connect clean, no user": ["up c4 clean dies"],
    "v311 subscribe x/y qos1": ["+c4 x/y"],
    "v311 subscribe shared": ["+c4 $share/g2/x/#"],
    "v311 socket drop": ["down c4"],
    "v311 clean=false connect (persistent)": ["up p4 kept stays"],
    "persistent subscribe pers/1 qos1": ["+p4 pers/1", "+p4 $share/g1/pers/+"],
    "persistent drop": ["down p4"],
    "persistent reconnect clean=false (session resumed)": ["up p4 kept stays"],
    "takeover by same clientid (clean=false)": ["up p4 kept stays"],
    "discard by same clientid (clean=true)": ["up p4 clean dies"],
    "disconnect normally": ["down p4"],
    "v5 expiry 2s connect+sub": ["up e5 clean stays", "+e5 exp/1"],
    "v5 expiry 2s drop": ["down e5"],
    "v5 will connect": ["up w5 clean dies"],
    "v5 DISCONNECT rc4 with will": ["down w5"],
    "v5 kicked by REST connect": ["up k5 clean stays"],
    "REST DELETE /clients/k5": ["down k5"],
    "REST POST /clients/r5/subscribe connect": ["up r5 clean dies"],
    "REST POST /clients/r5/subscribe": ["+r5 rest/sub"],
    "REST POST /clients/r5/subscribe shared": ["+r5 $share/gr/rest/sub2"],
    "REST POST /clients/r5/unsubscribe": ["-r5 rest/sub"],
    "v5 keepalive=2 connect, silent": ["up ka5 clean dies"],
    "v5 keepalive timeout after 5s": ["down ka5"],
  };

  test("every captured step means what it means", () => {
    const rig = new EventsRig("emqx").up();
    const table = new RowTable();
    const steps = new Map<string, string[]>();
    rig.sink.take();
    for (const { step, topic, payload, retain } of readCapture("emqx-5.8.9-events")) {
      rig.raw(topic, payload, retain);
      steps.set(step, [...(steps.get(step) ?? []), ...rig.sink.take()]);
    }
    assert.deepEqual(Object.fromEntries(steps), MEANING);
    assert.deepEqual(rig.sink.oddities, []);
    for (const event of rig.sink.events) table.apply(event);
    // e5's session expired without an event: forwarded too much, as documented.
    assert.deepEqual(table.list(), ["e5 exp/1", "r5 $share/gr/rest/sub2"]);
  });

  test("the broker's own announcement of a probe proves the events; silence is said with the setting to change", () => {
    const rig = new EventsRig("emqx").up();
    assert.deepEqual(rig.session.subscribed[0], ["$SYS/brokers/+/clients/#"]);
    const probe = rig.session.subscribed[1]?.[0] ?? "";
    assert.match(probe, /^\$LINK\/v1\/a\/a\/probe-[0-9a-f]{16}$/);
    assert.deepEqual(rig.session.unsubscribed, [[probe]]);
    rig.adapter.tick(rig.nowMs + 5_000);
    assert.deepEqual(rig.sink.take(), ["disabled"]);
    assert.match(rig.sink.advice[0] ?? "", /client_subscribed/);
    rig.json("$SYS/brokers/n/clients/other/subscribed", { clientid: "other", topic: probe });
    assert.ok(!rig.sink.take().includes("enabled"));
    rig.json("$SYS/brokers/n/clients/OWN/subscribed", { clientid: "OWN", topic: probe });
    assert.deepEqual(rig.sink.take(), ["enabled", `+OWN ${probe}`]);
    assert.equal(rig.adapter.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("clients of gateways count with what they subscribe, not with connections whose sessions nobody knows", () => {
    const rig = new EventsRig("emqx").up();
    assert.deepEqual(rig.session.subscribed[2], ["$SYS/brokers/+/gateway/+/clients/#"]);
    const at = (event: string, more: object): void =>
      rig.json(`$SYS/brokers/n/gateway/mqttsn/clients/c/${event}`, { clientid: "c", ...more });
    at("connected", { clean_start: true, expiry_interval: 0, connected_at: 100 });
    at("subscribed", { topic: "x" });
    at("subscribed", { topic: "y" });
    at("unsubscribed", { topic: "y" });
    at("disconnected", { reason: "asleep", connected_at: 100 });
    assert.deepEqual(rig.sink.take(), ["+c x", "+c y", "-c y"]);
    rig.json("$SYS/brokers/n/clients/gateway/x/clients/c/disconnected", { clientid: "gateway/x/clients/c" });
    assert.deepEqual(rig.sink.take(), ["down gateway/x/clients/c"]);
  });

  test("an exclusive subscription and the plain one are the same", () => {
    const rig = new EventsRig("emqx").up();
    rig.json("$SYS/brokers/n/clients/c/subscribed", { clientid: "c", topic: "$exclusive/x" });
    rig.json("$SYS/brokers/n/clients/c/unsubscribed", { clientid: "c", topic: "x" });
    assert.deepEqual(rig.sink.take(), ["+c x", "-c x"]);
  });

  test("events of a connection that was replaced meanwhile end nothing for certain", () => {
    const rig = new EventsRig("emqx").up();
    const at = (event: string, more: object): void =>
      rig.json(`$SYS/brokers/n/clients/c/${event}`, { clientid: "c", ...more });
    at("connected", { connected_at: 200, clean_start: false, expiry_interval: "infinity" });
    at("subscribed", { ts: 210, topic: "x" });
    at("unsubscribed", { ts: 190, topic: "x" });
    at("connected", { connected_at: 100, clean_start: true, expiry_interval: 0 });
    at("unsubscribed", { ts: 220, topic: "x" });
    assert.deepEqual(rig.sink.take(), ["up c kept stays", "+c x", "-c x ?", "-c x"]);
    assert.equal(rig.adapter.dies("c"), false);
  });

  test("of two connections of one millisecond neither ends anything", () => {
    const rig = new EventsRig("emqx").up();
    for (const clean_start of [false, true]) {
      const event = { clientid: "c", connected_at: 100, clean_start, expiry_interval: 0 };
      rig.json("$SYS/brokers/n/clients/c/connected", event);
    }
    assert.deepEqual(rig.sink.take(), ["up c kept dies", "up c ? ?"]);
  });

  test("the end of a connection whose beginning was missed says nothing of its session", () => {
    const rig = new EventsRig("emqx").up();
    const at = (event: string, more: object): void =>
      rig.json(`$SYS/brokers/n/clients/c/${event}`, { clientid: "c", ...more });
    at("connected", { connected_at: 100, clean_start: true, expiry_interval: 0 });
    assert.equal(rig.adapter.dies("c"), true);
    at("disconnected", { connected_at: 200, reason: "normal" });
    assert.deepEqual(rig.sink.take(), ["up c clean dies", "up c ? ?", "down c"]);
    assert.equal(rig.adapter.dies("c"), false);
  });

  test("ids that look like topics are taken from the payload", () => {
    const rig = new EventsRig("emqx").up();
    rig.json("$SYS/brokers/n/clients/a/b/+/#/disconnected/subscribed", {
      clientid: "a/b/+/#/disconnected",
      topic: "x",
    });
    assert.deepEqual(rig.sink.take(), ["+a/b/+/#/disconnected x"]);
  });

  test("an end that arrives after the next connection's start ends nothing", () => {
    const rig = new EventsRig("emqx").up();
    const at = (event: string, connected_at: number, more = {}): void =>
      rig.json(`$SYS/brokers/n/clients/c/${event}`, {
        clientid: "c",
        connected_at,
        clean_start: true,
        expiry_interval: 0,
        ...more,
      });
    at("connected", 100);
    at("connected", 200);
    at("disconnected", 100, { reason: "tcp_closed" });
    at("disconnected", 200, { reason: "takenover" });
    at("disconnected", 200, { reason: "discarded" });
    assert.deepEqual(rig.sink.take(), ["up c clean dies", "up c clean dies"]);
    at("disconnected", 200, { reason: "normal" });
    assert.deepEqual(rig.sink.take(), ["down c"]);
  });

  test("clients past the limit lose only that protection", () => {
    const rig = new EventsRig("emqx", 1).up();
    for (const clientid of ["c", "d"]) {
      rig.json("$SYS/brokers/n/clients/x/connected", { clientid, connected_at: 200 });
    }
    rig.sink.take();
    for (const clientid of ["c", "d"]) {
      rig.json("$SYS/brokers/n/clients/x/disconnected", { clientid, connected_at: 100 });
    }
    assert.deepEqual(rig.sink.take(), ["down c"]);
  });
});

describe("the events of a plugin", () => {
  test("a granted subscription is all there is to know; a refused one is tried again", () => {
    const rig = new EventsRig().up();
    assert.deepEqual(rig.session.subscribed, [["plugin/events/#"]]);
    rig.session.waiting[0]?.([0x87]);
    assert.deepEqual(rig.sink.take(), ["disabled"]);
    assert.match(rig.sink.advice[0] ?? "", /plugin\/events\/#/);
    assert.equal(rig.adapter.deadlineMs, rig.nowMs + 30_000);
    rig.adapter.tick(rig.nowMs + 29_999);
    assert.equal(rig.session.subscribed.length, 1);
    rig.adapter.tick(rig.nowMs + 30_000);
    rig.session.waiting[1]?.([1]);
    assert.deepEqual(rig.sink.take(), ["enabled"]);
    rig.session.waiting[1]?.(null);
    rig.adapter.refreshCount(rig.nowMs);
    assert.deepEqual(rig.sink.take(), []);
  });

  test("every reconnect is a gap", () => {
    const rig = new EventsRig().up();
    rig.adapter.down(rig.nowMs);
    rig.up({ sessionPresent: true, awayMs: 1 });
    assert.deepEqual(rig.sink.take(), ["gap events_dropped"]);
    assert.deepEqual(new EventsRig().up({ sessionPresent: true, awayMs: null }).sink.take(), ["gap session_lost"]);
  });

  test("the kind comes from the last level or from the field `event`", () => {
    const rig = new EventsRig().up();
    const row = { clientid: "c", topic: "x" };
    rig.json("plugin/events/subscribed", row);
    rig.json("plugin/events/session.unsubscribed", row);
    rig.json("plugin/events/session_subscribed", row);
    rig.json("plugin/events", { ...row, event: "session.unsubscribed" });
    rig.json("plugin/events", { ...row, event: "client.connected" });
    rig.json("plugin/events", { ...row, event: "disconnected" });
    rig.json("plugin/events", { ...row, event: "client.connack" });
    assert.deepEqual(rig.sink.take(), ["+c x", "-c x", "+c x", "-c x", "up c ? ?", "down c"]);
    assert.deepEqual(rig.sink.oddities, []);
  });

  test("absent values are unknown, in each way that publishers write them", () => {
    const rig = new EventsRig().up();
    for (const absent of [undefined, null, "undefined"]) {
      rig.json("e/connected", { clientid: "c", clean_start: absent, expiry_interval: absent });
    }
    assert.deepEqual(rig.sink.take(), ["up c ? ?", "up c ? ?", "up c ? ?"]);
  });

  test("retained events are old ones", () => {
    const rig = new EventsRig().up();
    rig.raw("e/subscribed", '{"clientid":"c","topic":"x"}', true);
    assert.deepEqual(rig.sink.take(), []);
  });

  test("what is not an event makes the table incomplete and is counted", () => {
    for (const [topic, text] of [
      ["e/subscribed", ""],
      ["e/subscribed", "{"],
      ["e/subscribed", "[]"],
      ["e/subscribed", '"subscribed"'],
      ["e/subscribed", "null"],
      ["e/subscribed", '{"clientid":"c"}'],
      ["e/subscribed", '{"clientid":"","topic":"x"}'],
      ["e/subscribed", '{"clientid":7,"topic":"x"}'],
      ["e/subscribed", '{"clientid":"c","topic":["x"]}'],
      ["e/subscribed", '{"clientid":"c","topic":"a/#/b"}'],
      ["e/unsubscribed", '{"clientid":"c","topic":""}'],
      ["e/subscribed", '{"__proto__":{"clientid":"c","topic":"x"}}'],
      ["e/subscribed", '{"clientid":"c","constructor":{"prototype":{"topic":"x"}}}'],
      ["e/connected", '{"clientid":"c","clean_start":"yes"}'],
      ["e/connected", '{"clientid":"c","expiry_interval":"0"}'],
      ["e/connected", '{"clientid":"c","expiry_interval":-1}'],
      ["e/toString", '{"clientid":"c","topic":"x"}'],
      ["e/x", '{"clientid":"c","topic":"x","event":1}'],
      ["e/subscribed", "[".repeat(200_000)],
      ["e/subscribed", `{"clientid":"c","topic":"x","pad":"${"x".repeat(1024 * 1024)}"}`],
    ] as const) {
      const rig = new EventsRig().up();
      rig.raw(topic, text);
      assert.deepEqual(rig.sink.take(), ["gap events_unparsable"], text.slice(0, 60));
      assert.deepEqual(rig.sink.oddities, ["unparsable"]);
    }
  });

  test("random events never throw", () => {
    const random = seeded(9);
    const rig = new EventsRig().up();
    for (let round = 0; round < 5_000; round += 1) {
      const bytes = new Uint8Array(Math.floor(random() * 60)).map(() => Math.floor(random() * 256));
      rig.adapter.message("e/subscribed", bytes, false, rig.nowMs);
    }
  });
});
