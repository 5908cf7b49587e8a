/** Who may do what, and over which transport: access lists, logins, TLS, WebSocket, other prefixes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { freePort } from "../contract/local-mosquitto.ts";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";

/** The least that everybody needs, as docs/ tell: an agent at home, the peer's agent, and clients. */
function accessList(me: string, peer: string, prefix = "$LINK"): string {
  return [
    "user agent",
    "topic readwrite #",
    "topic read $SYS/#",
    `topic readwrite ${prefix}/v1/#`,
    "user client",
    "topic readwrite #",
    "user peer",
    `topic write ${prefix}/v1/${me}/${peer}/#`,
    "",
  ].join("\n");
}

function passwords(dir: string): string {
  const file = join(dir, "passwords");
  for (const [n, user] of ["agent", "peer", "client"].entries()) {
    execFileSync("/usr/bin/mosquitto_passwd", [...(n === 0 ? ["-c"] : []), "-b", file, user, `${user}-secret`]);
  }
  return readFileSync(file, "utf8");
}

const AUTHORITY = [
  ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
  ["-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem"],
].flat();
const REQUEST = [
  ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"],
  ["-keyout", "server.key", "-out", "server.csr"],
].flat();
const SIGNED = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem".split(" ");

const dir = mkdtempSync(join(tmpdir(), "brokerlink-access-"));
after(() => rmSync(dir, { recursive: true, force: true }));

async function linked(a: Site, b: Site, how: { login?: object; topic?: string } = {}): Promise<void> {
  await Promise.all([a.agent.linked("b"), b.agent.linked("a")]);
  const { login = {}, topic = "x/1" } = how;
  const [onA, onB] = [await a.client({ more: login }), await b.client({ more: login })];
  await onA.subscribe(topic);
  await onB.subscribe(topic);
  await onB.reaches(onA, topic);
  await onA.reaches(onB, topic);
}

describe("access", { concurrency: false }, () => {
  test("with logins and access lists that give the peer nothing but its control topics, both directions work", async () => {
    const lines = [...EVENT_LINES, "allow_anonymous false", "password_file %d/passwords", "acl_file %d/acl"];
    const hashed = passwords(dir);
    const a = await Site.open("a", lines, { passwords: hashed, acl: accessList("a", "b") });
    const b = await Site.open("b", lines, { passwords: hashed, acl: accessList("b", "a") });
    try {
      for (const [site, peer] of [[a, b] as const, [b, a] as const]) {
        site.agent = await AgentProcess.start({
          cluster: site.name,
          local: site.broker.url,
          config: {
            local: { username: "agent", password: "agent-secret" },
            links: [
              {
                name: peer.name,
                server: peer.broker.url,
                username: "peer",
                password: "peer-secret",
                topics: ["#"],
              },
            ],
          },
        });
      }
      await linked(a, b, { login: { username: "client", password: "client-secret" } });
      await Promise.all([a.agent.exact(), b.agent.exact()]);
      const text = JSON.stringify([await a.agent.link("b"), a.agent.log.lines]);
      assert.ok(!text.includes("secret"), "no secret in the log or the API");
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test("an access list that denies control topics is named within seconds, on the side that publishes and at home", async () => {
    // With this last line Mosquitto 2.0.11 hangs up behind each refusal, which must not hide it.
    const closed = [...EVENT_LINES, "acl_file %d/acl", "max_queued_messages 0"];
    // Anonymous users: everything but the control topics.
    const acl = ["topic readwrite #", "topic read $SYS/#", ""].join("\n");
    const a = await Site.open("a", closed, { acl });
    const b = await Site.open("b");
    try {
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.url,
        links: { b: b.broker.url },
        topics: { b: ["#"] },
      });
      b.agent = await AgentProcess.start({ cluster: "b", local: b.broker.url, links: { a: a.broker.url } });
      const startedAtMs = Date.now();
      await b.agent.untilLink(
        "a",
        "B says that A's broker denies it",
        (link) => link.lastProblem?.code === "CONTROL_DENIED" || JSON.stringify(link.lastProblem),
        10_000,
      );
      await a.agent.untilStatus(
        "A says that its own broker denies it",
        ({ controlDenied }) => controlDenied?.includes("$LINK/v1/") === true || `${controlDenied}`,
        15_000,
      );
      assert.ok(Date.now() - startedAtMs < 15_000);
      await a.agent.logged(/CONTROL_DENIED/);
      assert.notEqual((await b.agent.link("a")).status, "connected");
      // Mended while everything runs, it comes up by itself.
      a.broker.write("acl", `${acl}topic readwrite $LINK/#\n`);
      a.broker.signal("SIGHUP");
      await Promise.all([a.agent.linked("b", 60_000), b.agent.linked("a", 60_000)]);
      await a.agent.untilStatus("it is no longer denied", ({ controlDenied }) => controlDenied === null, 60_000);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test("a wrong password at the peer's broker and an unknown host are named", async () => {
    const lines = [...EVENT_LINES, "allow_anonymous false", "password_file %d/passwords"];
    const b = await Site.open("b", lines, { passwords: passwords(dir) });
    const a = await Site.open("a");
    try {
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.url,
        config: {
          links: [
            { name: "b", server: b.broker.url, username: "peer", password: "guessed", topics: ["#"] },
            { name: "c", server: "mqtt://no-such-host.invalid:1883", topics: ["#"] },
            { name: "d", server: `mqtt://127.0.0.1:${await freePort()}`, topics: ["#"] },
          ],
        },
      });
      for (const [name, code] of [
        ["b", "PEER_LOGIN_REFUSED"],
        ["c", "PEER_UNREACHABLE"],
        ["d", "PEER_UNREACHABLE"],
      ] as const) {
        await a.agent.untilLink(
          name,
          `link ${name} says ${code}`,
          (link) => link.lastProblem?.code === code || JSON.stringify(link.lastProblem),
        );
      }
      await a.agent.untilStatus("A's own broker is connected", ({ sessions }) => sessions.data.up && sessions.link.up);
      assert.equal((await a.agent.get("/readyz")).status, 200, "peers never count");
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test("TLS at home and at the peer, with an authority of one's own; a certificate that is not trusted is named", async () => {
    for (const args of [AUTHORITY, REQUEST, SIGNED])
      execFileSync("/usr/bin/openssl", args, { cwd: dir, stdio: "ignore" });
    const files = Object.fromEntries(
      ["ca.pem", "server.pem", "server.key"].map((name) => [name, readFileSync(join(dir, name), "utf8")]),
    );
    const ports = { a: await freePort(), b: await freePort() };
    const secure = (port: number): string[] => [
      ...EVENT_LINES,
      `listener ${port} 127.0.0.1`,
      "certfile %d/server.pem",
      "keyfile %d/server.key",
    ];
    const a = await Site.open("a", secure(ports.a), files);
    const b = await Site.open("b", secure(ports.b), files);
    const ssl = { cacertfile: join(dir, "ca.pem"), servername: "localhost" };
    try {
      for (const [site, peer] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        (site === "a" ? a : b).agent = await AgentProcess.start({
          cluster: site,
          local: `mqtts://127.0.0.1:${ports[site]}`,
          config: {
            local: { ssl },
            links: [
              { name: peer, server: `mqtts://127.0.0.1:${ports[peer]}`, ssl, topics: ["#"] },
              // Without our authority.
              { name: "stranger", server: `mqtts://127.0.0.1:${ports[peer]}`, topics: ["#"] },
            ],
          },
        });
      }
      await linked(a, b);
      await a.agent.untilLink(
        "stranger",
        "the untrusted certificate is named",
        (link) => link.lastProblem?.code === "PEER_TLS" || JSON.stringify(link.lastProblem),
      );
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test("WebSocket at home and at the peer, and another control prefix on each side", async () => {
    const [a, b] = [await Site.open("a"), await Site.open("b")];
    try {
      a.agent = await AgentProcess.start({
        cluster: "a",
        local: a.broker.wsUrl,
        config: {
          control_prefix: "links/of/a",
          links: [{ name: "b", server: b.broker.wsUrl, control_prefix: "_b", topics: ["#"] }],
        },
      });
      b.agent = await AgentProcess.start({
        cluster: "b",
        local: b.broker.wsUrl,
        config: {
          control_prefix: "_b",
          links: [{ name: "a", server: a.broker.wsUrl, control_prefix: "links/of/a", topics: ["#"] }],
        },
      });
      await linked(a, b, { topic: "ws/1" });
      // Its own prefix is no $ topic there, so ordinary subscribers see it: it must not cross all the same.
      const [everything, writer] = [await b.client(), await a.client()];
      await everything.subscribe("links/#");
      await everything.subscribe("ws/#");
      await writer.reaches(everything, "ws/2");
      await writer.publish("links/of/a/v1/x/y/ctl", "not for you");
      await writer.publish("ws/2", "sentinel");
      await everything.arrival("sentinel");
      assert.deepEqual(everything.texts(), ["sentinel"]);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });
});
