/** Everything about the local broker. */
import type { AgentConfig } from "../config/types.ts";
import { checkAdapterEvents } from "./adapter-events.ts";
import { Bench } from "./bench.ts";
import { connectFinding } from "./connect-finding.ts";
import { checkControl } from "./control-check.ts";
import { DoctorClient } from "./doctor-client.ts";
import type { Finding } from "./finding.ts";
import { checkMosquittoEvents } from "./mosquitto-events.ts";
import { checkNeighbours } from "./neighbours.ts";
import { withoutRepeat } from "./peer-check.ts";
import { checkQueue } from "./queue-check.ts";
import { checkTls } from "./tls-check.ts";

export async function checkLocal(config: AgentConfig, agentRuns: boolean): Promise<Finding[]> {
  const { local, controlPrefix, cluster } = config;
  const bench = new Bench(local, "local");
  try {
    const [client, tls] = await Promise.all([bench.connect(), checkTls(local, "local", Date.now())]);
    const connected = connectFinding(client, local, "local");
    if (!(client instanceof DoctorClient)) return withoutRepeat(connected, tls, client);
    // Nobody's interest, and no peer's name: `to` and `from` are this cluster's.
    const stem = `${controlPrefix}/v1/${cluster}/${cluster}`;
    const [events, control, neighbours] = await Promise.all([
      local.broker === "mosquitto"
        ? checkMosquittoEvents(bench, stem, local.username)
        : checkAdapterEvents(bench, stem, config),
      checkControl(bench, stem, config),
      checkNeighbours(bench, config),
    ]);
    // What does not come back cannot be counted.
    const canTell = control.every(({ check, level }) => check !== "control" || level === "ok");
    const queue = canTell ? [await checkQueue(bench, stem, config, agentRuns)] : [];
    return [connected, ...tls, ...events, ...control, ...queue, ...neighbours];
  } finally {
    await bench.close();
  }
}
