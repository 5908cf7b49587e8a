/** One link's configuration as the hub takes it. */
import type { AgentConfig, LinkConfig } from "../config/types.ts";
import type { HubLinkOptions } from "../hub/link-host.ts";

export function hubLinkOptions(link: LinkConfig, config: AgentConfig): HubLinkOptions {
  return {
    name: link.name,
    topics: link.topics,
    exportFilters: link.exportFilters,
    dialsIn: link.endpoint === null,
    routesMax: link.routesMax,
    demandMax: link.demandMax,
    routeRetentionMs: link.routeRetentionMs,
    framesInflightMax: link.framesInflightMax,
    retryIntervalMs: link.retryIntervalMs,
    spool: config.spool,
  };
}
