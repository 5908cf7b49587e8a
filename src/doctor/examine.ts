/** Examines the local broker and each peer's, side by side. */
import { printable } from "../config/printable.ts";
import type { AgentConfig } from "../config/types.ts";
import type { Examination } from "./finding.ts";
import { checkLocal } from "./local-check.ts";
import { checkPeer } from "./peer-check.ts";

/** `agentRuns`: nothing is done that it would take for its own. */
export function examine(config: AgentConfig, agentRuns: boolean): Promise<Examination[]> {
  const { local, links, cluster } = config;
  const title = `the broker of cluster ${cluster}, ${local.broker} at ${local.urls.map(printable).join(" or ")}`;
  const own = checkLocal(config, agentRuns).then((findings): Examination => ({ broker: "local", title, findings }));
  const peers = links.flatMap((link) => {
    const { name, enable, endpoint } = link;
    if (!enable || endpoint === null) return [];
    const where = `the broker of cluster ${name}, ${endpoint.urls.map(printable).join(" or ")}`;
    return [
      checkPeer(link, endpoint, config).then((findings): Examination => ({ broker: name, title: where, findings })),
    ];
  });
  return Promise.all([own, ...peers]);
}
