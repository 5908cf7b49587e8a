/** The configuration of a real agent changes under it: files that are swapped, bad ones, secrets and certificates that are renewed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { freePort } from "../contract/local-mosquitto.ts";
import { Certificates } from "../mqtt/certificates.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";

/** A refused login is tried again after 30 s by itself: what comes sooner comes because a file changed. */
const SOON_MS = 12_000;

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "brokerlink-hot-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function site(t: TestContext, name: string, lines = EVENT_LINES, files = {}): Promise<Site> {
  const opened = await Site.open(name, lines, files);
  t.after(() => opened.close());
  return opened;
}

function passwords(dir: string, secret: string): void {
  writeFileSync(join(dir, "passwords"), "", { mode: 0o600 });
  execFileSync("mosquitto_passwd", ["-b", join(dir, "passwords"), "agent", secret], { stdio: "ignore" });
}

test("a ConfigMap that is swapped is noticed; a bad one changes nothing, says so, and shows in the metrics", async (t) => {
  const a = await site(t, "a");
  const volume = folder(t);
  let version = 0;
  const put = (text: string): void => {
    version += 1;
    mkdirSync(join(volume, `..v${version}`));
    writeFileSync(join(volume, `..v${version}`, "brokerlink.yaml"), text);
    symlinkSync(`..v${version}`, join(volume, "..data_tmp"));
    renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
  };
  put("links:\n  - name: b\n");
  symlinkSync("..data/brokerlink.yaml", join(volume, "brokerlink.yaml"));
  const config = join(volume, "brokerlink.yaml");
  a.agent = await AgentProcess.start({ cluster: "a", local: a.broker.url, config });
  await a.agent.logged(/agent started/);
  put("links:\n  - name: b\n    topics: [t/#]\n  - name: c\n");
  await a.agent.untilStatus("two links", ({ hub }) => hub.links.length === 2 && hub.links[0]?.topics.length === 1);
  put("links:\n  - name: b\n    topics: [t/#/u]\n  - name: d\n");
  const line = await a.agent.logged(/configuration not taken/);
  assert.match(line, /"code":"CONFIG_INVALID"/);
  assert.match(line, /links\[0\]\.topics\[0\]: filter \\"t\/#\/u\\" has # before its last level .*\(line 3\)/);
  assert.deepEqual(
    (await a.agent.status()).hub.links.map(({ name }) => name),
    ["b", "c"],
  );
  const metrics = await (await a.agent.get("/metrics")).text();
  assert.match(metrics, /^brokerlink_config_last_reload_successful 0$/m);
  assert.match(metrics, /^brokerlink_config_reloads_total\{result="invalid"\} 1$/m);
  put("local: {ignore_clients: [x]}\nlinks:\n  - name: d\n");
  assert.match(await a.agent.logged(/CONFIG_NEEDS_RESTART/), /only a restart can change local\.ignore_clients/);
  assert.deepEqual(
    (await a.agent.status()).hub.links.map(({ name }) => name),
    ["b", "c"],
  );
  put("links:\n  - name: d\n    topics: ['#']\n");
  await a.agent.untilStatus("d alone", ({ hub }) => hub.links.length === 1 && hub.links[0]?.name === "d");
  assert.match(await (await a.agent.get("/metrics")).text(), /^brokerlink_config_last_reload_successful 1$/m);
});

test("a removed link's spool is deleted, and how much was in it is said; one that is switched off keeps it", async (t) => {
  const a = await site(t, "a");
  const b = await site(t, "b");
  const dir = folder(t);
  // At A, nobody answers for B once its routes are there.
  const link = { name: "b", server: b.broker.url };
  const config = (links: readonly object[]) => ({ data_dir: dir, links });
  a.agent = await AgentProcess.start({ cluster: "a", local: a.broker.url, config: config([link]) });
  b.agent = await AgentProcess.start({
    cluster: "b",
    local: b.broker.url,
    links: { a: a.broker.url },
    topics: { a: ["t/#"] },
  });
  await Promise.all([a.agent.linked("b"), b.agent.linked("a"), b.agent.exact()]);
  const reader = await b.client({ id: "reader" });
  await reader.subscribe("t/#");
  const writer = await a.client({ id: "writer" });
  await writer.reaches(reader, "t/1");
  assert.equal(await b.agent.stop("SIGKILL"), -1);
  const numbers = Array.from({ length: 20 }, (_, at) => at + 1);
  await Promise.all(numbers.map((number) => writer.publish("t/1", `kept ${number}`)));
  await a.agent.untilLink("b", "spooled", ({ queue }) => queue.spooled >= 20 || `${queue.spooled}`);

  a.agent.rewrite(config([{ ...link, enable: false }]));
  await a.agent.untilStatus("switched off", ({ hub }) => hub.links.length === 0);
  assert.equal(existsSync(join(dir, "spool", "b")), true);
  // It outlives the agent.
  assert.equal(await a.agent.stop("SIGTERM"), 0);
  await a.agent.start();
  a.agent.rewrite(config([link]));
  await a.agent.untilLink("b", "spooled still", ({ queue }) => queue.spooled >= 20 || `${queue.spooled}`);
  a.agent.rewrite(config([]));
  const line = await a.agent.logged(/that its peer had not confirmed are given up/);
  assert.match(line, /"link":"b","messages":2\d,/);
  assert.equal(existsSync(join(dir, "spool", "b")), false);
  assert.match(await (await a.agent.get("/metrics")).text(), /^brokerlink_removed_links_messages_total 2\d$/m);
});

test("a password and a token that change in their files are used from then on; nobody is disturbed before", async (t) => {
  const dir = folder(t);
  passwords(dir, "first");
  const lines = [...EVENT_LINES, "allow_anonymous false", `password_file ${join(dir, "passwords")}`];
  const b = await site(t, "b", lines);
  const a = await site(t, "a");
  writeFileSync(join(dir, "secret"), "first\n");
  writeFileSync(join(dir, "token"), "one");
  const link = {
    name: "b",
    server: b.broker.url,
    username: "agent",
    password_file: join(dir, "secret"),
    topics: ["#"],
  };
  const config = { links: [link], http: { token_file: join(dir, "token") } };
  a.agent = await AgentProcess.start({ cluster: "a", local: a.broker.url, config });
  const asked = async (token: string): Promise<Response> =>
    fetch(`${(await a.agent.get("/livez")).url.replace("/livez", "")}/api/v1/status`, {
      headers: { authorization: `Bearer ${token}` },
    });
  const up = async (token: string): Promise<[boolean | undefined, number | undefined]> => {
    const { hub, peerCounters } = (await (await asked(token)).json()) as Awaited<ReturnType<AgentProcess["status"]>>;
    return [hub.links[0]?.transportUp, peerCounters["b"]?.connections];
  };
  await until("connected", async () => (await up("one"))[0] === true, SOON_MS);

  writeFileSync(join(dir, "token"), "two");
  await until("the new token is taken", async () => (await asked("two")).status === 200, SOON_MS);
  assert.equal((await asked("one")).status, 401);

  // The file first, then the broker: the connection that stands is left alone.
  writeFileSync(join(dir, "secret"), "second\n");
  await a.agent.logged(/"keys":\["password"\],"connection":"renew".*"link changed"/);
  assert.deepEqual(await up("two"), [true, 1]);
  passwords(dir, "second");
  await b.broker.restart(lines);
  await until("connected with the second", async () => (await up("two"))[1] === 2, SOON_MS);

  // The broker first, then the file: refused, and tried again at once when the file is there.
  passwords(dir, "third");
  await b.broker.restart(lines);
  await a.agent.logged(/PEER_LOGIN_REFUSED/);
  writeFileSync(join(dir, "secret"), "third\n");
  await until("connected with the third", async () => (await up("two"))[1] === 3, SOON_MS);
  for (const line of a.agent.log.lines) assert.doesNotMatch(line, /"(first|second|third|one|two)"/);
});

test("certificates that change in their files are used for the next connection, at once where there is none", async (t) => {
  const certificates = new Certificates();
  t.after(() => certificates[Symbol.dispose]());
  const dir = folder(t);
  const port = await freePort();
  const [old, next] = [certificates.authority("old"), certificates.authority("next")];
  const server = (authority: typeof old, name: string): string[] => {
    const { certFile, keyFile } = certificates.issue(name, authority, "IP:127.0.0.1");
    const own = [`cafile ${authority.certFile}`, `certfile ${certFile}`, `keyfile ${keyFile}`];
    return [...EVENT_LINES, `listener ${port} 127.0.0.1`, ...own, "require_certificate true"];
  };
  const give = (authority: typeof old, name: string): void => {
    const { cert, key } = certificates.issue(name, authority, "DNS:agent");
    for (const [file, text] of Object.entries({ "ca.pem": authority.cert, "own.pem": cert, "own.key": key })) {
      writeFileSync(join(dir, `${file}.new`), text, { mode: 0o600 });
      renameSync(join(dir, `${file}.new`), join(dir, file));
    }
  };
  give(old, "agent-1");
  const b = await site(t, "b", server(old, "b-1"));
  const a = await site(t, "a");
  const ssl = { cacertfile: join(dir, "ca.pem"), certfile: join(dir, "own.pem"), keyfile: join(dir, "own.key") };
  const config = { links: [{ name: "b", server: `mqtts://127.0.0.1:${port}`, ssl, topics: ["#"] }] };
  a.agent = await AgentProcess.start({ cluster: "a", local: a.broker.url, config });
  const connections = async (): Promise<number | undefined> => (await a.agent.status()).peerCounters["b"]?.connections;
  await a.agent.untilLink("b", "connected", ({ transportUp }) => transportUp);

  give(old, "agent-2");
  await a.agent.logged(/"keys":\["ssl.certfile","ssl.keyfile"\],"connection":"renew".*"link changed"/);
  assert.equal(await connections(), 1);
  await b.broker.restart(server(next, "b-2"));
  await a.agent.logged(/PEER_TLS/);
  give(next, "agent-3");
  await a.agent.untilLink("b", "connected under the next authority", ({ transportUp }) => transportUp, SOON_MS);
  assert.equal(await connections(), 2);
});
