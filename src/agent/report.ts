/** What the hub reports, as log lines: constant text, data in fields, the level by what an operator should do. */
import type { HubEvent } from "../hub/hub-event.ts";
import type { Logger } from "../ops/log.ts";

export function logHubEvent(log: Logger, event: HubEvent): void {
  const { type, ...fields } = event;
  switch (type) {
    case "link_status":
      log.info(fields, "link status");
      break;
    case "link_state":
      log.info(fields, "link state");
      break;
    case "interest":
      log.info(fields, "interest");
      break;
    case "problem":
      log.warn(fields, "problem");
      break;
    case "routes_expired":
      log.warn(fields, "routes expired: what is published now does not reach the peer");
      break;
    case "route_refused":
      log.warn(fields, "route refused by the peer");
      break;
    case "demand_refused":
      log.warn(fields, "subscription refused by the local broker");
      break;
    case "foreign_loop":
      log.error({ ...fields, code: "FOREIGN_LOOP" }, "another bridge carries this topic in a circle");
      break;
  }
}
