import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Report } from "../../src/agent/report.ts";
import type { HubEvent, LinkStatusWord } from "../../src/hub/hub-event.ts";
import type { SessionProblem } from "../../src/mqtt/session.ts";
import { logLines } from "../ops/log-lines.ts";

const MINUTE_MS = 60_000;

/** A report, its lines from info upwards, and a clock. */
function reporting() {
  const { log, lines, texts } = logLines("info");
  const clock = { nowMs: 1_000_000 };
  const report = new Report(log, () => clock.nowMs);
  const status = (from: LinkStatusWord, to: LinkStatusWord): void =>
    report.hub({ type: "link_status", link: "east", from, to, why: "because" });
  return { report, clock, lines, texts, status };
}

const UNREACHABLE: HubEvent = {
  type: "problem",
  link: "east",
  code: "PEER_UNREACHABLE",
  reason: "connection refused by east:1883",
};
const NOBODY: HubEvent = {
  type: "problem",
  link: "east",
  code: "PEER_SILENT",
  reason: 'no agent of cluster "east" listens on its broker',
};

function down(code: SessionProblem["code"], reason: string): SessionProblem {
  return { code, reason, willRetryInMs: 1_000, wasConnected: false };
}

describe("changes of a link", () => {
  test("are one line each, with from, to and why", () => {
    const { status, lines } = reporting();
    status("connecting", "connected");
    status("connected", "inconsistent");
    status("inconsistent", "disconnected");
    status("disconnected", "inconsistent");
    const same = { link: "east", why: "because", msg: "link status" };
    assert.deepEqual(lines(), [
      { ...same, level: "info", from: "connecting", to: "connected" },
      { ...same, level: "warn", from: "connected", to: "inconsistent" },
      { ...same, level: "warn", from: "inconsistent", to: "disconnected" },
      { ...same, level: "info", from: "disconnected", to: "inconsistent" },
    ]);
  });

  test("that only pass on the way are for debug", () => {
    const { report, lines } = reporting();
    const state = (from: string, to: string): void =>
      report.hub({ type: "link_state", link: "east", half: "out", from, to, why: `to ${to}` });
    state("idle", "greeting");
    state("greeting", "bootstrapping");
    state("bootstrapping", "online");
    assert.deepEqual(lines(), [
      {
        level: "info",
        link: "east",
        half: "out",
        from: "bootstrapping",
        to: "online",
        why: "to online",
        msg: "link state",
      },
    ]);
  });

  test("that go round and round are said once, and again when it lasts", () => {
    const { report, clock, lines } = reporting();
    for (let round = 0; round < 70; round += 1) {
      report.hub({
        type: "link_state",
        link: "east",
        half: "out",
        from: "refused",
        to: "greeting",
        why: "trying again",
      });
      report.hub({
        type: "link_state",
        link: "east",
        half: "out",
        from: "greeting",
        to: "refused",
        why: "no such link",
      });
      clock.nowMs += 10_000;
    }
    assert.deepEqual(
      lines().map(({ to, suppressed }) => [to, suppressed]),
      [
        ["refused", undefined],
        ["refused", 59],
      ],
    );
  });

  test("of a link that flaps are limited, and the rest is counted", () => {
    const { status, clock, lines } = reporting();
    for (let flap = 0; flap < 100; flap += 1) {
      status("connected", "connecting");
      status("connecting", "connected");
    }
    assert.equal(lines().length, 20);
    clock.nowMs += MINUTE_MS;
    status("connected", "disconnected");
    assert.equal(lines().at(-1)?.["suppressed"], 180);
  });
});

describe("a normal start", () => {
  test("of two agents at once has no warning: one is first and waits", () => {
    const { report, status, lines } = reporting();
    report.hub(NOBODY);
    status("connecting", "connected");
    assert.deepEqual(
      lines().map(({ level, msg }) => [level, msg]),
      [
        ["info", "waiting for the peer's agent"],
        ["info", "link status"],
      ],
    );
    assert.deepEqual(report.problems(), []);
  });

  test("of which nothing comes turns into a warning when the link's patience ends", () => {
    const { report, status, lines } = reporting();
    report.hub(NOBODY);
    status("connecting", "disconnected");
    report.hub({ ...NOBODY, reason: "it does not answer" });
    assert.deepEqual(
      lines().map(({ level, msg }) => [level, msg]),
      [
        ["info", "waiting for the peer's agent"],
        ["warn", "link status"],
        ["warn", "problem"],
      ],
    );
  });

  test("after a pause that the peer announced is none either, and warns no more than the first", () => {
    const { report, status, lines } = reporting();
    status("connecting", "connected");
    report.hub({ type: "link_state", link: "east", half: "in", from: "online", to: "paused", why: "the peer pauses" });
    status("connected", "inconsistent");
    report.hub(NOBODY);
    assert.ok(lines().every(({ level }) => level === "info"));
    report.hub({ type: "link_state", link: "east", half: "in", from: "paused", to: "none", why: "silent for longer" });
    report.hub({ type: "routes_expired", link: "east", count: 3 });
    assert.equal(lines().at(-1)?.["level"], "warn");
  });
});

describe("a problem that lasts", () => {
  test("is said once, counted always, and said again after ten minutes with the number", () => {
    const { report, clock, lines } = reporting();
    for (let attempt = 0; attempt < 25; attempt += 1) {
      report.hub(UNREACHABLE);
      clock.nowMs += 30_000;
    }
    const fields = { level: "warn", link: "east", code: "PEER_UNREACHABLE", why: "connection refused by east:1883" };
    assert.deepEqual(lines(), [
      { ...fields, msg: "problem" },
      { ...fields, suppressed: 19, msg: "problem" },
    ]);
    assert.deepEqual(report.problems(), [{ link: "east", code: "PEER_UNREACHABLE", count: 25 }]);
  });

  test("is news again when the link was up in between, and when its reason changes", () => {
    const { report, status, lines } = reporting();
    report.hub(UNREACHABLE);
    report.hub({ ...UNREACHABLE, reason: "no route to east:1883" });
    status("connecting", "connected");
    report.hub(UNREACHABLE);
    assert.equal(lines().filter(({ msg }) => msg === "problem").length, 3);
  });

  test("of a stranger does not flood, whatever names it takes", () => {
    const { report, clock, lines } = reporting();
    const stranger: HubEvent = {
      type: "problem",
      link: null,
      code: "UNKNOWN_PEER",
      reason: 'cluster "x" has no link here',
    };
    for (let hello = 0; hello < 50; hello += 1) {
      report.hub(stranger);
      clock.nowMs += 1_000;
    }
    assert.equal(lines().length, 1);
    assert.ok(!("link" in (lines()[0] ?? {})));
  });

  test("of many filters shows some and counts all", () => {
    const { report, lines } = reporting();
    for (let index = 0; index < 5_000; index += 1)
      report.hub({ type: "demand_refused", link: "east", filter: `a/${index}`, reasonCode: 0x87, refused: true });
    assert.equal(lines().length, 20);
    assert.deepEqual(lines()[0], {
      level: "warn",
      link: "east",
      code: "DEMAND_REFUSED",
      filter: "a/0",
      reasonCode: 0x87,
      msg: "subscription refused by the local broker",
    });
    assert.deepEqual(report.problems(), [{ link: "east", code: "DEMAND_REFUSED", count: 5_000 }]);
  });
});

describe("the interest", () => {
  test("says why it is wide in words, and warns only when exact was lost", () => {
    const { report, lines } = reporting();
    report.hub({ type: "interest", from: "starting", to: "no_counter" });
    report.hub({ type: "interest", from: "no_counter", to: "exact" });
    report.hub({ type: "interest", from: "exact", to: "count_mismatch" });
    assert.deepEqual(
      lines().map(({ level, from, to, code }) => [level, from, to, code]),
      [
        ["info", "starting", "no_counter", undefined],
        ["info", "no_counter", "exact", undefined],
        ["warn", "exact", "count_mismatch", "EVENTS_LOST"],
      ],
    );
    assert.ok(lines().every(({ why }) => typeof why === "string" && why.length > 10));
  });
});

describe("a session on the local broker", () => {
  test("says up and down once, and anew when the trouble is another one", () => {
    const { report, lines } = reporting();
    report.session("data", true, null);
    report.session("data", true, null);
    report.session("data", false, down("LOCAL_UNREACHABLE", "the connection was lost"));
    report.session("data", false, down("LOCAL_UNREACHABLE", "connection refused by 127.0.0.1:1883"));
    report.session("data", false, down("LOCAL_REFUSED", "bad user name or password"));
    report.session("data", true, null);
    assert.deepEqual(
      lines().map(({ level, code, msg }) => [level, code, msg]),
      [
        ["info", undefined, "local session up"],
        ["warn", "LOCAL_UNREACHABLE", "local session down"],
        ["warn", "LOCAL_REFUSED", "local session down"],
        ["info", undefined, "local session up"],
      ],
    );
  });
});

describe("the local broker", () => {
  test("is named as the one that announces nothing, with the lines to add", () => {
    const { report, lines } = reporting();
    report.advice("Add these lines");
    assert.deepEqual(lines(), [
      {
        level: "warn",
        code: "EVENTS_DISABLED",
        advice: "Add these lines",
        msg: "the local broker does not announce subscriptions",
      },
    ]);
  });

  test("is named once when its API gives no list, for each reason, and when it does again", () => {
    const { report, lines } = reporting();
    const refused = { code: "LOCAL_API_REFUSED", why: "http://h answers HTTP 401" } as const;
    for (const problem of [refused, refused, { ...refused, why: "another" }, null]) report.brokerApi(problem);
    assert.deepEqual(
      lines().map(({ level, code, why }) => [level, code, why]),
      [
        ["warn", "LOCAL_API_REFUSED", "http://h answers HTTP 401"],
        ["warn", "LOCAL_API_REFUSED", "another"],
        ["info", undefined, undefined],
      ],
    );
    assert.deepEqual(report.problems(), [{ link: null, code: "LOCAL_API_REFUSED", count: 3 }]);
  });

  test("is warned of only when its count of dropped messages rises", () => {
    const { report, lines } = reporting();
    report.brokerDropped(5, false);
    for (const total of [5, 9, 0, 1]) report.brokerDropped(total, true);
    assert.deepEqual(
      lines().map(({ code, dropped, total }) => [code, dropped, total]),
      [
        ["LOCAL_QUEUE_OVERFLOW", 4, 9],
        ["LOCAL_QUEUE_OVERFLOW", 1, 1],
      ],
    );
  });

  test("that never dropped anything says nothing, so the first word of it is a rise", () => {
    const { report, lines } = reporting();
    report.brokerDropped(500, true);
    assert.deepEqual(
      lines().map(({ dropped }) => dropped),
      [500],
    );
  });

  test("that writes odd lines is mentioned once in a while, without what it wrote", () => {
    const { report, lines, texts } = reporting();
    for (let index = 0; index < 10; index += 1) report.oddLine("ambiguous", `client-7 1 secret/${index}`);
    assert.equal(lines().length, 1);
    assert.ok(!texts.join("").includes("secret"));
  });
});

test("a loop is one line with its topic, not two", () => {
  const { report, lines } = reporting();
  report.hub({ type: "foreign_loop", link: "east", topic: "a/b" });
  report.hub({ type: "problem", link: "east", code: "FOREIGN_LOOP", reason: "another bridge" });
  assert.equal(lines().length, 1);
  assert.deepEqual(report.problems(), [{ link: "east", code: "FOREIGN_LOOP", count: 1 }]);
});

test("no line has one key twice, and every text is one of few", () => {
  const { report, status, texts } = reporting();
  report.hub(UNREACHABLE);
  report.hub(NOBODY);
  status("connecting", "connected");
  report.session("link", false, down("LOCAL_TLS", "no"));
  report.hub({ type: "route_refused", link: "east", filter: "a", reasonCode: 0x87, refused: true });
  report.hub({ type: "route_refused", link: "east", filter: "a", reasonCode: 0, refused: false });
  assert.ok(texts.length >= 6);
  for (const text of texts) {
    const keys = [...text.matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key);
    assert.equal(new Set(keys).size, keys.length, text);
  }
});
