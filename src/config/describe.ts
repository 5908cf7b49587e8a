/** A checked configuration in plain words, for `brokerlink check`. Never prints a secret. */
import { messageTopic, responseTopic, routeTopic } from "../emqx/names.ts";
import { controlTopic } from "../wire/names.ts";
import { formatBytes, formatDuration, grouped } from "./formats.ts";
import { printable, quoted } from "./printable.ts";
import { isLoopback } from "./server-format.ts";
import type { AgentConfig, EndpointConfig, LinkConfig } from "./types.ts";

/** More than this nobody reads in a terminal. */
const FILTERS_SHOWN = 20;

/** Lines of text, safe to print. */
export function describeConfig(config: AgentConfig): string[] {
  return [
    `Cluster ${config.cluster}`,
    ...localLines(config),
    ...config.links.flatMap((link) => ["", ...linkLines(link, config)]),
  ];
}

function localLines(config: AgentConfig): string[] {
  const { local, dataDir } = config;
  return [
    row("broker", `${local.broker} at ${reach(local)}`),
    row("sessions", ["events", "link", "data"].map((name) => quoted(`${local.clientid}-${name}`)).join(", ")),
    row("interest", interest(config)),
    ...(local.ignoreClients.length === 0 ? [] : [row("", `clients ${filterList(local.ignoreClients)} do not count`)]),
    row(
      "access",
      `this agent's user there needs all topics and ${quoted(`${config.controlPrefix}/#`)}${eventsAccess(config)}`,
    ),
    row("state", dataDir === null ? "in memory: gone when this agent ends" : `kept in ${quoted(dataDir)}`),
    row("spool", spoolText(config)),
    row("http", httpText(config)),
    row("log", `from level ${config.logLevel}`),
  ];
}

function spoolText({ spool: { bytesMax, ageMaxMs, whenFull }, links }: AgentConfig): string {
  const full = {
    drop_oldest: "it drops the oldest messages",
    drop_newest: "it drops the newest messages",
    backpressure: "nothing more is acknowledged, and the local broker's own queue holds the rest",
  }[whenFull];
  const each = links.length === 0 ? "" : "for each link ";
  return `${each}up to ${formatBytes(bytesMax)}, for up to ${formatDuration(ageMaxMs)}; when full ${full}`;
}

function httpText({ http: { host, port, token } }: AgentConfig): string {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port === 0 ? "(any free port)" : port}`;
  if (token !== null) return `${address}; the API asks for the token`;
  return isLoopback(host) ? address : `${address}; health and metrics only, for there is no token for the API`;
}

function interest({ local }: AgentConfig): string {
  if (local.broker === "static") return `fixed: ${filterList(local.filters)}`;
  const source = {
    mosquitto: "from Mosquitto's log topics (log_dest topic); proven complete by its counters",
    aedes: "from Aedes's JSON events in $SYS",
    emqx:
      local.api === null
        ? "from EMQX's event messages in $SYS"
        : `from EMQX's event messages in $SYS; proven complete by its REST API at ${local.api.urls.map(printable).join(" or ")}, as key ${quoted(local.api.key)}, every ${formatDuration(local.api.pollIntervalMs)}`,
    events: `from events on ${quoted(local.eventsTopic ?? "")}`,
  }[local.broker];
  const trust = local.trustAfterMs === null ? "" : `; trusted after ${formatDuration(local.trustAfterMs)}`;
  const start = local.interestAtStart === "none" ? "; no client is there before this agent" : "";
  return `${source}${trust}${start}`;
}

function eventsAccess({ local }: AgentConfig): string {
  switch (local.broker) {
    case "mosquitto":
    case "aedes":
      return ', and to read "$SYS/#"';
    case "emqx":
      return ', and to read "$SYS/brokers/+/clients/#"';
    case "events":
      return `, and to read ${quoted(local.eventsTopic ?? "")}`;
    case "static":
      return "";
  }
}

function linkLines(link: LinkConfig, config: AgentConfig): string[] {
  const { name, endpoint, topics, exportFilters } = link;
  if (!link.enable) return [`Link ${name}: disabled; ${name} is told so, and nothing crosses`];
  const limits = [
    `${grouped(link.routesMax)} routes and ${grouped(link.demandMax)} subscriptions for it`,
    `${grouped(link.framesInflightMax)} frames in flight, sent again after 1s at first and ${formatDuration(link.retryIntervalMs)} at most`,
  ];
  if (link.drainPerSecond !== null)
    limits.push(`a backlog goes on at ${grouped(link.drainPerSecond)} messages a second at most`);
  return [
    `Link ${name}`,
    row(
      "path",
      endpoint === null
        ? `${name} dials in: its agent connects to the local broker`
        : `this agent connects, as ${quoted(endpoint.clientid)}, to ${reach(endpoint)}`,
    ),
    row("receives", topics.length === 0 ? "nothing" : `what local clients subscribe to within ${filterList(topics)}`),
    row(
      "may send",
      exportFilters.length === 0 ? "nothing" : `what ${name} asks for within ${filterList(exportFilters)}`,
    ),
    ...(link.protocol === "emqx" ? [row("protocol", `EMQX's own: ${name} is an EMQX cluster, without an agent`)] : []),
    row("messages", messagesText(link, config)),
    ...(link.retained === "strip" ? [] : [row("retained", retainedText(link))]),
    ...(link.compression === "auto" ? [] : [row("frames", compressionText(link))]),
    row("limits", limits.join("; ")),
    row("silence", `its routes stay in force for ${formatDuration(link.routeRetentionMs)}`),
    ...accessLines(link, config),
  ];
}

/** What the local broker stores for the peer. */
function retainedText({ name, retained }: LinkConfig): string {
  const live = `what ${name} publishes with the retain flag keeps it, and the local broker stores it`;
  return retained === "sync" ? `${live}; so it does with what is retained at ${name} already` : live;
}

/** What becomes of a reliable message that the peer has not confirmed. */
function messagesText({ name, durability }: LinkConfig, { dataDir }: AgentConfig): string {
  switch (durability) {
    case "disk":
      return `on disk: safe once they are in ${quoted(dataDir ?? "")}, until ${name} confirms them`;
    case "memory":
      return `in memory: what ${name} has not confirmed is lost when this agent ends`;
    case "end_to_end":
      return `in memory, and in the local broker's queue until ${name} confirms them`;
  }
}

function compressionText({ name, compression }: LinkConfig): string {
  return compression === "none"
    ? `never compressed, in either direction`
    : `compressed with ${compression} where the agent of ${name} has it and they shrink`;
}

/** What access rules must allow, on either side. */
function accessLines({ name, endpoint, controlPrefix, protocol }: LinkConfig, config: AgentConfig): string[] {
  const me = config.cluster;
  if (protocol === "emqx") {
    const both = (cluster: string): string => `${quoted(routeTopic(cluster))} and ${quoted(messageTopic(cluster))}`;
    return [
      row(
        "access",
        `on EMQX, this agent's user may publish ${both(me)}, and subscribe to ${quoted(responseTopic(me, "+"))}`,
      ),
      row(
        "",
        `on the local broker, EMQX's user may publish ${both(name)}, and subscribe to ${quoted(responseTopic(name, "+"))}`,
      ),
      row("", `there this agent's user needs ${quoted("$LINK/cluster/#")} too`),
    ];
  }
  const toMe = quoted(conversation(config.controlPrefix, me, name));
  if (endpoint === null) {
    return [
      row("access", `on the local broker, the user of ${name} may publish ${toMe}`),
      row("", `and subscribe to ${quoted(conversation(config.controlPrefix, name, me))}, and nothing else`),
    ];
  }
  return [
    row("access", `on its broker, this agent's user may publish ${quoted(conversation(controlPrefix, name, me))}`),
    row("", `and, if its link has no server, subscribe to ${quoted(conversation(controlPrefix, me, name))}`),
    row("", `on the local broker, the user of ${name} may publish ${toMe}, if its link has a server`),
  ];
}

/** `<prefix>/v1/<to>/<from>/#`. */
function conversation(prefix: string, to: string, from: string): string {
  return controlTopic(prefix, to, from).replace(/ctl$/, "#");
}

function reach({ urls, username, password, tls }: EndpointConfig): string {
  const secret = password === null ? "" : " with a password";
  const user = username === null ? secret : `, user ${quoted(username)}${secret}`;
  const how =
    tls === null
      ? ""
      : `, TLS ${tls.verify ? "verified" : "NOT verified"}${tls.cert === null ? "" : " with own certificate"}`;
  return `${urls.map(printable).join(" or ")}${user}${how}`;
}

function filterList(filters: readonly string[]): string {
  const shown = filters.slice(0, FILTERS_SHOWN).map(quoted).join(", ");
  const left = filters.length - FILTERS_SHOWN;
  return left > 0 ? `${shown} and ${grouped(left)} more` : shown;
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(9)} ${text}`;
}
