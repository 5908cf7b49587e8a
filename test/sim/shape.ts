/** What one simulated world is made of: drawn from its seed before anything runs, so that runs differ in kind, not only in luck. */
import type { Durability } from "../../src/flow/durability.ts";
import type { SpoolOptions } from "../../src/flow/spool.ts";
import { matches } from "../../src/topic/algebra.ts";
import type { Prng } from "./prng.ts";

/**
 * `v5`: MQTT 5 as Mosquitto speaks it (a copy per matching subscription, No Local, properties). `bridge`: MQTT 3.1.1 with a
 * working bridge bit (one copy, not one's own, no properties). `echo`: 3.1.1 that sends a session its own messages back.
 */
export type BrokerKind = "v5" | "bridge" | "echo";

export interface ClusterShape {
  readonly name: string;
  readonly broker: BrokerKind;
  /** Announced by the broker to whoever connects. */
  readonly packetBytesMax: number;
  /** Not announced: larger frames are refused, and at QoS 0 swallowed. */
  readonly hiddenBytesMax: number;
  /** Rows that the broker counts and never announces. */
  readonly untracked: number;
  readonly spool: SpoolOptions;
  readonly routeRetentionMs: number;
  readonly durability: Durability;
  /** Longest delay of a packet between agent and local broker. */
  readonly localDelayMs: number;
}

export interface LinkShape {
  /** What the cluster wants of the peer. */
  readonly topics: readonly string[];
  /** What the cluster may give to the peer. */
  readonly exportFilters: readonly string[];
  /** Whether the cluster connects to the peer's broker; if not, the peer dials in. */
  readonly dials: boolean;
  readonly framesInflightMax: number;
}

export const TOPICS: readonly (readonly string[])[] = [
  ["#"],
  ["#"],
  ["t/#"],
  ["t/+/1", "t/2/#", "reply/#"],
  ["t/#", "reply/+"],
  ["+/+/1", "t/+/2", "reply/+"],
  [],
];
export const EXPORTS: readonly (readonly string[])[] = [
  ["#"],
  ["#"],
  ["#"],
  ["t/#", "reply/#"],
  ["t/+/1", "t/2/+", "reply/+"],
];
const ROOMY: SpoolOptions = { bytesMax: 64 * 1024 * 1024, ageMaxMs: 24 * 3_600_000, whenFull: "drop_oldest" };
const DURABILITIES: readonly Durability[] = ["disk", "disk", "disk", "end_to_end", "memory"];
/** Some forty small messages: full within seconds of an outage. */
const TIGHT_BYTES = 4 * 1024;

export class WorldShape {
  readonly clusters: readonly ClusterShape[];
  readonly #links = new Map<string, LinkShape>();
  /** What links were since all was calm, and are not any more. */
  #before: (readonly [path: string, link: LinkShape])[] = [];

  /** `later`: for what was added later, so that older seeds stay what they were. */
  constructor(random: Prng, later: Prng) {
    const durable = later.chance(0.5);
    const names = ["a", "b", "c", "d", "e"].slice(0, random.pick([2, 2, 3, 3, 4, 5]));
    const localDelayMs = random.pick([1, 5, 100]);
    const plain = random.chance(0.6);
    const small = random.chance(0.5);
    this.clusters = names.map((name) => ({
      name,
      broker: plain ? "v5" : random.pick(["v5", "bridge", "echo"] as const),
      // Brokers with small packet limits split batches: order within a batch becomes order between messages.
      packetBytesMax: small ? 1_200 : 256 * 1024,
      hiddenBytesMax: random.chance(0.2) ? 800 : Number.POSITIVE_INFINITY,
      untracked: random.pick([0, 0, 2]),
      spool: random.chance(0.85)
        ? ROOMY
        : { ...ROOMY, bytesMax: TIGHT_BYTES, whenFull: random.pick(["drop_oldest", "drop_newest"] as const) },
      routeRetentionMs: random.pick([60_000, 60_000, 5_000]),
      localDelayMs,
      durability: durable ? later.pick(DURABILITIES) : "memory",
    }));
    for (const a of names) {
      for (const b of names) {
        if (a >= b) continue;
        const who = random.pick(["both", "both", "both", a, b]);
        this.#links.set(`${a} ${b}`, this.#link(random, who !== b));
        this.#links.set(`${b} ${a}`, this.#link(random, who !== a));
      }
    }
  }

  /** Where no property survives, a message can be told only by its payload. */
  get allHaveProperties(): boolean {
    return this.clusters.every(({ broker }) => broker === "v5");
  }

  link(cluster: string, peer: string): LinkShape {
    const link = this.#links.get(`${cluster} ${peer}`);
    if (link === undefined) throw new Error(`no link from ${cluster} to ${peer}`);
    return link;
  }

  change(cluster: string, peer: string, change: Partial<LinkShape>): void {
    const path = `${cluster} ${peer}`;
    const link = this.link(cluster, peer);
    this.#before.push([path, link]);
    this.#links.set(path, { ...link, ...change });
  }

  /** Nothing is under way any more that was let through by what links were before. */
  settled(): void {
    this.#before = [];
  }

  /** Whether the configuration lets a message of `publisher` on `topic` reach `receiver`, now and ever since all was calm. */
  permits(publisher: string, receiver: string, topic: string): boolean {
    const takes = this.#lives(receiver, publisher).every(({ topics }) => takesOne(topics, topic));
    return takes && this.#lives(publisher, receiver).every(({ exportFilters }) => takesOne(exportFilters, topic));
  }

  /** Whether it does now, or did at any time since all was calm. */
  mayHavePermitted(publisher: string, receiver: string, topic: string): boolean {
    const took = this.#lives(receiver, publisher).some(({ topics }) => takesOne(topics, topic));
    return took && this.#lives(publisher, receiver).some(({ exportFilters }) => takesOne(exportFilters, topic));
  }

  #lives(cluster: string, peer: string): LinkShape[] {
    const path = `${cluster} ${peer}`;
    return [this.link(cluster, peer), ...this.#before.flatMap(([key, link]) => (key === path ? [link] : []))];
  }

  #link(random: Prng, dials: boolean): LinkShape {
    return { topics: random.pick(TOPICS), exportFilters: random.pick(EXPORTS), dials, framesInflightMax: 64 };
  }
}

function takesOne(filters: readonly string[], topic: string): boolean {
  return filters.some((filter) => matches(filter, topic));
}
