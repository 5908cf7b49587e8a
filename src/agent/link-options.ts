/** One link's configuration as the hub takes it. */
import { LinkError } from "../base/error-codes.ts";
import type { AgentConfig, LinkConfig } from "../config/types.ts";
import type { SpoolOptions } from "../flow/spool.ts";
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
    spool: spoolOptions(link, config),
  };
}

/** What the agent cannot do yet it refuses to start with: messages must not be less safe than the configuration says. */
function spoolOptions({ durability }: LinkConfig, { spool }: AgentConfig): SpoolOptions {
  const { bytesMax, ageMaxMs, whenFull } = spool;
  if (durability !== "memory") {
    throw new LinkError("CONFIG_INVALID", `durability: "${durability}" is checked, and not carried out by this build`);
  }
  if (whenFull === "backpressure") {
    throw new LinkError(
      "CONFIG_INVALID",
      'spool.when_full: "backpressure" is checked, and not carried out by this build',
    );
  }
  return { bytesMax, ageMaxMs, whenFull };
}
