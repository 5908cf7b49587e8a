/** One link's configuration as the hub takes it. */
import type { AgentConfig, LinkConfig } from "../config/types.ts";
import type { LaneLogs } from "../flow/outbound-options.ts";
import type { HubLinkOptions } from "../hub/link-host.ts";
import { ZlibCodec } from "./zlib-codec.ts";

/** `logs`: where its reliable messages are kept; undefined: in memory. */
export function hubLinkOptions(link: LinkConfig, config: AgentConfig, logs: LaneLogs | undefined): HubLinkOptions {
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
    drainPerSecond: link.drainPerSecond,
    spool: config.spool,
    durability: link.durability,
    retained: link.retained,
    ...compressionOptions(link),
    ...(logs === undefined ? {} : { logs }),
  };
}

/** Each link has a codec of its own, which counts the time that it takes. */
function compressionOptions({ compression, protocol }: LinkConfig): Pick<HubLinkOptions, "codec" | "compression"> {
  // What stands for an EMQX cluster is in this process: frames to it go nowhere.
  return compression === "none" || protocol === "emqx" ? {} : { codec: new ZlibCodec(), compression };
}
