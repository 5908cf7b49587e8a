/**
 * What people's questions cost an agent with a million subscriptions and routes: how long each takes, and how long the
 * event loop, and with it every message, has to wait meanwhile. `node build/test/bench/api-scan.js [routes]`
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { createApp } from "../../src/ops/http.ts";
import { linkOptions, World } from "../hub/world.ts";
import { agentConfig, agentStatus, agentView, linkConfig } from "../ops/agent-fixture.ts";
import { logLines } from "../ops/log-lines.ts";

const ROUTES = Number(process.argv[2] ?? 1_000_000);
const QUESTIONS = [
  "/routes?limit=100",
  `/routes?limit=100&page=${ROUTES / 100}`,
  "/routes?search=device/77777",
  "/routes?topic=site/77/device/777/state",
  "/routes?direction=in&search=nothing",
  "/explain?topic=site/77/device/777/state",
  "/clients?filter=site/77/device/777/state",
  "/drain/b",
];

const world = new World();
const rowsMax = 2 * ROUTES;
const rows = {
  ownClients: new Set<string>(),
  ignoreClients: [],
  untrackedSubscriptions: 0,
  atStart: "none" as const,
  trustAfterMs: null,
  controlPrefix: "$LINK",
  rowsMax,
};
const options = { routesMax: rowsMax, demandMax: rowsMax };
const a = world.add("a", [linkOptions("b", options)], { interest: rows });
world.add("b", [linkOptions("a", options)], { interest: rows });
for (let i = 0; i < ROUTES; i += 1) a.subscribe(`site/${i % 100}/device/${i}/state`, `client ${i >> 2}`);
a.turn();
// Held here alone: what the peer announces costs as much to look through.
const config = agentConfig({}, [linkConfig({ name: "b" })]);
const agent = agentView(agentStatus(), true, { config, hub: a.hub });
const app = createApp(agent, config, logLines("silent").log);

for (const path of QUESTIONS) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  // The turns of an agent under load stand in for its messages.
  const ticking = setInterval(() => {}, 1);
  const answer = await app.request(`/api/v1${path}`, { headers: { host: "localhost" } });
  const text = await answer.text();
  const took = performance.now() - began;
  clearInterval(ticking);
  await pause(20);
  delay.disable();
  const rounded = { took_ms: Math.round(took), loop_max_ms: Math.round(delay.max / 1e6), bytes: text.length };
  console.log(`${path.padEnd(50)} ${answer.status} ${JSON.stringify(rounded)}`);
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const began = performance.now();
const answers = await Promise.all(
  Array.from({ length: 40 }, () => app.request("/api/v1/routes?search=nothing", { headers: { host: "localhost" } })),
);
await pause(20);
delay.disable();
const refused = answers.filter(({ status }) => status === 503).length;
console.log(
  `40 at once: ${refused} told to come again, took ${Math.round(performance.now() - began)} ms, loop max ${Math.round(delay.max / 1e6)} ms`,
);
