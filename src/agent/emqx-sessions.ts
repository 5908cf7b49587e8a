/** The client ids that links to EMQX clusters need, on the local broker and on EMQX's. */
import { createHash } from "node:crypto";
import type { AgentConfig } from "../config/types.ts";
import { PERSISTENT_ACTOR } from "../emqx/control.ts";

const HASH_DIGITS = 8;

/** Where all EMQX clusters' actors are heard. */
export function emqxRoutesClientId(prefix: string): string {
  return `${prefix}-emqx`;
}

/** Where one cluster's messages arrive. */
export function emqxMessagesClientId(prefix: string, link: string): string {
  return `${prefix}-emqx-${link}`;
}

/** All of an agent's, on its local broker. */
export function emqxClientIds({ local: { clientid }, links }: AgentConfig): string[] {
  const names = links.flatMap(({ name, protocol }) => (protocol === "emqx" ? [name] : []));
  if (names.length === 0) return [];
  return [emqxRoutesClientId(clientid), ...names.map((name) => emqxMessagesClientId(clientid, name))];
}

/** What EMQX calls the connection of a node's actor, as far as that follows from names: `clientid` may be configured there. */
export function actorClientIds(cluster: string, actor: string, nodes: readonly string[]): string[] {
  if (actor !== PERSISTENT_ACTOR) return [`${cluster}:routesync:${nodeHash(actor)}`];
  const others = nodes.filter((node) => node !== PERSISTENT_ACTOR);
  return others.map((node) => `${cluster}:routesync-ps:${nodeHash(node)}`);
}

/** The ids of our own connections to EMQX, in its own form. */
export function ownClientId(clientid: string, kind: "routesync" | "msg", actor: string): string {
  return kind === "msg" ? `${clientid}:msg:${nodeHash(actor)}:1` : `${clientid}:routesync:${nodeHash(actor)}`;
}

function nodeHash(node: string): string {
  return createHash("sha1").update(node).digest("hex").slice(0, HASH_DIGITS);
}
