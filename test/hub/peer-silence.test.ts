import assert from "node:assert/strict";
import { test } from "node:test";
import { Hub } from "../../src/hub/hub.ts";
import type { HubEvent } from "../../src/hub/hub-event.ts";
import type { Outlet } from "../../src/hub/outlet.ts";

/** A hub with one link, and what it reports. */
function hubAlone(): { readonly hub: Hub; readonly events: HubEvent[] } {
  const events: HubEvent[] = [];
  const outlet: Outlet = {
    subscribe: () => {},
    unsubscribe: () => {},
    sendMarker: () => {},
    acknowledge: () => {},
    save: () => {},
    republish: () => {},
    readStored: () => {},
    sendControl: () => {},
    answerStranger: () => {},
    peerGreeted: () => {},
    congested: () => false,
    sendFrame: () => {},
    report: (event) => events.push(event),
  };
  const hub = new Hub(
    {
      cluster: "west",
      agentVersion: "0",
      controlPrefix: "$LINK",
      incarnation: 1,
      instance: "00112233445566ff",
      demandMax: 10,
      randomHex16: () => "8899aabbccddeeff",
      disabledLinks: [],
      interest: {
        ownClients: new Set(),
        ignoreClients: [],
        untrackedSubscriptions: 0,
        atStart: "none",
        trustAfterMs: null,
        controlPrefix: "$LINK",
        rowsMax: 10,
      },
      links: [
        {
          name: "east",
          topics: ["#"],
          exportFilters: ["#"],
          dialsIn: false,
          routesMax: 10,
          routeRetentionMs: 60_000,
          spool: { bytesMax: 1_000, ageMaxMs: 1_000, whenFull: "drop_oldest" },
          framesInflightMax: 1,
          retryIntervalMs: 1_000,
        },
      ],
    },
    outlet,
    0,
  );
  return { hub, events };
}

/** Runs turns until `untilMs`, as their owner would. */
function run(hub: Hub, fromMs: number, untilMs: number): void {
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 500) {
    hub.tick(nowMs);
    hub.flush(nowMs);
  }
}

test("a peer that never answers is named a while after the connection stands, once", () => {
  const { hub, events } = hubAlone();
  hub.linkUp("east", 1_000_000, 1_000);
  run(hub, 1_000, 10_000);
  assert.deepEqual(
    events.filter(({ type }) => type === "problem"),
    [],
  );
  run(hub, 10_500, 120_000);
  assert.deepEqual(
    events.filter(({ type }) => type === "problem"),
    [{ type: "problem", link: "east", code: "PEER_SILENT", reason: 'the agent of cluster "east" does not answer' }],
  );
  assert.equal(hub.status(120_000).links[0]?.lastProblem?.code, "PEER_SILENT");
});

test("without a connection it is not the peer's agent that is silent", () => {
  const { hub, events } = hubAlone();
  run(hub, 0, 60_000);
  assert.equal(hub.status(60_000).links[0]?.status, "disconnected");
  assert.deepEqual(
    events.filter(({ type }) => type === "problem"),
    [],
  );
});
