/**
 * Holds what agents report against what is so, at the moment they report it: an agent that says that its routes are at the
 * peer must be right, and one that says it has a double must have one.
 */
import type { HubEvent } from "../../src/hub/hub-event.ts";
import type { SimCluster } from "./sim-cluster.ts";

export class Witness {
  readonly failures: string[] = [];
  /** When each link last began to greet, and when each agent's life began. */
  readonly #greetedAtMs = new Map<string, number>();
  readonly #startedAtMs = new Map<string, number>();
  /** Clusters that have had two agents: what was said meanwhile may come back late. */
  readonly #doubled = new Set<string>();

  /** A life that began before another one, by its clock, may take the number of a third that is dead. */
  readonly #clockWentBack = new Set<string>();

  started(cluster: string, nowMs: number): void {
    this.#startedAtMs.set(cluster, nowMs);
  }

  doubled(cluster: string): void {
    this.#doubled.add(cluster);
  }

  clockWentBack(cluster: string): void {
    this.#clockWentBack.add(cluster);
  }

  reported(cluster: SimCluster, event: HubEvent, clusters: readonly SimCluster[], nowMs: number): void {
    const unambiguous = !this.#doubled.has(cluster.name) && !this.#clockWentBack.has(cluster.name);
    if (event.type === "problem" && event.code === "DUPLICATE_AGENT" && unambiguous)
      this.failures.push(`${cluster.name} reports a double that there never was: ${event.reason}`);
    if (event.type !== "link_state") return;
    // What a peer held and gave up since may still be confirmed by words on their way.
    if (event.half === "in") {
      if (event.to === "none") this.#greetedAtMs.delete(`${event.link} ${cluster.name}`);
      return;
    }
    const path = `${cluster.name} ${event.link}`;
    if (event.to === "greeting") this.#greetedAtMs.set(path, nowMs);
    if (event.to !== "online" || this.#doubled.has(cluster.name) || this.#doubled.has(event.link)) return;
    const peer = clusters.find(({ name }) => name === event.link);
    const greetedAtMs = this.#greetedAtMs.get(path);
    const sameLife = greetedAtMs !== undefined && (this.#startedAtMs.get(event.link) ?? 0) < greetedAtMs;
    const acceptor = peer?.agent.hub?.link(cluster.name)?.conversation.acceptor;
    const speaker = cluster.agent.hub?.identity.speaker();
    if (!sameLife || acceptor === undefined || speaker === undefined) return;
    if (acceptor.standing(speaker) !== "current" || !acceptor.complete)
      this.failures.push(
        `${cluster.name} believes that ${event.link} holds its routes (${event.why}), and it does not`,
      );
  }
}
