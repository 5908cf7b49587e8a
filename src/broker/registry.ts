/** Which adapter serves which `local.broker`. The configuration has been checked before; what is missing here is a bug. */
import { assert } from "../base/assert.ts";
import type { BrokerKind } from "../config/types.ts";
import { filterProblem } from "../topic/filter.ts";
import type { BrokerAdapter } from "./adapter.ts";
import type { AdapterOptions } from "./adapter-options.ts";
import { AedesAdapter } from "./aedes.ts";
import { EmqxAdapter } from "./emqx.ts";
import { EMQX_EVENTS_TOPIC, EventsAdapter } from "./events.ts";
import { MosquittoAdapter } from "./mosquitto.ts";
import { StaticAdapter } from "./static.ts";

/** `events` needs `eventsTopic`, `static` needs `filters`. */
export function createAdapter(kind: BrokerKind, options: AdapterOptions): BrokerAdapter {
  switch (kind) {
    case "mosquitto":
      return new MosquittoAdapter(options);
    case "aedes":
      return new AedesAdapter(options);
    case "emqx":
      return options.api == null
        ? new EventsAdapter("emqx", EMQX_EVENTS_TOPIC, options)
        : new EmqxAdapter(options, options.api);
    case "events": {
      const topic = options.eventsTopic ?? "";
      assert(filterProblem(topic) === null, "local.events_topic is checked when the configuration is read");
      return new EventsAdapter("events", topic, options);
    }
    case "static": {
      const filters = options.filters ?? [];
      assert(
        filters.every((filter) => filterProblem(filter) === null),
        "local.filters are checked when the configuration is read",
      );
      return new StaticAdapter(filters, options.sink);
    }
  }
}
