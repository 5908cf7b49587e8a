/** `brokerlink doctor` against set-ups that are broken in one way each: it names the fault, and the line that mends it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import type { Examination, Finding } from "../../src/doctor/finding.ts";
import { freePort } from "../contract/local-mosquitto.ts";
import { Certificates } from "../mqtt/certificates.ts";
import { AgentProcess } from "./agent-process.ts";
import { Command } from "./command.ts";
import { EVENT_LINES, Pair, Site } from "./site.ts";

const dir = mkdtempSync(join(tmpdir(), "brokerlink-doctor-"));
const certificates = new Certificates();
after(() => {
  rmSync(dir, { recursive: true, force: true });
  certificates[Symbol.dispose]();
});

const SECRET = "hunter2";
const PASSWORDS = passwords("agent-a", "agent-b");
const LOGIN = ["allow_anonymous false", "password_file %d/passwords"];
const OPEN_ACL = ["user agent-a", "topic readwrite #", "topic read $SYS/#", "topic readwrite $LINK/#"];
let files = 0;

interface Report {
  readonly code: number;
  readonly ok: boolean;
  readonly findings: readonly (Finding & { readonly broker: string })[];
}

function passwords(...users: string[]): string {
  const file = join(dir, "passwords");
  for (const [n, user] of users.entries())
    execFileSync("/usr/bin/mosquitto_passwd", [...(n === 0 ? ["-c"] : []), "-b", file, user, SECRET]);
  return readFileSync(file, "utf8");
}

const without = (...beginnings: string[]): string[] =>
  EVENT_LINES.filter((line) => !beginnings.some((beginning) => line.startsWith(beginning)));

async function broker(t: TestContext, lines: readonly string[], acl: readonly string[] = []): Promise<Site> {
  const rules = acl.length === 0 ? [] : ["acl_file %d/acl"];
  const site = await Site.open("a", [...lines, ...rules], { passwords: PASSWORDS, acl: `${acl.join("\n")}\n` });
  t.after(() => site.close());
  return site;
}

async function doctor(t: TestContext, config: Readonly<Record<string, unknown>>): Promise<Report> {
  files += 1;
  const file = join(dir, `${files}.json`);
  const http = { port: await freePort() };
  writeFileSync(file, JSON.stringify({ cluster: "a", http, ...config }), { mode: 0o600 });
  const command = new Command(t, ["doctor", "--json", "--config", file]);
  const code = await command.end(60_000);
  assert.equal(command.error, "");
  assert.ok(!command.out.includes(SECRET), "no secret is printed");
  const { ok, examinations } = JSON.parse(command.out) as { ok: boolean; examinations: Examination[] };
  const findings = examinations.flatMap((each) => each.findings.map((found) => ({ ...found, broker: each.broker })));
  return { code, ok, findings };
}

function local(site: Site, more: object = {}): object {
  return { server: site.broker.url, broker: "mosquitto", ...more };
}

const AGENT_A = { username: "agent-a", password: SECRET };

/** The one fault that there is; its lines to add. */
function named(report: Report, check: string, level = "fault"): { text: string; lines: string[]; broker: string } {
  const shown = report.findings.map((each) => `${each.broker} ${each.level} ${each.check}: ${each.text}`).join("\n");
  const found = report.findings.filter((each) => each.check === check && each.level === level);
  assert.equal(found.length, 1, shown);
  const [{ text, fixes, broker: where } = { text: "", fixes: [], broker: "" }] = found;
  return { text, broker: where, lines: fixes.flatMap(({ lines }) => [...lines]) };
}

function faults(report: Report): string[] {
  return report.findings
    .filter(({ level }) => level === "fault")
    .map(({ broker: where, check }) => `${where} ${check}`);
}

describe("the local broker", { concurrency: 5 }, () => {
  test("an ordinary Mosquitto, as it comes: no events, slow counters, a short queue", async (t) => {
    const site = await broker(t, []);
    const report = await doctor(t, { local: local(site) });
    assert.equal(report.code, 1);
    assert.deepEqual(faults(report), ["local events", "local queue"]);
    const events = named(report, "events");
    for (const line of ["log_dest topic", "log_type subscribe", "log_type notice"])
      assert.ok(events.lines.includes(line));
    assert.deepEqual(named(report, "queue").lines, ["max_queued_messages 1000000"]);
    assert.match(named(report, "queue").text, /of 1100 messages .* dropped 100/);
    assert.deepEqual(named(report, "counters", "warning").lines, ["sys_interval 1"]);
    assert.match(named(report, "strangers", "warning").text, /no user name/);
  });

  for (const [what, line, words] of [
    ["subscribes", "log_type subscribe", /does not announce subscribes:/],
    ["unsubscribes", "log_type unsubscribe", /does not announce unsubscribes:/],
    ["takeovers", "log_type error", /does not announce takeovers:/],
  ] as const) {
    test(`one log type is missing: ${what}`, async (t) => {
      const report = await doctor(t, { local: local(await broker(t, without(line))) });
      assert.deepEqual(faults(report), ["local events"]);
      const { text, lines } = named(report, "events");
      assert.match(text, words);
      assert.deepEqual(lines, [line]);
    });
  }

  test("nobody says who connects", async (t) => {
    const report = await doctor(t, {
      local: local(await broker(t, [...without("connection_messages"), "connection_messages false"])),
    });
    assert.deepEqual(faults(report), ["local events"]);
    assert.deepEqual(named(report, "events").lines, ["log_type notice", "connection_messages true"]);
  });

  test("timestamps before log lines, and the clock in them", async (t) => {
    const report = await doctor(t, { local: local(await broker(t, without("log_timestamp"))) });
    assert.deepEqual([faults(report), report.code, report.ok], [[], 0, true]);
    assert.deepEqual(named(report, "log_timestamp", "warning").lines, ["log_timestamp false"]);
    assert.match(named(report, "clock", "ok").text, /agree/);
  });

  test("no counters", async (t) => {
    const report = await doctor(t, { local: local(await broker(t, [...without("sys_interval"), "sys_interval 0"])) });
    assert.deepEqual(faults(report), ["local counters"]);
    assert.deepEqual(named(report, "counters").lines, ["sys_interval 1"]);
  });

  test("an access list without $SYS", async (t) => {
    const site = await broker(
      t,
      [...EVENT_LINES, ...LOGIN],
      OPEN_ACL.filter((line) => !line.includes("$SYS")),
    );
    const report = await doctor(t, { local: local(site, AGENT_A) });
    assert.deepEqual(faults(report), ["local events"]);
    assert.match(named(report, "events").text, /nothing under \$SYS is delivered/);
    assert.deepEqual(named(report, "events").lines, ["user agent-a", "topic read $SYS/#"]);
  });

  for (const [what, rule, words] of [
    ["publish", "topic read $LINK/#", /does not let this user publish on \$LINK\/v1\/a\/a\//],
    ["listen", "topic write $LINK/#", /not delivered: this user needs to read/],
  ] as const) {
    test(`an access list that does not let the agent ${what} below the prefix`, async (t) => {
      const acl = [...OPEN_ACL.slice(0, -1), rule];
      const report = await doctor(t, { local: local(await broker(t, [...EVENT_LINES, ...LOGIN], acl), AGENT_A) });
      assert.deepEqual(faults(report), ["local control"]);
      const { text, lines } = named(report, "control");
      assert.match(text, words);
      assert.deepEqual(lines, ["user agent-a", "topic readwrite $LINK/#"]);
    });
  }

  test("anybody may speak in a peer's name", async (t) => {
    const site = await broker(t, [...EVENT_LINES, "password_file %d/passwords", "allow_anonymous true"]);
    const report = await doctor(t, { local: local(site, AGENT_A) });
    assert.deepEqual(faults(report), []);
    assert.match(named(report, "strangers", "warning").text, /without a name may publish below \$LINK/);
  });

  test("a prefix that # sees", async (t) => {
    const site = await broker(t, EVENT_LINES);
    const report = await doctor(t, { local: local(site), control_prefix: "_link" });
    assert.deepEqual(faults(report), []);
    assert.deepEqual(named(report, "wildcard", "warning").lines, ["topic deny _link/#"]);
  });

  test("a bridge of the broker's own", async (t) => {
    const other = await broker(t, EVENT_LINES);
    const bridge = [
      "connection old-bridge",
      `address 127.0.0.1:${other.broker.port}`,
      "topic # both 1",
      "remote_clientid the-bridge",
    ];
    const site = await broker(t, [...EVENT_LINES, ...bridge]);
    const report = await doctor(t, { local: local(site) });
    const { text, lines } = named(report, "bridges", "warning");
    assert.match(text, /the-bridge/);
    assert.ok(lines.some((line) => line.includes('ignore_clients: ["the-bridge"]')));
  });

  test("a wrong password, and nobody there", async (t) => {
    const site = await broker(t, [...EVENT_LINES, ...LOGIN]);
    const refused = await doctor(t, { local: local(site, { username: "agent-a", password: "guessed" }) });
    assert.deepEqual(faults(refused), ["local connect"]);
    assert.match(named(refused, "connect").text, /^LOCAL_REFUSED: /);
    assert.ok(named(refused, "connect").lines.includes("password_file: FILE"));
    const absent = await doctor(t, { local: { server: `mqtt://127.0.0.1:${await freePort()}`, broker: "mosquitto" } });
    assert.match(named(absent, "connect").text, /^LOCAL_UNREACHABLE: connection refused/);
  });

  test("a broker of MQTT 3.1.1 only: the configuration says so", async (t) => {
    const report = await doctor(t, { local: local(await broker(t, EVENT_LINES), { protocol_version: 4 }) });
    assert.deepEqual(faults(report), []);
    assert.match(named(report, "protocol", "note").text, /3\.1\.1/);
    assert.match(named(report, "no_local", "ok").text, /not sent back/);
  });
});

describe("the peer's broker", { concurrency: 5 }, () => {
  async function withPeer(
    t: TestContext,
    lines: readonly string[],
    acl: readonly string[],
    link: object,
  ): Promise<Report> {
    const [here, there] = [await broker(t, EVENT_LINES), await broker(t, lines, acl)];
    return doctor(t, { local: local(here), links: [{ name: "b", server: there.broker.url, topics: ["#"], ...link }] });
  }

  test("an access list that does not let this agent speak there", async (t) => {
    const acl = ["user agent-a", "topic read $LINK/v1/a/b/#"];
    const report = await withPeer(t, [...EVENT_LINES, ...LOGIN], acl, AGENT_A);
    assert.deepEqual(faults(report), ["b peer_publish"]);
    assert.deepEqual(named(report, "peer_publish").lines, ["user agent-a", "topic write $LINK/v1/b/a/#"]);
  });

  test("a wrong password", async (t) => {
    const report = await withPeer(t, [...EVENT_LINES, ...LOGIN], [], { username: "agent-a", password: "guessed" });
    assert.deepEqual(faults(report), ["b connect"]);
    assert.match(named(report, "connect").text, /^PEER_LOGIN_REFUSED: /);
  });

  test("no agent there, and one of another name", async (t) => {
    const absent = await withPeer(t, EVENT_LINES, [], {});
    assert.match(named(absent, "peer_agent").text, /no agent listens there: start the one of cluster "b"/);
    const [here, there] = [await broker(t, EVENT_LINES), await broker(t, EVENT_LINES)];
    there.agent = await AgentProcess.start({
      cluster: "other",
      local: there.broker.url,
      links: { a: here.broker.url },
    });
    await there.agent.untilStatus("it listens", ({ sessions }) => sessions.link.up && sessions.data.up);
    const report = await doctor(t, {
      local: local(here),
      links: [{ name: "b", server: there.broker.url, topics: ["#"] }],
    });
    assert.match(named(report, "peer_agent").text, /its cluster is not called "b"/);
    const { text, lines } = named(report, "peer_name");
    assert.match(text, /cluster "other" speaks to this one, which has no link of that name/);
    assert.deepEqual(lines, ["links:", "  - name: other"]);
  });

  test("a peer that calls this cluster by another name, and one that should dial in and does not", async (t) => {
    const [here, there] = [await broker(t, EVENT_LINES), await broker(t, EVENT_LINES)];
    there.agent = await AgentProcess.start({
      cluster: "b",
      local: there.broker.url,
      links: { alpha: here.broker.url },
    });
    await there.agent.untilStatus("it dials", ({ hub }) => hub.links[0]?.transportUp === true);
    const report = await doctor(t, {
      local: local(here),
      links: [{ name: "b", server: there.broker.url }, { name: "c" }],
    });
    const names = report.findings.filter(({ check, level }) => check === "peer_name" && level === "fault");
    assert.match(names[0]?.text ?? "", /cluster "b" calls this cluster "alpha"/);
    assert.deepEqual(names[0]?.fixes[0]?.lines, ["links:", "  - name: a # not alpha"]);
    assert.match(names[1]?.text ?? "", /nothing was heard of the agent of cluster "c"/);
    assert.equal(names.length, 2);
  });

  for (const [what, subjects, days, trusting, level, words, line] of [
    ["that has ended", "IP:127.0.0.1", -1, true, "fault", /the certificate of "server" at .* ended on/, null],
    [
      "that nobody here vouches for",
      "IP:127.0.0.1",
      30,
      false,
      "fault",
      /is not trusted: nothing here vouches for/,
      /cacertfile: FILE/,
    ],
    [
      "for another host",
      "DNS:broker.example",
      30,
      true,
      "fault",
      /is for DNS:broker\.example, not for that host/,
      /servername: broker\.example/,
    ],
    ["that ends soon", "IP:127.0.0.1", 5, true, "warning", /"server" ends on .*, in 4 days/, null],
  ] as const) {
    test(`a certificate ${what}`, async (t) => {
      const authority = certificates.authority(`authority ${files}${what.length}`);
      const pair = certificates.issue("server", authority, subjects, days);
      const port = await freePort();
      const lines = [
        ...EVENT_LINES,
        `listener ${port} 127.0.0.1`,
        `certfile ${pair.certFile}`,
        `keyfile ${pair.keyFile}`,
      ];
      const ssl = trusting ? { ssl: { cacertfile: authority.certFile } } : {};
      const report = await withPeer(t, lines, [], { server: `mqtts://127.0.0.1:${port}`, ...ssl });
      const found = report.findings.find(
        (each) => each.check === "tls" && each.level === level && words.test(each.text),
      );
      assert.ok(found !== undefined, JSON.stringify(report.findings, null, 1));
      if (level === "fault")
        assert.ok(
          !report.findings.some(({ check, broker: where }) => where === "b" && check === "connect"),
          "said once",
        );
      if (line !== null) assert.ok(found.fixes.some(({ lines: own }) => own.some((each) => line.test(each))));
    });
  }
});

describe("beside running agents", () => {
  test("all is well, and they are not disturbed", async (t) => {
    const pair = await Pair.open({ aWants: ["t/#"], bWants: ["t/#"] });
    t.after(() => pair.close());
    const [reader, writer] = [await pair.a.client(), await pair.b.client()];
    await reader.subscribe("t/1");
    await writer.reaches(reader, "t/1");
    await pair.settled();
    const before = await pair.a.agent.status();
    const lines = { a: pair.a.agent.log.lines.length, b: pair.b.agent.log.lines.length };
    const http = { host: "127.0.0.1", port: Number(pair.a.agent.address.split(":")[1]) };
    const links = [{ name: "b", server: pair.b.broker.url, topics: ["t/#"] }];
    const report = await doctor(t, { local: local(pair.a), links, http });
    assert.deepEqual([faults(report), report.code], [[], 0], JSON.stringify(report.findings, null, 1));
    assert.match(named(report, "peer_agent", "ok").text, /the agent of cluster "b" listens there/);
    assert.match(named(report, "peer_name", "ok").text, /the agent of cluster "b" speaks to this one/);
    assert.match(named(report, "queue", "skipped").text, /not measured while the agent runs/);
    // Nothing wide, no other route, no complaint.
    const routes = (status: typeof before) => status.hub.links.map(({ out, in: into }) => [out.lastOp, into.appliedOp]);
    const now = await pair.a.agent.status();
    assert.deepEqual([now.hub.wide, routes(now)], [null, routes(before)]);
    for (const [agent, from] of [[pair.a.agent, lines.a] as const, [pair.b.agent, lines.b] as const]) {
      const complaints = agent.log.lines.slice(from).filter((line) => /"level":"(warn|error)"/.test(line));
      assert.deepEqual(complaints, []);
    }
    const knocked = (await pair.b.agent.linkStatus("a")).conversation.find(({ what }) => what === "optional_skipped");
    assert.equal(knocked?.count, 2, "it knocked, and was passed over");
    assert.equal((await pair.b.agent.linkStatus("a")).status, "connected");
  });
});
