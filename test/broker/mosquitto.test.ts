import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HELD_BYTES_MAX } from "../../src/broker/held-lines.ts";
import { MOSQUITTO_LINES, MOSQUITTO_TOPICS } from "../../src/broker/mosquitto-setup.ts";
import { MosquittoRig } from "./mosquitto-rig.ts";

const PLAIN = "$SYS/broker/subscriptions/count";
const SHARED = "$SYS/broker/shared_subscriptions/count";
const UPTIME = "$SYS/broker/uptime";
const INFORMATION = "$SYS/broker/log/I";
const PROBES = ["$LINK/v1/a/a/probe-count", "$share/brokerlink/$LINK/v1/a/a/probe-count"];

describe("the start", () => {
  test("subscribes the log first and everything once, then asks with a random filter", () => {
    const rig = new MosquittoRig();
    rig.up();
    assert.deepEqual(rig.session.subscribed, [[...MOSQUITTO_TOPICS, ...PROBES]]);
    assert.equal(rig.session.subscribed[0]?.[0], "$SYS/broker/log/M/subscribe");
    assert.equal(rig.session.unsubscribed.length, 1);
    assert.match(rig.session.probe(), /^\$LINK\/v1\/a\/a\/probe-[0-9a-f]{16}$/);
  });

  test("lines wait in order until the probe has answered", () => {
    const rig = new MosquittoRig({ prefix: "1795396775: " });
    rig.up();
    rig.connect("c");
    rig.sub("c 1 a");
    rig.text(PLAIN, "12");
    rig.unsub("c a");
    assert.deepEqual(rig.sink.take(), ["up OBSERVER clean ?"]);
    rig.prefix = "1795396776: ";
    rig.announce();
    const own = rig.session.subscribed.flat().map((filter) => `+OBSERVER ${filter}`);
    assert.deepEqual(rig.sink.take(), ["up c clean dies", "+c a", "count 12 -", "-c a", ...own, "enabled"]);
    rig.sub("c 1 b");
    assert.deepEqual(rig.sink.take(), ["+c b"]);
  });

  test("lines that wait are copies: the caller may use its buffer again", () => {
    const rig = new MosquittoRig();
    rig.up();
    const bytes = new TextEncoder().encode("c 1 a");
    rig.raw("$SYS/broker/log/M/subscribe", bytes);
    bytes.fill(0x78);
    rig.announce();
    assert.ok(rig.sink.take().includes("+c a"));
  });

  test("a forged answer is not believed: it would have to guess the filter", () => {
    const rig = new MosquittoRig();
    rig.up();
    rig.sink.take();
    rig.unsub("evil: OBSERVER $LINK/v1/a/a/probe-0000000000000000");
    rig.unsub("evil: OBSERVER $LINK/v1/a/a/probe");
    assert.deepEqual(rig.sink.take(), []);
    rig.announce();
    assert.ok(rig.sink.take().includes("enabled"));
  });

  test("a session found by the first connection follows an earlier life: a gap", () => {
    const rig = new MosquittoRig();
    rig.up({ sessionPresent: true, awayMs: null });
    assert.deepEqual(rig.sink.take(), ["gap session_lost"]);
  });

  test("rows that were not announced are subscribed once more, and only once", () => {
    const rig = new MosquittoRig();
    rig.up();
    for (const filter of MOSQUITTO_TOPICS) rig.sub(`OBSERVER 1 ${filter}`);
    rig.unsub(`OBSERVER ${rig.session.probe()}`);
    assert.deepEqual(rig.session.subscribed.slice(1), [PROBES]);
  });
});

describe("a broker that says nothing", () => {
  test("after 5 s it is disabled, with the exact lines to add; said once, asked again, believed later", () => {
    const rig = new MosquittoRig();
    rig.up();
    rig.sink.take();
    rig.nowMs += 4_999;
    rig.adapter.tick(rig.nowMs);
    assert.deepEqual(rig.sink.take(), []);
    assert.equal(rig.adapter.deadlineMs, rig.nowMs + 1);
    rig.nowMs += 1;
    rig.adapter.tick(rig.nowMs);
    assert.deepEqual(rig.sink.take(), ["disabled"]);
    assert.equal(rig.sink.advice.length, 1);
    for (const line of MOSQUITTO_LINES) assert.ok(rig.sink.advice[0]?.includes(line), line);
    assert.ok(rig.sink.advice[0]?.includes("topic read $SYS/#"));
    const asked = rig.session.probe();
    rig.nowMs += 30_000;
    rig.adapter.tick(rig.nowMs);
    assert.notEqual(rig.session.probe(), asked);
    rig.nowMs += 5_000;
    rig.adapter.tick(rig.nowMs);
    assert.deepEqual([rig.sink.take(), rig.sink.advice.length], [[], 1]);
    rig.announce();
    assert.ok(rig.sink.take().includes("enabled"));
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 10 });
    rig.nowMs += 5_000;
    rig.adapter.tick(rig.nowMs);
    assert.equal(rig.sink.advice.length, 2);
  });

  test("with unsubscribe lines alone it is disabled too, and the advice names what is missing", () => {
    const rig = new MosquittoRig();
    rig.up();
    rig.unsub(`OBSERVER ${rig.session.probe()}`);
    assert.ok(rig.sink.take().includes("disabled"));
    assert.match(rig.sink.advice[0] ?? "", /log_type subscribe is missing/);
    assert.equal(rig.adapter.deadlineMs, rig.nowMs + 30_000);
  });

  test("a refused log topic is said at once; a refused probe is not", () => {
    const rig = new MosquittoRig();
    rig.up();
    rig.session.waiting[0]?.([...MOSQUITTO_TOPICS.map(() => 1), 0x87, 0x87]);
    assert.deepEqual(rig.sink.advice, []);
    rig.session.waiting[0]?.([0x87, ...MOSQUITTO_TOPICS.slice(1).map(() => 1), 1, 1]);
    assert.match(rig.sink.advice[0] ?? "", /refuses/);
    rig.session.waiting[1]?.(null);
  });

  test("what waits is bounded; dropping it is a gap", () => {
    const rig = new MosquittoRig();
    rig.up();
    const line = `c 1 ${"x".repeat(900)}`;
    for (let bytes = 0; bytes <= HELD_BYTES_MAX; bytes += line.length) rig.sub(line);
    rig.sub("c 1 kept");
    rig.sink.take();
    rig.announce();
    const events = rig.sink.take();
    assert.equal(events[0], "gap events_dropped");
    assert.ok(events.includes("+c kept"));
  });
});

describe("timestamps", () => {
  test("a prefix that changed with the broker makes what waited unreadable, once", () => {
    const rig = new MosquittoRig({ prefix: "" }).ready();
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 100 });
    rig.sub("c 1 old");
    rig.prefix = "1795396775: ";
    rig.sub("c 1 new");
    const asked = rig.session.probe();
    rig.unsub(`OBSERVER ${asked}`);
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
    assert.notEqual(rig.session.probe(), asked);
    rig.announce();
    rig.sub("c 1 newer");
    const events = rig.sink.take();
    assert.ok(!events.some((event) => event.includes("gap")));
    assert.ok(events.includes("+c newer"));
  });

  test("lines that do not start with the prefix are a gap, and the probe looks again", () => {
    const rig = new MosquittoRig({ prefix: "17: " }).ready();
    rig.prefix = "";
    rig.sub("c 1 x");
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
    rig.notice("Client c disconnected.");
    assert.deepEqual(rig.sink.take(), []);
    assert.deepEqual(rig.sink.oddities, ["unparsable", "unparsable"]);
    assert.equal(rig.adapter.deadlineMs, rig.nowMs + 30_000);
    rig.nowMs += 30_000;
    rig.adapter.tick(rig.nowMs);
    assert.equal(rig.session.unsubscribed.length, 2);
  });

  test("invalid UTF-8 is a gap on the subscribe topics only", () => {
    const rig = new MosquittoRig().ready();
    const bad = new Uint8Array([0x63, 0x20, 0x31, 0x20, 0xff]);
    rig.raw("$SYS/broker/log/M/subscribe", bad);
    rig.raw("$SYS/broker/log/M/unsubscribe", bad);
    rig.raw("$SYS/broker/log/N", bad);
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable", "gap events_unparsable"]);
    assert.deepEqual(rig.sink.oddities, ["unparsable", "unparsable", "unparsable"]);
  });

  test("a byte order mark belongs to the id", () => {
    const rig = new MosquittoRig().ready();
    rig.sub("\ufeffc 1 x");
    assert.deepEqual(rig.sink.take(), ["+\ufeffc x"]);
  });
});

describe("reconnects", () => {
  test("a lost session, a long absence and a short one", () => {
    const rig = new MosquittoRig().ready();
    rig.down();
    rig.up({ sessionPresent: false, awayMs: 10 });
    assert.deepEqual(rig.sink.take(), ["gap session_lost", "up OBSERVER clean ?"]);
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 15_001 });
    assert.deepEqual(rig.sink.take(), ["gap away_too_long"]);
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 15_000 });
    assert.deepEqual(rig.sink.take(), []);
  });

  test("being away erases nothing, and lines held before a gap are not used after it", () => {
    const rig = new MosquittoRig().ready();
    rig.down();
    assert.deepEqual(rig.sink.take(), []);
    rig.up({ sessionPresent: true, awayMs: 10 });
    rig.sub("c 1 before");
    rig.down();
    rig.up({ sessionPresent: false, awayMs: 10 });
    rig.announce();
    const events = rig.sink.take();
    assert.ok(!events.includes("+c before"));
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 10 });
    rig.sub("c 1 kept");
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 10 });
    rig.announce();
    assert.ok(rig.sink.take().includes("+c kept"));
  });

  test("an uptime that went back is a restart; the same again is none", () => {
    const rig = new MosquittoRig().ready();
    rig.connect("gone");
    rig.sink.take();
    rig.text(UPTIME, "1000 seconds", true);
    rig.down();
    rig.nowMs += 3_000;
    rig.up({ sessionPresent: true, awayMs: 3_000 });
    rig.text(UPTIME, "1000 seconds", true);
    rig.text(UPTIME, "1003 seconds", true);
    rig.announce();
    assert.ok(!rig.sink.take().includes("restarted"));
    rig.text(UPTIME, "2 seconds", true);
    rig.text(UPTIME, "3 seconds");
    assert.deepEqual(rig.sink.take(), ["restarted"]);
    rig.connect("x");
    assert.equal(rig.adapter.clients.size, 2);
  });

  test("what the last life queued comes before the restart, what the new one says behind it", () => {
    const rig = new MosquittoRig().ready();
    rig.text(UPTIME, "1000 seconds", true);
    rig.down();
    rig.nowMs += 3_000;
    rig.up({ sessionPresent: true, awayMs: 3_000 });
    rig.sub("gone 1 old");
    rig.text(INFORMATION, "mosquitto version 2.0.11 terminating");
    rig.text(INFORMATION, "mosquitto version 2.0.11 starting");
    rig.sub("back 1 new");
    rig.text(UPTIME, "2 seconds", true);
    assert.deepEqual(rig.sink.take(), [], "nothing is read before the probe is answered");
    rig.announce();
    const told = rig.sink.take();
    assert.deepEqual(
      told.filter((line) => ["+gone old", "restarted", "+back new"].includes(line)),
      ["+gone old", "restarted", "+back new"],
      "once, and in this place",
    );
  });

  test("without that line the restart has its place where the uptime says so: nothing before it is proven", () => {
    const rig = new MosquittoRig().ready();
    rig.text(UPTIME, "1000 seconds", true);
    rig.down();
    rig.nowMs += 3_000;
    rig.up({ sessionPresent: true, awayMs: 3_000 });
    rig.sub("gone 1 old");
    rig.text(UPTIME, "2 seconds", true);
    rig.sub("back 1 new");
    rig.announce();
    const told = rig.sink.take();
    assert.deepEqual(
      told.filter((line) => ["+gone old", "restarted", "+back new"].includes(line)),
      ["+gone old", "restarted", "+back new"],
    );
  });

  test("a restart within the first seconds of a life is known by the line; later uptimes are no other one", () => {
    const rig = new MosquittoRig().ready();
    rig.text(UPTIME, "4 seconds", true);
    for (let round = 0; round < 2; round += 1) {
      rig.down();
      rig.nowMs += 1_000;
      rig.up({ sessionPresent: true, awayMs: 1_000 });
      rig.text(INFORMATION, "mosquitto version 2.0.20 starting");
      rig.text(UPTIME, "0 seconds", true);
      rig.announce();
      rig.text(UPTIME, "2 seconds");
      assert.equal(rig.sink.take().filter((line) => line === "restarted").length, 1);
    }
    rig.text(INFORMATION, "mosquitto version x starting up");
    assert.deepEqual(rig.sink.take(), []);
  });

  test("its own rows are announced again when somebody doubts them", () => {
    const rig = new MosquittoRig().ready();
    rig.adapter.announceOwn();
    assert.deepEqual(rig.session.subscribed.at(-1), MOSQUITTO_TOPICS);
    rig.down();
    rig.adapter.announceOwn();
    assert.equal(rig.session.subscribed.length, 2);
  });

  test("without an uptime a short absence may have hidden a restart", () => {
    const rig = new MosquittoRig().ready();
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 3_000 });
    rig.announce();
    rig.sink.take();
    assert.equal(rig.adapter.deadlineMs, rig.nowMs + 5_000);
    rig.nowMs += 5_000;
    rig.adapter.tick(rig.nowMs);
    assert.deepEqual(rig.sink.take(), ["gap broker_restarted"]);
    assert.equal(rig.adapter.deadlineMs, Number.POSITIVE_INFINITY);
    rig.text(UPTIME, "soon", true);
    rig.down();
    rig.up({ sessionPresent: true, awayMs: 3_000 });
    rig.text(UPTIME, "7 seconds", true);
    rig.announce();
    assert.equal(rig.adapter.deadlineMs, Number.POSITIVE_INFINITY);
  });
});

describe("counters", () => {
  test("live ones are counts at their place, retained and repeated ones prove nothing", () => {
    const rig = new MosquittoRig().ready();
    rig.text(PLAIN, "5", true);
    rig.text(PLAIN, "6");
    rig.adapter.message(PLAIN, new TextEncoder().encode("4"), false, rig.nowMs, true);
    rig.text(SHARED, "0");
    rig.text(PLAIN, "-1");
    rig.text(PLAIN, "1e3");
    rig.text(PLAIN, "9".repeat(16));
    assert.deepEqual(rig.sink.take(), ["count 6 -", "count - 0"]);
    assert.deepEqual(rig.sink.oddities, ["unparsable", "unparsable", "unparsable"]);
  });

  test("a fresh count is forced by toggling rows of ours, one toggle at a time", () => {
    const rig = new MosquittoRig().ready();
    const { session } = rig;
    rig.adapter.refreshCount(rig.nowMs);
    rig.adapter.refreshCount(rig.nowMs);
    assert.deepEqual(session.unsubscribed.slice(1), [PROBES]);
    session.waiting.at(-1)?.([0, 0]);
    rig.adapter.refreshCount(rig.nowMs);
    assert.deepEqual(session.subscribed.slice(1), [PROBES]);
    rig.down();
    rig.adapter.refreshCount(rig.nowMs);
    rig.up({ sessionPresent: true, awayMs: 1 });
    rig.adapter.refreshCount(rig.nowMs);
    assert.deepEqual(rig.session.unsubscribed.slice(1), [PROBES]);
  });

  test("dropped messages are passed on as a total, and whether that is history", () => {
    const rig = new MosquittoRig().ready();
    rig.text("$SYS/broker/publish/messages/dropped", "0", true);
    rig.text("$SYS/broker/publish/messages/dropped", "48983");
    rig.text("$SYS/broker/publish/messages/dropped", "many");
    assert.deepEqual(rig.sink.drops, [
      [0, false],
      [48983, true],
    ]);
    assert.deepEqual(rig.sink.take(), []);
  });
});
