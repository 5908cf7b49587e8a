/** The configuration as the hub takes it. */
import { randomBytes } from "node:crypto";
import type { AgentConfig } from "../config/types.ts";
import type { HubOptions } from "../hub/hub-options.ts";
import type { HubState } from "../hub/saved-state.ts";
import type { AgentStore } from "./agent-store.ts";
import { hubLinkOptions } from "./link-options.ts";
import { sessionClientId } from "./local-broker.ts";
import { OWN_SESSIONS } from "./local-broker-options.ts";
import { AGENT_VERSION } from "./version.ts";

/** Rows of local interest kept; about 300 MB at the limit, past it the agent announces its links' topics instead. */
const INTEREST_ROWS_MAX = 1_000_000;

/** Clients of `brokerlink doctor`, which subscribes to everything for a moment. */
const DOCTOR_CLIENTS = "-doctor-*";

/** `store`: what an earlier life left on disk; null: nothing outlives this one. */
export function hubOptions(config: AgentConfig, store: AgentStore | null, nowMs: number): HubOptions {
  const { cluster, local, controlPrefix, links } = config;
  const enabled = links.filter((link) => link.enable);
  return {
    cluster,
    agentVersion: AGENT_VERSION,
    controlPrefix,
    // A clock that went back does not make a life look older than the one before.
    incarnation: Math.max((store?.lastIncarnation ?? 0) + 1, nowMs),
    restored: store === null ? null : restoredState(store.restored, local.broker),
    instance: randomHex16(),
    randomHex16,
    demandMax: Math.max(1, ...enabled.map((link) => link.demandMax)),
    interest: {
      ownClients: new Set(OWN_SESSIONS.map((name) => sessionClientId(local.clientid, name))),
      ignoreClients: [...local.ignoreClients, `${local.clientid}${DOCTOR_CLIENTS}`],
      untrackedSubscriptions: local.untrackedSubscriptions,
      atStart: local.broker === "static" ? "none" : local.interestAtStart,
      trustAfterMs: local.trustAfterMs,
      controlPrefix,
      rowsMax: INTEREST_ROWS_MAX,
    },
    links: enabled.map((link) => hubLinkOptions(link, config, store?.logs(link.name))),
    disabledLinks: links
      .filter((link) => !link.enable)
      .map(({ name, topics, endpoint }) => ({ name, topics, dialsIn: endpoint === null })),
  };
}

function randomHex16(): string {
  return randomBytes(8).toString("hex");
}

/** A configured list of filters is all there is: whatever an earlier life saw clients hold says nothing. */
function restoredState(state: HubState, broker: AgentConfig["local"]["broker"]): HubState {
  return broker === "static" ? { ...state, rows: new Map() } : state;
}
