/** What a configuration's agents must be allowed to do on a broker, user by user. Everything else below the prefix is nobody's. */
import type { AgentConfig, LinkConfig } from "../config/types.ts";
import { messageTopic, responseTopic, routeTopic } from "../emqx/names.ts";
import { minimalCover } from "../topic/algebra.ts";
import { controlTopic } from "../wire/names.ts";

/** Of the topics of EMQX's links, and of ours unless another prefix is set. */
const EMQX_ROOT = "$LINK";

export interface Right {
  readonly access: "read" | "write" | "readwrite";
  readonly filter: string;
}

export interface UserRights {
  readonly user: string;
  /** The configuration does not say how this agent logs in: another name may be right. */
  readonly isGuess: boolean;
  /** Whose agent. */
  readonly cluster: string;
  readonly rights: readonly Right[];
}

export interface BrokerRights {
  /** Null: the local broker; else the link whose peer's broker it is. */
  readonly link: string | null;
  /** Whose broker. */
  readonly cluster: string;
  readonly urls: readonly string[];
  readonly controlPrefix: string;
  readonly users: readonly UserRights[];
}

/** `users`: how agents log in, by cluster, where the configuration does not say. */
export function localRights(config: AgentConfig, users: ReadonlyMap<string, string>): BrokerRights {
  const { cluster, controlPrefix, local, links } = config;
  const enabled = links.filter(({ enable }) => enable);
  const own: UserRights = {
    ...login(local.username ?? users.get(cluster), cluster),
    rights: [
      ...messageRights(enabled),
      ...eventFilters(config).map((filter): Right => ({ access: "read", filter })),
      { access: "readwrite", filter: `${controlPrefix}/#` },
      ...(enabled.some(({ protocol }) => protocol === "emqx") && controlPrefix !== EMQX_ROOT
        ? [{ access: "readwrite", filter: `${EMQX_ROOT}/cluster/#` } as const]
        : []),
    ],
  };
  const peers = enabled.map(({ name, endpoint, protocol }): UserRights => {
    if (protocol === "emqx") return { ...login(users.get(name), name), rights: emqxRights(name) };
    const speaks: Right = { access: "write", filter: conversation(controlPrefix, cluster, name) };
    // Where this cluster has no way to reach the peer, it publishes for it here.
    const listens: Right[] =
      endpoint === null ? [{ access: "read", filter: conversation(controlPrefix, name, cluster) }] : [];
    return { ...login(users.get(name), name), rights: [speaks, ...listens] };
  });
  return { link: null, cluster, urls: local.urls, controlPrefix, users: [own, ...peers] };
}

/** What this agent needs on the peer's broker; null: it does not go there. */
export function peerRights(
  { cluster }: AgentConfig,
  { name, endpoint, controlPrefix, protocol }: LinkConfig,
  users: ReadonlyMap<string, string>,
): BrokerRights | null {
  if (endpoint === null) return null;
  const own: Right[] = [
    { access: "write", filter: conversation(controlPrefix, name, cluster) },
    { access: "read", filter: conversation(controlPrefix, cluster, name) },
  ];
  const user: UserRights = {
    ...login(endpoint.username ?? users.get(cluster), cluster),
    rights: protocol === "emqx" ? emqxRights(cluster) : own,
  };
  return { link: name, cluster: name, urls: endpoint.urls, controlPrefix, users: [user] };
}

/** What the local broker's events are read from. */
export function eventFilters({ local }: AgentConfig): string[] {
  switch (local.broker) {
    case "mosquitto":
    case "aedes":
      return ["$SYS/#"];
    case "emqx":
      return ["$SYS/brokers/+/clients/#"];
    case "events":
      return local.eventsTopic === null ? [] : [local.eventsTopic];
    case "static":
      return [];
  }
}

/** `<prefix>/v1/<to>/<from>/#`. */
export function conversation(prefix: string, to: string, from: string): string {
  return controlTopic(prefix, to, from).replace(/ctl$/, "#");
}

/** Of the cluster `from` on the other one's broker. */
function emqxRights(from: string): Right[] {
  return [
    { access: "write", filter: routeTopic(from) },
    { access: "write", filter: messageTopic(from) },
    { access: "read", filter: responseTopic(from, "+") },
  ];
}

function login(user: string | undefined, cluster: string): Omit<UserRights, "rights"> {
  return { user: user ?? `agent-${cluster}`, isGuess: user === undefined, cluster };
}

/** What may leave has to be read, what may arrive has to be published. */
function messageRights(links: readonly LinkConfig[]): Right[] {
  const read = minimalCover(links.flatMap(({ exportFilters }) => exportFilters));
  const write = minimalCover(links.flatMap(({ topics }) => topics));
  const rights = (access: Right["access"], filters: readonly string[]): Right[] =>
    filters.map((filter) => ({ access, filter }));
  return [
    ...rights(
      "readwrite",
      read.filter((filter) => write.includes(filter)),
    ),
    ...rights(
      "read",
      read.filter((filter) => !write.includes(filter)),
    ),
    ...rights(
      "write",
      write.filter((filter) => !read.includes(filter)),
    ),
  ];
}
