import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import mqtt from "mqtt";
import { DataDir } from "../../src/store/data-dir.ts";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { closeOf, message, temporaryFolder } from "../store/rig.ts";
import { StoreChild } from "../store/store-child.ts";
import { freePorts } from "../support/free-ports.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { Command, folderWith } from "./command.ts";
import { EVENT_LINES } from "./site.ts";

const SESSIONS = ["brokerlink-a-events", "brokerlink-a-link", "brokerlink-a-data", "brokerlink-a-retained"];

async function mosquitto(
  t: TestContext,
  lines: readonly string[] = EVENT_LINES,
  files: Readonly<Record<string, string>> = {},
): Promise<LocalMosquitto> {
  const broker = await LocalMosquitto.start(lines, files);
  t.after(() => broker.stop());
  return broker;
}

/** Which of these clients the broker keeps a session of. Asking ends none. */
async function sessionsAt(url: string, clients: readonly string[]): Promise<string[]> {
  const kept: string[] = [];
  for (const clientId of clients) {
    const client = mqtt.connect(url, {
      clientId,
      clean: false,
      protocolVersion: 5,
      reconnectPeriod: 0,
      properties: { sessionExpiryInterval: 300 },
    });
    const present = await new Promise<boolean>((resolve, reject) => {
      client.once("connect", ({ sessionPresent }) => resolve(sessionPresent));
      client.once("error", reject);
    });
    // One that was not there came to be by being asked for.
    await client.endAsync(false, present ? {} : { properties: { sessionExpiryInterval: 0 } });
    if (present) kept.push(clientId);
  }
  return kept;
}

/** An agent that worked at the broker and was killed. */
async function killedAgent(t: TestContext, local: string, config: Record<string, unknown> = {}): Promise<void> {
  const agent = await AgentProcess.start({ cluster: "a", local, links: { b: null }, topics: { b: ["t/#"] }, config });
  t.after(() => agent.dispose());
  await until("the agent is ready", async () => (await agent.get("/readyz")).status === 200 || agent.log.tail(20));
  await agent.stop("SIGKILL");
}

/** A directory such as an agent leaves it, with something of somebody else. */
async function dataDir(t: TestContext): Promise<string> {
  const path = temporaryFolder(t);
  const dir = await DataDir.open(path, { report: () => {} });
  const log = DiskSpoolLog.open(dir.spoolFolder("b"), { report: () => {} });
  log.append(message(1), 1, 0);
  await closeOf(log);
  dir.close();
  writeFileSync(join(path, "notes.txt"), "x");
  return path;
}

function everything(path: string): string[] {
  return readdirSync(path, { recursive: true }).map(String).sort();
}

function forget(
  t: TestContext,
  local: string,
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Command {
  return new Command(t, ["forget", "--cluster", "a", "--local", local, "--broker", "mosquitto", ...more], env);
}

test("what a killed agent left on its broker and on disk goes, and nothing else", async (t) => {
  const broker = await mosquitto(t);
  const path = await dataDir(t);
  await killedAgent(t, broker.url);
  const others = ["brokerlink-a-other", "brokerlink-a"];
  for (const clientId of others) {
    const other = await mqtt.connectAsync(broker.url, {
      clientId,
      clean: false,
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 300 },
    });
    await other.endAsync();
  }
  const durable = ["brokerlink-a-events", "brokerlink-a-data"];
  assert.deepEqual(await sessionsAt(broker.url, [...SESSIONS, ...others]), [...durable, ...others]);

  const files = everything(path);
  const dry = forget(t, broker.url, ["--data-dir", path, "--dry-run"]);
  assert.equal(await dry.end(), 0, dry.error);
  assert.deepEqual(await sessionsAt(broker.url, SESSIONS), durable, "asked for, not removed");
  assert.deepEqual(everything(path), files);

  const real = forget(t, broker.url, ["--data-dir", path]);
  assert.equal(await real.end(), 0, real.error);
  assert.equal(real.error, "");
  const said = [
    ...SESSIONS.map((name) => `removed session "${name}" at ${broker.url}`),
    /removed the spool of link b \(1 file, [\d,]+ bytes\) in ".*"/,
    `removed the lock in "${path}"`,
    "",
  ];
  const lines = real.out.split("\n");
  assert.equal(lines.length, said.length, real.out);
  for (const [index, expected] of said.entries()) {
    if (typeof expected === "string") assert.equal(lines[index], expected);
    else assert.match(lines[index] ?? "", expected);
  }
  assert.equal(dry.out, real.out.replaceAll(/^removed/gm, "would remove"), "a dry run says just what comes");
  assert.deepEqual(await sessionsAt(broker.url, [...SESSIONS, ...others]), others);
  assert.deepEqual(everything(path), ["notes.txt"]);

  const again = forget(t, broker.url, ["--data-dir", path]);
  assert.equal(await again.end(), 0, again.error);
  assert.match(again.out, new RegExp(`nothing of an agent is in "${path}"\n$`));
});

test("MQTT 3.1.1 sessions, which no expiry ends, go too", async (t) => {
  const broker = await mosquitto(t);
  const config = { local: { protocol_version: 4 } };
  await killedAgent(t, broker.url, config);
  const durable = ["brokerlink-a-events", "brokerlink-a-data"];
  assert.deepEqual(await sessionsAt(broker.url, SESSIONS), durable);
  const folder = folderWith(t, { "agent.json": JSON.stringify(config) });
  const command = forget(t, broker.url, ["--config", join(folder, "agent.json")]);
  assert.equal(await command.end(), 0, command.error);
  assert.deepEqual(await sessionsAt(broker.url, SESSIONS), []);
});

test("the login of the configuration is used, and a refused one is said at once", async (t) => {
  const folder = folderWith(t, {});
  const passwords = join(folder, "passwords");
  execFileSync("/usr/bin/mosquitto_passwd", ["-c", "-b", passwords, "agent", "agent-secret"]);
  const lines = [...EVENT_LINES, "allow_anonymous false", "password_file %d/passwords"];
  const broker = await mosquitto(t, lines, { passwords: readFileSync(passwords, "utf8") });
  const login = { BROKERLINK_LOCAL__USERNAME: "agent", BROKERLINK_LOCAL__PASSWORD: "agent-secret" };
  const right = forget(t, broker.url, [], login);
  assert.equal(await right.end(), 0, right.error);

  const wrong = forget(t, broker.url, [], { ...login, BROKERLINK_LOCAL__PASSWORD: "hunter2" });
  const startedMs = performance.now();
  assert.equal(await wrong.end(), 1);
  assert.ok(performance.now() - startedMs < 8_000, "waiting does not mend it");
  assert.match(wrong.error, /^LOCAL_REFUSED: session "brokerlink-a-events" at mqtt:\S+: the broker refused/);
  assert.equal(wrong.out, "");
});

test("without its broker nothing is touched; --disk-only leaves the broker out", async (t) => {
  const local = `mqtt://127.0.0.1:${(await freePorts(1))[0]}`;
  const path = await dataDir(t);
  const files = everything(path);
  const command = forget(t, local, ["--data-dir", path]);
  assert.equal(await command.end(30_000), 1, command.out);
  assert.match(command.error, /^LOCAL_UNREACHABLE: session "brokerlink-a-events" at mqtt:\S+: connection refused/);
  assert.match(command.error, new RegExp(`Nothing in "${path}" was touched; --disk-only removes it all the same`));
  assert.equal(command.out, "");
  // The lock that was taken meanwhile has the next number.
  assert.deepEqual(
    everything(path),
    files.map((name) => name.replace("lock.1", "lock.2")),
  );

  const onDisk = forget(t, local, ["--data-dir", path, "--disk-only"]);
  assert.equal(await onDisk.end(), 0, onDisk.error);
  assert.doesNotMatch(onDisk.out, /session/);
  assert.deepEqual(everything(path), ["notes.txt"]);
});

test("a directory in use means a running agent: neither it nor its broker is touched", async (t) => {
  const broker = await mosquitto(t);
  const path = await dataDir(t);
  await killedAgent(t, broker.url);
  const child = await StoreChild.start(t, "lock", path);
  await child.nextLine();
  const files = everything(path);
  for (const more of [[], ["--dry-run"], ["--disk-only"]]) {
    const command = forget(t, broker.url, ["--data-dir", path, ...more]);
    assert.equal(await command.end(), 1);
    assert.equal(command.error, `DATA_DIR_LOCKED: ${path} is in use by process ${child.pid}: stop that agent first\n`);
    assert.equal(command.out, "");
  }
  assert.deepEqual(everything(path), files);
  assert.deepEqual(await sessionsAt(broker.url, SESSIONS), ["brokerlink-a-events", "brokerlink-a-data"]);
});

test("an agent with a data_dir is safe while it runs, and leaves nothing once it was killed", async (t) => {
  const broker = await mosquitto(t);
  const path = join(temporaryFolder(t), "data");
  const links = [{ name: "b", topics: ["t/#"] }];
  const config = { data_dir: path, links };
  const agent = await AgentProcess.start({ cluster: "a", local: broker.url, config });
  t.after(() => agent.dispose());
  const ready = async (): Promise<boolean | string> =>
    (await agent.get("/readyz")).status === 200 || agent.log.tail(20);
  await until("the agent is ready", ready);
  const early = forget(t, broker.url, ["--data-dir", path]);
  assert.equal(await early.end(), 1);
  assert.match(early.error, new RegExp(`^DATA_DIR_LOCKED: ${path} is in use by process ${agent.pid}: stop that agent`));
  assert.equal(await ready(), true);
  assert.ok(!agent.log.lines.some((line) => line.includes("local session down")), "nobody took a session");

  await agent.stop("SIGKILL");
  assert.deepEqual(await sessionsAt(broker.url, SESSIONS), ["brokerlink-a-events", "brokerlink-a-data"]);
  assert.notDeepEqual(everything(path), []);
  const late = forget(t, broker.url, ["--data-dir", path]);
  assert.equal(await late.end(), 0, late.error);
  assert.match(late.out, /removed the journal \(1 file, /);
  assert.deepEqual(everything(path), []);
  assert.deepEqual(await sessionsAt(broker.url, SESSIONS), []);
});
