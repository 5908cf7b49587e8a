/** The adapter of the configured kind, with what it needs of the world beside the events session. */
import type { AdapterSink, BrokerAdapter } from "../broker/adapter.ts";
import { EmqxApi } from "../broker/emqx-api.ts";
import { createAdapter } from "../broker/registry.ts";
import type { AgentConfig } from "../config/types.ts";

/** `config`: that in force, also later: the API is asked with the key it has then. */
export function localAdapter(
  config: Pick<AgentConfig, "cluster" | "controlPrefix" | "local">,
  sink: AdapterSink,
): BrokerAdapter {
  const { cluster, controlPrefix, local } = config;
  const { api } = local;
  return createAdapter(local.broker, {
    sink,
    cluster,
    controlPrefix,
    eventsTopic: local.eventsTopic,
    filters: local.filters,
    api:
      api === null
        ? null
        : { transport: new EmqxApi(() => config.local.api ?? api), pollIntervalMs: api.pollIntervalMs },
    random: Math.random,
  });
}
