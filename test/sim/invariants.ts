/** What must hold once everything has been calm for a while, whatever went before. Answers sentences; none: all is well. */
import { intersect, matches, minimalCover } from "../../src/topic/algebra.ts";
import { splitShared } from "../../src/topic/filter.ts";
import type { WorldShape } from "./shape.ts";
import type { SimCluster } from "./sim-cluster.ts";
import { lineOf, MARK_TOPIC } from "./sim-local.ts";

export function whatIsWrong(clusters: readonly SimCluster[], shape: WorldShape, nowMs: number): string[] {
  const wrong: string[] = [];
  for (const cluster of clusters) {
    const { hub } = cluster.agent;
    if (hub === null) {
      wrong.push(`the agent of ${cluster.name} does not run`);
      continue;
    }
    const status = hub.status(nowMs);
    if (status.duplicate) wrong.push(`${cluster.name} believes that it has a double`);
    if (status.demand.pending > 0) wrong.push(`${cluster.name} has ${status.demand.pending} subscriptions to be made`);
    for (const link of status.links) {
      const name = `${cluster.name}'s link to ${link.name}`;
      if (link.status !== "connected")
        wrong.push(`${name} is ${link.status} (out ${link.out.state}, in ${link.in.state})`);
      const mismatches = link.conversation.find(({ what }) => what === "digest_mismatch");
      if (mismatches !== undefined) wrong.push(`${name} saw ${mismatches.count} digest mismatches`);
      const { spooled, spooledBytes, waiting, inflight, bestEffort, inbound } = link.queue;
      if (spooled + spooledBytes + waiting + inflight + bestEffort + inbound > 0)
        wrong.push(`${name} is not empty: ${JSON.stringify(link.queue)}`);
      if (link.refusedRoutes.length > 0)
        wrong.push(`${name} counts [${link.refusedRoutes.map(({ filter }) => filter).join(" ")}] as refused`);
      const announced = filtersOf(clusters, link.name, cluster.name);
      const held = [...(hub.link(link.name)?.conversation.acceptor.routes.effective() ?? [])].sort();
      if (announced.join(" ") !== held.join(" "))
        wrong.push(`${link.name} announces [${announced.join(" ")}], ${cluster.name} holds [${held.join(" ")}]`);
    }
    wrong.push(...wrongDemand(cluster, clusters, shape));
    if (status.wide === null) wrong.push(...wrongRoutes(cluster, clusters, shape));
  }
  return wrong;
}

/** What was saved piece by piece is what a snapshot would hold, and could be read whenever it was. */
export function whatIsSavedWrong(clusters: readonly SimCluster[]): string[] {
  const wrong: string[] = [];
  for (const { name, agent } of clusters) {
    const { hub, disk } = agent;
    if (hub !== null) disk?.compare(hub.saved(), name);
    wrong.push(...(disk?.failures.splice(0) ?? []));
  }
  return wrong;
}

/** The agent subscribes to just what its peers announced and it may give them. */
function wrongDemand(cluster: SimCluster, clusters: readonly SimCluster[], shape: WorldShape): string[] {
  const wanted = clusters
    .filter((peer) => peer !== cluster)
    .flatMap((peer) =>
      filtersOf(clusters, peer.name, cluster.name).flatMap((route) =>
        shape.link(cluster.name, peer.name).exportFilters.flatMap((filter) => intersect(filter, route) ?? []),
      ),
    );
  const expected = minimalCover(wanted).sort().join(" ");
  const session = cluster.broker.sessions.get(`${cluster.name}-data`);
  const found = [...(session?.subscriptions.keys() ?? [])].filter((filter) => filter !== MARK_TOPIC);
  return found.sort().join(" ") === expected
    ? []
    : [`${cluster.name} subscribes to [${found.join(" ")}], its peers want [${expected}]`];
}

/** An agent that knows its clients announces just what they want. */
function wrongRoutes(cluster: SimCluster, clusters: readonly SimCluster[], shape: WorldShape): string[] {
  const wrong: string[] = [];
  for (const peer of clusters) {
    if (peer === cluster) continue;
    const { topics } = shape.link(cluster.name, peer.name);
    const wanted = cluster.clients.filters
      .map(lineOf)
      .filter((filter) => !splitShared(filter).filter.startsWith("$"))
      .flatMap((filter) => topics.flatMap((topic) => intersect(splitShared(filter).filter, topic) ?? []));
    const expected = minimalCover(wanted).sort().join(" ");
    const found = filtersOf(clusters, cluster.name, peer.name).join(" ");
    if (found !== expected)
      wrong.push(`${cluster.name} announces [${found}] to ${peer.name}, its clients want [${expected}]`);
  }
  return wrong;
}

/** Whether `receiver` asks `publisher` for `topic` and would be given it. */
export function wants(clusters: readonly SimCluster[], receiver: string, publisher: string, topic: string): boolean {
  return filtersOf(clusters, receiver, publisher).some((filter) => matches(filter, topic));
}

function filtersOf(clusters: readonly SimCluster[], from: string, to: string): string[] {
  const routes =
    clusters
      .find(({ name }) => name === from)
      ?.agent.hub?.link(to)
      ?.routes.routes() ?? [];
  return [...routes].map(({ filter }) => filter).sort();
}
