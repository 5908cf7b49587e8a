/** What `brokerlink acl` prints, in the access lists of real Mosquittos: all that is needed works, and nothing else below $LINK. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { AgentProcess } from "./agent-process.ts";
import { Command } from "./command.ts";
import { EVENT_LINES, Site } from "./site.ts";
import type { TestClient } from "./test-client.ts";

const dir = mkdtempSync(join(tmpdir(), "brokerlink-acl-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const USERS = ["agent-a", "agent-b", "client"] as const;
const PASSWORDS = passwords();
const LINES = [...EVENT_LINES, "allow_anonymous false", "password_file %d/passwords", "acl_file %d/acl"];
const CLIENTS = "user client\ntopic readwrite #\n";

function passwords(): string {
  const file = join(dir, "passwords");
  for (const [n, user] of USERS.entries())
    execFileSync("/usr/bin/mosquitto_passwd", [...(n === 0 ? ["-c"] : []), "-b", file, user, `${user}-secret`]);
  return readFileSync(file, "utf8");
}

function login(user: string): { username: string; password: string } {
  return { username: user, password: `${user}-secret` };
}

/** Both clusters' configurations; `aDials` false: B dials in at A. */
async function twoSites(aDials: boolean) {
  const [a, b] = [await Site.open("a", EVENT_LINES), await Site.open("b", EVENT_LINES)];
  const config = (me: Site, peer: Site, dials: boolean) => ({
    cluster: me.name,
    local: { server: me.broker.url, broker: "mosquitto", ...login(`agent-${me.name}`) },
    links: [
      {
        name: peer.name,
        ...(dials ? { server: peer.broker.url, ...login(`agent-${me.name}`) } : {}),
        topics: ["in/#", "both"],
        export: ["in/#", "both"],
      },
    ],
  });
  return { a, b, aConfig: config(a, b, aDials), bConfig: config(b, a, true) };
}

for (const aDials of [true, false]) {
  describe(`access rules where ${aDials ? "both sides dial" : "B dials in at A"}`, { concurrency: false }, () => {
    test("link two clusters, and let nobody else near the link", async (t) => {
      const { a, b, aConfig, bConfig } = await twoSites(aDials);
      t.after(() => Promise.all([a.close(), b.close()]));
      const files = { a: join(dir, "a.json"), b: join(dir, "b.json") };
      for (const [name, config] of [["a", aConfig] as const, ["b", bConfig] as const])
        writeFileSync(files[name], JSON.stringify(config), { mode: 0o600 });
      const printed = async (...args: string[]): Promise<string> => {
        const command = new Command(t, ["acl", ...args]);
        assert.equal(await command.end(), 0, command.error);
        assert.ok(!`${command.out}${command.error}`.includes("secret"));
        return command.out;
      };
      const acls = {
        a: (await printed("--config", files.a, "--of", "local", "--user", "b=agent-b")) + CLIENTS,
        b: (await printed("--config", files.b, "--of", "local", "--user", "a=agent-a")) + CLIENTS,
      };
      const forPeer = await printed("--config", files.b, "--of", "a");
      // What B asks of A's administrators is what A's own configuration gives; reading is for a peer that dials in.
      for (const rule of ["user agent-b", "topic write $LINK/v1/a/b/#", "topic read $LINK/v1/b/a/#"]) {
        assert.ok(rulesOf(forPeer).includes(rule), forPeer);
        assert.equal(rulesOf(acls.a).includes(rule), !aDials || !rule.includes("read"), rule);
      }
      for (const site of [a, b]) {
        site.broker.write("passwords", PASSWORDS);
        site.broker.write("acl", acls[site.name as "a" | "b"]);
        await site.broker.restart(LINES);
      }
      for (const [site, config] of [[a, aConfig] as const, [b, bConfig] as const])
        site.agent = await AgentProcess.start({ cluster: site.name, local: site.broker.url, config });
      await Promise.all([a.agent.linked("b"), b.agent.linked("a"), a.agent.exact(), b.agent.exact()]);
      const client = (site: Site) => site.client({ more: login("client") });
      const [onA, onB] = [await client(a), await client(b)];
      for (const [here, there] of [[onA, onB] as const, [onB, onA] as const]) {
        await here.subscribe(["in/#", "both"]);
        await there.reaches(here, "in/1");
        await there.reaches(here, "both");
      }
      await a.agent.untilStatus("A's control topics work", ({ controlDenied }) => controlDenied === null);

      const owner = await a.client({ more: login("agent-a"), id: "watcher" });
      await owner.subscribe(["$LINK/v1/+/+/test", "#"]);
      const peer = await a.client({ more: login("agent-b") });
      const allowed = ["$LINK/v1/a/b/test"];
      const denied = [
        "$LINK/v1/b/a/test",
        "$LINK/v1/a/c/test",
        "$LINK/v1/a/a/test",
        "$LINK/v1/c/b/test",
        "in/1",
        "both",
        "$SYS/broker/x",
      ];
      assert.deepEqual(await publishable(peer, [...allowed, ...denied]), allowed);
      assert.deepEqual(await publishable(onA, ["$LINK/v1/a/b/test", "$LINK/v1/b/a/test", "$LINK/x", "elsewhere"]), [
        "elsewhere",
      ]);

      // What the peer and a client may hear: Mosquitto grants every SUBSCRIBE, and delivers by the rules.
      const eavesdroppers = [peer, await client(a)];
      for (const each of eavesdroppers) await each.subscribe(["$LINK/#", "$SYS/#", "#", "$LINK/v1/+/+/test"]);
      const spoken = ["$LINK/v1/a/b/test", "$LINK/v1/b/a/test", "$LINK/v1/c/a/test"];
      for (const topic of spoken) await owner.publish(topic, "for the link only");
      await eavesdroppers[1]?.publish("free", "over");
      await eavesdroppers[1]?.arrival("over");
      // An answer of the broker on its own connection comes behind what it was sent before.
      const heard = (each: TestClient) => [...new Set(each.received.map(({ topic }) => topic))];
      assert.deepEqual(
        heard(eavesdroppers[1] as TestClient).filter((topic) => topic.startsWith("$")),
        [],
      );
      await peer.subscribe("nothing/at/all");
      assert.deepEqual(heard(peer), aDials ? [] : ["$LINK/v1/b/a/test"]);
    });
  });
}

/** Those that reach anybody with the right to hear them: the broker says so in its PUBACK, or the watcher does. */
async function publishable(client: TestClient, topics: readonly string[]): Promise<string[]> {
  const taken: string[] = [];
  for (const topic of topics) {
    const ok = await client.publish(topic, "?").then(
      () => true,
      // MQTT 5: 0x87, not authorized.
      (error: { code?: number }) => {
        assert.equal(error.code, 0x87, topic);
        return false;
      },
    );
    if (ok) taken.push(topic);
  }
  return taken;
}

function rulesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
