/**
 * "May I switch this cluster off?", as far as one link goes: what waits for the peer and is confirmed by nobody, what came
 * from it and is not published yet, and whose subscriptions are still here.
 */
import type { LinkStatus } from "../hub/status.ts";
import type { AgentStatus, AgentView } from "./agent-status.ts";
import type { ScanQueue } from "./scan-queue.ts";
import { wideText } from "./wide-text.ts";

export interface DrainReport {
  readonly link: string;
  readonly spool_messages: number;
  readonly spool_bytes: number;
  readonly oldest_at: string | null;
  /** Whatever this cluster took for the peer, the peer has. */
  readonly peer_confirmed_all: boolean;
  /** Clients that are connected here and hold a subscription. */
  readonly local_clients_with_interest: number;
  /** Clients that are away, or whose connection nothing was heard of, and whose session here holds one. */
  readonly sessions_away_with_interest: number;
  /** What the local broker has queued for sessions: no broker says so. */
  readonly broker_queued: null;
  readonly safe_to_switch_off: boolean;
  /** Why not; empty: it is safe. */
  readonly reasons: readonly string[];
}

interface Holders {
  readonly connected: number;
  readonly away: number;
  readonly cut: boolean;
}

/** Null: too many such questions wait already. */
export async function drainReport(name: string, agent: AgentView, scans: ScanQueue): Promise<DrainReport | null> {
  const holders = await countHolders(agent, scans);
  if (holders === null) return null;
  const status = agent.status();
  const link = status.hub.links.find((each) => each.name === name) ?? null;
  const left = link === null ? 0 : unconfirmed(link);
  const reasons = [...linkReasons(name, link), ...localReasons(status, holders)];
  return {
    link: name,
    spool_messages: link?.queue.spooled ?? 0,
    spool_bytes: link?.queue.spooledBytes ?? 0,
    oldest_at: link === null || link.queue.oldestAtMs === null ? null : new Date(link.queue.oldestAtMs).toISOString(),
    peer_confirmed_all: link !== null && left === 0,
    local_clients_with_interest: holders.connected,
    sessions_away_with_interest: holders.away,
    broker_queued: null,
    safe_to_switch_off: reasons.length === 0,
    reasons,
  };
}

async function countHolders({ hub }: AgentView, scans: ScanQueue): Promise<Holders | null> {
  let [connected, away] = [0, 0];
  // A client's rows come one after the other.
  let last: string | null = null;
  const scan = scans.scan(
    () => hub.interest.holders(),
    (holder) => {
      if (holder.client === last) return;
      last = holder.client;
      if (holder.state === "connected") connected += 1;
      else away += 1;
    },
  );
  if (scan === null) return null;
  const { cut } = await scan;
  return { connected, away, cut };
}

function unconfirmed({ queue }: LinkStatus): number {
  return queue.spooled + queue.waiting + queue.bestEffort;
}

function linkReasons(name: string, link: LinkStatus | null): string[] {
  if (link === null) return [`the link ${name} is disabled: nothing says what its peer has`];
  const reasons: string[] = [];
  if (link.status !== "connected") reasons.push(`the link ${name} is ${link.status}`);
  const left = unconfirmed(link);
  if (left > 0) reasons.push(`${left} messages for ${name} are not confirmed`);
  if (link.queue.inbound > 0) reasons.push(`${link.queue.inbound} messages of ${name} are not published here yet`);
  return reasons;
}

function localReasons({ hub, sessions }: AgentStatus, { connected, away, cut }: Holders): string[] {
  const reasons: string[] = [];
  for (const [session, { up, reason }] of Object.entries(sessions))
    if (!up) reasons.push(`the ${session} session on the local broker is down: ${reason ?? "not connected"}`);
  if (hub.wide !== null) reasons.push(`not every subscription here is known: ${wideText(hub.wide.reason).why}`);
  if (connected > 0) reasons.push(`${connected} connected clients hold subscriptions here`);
  if (away > 0)
    reasons.push(`${away} sessions of clients that are away, or that nothing was heard of, hold subscriptions here`);
  if (cut) reasons.push("there are more subscriptions than one report looks through");
  return reasons;
}
