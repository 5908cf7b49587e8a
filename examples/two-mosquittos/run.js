/**
 * Starts two Mosquittos and two agents with the files beside this one, waits until they are linked, says what to try, and
 * ends everything at Ctrl-C. Other ports: A_PORT, B_PORT, A_HTTP_PORT, B_HTTP_PORT in the environment.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "..", "..");
const AGENT = join(ROOT, "bin", "brokerlink.js");
const LINKED_MS = 30_000;
const STOP_MS = 15_000;
const POLL_MS = 100;
const LOG_LINES_SHOWN = 15;
/** Where packages put the broker, beside PATH: Debian where only root looks. */
const BROKER_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

const CLUSTERS = [
  { name: "a", peer: "b", confPort: 11883, port: portFrom("A_PORT", 11883), http: portFrom("A_HTTP_PORT", 9464) },
  { name: "b", peer: "a", confPort: 12883, port: portFrom("B_PORT", 12883), http: portFrom("B_HTTP_PORT", 9465) },
];
const portOf = Object.fromEntries(CLUSTERS.map(({ name, port }) => [name, port]));

/** Logs and the brokers' files with the real ports; removed at the end. */
const work = mkdtempSync(join(tmpdir(), "two-mosquittos-"));
/** In the order of their start: agents stop before the brokers they stand beside. */
const children = [];
let ending = false;

process.on("exit", () => rmSync(work, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0, "\nStopping …"));

try {
  await main();
} catch (error) {
  await end(1, error.message);
}

async function main() {
  const mosquitto = findMosquitto();
  if (!existsSync(join(ROOT, "dist"))) throw new Error(`brokerlink is not built: run "npm ci" in ${ROOT}`);
  for (const { name, port, http } of CLUSTERS) {
    await mustBeFree(port, `${name.toUpperCase()}_PORT`);
    await mustBeFree(http, `${name.toUpperCase()}_HTTP_PORT`);
  }
  console.log("Starting two brokers and two agents …");
  for (const cluster of CLUSTERS) startBroker(mosquitto, cluster);
  for (const cluster of CLUSTERS) startAgent(cluster);
  const untilMs = Date.now() + LINKED_MS;
  for (const cluster of CLUSTERS) await linked(cluster, untilMs);
  if (!ending) console.log(whatToTry());
}

/** Mosquitto reads no variables: its file is copied with the port of today. Names in it are relative to HERE. */
function startBroker(program, { name, confPort, port }) {
  const text = readFileSync(join(HERE, name, "mosquitto.conf"), "utf8");
  // Started by root, Mosquitto becomes "mosquitto", which may not read a checkout below /root.
  const user = process.getuid?.() === 0 ? "\nuser root\n" : "";
  const file = join(work, `${name}-mosquitto.conf`);
  writeFileSync(file, text.replace(`listener ${confPort} `, `listener ${port} `) + user);
  start(`broker ${name}`, program, ["-c", file], {});
}

/** The agent takes each key from the environment too: the file stays as it is. */
function startAgent({ name, peer, port, http }) {
  start(`agent ${name}`, process.execPath, [AGENT, "run", "--config", join(HERE, name, "brokerlink.yaml")], {
    BROKERLINK_LOCAL__SERVER: `mqtt://127.0.0.1:${port}`,
    BROKERLINK_LINKS__0__SERVER: `mqtt://127.0.0.1:${portOf[peer]}`,
    BROKERLINK_HTTP__PORT: String(http),
  });
}

function start(title, program, args, env) {
  const logFile = join(work, `${title.replace(" ", "-")}.log`);
  const log = openSync(logFile, "a");
  const child = spawn(program, args, {
    cwd: HERE,
    env: { ...process.env, ...env },
    stdio: ["ignore", log, log],
    // A group of its own: Ctrl-C reaches this script only, which ends the others in order.
    detached: true,
  });
  const entry = { title, child, logFile, done: false };
  entry.ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  }).then((how) => {
    entry.done = true;
    if (!ending) void end(1, `${title} ended by itself (${how}). Its last lines:\n${lastLines(logFile)}`);
  });
  children.push(entry);
}

/** Until the agent says that both halves of its link work, and that it knows all its clients' subscriptions. */
async function linked({ name, peer, http }, untilMs) {
  let last = "it does not answer";
  while (!ending) {
    try {
      const link = await (await fetch(`http://127.0.0.1:${http}/api/v5/cluster/links/link/${peer}`)).json();
      const { exact, reason } = link.brokerlink.interest;
      if (link.status === "connected" && exact) return;
      last = link.status === "connected" ? `its interest is not exact yet: ${reason}` : `its link is ${link.status}`;
    } catch {
      // Not listening yet.
    }
    if (Date.now() > untilMs) {
      const { logFile } = children.find(({ title }) => title === `agent ${name}`);
      throw new Error(`agent ${name} is not linked within ${LINKED_MS / 1000} s: ${last}\n${lastLines(logFile)}`);
    }
    await new Promise((again) => setTimeout(again, POLL_MS));
  }
}

/** Ends what runs, the latest first, and then this process. Calling it again changes nothing. */
async function end(exitCode, message) {
  if (ending) return;
  ending = true;
  if (exitCode === 0) console.log(message);
  else console.error(message);
  for (const kind of ["agent", "broker"]) {
    const running = children.filter(({ title, done }) => title.startsWith(kind) && !done);
    for (const { child } of running) child.kill("SIGTERM");
    const overstay = setTimeout(() => {
      for (const { child } of running) child.kill("SIGKILL");
    }, STOP_MS);
    await Promise.all(running.map(({ ended }) => ended));
    clearTimeout(overstay);
  }
  process.exit(exitCode);
}

function findMosquitto() {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...BROKER_FOLDERS].filter((folder) => folder !== "");
  const found = folders.map((folder) => join(folder, "mosquitto")).find((file) => existsSync(file));
  if (found === undefined) {
    throw new Error(
      "Mosquitto is not installed: apt-get install mosquitto mosquitto-clients, or brew install mosquitto",
    );
  }
  return found;
}

function portFrom(variable, otherwise) {
  const text = process.env[variable];
  if (text === undefined || text === "") return otherwise;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  console.error(`${variable} must be a port, 1 to 65535, and is "${text}"`);
  process.exit(64);
}

async function mustBeFree(port, variable) {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once("error", () => {
      reject(new Error(`Port ${port} is in use. Take another one: ${variable}=${port + 100} node run.js`));
    });
    server.listen(port, "127.0.0.1", () => server.close(resolve));
  });
}

function lastLines(file) {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-LOG_LINES_SHOWN).join("\n");
}

function whatToTry() {
  const [a, b] = CLUSTERS;
  return `
Linked. Broker a listens on ${a.port}, broker b on ${b.port}; all logs are in ${work}.
Type these in other terminals:

  1. Somebody on a wants temperatures:
       mosquitto_sub -p ${a.port} -v -t 'sensors/+/temperature'
  2. A sensor on b publishes one. It appears at 1:
       mosquitto_pub -p ${b.port} -t sensors/7/temperature -m 21.5
  3. Nobody on a wants this, so it stays on b:
       mosquitto_pub -p ${b.port} -t sensors/7/humidity -m 40
     The counter of what b sent says so:
       curl -s http://127.0.0.1:${b.http}/metrics | grep '^brokerlink_messages_total'
  4. The routes, in EMQX's shape:
       curl -s http://127.0.0.1:${a.http}/api/v5/cluster/links
  5. A stranger may not speak on the link. With MQTT 5 the broker says so:
       mosquitto_pub -V 5 -q 1 -p ${a.port} -t '$LINK/v1/a/b/ctl' -m hello

Ctrl-C ends all four.`;
}
