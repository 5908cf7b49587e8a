/** One cluster of the world: a broker, its clients, and its agent; for a while perhaps two. */
import { matches } from "../../src/topic/algebra.ts";
import type { Oracle, Published } from "./oracle.ts";
import type { Prng } from "./prng.ts";
import type { ClusterShape, WorldShape } from "./shape.ts";
import { SimAgent } from "./sim-agent.ts";
import { type Delivery, SimBroker } from "./sim-broker.ts";
import { SimClients } from "./sim-clients.ts";
import { SimDisk } from "./sim-disk.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { Timeline } from "./timeline.ts";

export interface SimWorldParts {
  readonly shape: WorldShape;
  readonly time: Timeline;
  readonly random: Prng;
  readonly network: SimNetwork;
  readonly oracle: Oracle;
  readonly known: (id: string) => Published | undefined;
}

export class SimCluster {
  readonly name: string;
  readonly shape: ClusterShape;
  readonly broker: SimBroker;
  readonly agent: SimAgent;
  readonly clients: SimClients;
  /** A second agent of the same name, on another broker. */
  double: SimAgent | null = null;
  readonly #parts: SimWorldParts;
  /** Messages given up before the counters of the current life. */
  readonly #droppedBefore = new Map<string, number>();
  readonly #droppedInEarlierLives = new Map<string, number>();
  /** Identifiers of filters that earlier lives of the agent had retired, and that their broker may hold still. */
  #retired: ReadonlySet<number> = new Set();

  constructor(shape: ClusterShape, parts: SimWorldParts) {
    const { shape: world, time, random, network, oracle, known } = parts;
    this.name = shape.name;
    this.shape = shape;
    this.#parts = parts;
    this.broker = new SimBroker(shape.broker, shape.untracked);
    const disk = shape.durability === "disk" ? new SimDisk() : null;
    this.agent = new SimAgent(shape, world, time, random, this.broker, network, disk);
    this.clients = new SimClients(shape.name, this.broker, oracle, random, known);
  }

  /** Whether a restart costs nothing that was acknowledged. */
  get isDurable(): boolean {
    return this.agent.disk !== null;
  }

  start(): void {
    this.#droppedBefore.clear();
    this.agent.start();
  }

  /** The agent's life ends: its counters do, too. What it gave up stays given up, if anything was left to give. */
  ending(): void {
    if (!this.isDurable) return;
    for (const peer of this.agent.peers) this.#droppedInEarlierLives.set(peer, this.dropped(peer));
  }

  /** The same of one link. */
  parting(peer: string): void {
    this.#droppedInEarlierLives.set(peer, this.dropped(peer));
    this.#droppedBefore.delete(peer);
  }

  /** The agent's life has ended: the next one finds what is on the disk. */
  inherits(): void {
    const filters = this.agent.disk?.restored().demand.filters ?? [];
    this.#retired = new Set(filters.flatMap(({ id, retiring }) => (retiring ? [id] : [])));
  }

  /** Whether this copy came through a filter that an earlier life had retired. */
  isOfRetired({ ids }: Delivery): boolean {
    return ids.some((id) => this.#retired.has(id));
  }

  /** Whether there is such a copy of what is published now. */
  isBetweenFilters(topic: string): boolean {
    const { subscriptions } = this.broker.sessions.get(`${this.name}-data`) ?? {};
    return [...(subscriptions?.values() ?? [])].some(
      ({ filter, id }) => this.#retired.has(id) && matches(filter, topic),
    );
  }

  startDouble(): void {
    const { shape: world, time, random, network } = this.#parts;
    this.double = new SimAgent(this.shape, world, time, random, new SimBroker(this.shape.broker, 0), network, null);
    this.double.start();
  }

  endDouble(): void {
    this.double?.kill();
    this.double = null;
  }

  /** Messages for `peer` given up, and counted, since the last call. */
  dropped(peer: string): number {
    let total = 0;
    for (const { direction, count } of this.agent.hub?.link(peer)?.counters.dropped() ?? [])
      if (direction === "out") total += count;
    const before = this.#droppedBefore.get(peer) ?? 0;
    this.#droppedBefore.set(peer, total);
    const earlier = this.#droppedInEarlierLives.get(peer) ?? 0;
    this.#droppedInEarlierLives.delete(peer);
    return Math.max(0, total - before) + earlier;
  }
}
