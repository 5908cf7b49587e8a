/**
 * What publishers were told and what subscribers got, and what that makes: lost, duplicated, out of order. Pure.
 *
 * A message is named by its topic and its number on that topic; one publisher writes to a topic. *Accepted*: its broker sent
 * the PUBACK. *Unsure*: the connection ended first, so it may have been taken or not, and is not judged.
 */
export interface Verdict {
  readonly accepted: number;
  readonly unsure: number;
  readonly delivered: number;
  /** Accepted and never delivered: `topic number`. */
  readonly lost: readonly string[];
  /** Deliveries beyond the first of each message. */
  readonly duplicates: number;
  /** First deliveries behind a later message of their topic. */
  readonly disordered: number;
  /** The longest time from a message's acceptance to its first delivery. */
  readonly slowestMs: number;
}

interface TopicHistory {
  /** By number: when it was accepted; -1: unsure. */
  readonly acceptedAtMs: Map<number, number>;
  readonly deliveries: Map<number, number>;
  readonly firstAtMs: Map<number, number>;
  highest: number;
  disordered: number;
}

export class History {
  readonly #topics = new Map<string, TopicHistory>();
  #missing = 0;

  accepted(topic: string, number: number, atMs: number): void {
    const history = this.#of(topic);
    history.acceptedAtMs.set(number, atMs);
    if (!history.deliveries.has(number)) this.#missing += 1;
  }

  unsure(topic: string, number: number): void {
    this.#of(topic).acceptedAtMs.set(number, -1);
  }

  delivered(topic: string, number: number, atMs: number): void {
    const history = this.#of(topic);
    const before = history.deliveries.get(number) ?? 0;
    history.deliveries.set(number, before + 1);
    if (before > 0) return;
    history.firstAtMs.set(number, atMs);
    if ((history.acceptedAtMs.get(number) ?? -1) >= 0) this.#missing -= 1;
    if (number < history.highest) history.disordered += 1;
    history.highest = Math.max(history.highest, number);
  }

  /** Accepted so far and not delivered yet. */
  get missing(): number {
    return this.#missing;
  }

  verdict(): Verdict {
    const lost: string[] = [];
    let [accepted, unsure, delivered, duplicates, disordered, slowestMs] = [0, 0, 0, 0, 0, 0];
    for (const [topic, history] of this.#topics) {
      for (const [number, atMs] of history.acceptedAtMs) {
        if (atMs < 0) {
          unsure += 1;
          continue;
        }
        accepted += 1;
        const firstAtMs = history.firstAtMs.get(number);
        if (firstAtMs === undefined) lost.push(`${topic} ${number}`);
        else slowestMs = Math.max(slowestMs, firstAtMs - atMs);
      }
      for (const count of history.deliveries.values()) duplicates += count - 1;
      delivered += history.deliveries.size;
      disordered += history.disordered;
    }
    return { accepted, unsure, delivered, lost, duplicates, disordered, slowestMs };
  }

  #of(topic: string): TopicHistory {
    let history = this.#topics.get(topic);
    if (history === undefined) {
      history = { acceptedAtMs: new Map(), deliveries: new Map(), firstAtMs: new Map(), highest: 0, disordered: 0 };
      this.#topics.set(topic, history);
    }
    return history;
  }
}
