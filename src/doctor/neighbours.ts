/**
 * Who else is on the local broker: peers' agents that speak to this one, under which names and with which clock, and bridges of other
 * kinds. Only listens.
 */
import { quoted } from "../config/printable.ts";
import type { AgentConfig } from "../config/types.ts";
import { decodeControl } from "../wire/control.ts";
import { inboxFilters, parseName } from "../wire/names.ts";
import type { Bench } from "./bench.ts";
import { DoctorClient } from "./doctor-client.ts";
import { CONFIGURATION, type Finding, finding } from "./finding.ts";

/** An agent says something every 10 s. */
const HEARTBEAT_WITHIN_MS = 11_500;
/** Retained: they come with the SUBACK. */
const BRIDGES = "$SYS/broker/connection/+/state";
const BRIDGE_NAME = /^\$SYS\/broker\/connection\/(.+)\/state$/;
/** An incarnation is the time of its agent's start, or a little more. */
const CLOCK_SKEW_MAX_MS = 60_000;

export async function checkNeighbours(bench: Bench, config: AgentConfig): Promise<Finding[]> {
  const listener = await bench.connect();
  if (!(listener instanceof DoctorClient))
    return [finding("peer_name", "skipped", `no further connection: ${listener.reason}`)];
  const { cluster, controlPrefix, links } = config;
  const filters = [...inboxFilters(controlPrefix, cluster), BRIDGES];
  await listener.subscribe(filters.map((filter) => ({ filter, qos: 1 })));
  const expected = links.filter(({ enable }) => enable).map(({ name }) => name);
  const heardFrom = (name: string): boolean =>
    listener.heard.some((heard) => !heard.retain && parseName(controlPrefix, heard.topic)?.from === name);
  await listener.waits(() => (expected.every(heardFrom) ? true : null), HEARTBEAT_WITHIN_MS);
  return [...names(listener, config), ...clocks(listener, config), ...bridges(listener)];
}

function names({ heard }: DoctorClient, { cluster, controlPrefix, links }: AgentConfig): Finding[] {
  const speakers = new Map<string, { to: string; from: string }>();
  for (const { topic, retain } of heard) {
    const name = retain ? null : parseName(controlPrefix, topic);
    if (name !== null && name.from !== cluster) speakers.set(`${name.to} ${name.from}`, name);
  }
  const findings = [...speakers.values()].map(({ to, from }): Finding => {
    const link = links.find(({ name }) => name === from);
    if (to !== cluster) {
      const text = `the agent of cluster ${quoted(from)} calls this cluster ${quoted(to)}`;
      return finding("peer_name", "fault", text, {
        file: `configuration of brokerlink of cluster ${from}`,
        lines: ["links:", `  - name: ${cluster} # not ${to}`],
      });
    }
    if (link === undefined) {
      const text = `the agent of cluster ${quoted(from)} speaks to this one, which has no link of that name: a link is named like the peer's cluster`;
      return finding("peer_name", "fault", text, { file: CONFIGURATION, lines: ["links:", `  - name: ${from}`] });
    }
    if (!link.enable)
      return finding(
        "peer_name",
        "note",
        `the agent of cluster ${quoted(from)} speaks to this one, and its link is disabled here`,
      );
    return finding("peer_name", "ok", `the agent of cluster ${quoted(from)} speaks to this one`);
  });
  const silent = links.filter(
    ({ enable, name }) => enable && ![...speakers.values()].some(({ from }) => from === name),
  );
  return [
    ...findings,
    ...silent.map(({ name, endpoint }) => {
      if (endpoint === null) {
        const text = `nothing was heard of the agent of cluster ${quoted(name)} within ${HEARTBEAT_WITHIN_MS / 1_000} s, and it is the one that has to connect here`;
        return finding("peer_name", "fault", text, {
          file: `configuration of brokerlink of cluster ${name}`,
          lines: ["links:", `  - name: ${cluster}`, "    server: THE ADDRESS OF THIS BROKER"],
        });
      }
      const text = `nothing was heard here of the agent of cluster ${quoted(name)}: it does not run, it may not publish here, or its link has no server`;
      return finding("peer_name", "note", text);
    }),
  ];
}

/** An agent cannot have started in the future. */
function clocks({ heard }: DoctorClient, { controlPrefix }: AgentConfig): Finding[] {
  const nowMs = Date.now();
  const ahead = new Map<string, number>();
  for (const { topic, bytes, retain } of heard) {
    const name = parseName(controlPrefix, topic);
    const decoded = name?.kind === "ctl" && !retain ? decodeControl(bytes) : null;
    if (name === null || decoded?.ok !== true) continue;
    const aheadMs = decoded.value.speaker.incarnation - nowMs;
    if (aheadMs > CLOCK_SKEW_MAX_MS) ahead.set(name.from, aheadMs);
  }
  return [...ahead].map(([from, aheadMs]) => {
    const text = `the agent of cluster ${quoted(from)} started ${Math.round(aheadMs / 1_000)} s in the future: one of the two clocks is wrong, keep both with NTP`;
    return finding("clock", "warning", text);
  });
}

function bridges({ heard }: DoctorClient): Finding[] {
  const found = new Set(heard.flatMap(({ topic }) => BRIDGE_NAME.exec(topic)?.[1] ?? []));
  return [...found].map((name) => {
    const text = `a bridge of the broker's own is here, ${quoted(name)}: if it carries topics of a link too, messages go in a circle, and what it subscribes counts as interest`;
    const local = [`  ignore_clients: [${JSON.stringify(name)}] # if it comes from another broker`];
    const own = "  untracked_subscriptions: 1 # if this broker's mosquitto.conf has it: how many topics it takes in";
    return finding("bridges", "warning", text, { file: CONFIGURATION, lines: ["local:", ...local, own] });
  });
}
