/**
 * Whether an EMQX lets this agent in and listen. Whether it may publish is not tried: EMQX ends the connection of who publishes
 * anything there that is no word of a link, and what is one changes something.
 */

import type { AgentConfig, LinkConfig } from "../config/types.ts";
import { responseTopic } from "../emqx/names.ts";
import type { DoctorClient } from "./doctor-client.ts";
import { type Finding, finding } from "./finding.ts";

const REFUSED = 0x80;

export async function checkEmqx(
  client: DoctorClient,
  { endpoint }: LinkConfig,
  { cluster }: AgentConfig,
): Promise<Finding[]> {
  if (client.version === 4)
    return [finding("peer_listen", "fault", "EMQX was reached with MQTT 3.1.1: its cluster links need MQTT 5")];
  const filter = responseTopic(cluster, "brokerlink-doctor");
  const codes = await client.subscribe([{ filter, qos: 1 }]);
  const user = endpoint?.username ?? null;
  const who = user === null ? "all" : `{username, "${user}"}`;
  const mayListen = codes?.every((code) => code < REFUSED) === true;
  return [
    mayListen
      ? finding("peer_listen", "ok", "this user may listen for EMQX's answers")
      : finding("peer_listen", "fault", `EMQX does not let this user subscribe to ${responseTopic(cluster, "+")}`, {
          file: "acl.conf of EMQX",
          lines: [
            `{allow, ${who}, subscribe, ["${responseTopic(cluster, "+")}"]}.`,
            `{allow, ${who}, publish, ["$LINK/cluster/route/${cluster}", "$LINK/cluster/msg/${cluster}"]}.`,
          ],
        }),
    finding("peer_publish", "skipped", "EMQX takes no trial on the topics of its links: the link's own state shows it"),
  ];
}
