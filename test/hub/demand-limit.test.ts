import assert from "node:assert/strict";
import { test } from "node:test";
import { Hub } from "../../src/hub/hub.ts";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import type { Outlet } from "../../src/hub/outlet.ts";

const DEAF: Outlet = {
  subscribe() {},
  unsubscribe() {},
  sendMarker() {},
  acknowledge() {},
  save() {},
  republish() {},
  readStored() {},
  sendControl() {},
  answerStranger() {},
  peerGreeted() {},
  congested() {
    return false;
  },
  sendFrame() {},
  report() {},
};

function link(name: string, limit: { readonly demandMax?: number }): HubLinkOptions {
  return {
    name,
    topics: [],
    exportFilters: ["#"],
    dialsIn: true,
    routesMax: 100,
    routeRetentionMs: 1_000,
    framesInflightMax: 1,
    retryIntervalMs: 1_000,
    spool: { bytesMax: 1_000, ageMaxMs: 1_000, whenFull: "drop_oldest" },
    ...limit,
  };
}

function hubWith(links: readonly HubLinkOptions[]): Hub {
  const interest = {
    ownClients: new Set<string>(),
    ignoreClients: [],
    untrackedSubscriptions: 0,
    atStart: "none",
    trustAfterMs: null,
    controlPrefix: "$LINK",
    rowsMax: 100,
  } as const;
  const randomHex16 = (): string => "0123456789abcdef";
  return new Hub(
    {
      cluster: "a",
      agentVersion: "0",
      controlPrefix: "$LINK",
      incarnation: 1,
      instance: randomHex16(),
      randomHex16,
      demandMax: 4,
      interest,
      links,
      disabledLinks: [],
    },
    DEAF,
    0,
  );
}

test("each link's own max_demand widens what its peer asks for, whatever the others' is", () => {
  const hub = hubWith([link("small", { demandMax: 2 }), link("large", { demandMax: 10 }), link("other", {})]);
  for (const peer of ["small", "large", "other"]) {
    for (const device of [1, 2]) hub.demand.want(peer, `${peer}/${device}`);
  }
  assert.equal(hub.demand.stats.widened, 0);
  hub.demand.want("small", "small/3");
  assert.equal(hub.demand.stats.widened, 1, "the third filter of a peer that may have two");
  for (const device of [3, 4, 5]) hub.demand.want("large", `large/${device}`);
  assert.equal(hub.demand.stats.widened, 1, "five of ten fit");
  for (const device of [3, 4, 5]) hub.demand.want("other", `other/${device}`);
  assert.equal(hub.demand.stats.widened, 2, "a link without a limit has the hub's, four");
});
