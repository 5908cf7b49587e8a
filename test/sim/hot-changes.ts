/**
 * Links that change, are switched off and come back while their agents run. What both the old and the new link let through
 * must not be lost; to other links nothing may happen at all. Has its own luck, so that seeds without it stay what they were.
 */
import type { Faults } from "./faults.ts";
import type { Oracle } from "./oracle.ts";
import type { Prng } from "./prng.ts";
import { EXPORTS, TOPICS, type WorldShape } from "./shape.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { Timeline } from "./timeline.ts";
import type { Witness } from "./witness.ts";

const KINDS = ["topics", "topics", "export", "export", "limits", "off", "gone"] as const;

export type HotChangeKind = (typeof KINDS)[number];

export interface HotChangeParts {
  readonly shape: WorldShape;
  readonly time: Timeline;
  readonly random: Prng;
  readonly network: SimNetwork;
  readonly oracle: Oracle;
  readonly witness: Witness;
  readonly clusters: readonly SimCluster[];
  readonly faults: Faults;
  /** Now is the time to publish. */
  readonly changed: () => void;
}

export class HotChanges {
  readonly counts: Partial<Record<HotChangeKind, number>> = {};
  readonly #parts: HotChangeParts;
  /** In this world links do change. */
  readonly #happens: boolean;
  #endMs = 0;
  #narrows = true;

  constructor(parts: HotChangeParts) {
    this.#parts = parts;
    this.#happens = parts.random.chance(0.5);
  }

  /**
   * Another stretch of trouble. `narrows`: windows may become small. Where another bridge carries messages in a circle they do
   * not: with four frames under way and a backlog a circle takes longer than the guard holds a topic, whether the window was
   * so from the beginning or became so, and is taken for a publisher.
   */
  begin(endMs: number, narrows: boolean): void {
    this.#narrows = narrows;
    if (!this.#happens) return;
    this.#endMs = endMs;
    this.#later(this.#parts.random.pick([1_000, 5_000, 20_000]));
  }

  /** All links are there again. */
  heal(): void {
    this.#endMs = 0;
    for (const cluster of this.#parts.clusters)
      for (const other of this.#parts.clusters) if (cluster !== other) this.#back(cluster, other);
  }

  #later(meanMs: number): void {
    const { time, random } = this.#parts;
    time.after(1 + random.next() * 2 * meanMs, () => {
      if (time.nowMs >= this.#endMs) return;
      this.#strike();
      this.#later(meanMs);
    });
  }

  #strike(): void {
    const { random, clusters, shape, oracle } = this.#parts;
    const cluster = random.pick(clusters);
    const other = random.pick(clusters.filter((candidate) => candidate !== cluster));
    const kind = random.pick(KINDS);
    const { agent } = cluster;
    if (cluster.double !== null || agent.isFrozen || agent.links.isAway(other.name)) return;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    switch (kind) {
      case "topics":
        shape.change(cluster.name, other.name, { topics: random.pick(TOPICS) });
        break;
      case "export":
        shape.change(cluster.name, other.name, { exportFilters: random.pick(EXPORTS) });
        break;
      case "limits":
        shape.change(cluster.name, other.name, { framesInflightMax: this.#narrows ? random.pick([4, 16, 64]) : 64 });
        break;
      case "off":
      case "gone":
        this.#away(cluster, other, kind === "off" || cluster.isDurable);
        return;
    }
    oracle.narrowed();
    agent.into((hub, nowMs) => agent.links.change(hub, other.name, nowMs));
    this.#parts.changed();
  }

  #away(cluster: SimCluster, other: SimCluster, isKept: boolean): void {
    const { time, random, network, oracle } = this.#parts;
    const { agent } = cluster;
    if (!agent.running) return;
    // Neither is owed anything by the other, until all is calm again.
    oracle.routesLost(cluster.name, other.name, () => false);
    oracle.routesLost(other.name, cluster.name, () => false);
    if (isKept) oracle.mayRepeatAt(cluster.name, agent.unsettled);
    else {
      oracle.mayRepeat(cluster.name, time.nowMs);
      // Frames of the old stream that are late come after those of the new one.
      oracle.mayReorder(other.name);
    }
    cluster.parting(other.name);
    agent.into((hub, nowMs) => agent.links.remove(hub, other.name, isKept, nowMs));
    // A DISCONNECT: the Will is not published.
    const connection = network.dialled(cluster.name, other.name);
    connection.up = false;
    connection.will = null;
    time.after(random.pick([1, 100, 3_000, 20_000]), () => this.#back(cluster, other));
  }

  #back(cluster: SimCluster, other: SimCluster): void {
    const { time, faults, shape, witness } = this.#parts;
    const { agent } = cluster;
    if (!agent.running || !agent.links.isAway(other.name)) return;
    // Whoever thaws finds it done.
    agent.thaw();
    witness.started(cluster.name, time.nowMs);
    agent.into((hub, nowMs) => {
      agent.links.add(hub, other.name, nowMs);
      if (agent.linkUp && !shape.link(cluster.name, other.name).dials)
        hub.linkUp(other.name, cluster.shape.packetBytesMax, nowMs);
    });
    faults.connect(cluster, other);
    this.#parts.changed();
  }
}
