/** What an agent that stops still has in hand. */
import type { Durability, LinkConfig } from "../config/types.ts";
import type { Hub } from "../hub/hub.ts";

/** Messages of peers that the local broker has not taken yet. */
export function unpublished(hub: Hub): number {
  let count = 0;
  for (const { inbound } of hub.links()) count += inbound.pending + inbound.inflight;
  return count;
}

/** Messages that peers have not confirmed, of the links with one of these durabilities. */
export function unconfirmed(hub: Hub, links: readonly LinkConfig[], durabilities: readonly Durability[]): number {
  let count = 0;
  for (const { name, durability } of links) {
    if (durabilities.includes(durability)) count += hub.link(name)?.outbound.depth ?? 0;
  }
  return count;
}
