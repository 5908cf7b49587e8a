/**
 * Who should have got what, decided naively. A subscription is *established* towards a publisher's cluster once a calm
 * stretch has passed over it; from then on every reliable message it matches must arrive, in the publisher's order and
 * once, whatever fails, until one of the things happens that durability in memory does not survive. Those are:
 *
 *   the publishing agent dies, without a disk      what its spool and its session held, and what it knew of routes
 *   the publisher's broker loses its sessions      what the agent's session there had queued
 *   a peer's routes end, which is reported         what the agent had not taken by then
 *   the spool is full or a message too old         as many messages as were counted
 *   the publisher's broker denies the demand       what is published meanwhile; the peer is told
 *   the receiving agent takes leave                what it had not got, and what is published from then on
 *   the receiving cluster has two agents           what either of them took
 *   a link lets less through than before           what it does not let through any more
 *   a link is switched off, or removed             what is between its two clusters
 *
 * Copies may repeat only around a crash between republish and record: the receiving agent's or its broker session's end;
 * or between spool and acknowledgement: the publishing agent's end, when it has a disk; or while its broker
 * holds a filter that an earlier life of the agent had retired, for messages that this one matches.
 */
import { matches } from "../../src/topic/algebra.ts";
import { splitShared } from "../../src/topic/filter.ts";

/** What a subscriber, or the members of one shared group together, are owed. */
export interface Interest {
  readonly cluster: string;
  readonly filter: string;
  /** A client, or a group. */
  readonly holder: string;
  readonly shared: boolean;
  members: number;
  /** Publishing clusters towards which it is established. */
  readonly established: Set<string>;
}

export interface Published {
  readonly id: string;
  readonly cluster: string;
  readonly publisher: string;
  readonly topic: string;
  readonly atMs: number;
  readonly order: number;
  /** QoS 1. What is not may be lost, repeated and reordered. */
  readonly reliable: boolean;
}

interface Expectation {
  readonly message: Published;
  readonly interest: Interest;
}

export type PermitTest = (publisher: string, receiver: string, topic: string) => boolean;

export class Oracle {
  readonly failures: string[] = [];
  readonly counts = { expected: 0, delivered: 0, duplicates: 0, forgiven: 0 };
  /** Another bridge carries messages in a circle: copies are not counted, losses are. */
  foreign = false;
  readonly #permits: PermitTest;
  readonly #mayHavePermitted: PermitTest;
  readonly #interests = new Map<string, Interest>();
  readonly #expectations = new Map<string, Expectation>();
  /** Copies of each message at each client since the last calm. */
  readonly #copies = new Map<string, number>();
  /** Newest first copy, by client or cluster, publisher and topic. */
  readonly #newest = new Map<string, Published>();
  /** Until when what was published may come twice. */
  readonly #repeatsUntilMs = new Map<string, number>();
  /** Messages that may come twice wherever they come, or with a cluster before the name, there only. */
  readonly #repeats = new Set<string>();
  #echoesUntilMs = -1;
  readonly #reorders = new Set<string>();

  /** `mayHavePermitted`: of what is on its way still. */
  constructor(permits: PermitTest, mayHavePermitted: PermitTest) {
    this.#permits = permits;
    this.#mayHavePermitted = mayHavePermitted;
  }

  subscribed(cluster: string, client: string, filter: string): Interest {
    const { group } = splitShared(filter);
    const holder = group === null ? client : `${cluster} ${filter}`;
    const key = `${holder} ${filter}`;
    let interest = this.#interests.get(key);
    if (interest === undefined) {
      interest = { cluster, filter, holder, shared: group !== null, members: 0, established: new Set() };
      this.#interests.set(key, interest);
    }
    interest.members += 1;
    return interest;
  }

  unsubscribed(interest: Interest): void {
    interest.members -= 1;
    // A group's member may leave with what it was chosen for.
    this.#forgive((expectation) => expectation.interest === interest);
    if (interest.members === 0) this.#interests.delete(`${interest.holder} ${interest.filter}`);
  }

  published(message: Published): void {
    if (!message.reliable) return;
    for (const interest of this.#interests.values()) {
      if (interest.cluster === message.cluster || !interest.established.has(message.cluster)) continue;
      if (!matches(splitShared(interest.filter).filter, message.topic)) continue;
      if (!this.#permits(message.cluster, interest.cluster, message.topic)) continue;
      this.counts.expected += 1;
      this.#expectations.set(`${interest.holder} ${interest.filter} ${message.id}`, { message, interest });
    }
  }

  /** `interest`: the subscription that the copy came through. */
  received(interest: Interest, client: string, message: Published): void {
    this.counts.delivered += 1;
    this.#expectations.delete(`${interest.holder} ${interest.filter} ${message.id}`);
    if (!message.reliable) return;
    const { cluster, id } = message;
    const key = `${interest.shared ? interest.holder : client} ${id}`;
    const copies = (this.#copies.get(key) ?? 0) + 1;
    this.#copies.set(key, copies);
    if (copies > 1) {
      this.counts.duplicates += 1;
      if (!this.#repeatAllowed(interest.cluster, message))
        this.failures.push(`${client} got message ${id} of ${cluster} ${copies} times`);
      return;
    }
    if (interest.shared || this.foreign || this.#reorders.has(interest.cluster)) return;
    // What is repeated for the others may be the first copy of a client that came later.
    if (!this.#repeatAllowed(interest.cluster, message)) this.#inOrder(client, message);
  }

  /** An agent has published the message on its own broker, whoever subscribes there. */
  crossed(cluster: string, message: Published): void {
    if (this.foreign || message.atMs <= this.#echoesUntilMs) return;
    if (message.cluster === cluster) {
      this.failures.push(`message ${message.id} of ${cluster} came back to it`);
      return;
    }
    if (!this.#mayHavePermitted(message.cluster, cluster, message.topic))
      this.failures.push(`message ${message.id} of ${message.cluster} on ${message.topic} may not cross to ${cluster}`);
    if (!message.reliable) return;
    const key = `${cluster} ${message.id}`;
    const copies = (this.#copies.get(key) ?? 0) + 1;
    this.#copies.set(key, copies);
    if (copies > 1) {
      if (!this.#repeatAllowed(cluster, message))
        this.failures.push(`${message.id} of ${message.cluster} was republished on ${cluster} ${copies} times`);
    } else if (!this.#reorders.has(cluster)) {
      this.#inOrder(cluster, message);
    }
  }

  /** The publishing agent's memory is gone: with it what it had accepted, and what it knew of its peers' routes. */
  publisherLost(cluster: string): void {
    this.#forgive(({ message }) => message.cluster === cluster);
    for (const interest of this.#interests.values()) interest.established.delete(cluster);
  }

  /** What an agent had taken and lost with its life it takes again, by the routes that are left by now. */
  takenAgain(publisher: string, ids: ReadonlySet<string>): void {
    this.#forgive(
      ({ message, interest }) =>
        message.cluster === publisher && ids.has(message.id) && !interest.established.has(publisher),
    );
  }

  /** Messages that a broker lost with its sessions, by id; and its publishers' messages are no longer sure to cross. */
  brokerLost(cluster: string, ids: ReadonlySet<string>): void {
    this.#forgive(({ message }) => ids.has(message.id));
    this.deaf(cluster);
  }

  /** Links let less through than before. */
  narrowed(): void {
    this.#forgive(({ message, interest }) => !this.#permits(message.cluster, interest.cluster, message.topic));
  }

  /** What is published on `cluster` from now on may be missed, until all is calm. */
  deaf(cluster: string): void {
    for (const interest of this.#interests.values()) interest.established.delete(cluster);
  }

  /** The cluster has taken leave, or has two agents and nobody knows which of them took what. */
  receiverLost(cluster: string): void {
    this.#forgive(({ interest }) => interest.cluster === cluster);
    for (const interest of this.#interests.values()) if (interest.cluster === cluster) interest.established.clear();
  }

  /** Routes of `receiver` ended at `publisher` (retention, reported); `taken`: what the agent there had in hand already. */
  routesLost(publisher: string, receiver: string, taken: (id: string) => boolean): void {
    this.#forgive(
      ({ message, interest }) => message.cluster === publisher && interest.cluster === receiver && !taken(message.id),
    );
    for (const interest of this.#interests.values())
      if (interest.cluster === receiver) interest.established.delete(publisher);
  }

  /** Messages published before `untilMs` may come twice to this cluster. */
  mayRepeat(cluster: string, untilMs: number): void {
    this.#repeatsUntilMs.set(cluster, Math.max(this.#repeatsUntilMs.get(cluster) ?? -1, untilMs));
  }

  /**
   * These may have been spooled and were not acknowledged: their broker sends them again, to all who want them. Or it sends
   * two copies of them, and the agent has to take both, since it cannot know whether its earlier life had taken one.
   */
  mayRepeatEverywhere(ids: Iterable<string>): void {
    for (const id of ids) this.#repeats.add(id);
  }

  /** These may have been republished and were not recorded. */
  mayRepeatAt(cluster: string, ids: Iterable<string>): void {
    for (const id of ids) this.#repeats.add(`${cluster} ${id}`);
  }

  /** What was published before `untilMs` may come back: who would know the echo of it has lost its memory. */
  mayEcho(untilMs: number): void {
    this.#echoesUntilMs = untilMs;
  }

  /** Until the next calm: a broker that is busy takes later messages before earlier ones. */
  mayReorder(cluster: string): void {
    this.#reorders.add(cluster);
  }

  /**
   * After a calm stretch: nothing may be owed any more, and what is subscribed now is established. `dropped`: how many
   * messages were counted as given up between two clusters since the last time.
   */
  settle(clusters: readonly string[], dropped: (publisher: string, receiver: string) => number): void {
    const missing = new Map<string, { ids: Set<string>; text: string }>();
    for (const { message, interest } of this.#expectations.values()) {
      const key = `${message.cluster} ${interest.cluster}`;
      const text = `${interest.holder} (${interest.filter} on ${interest.cluster}) never got ${message.id} of ${message.cluster}`;
      const known = missing.get(key);
      if (known === undefined) missing.set(key, { ids: new Set([message.id]), text });
      else known.ids.add(message.id);
    }
    for (const [key, { ids, text }] of missing) {
      const [publisher = "", receiver = ""] = key.split(" ");
      const allowed = dropped(publisher, receiver);
      if (ids.size > allowed) this.failures.push(`${text}; ${ids.size} missing in all, ${allowed} counted as dropped`);
      else this.counts.forgiven += ids.size;
    }
    this.#expectations.clear();
    this.#copies.clear();
    this.#reorders.clear();
    this.#repeats.clear();
    for (const interest of this.#interests.values()) for (const cluster of clusters) interest.established.add(cluster);
  }

  /** First copies of one publisher on one topic come in its order. */
  #inOrder(where: string, message: Published): void {
    const line = `${where} ${message.publisher} ${message.topic}`;
    const before = this.#newest.get(line);
    if (before === undefined || before.order < message.order) this.#newest.set(line, message);
    else this.failures.push(`${where} got ${message.id} on ${message.topic} after the younger ${before.id}`);
  }

  #repeatAllowed(receiver: string, message: Published): boolean {
    const { id, atMs } = message;
    if (this.foreign || this.#repeats.has(id) || this.#repeats.has(`${receiver} ${id}`)) return true;
    return atMs <= Math.max(this.#repeatsUntilMs.get(receiver) ?? -1, this.#echoesUntilMs);
  }

  #forgive(which: (expectation: Expectation) => boolean): void {
    for (const [key, expectation] of this.#expectations) {
      if (!which(expectation)) continue;
      this.#expectations.delete(key);
      this.counts.forgiven += 1;
    }
  }
}
