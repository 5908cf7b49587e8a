/**
 * All links with EMQX clusters: their connections, the one session on the local broker where their actors are heard, and who
 * was seen to listen for answers there. The session is there as long as there is such a link.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { EndpointConfig, LinkConfig, LocalConfig } from "../config/types.ts";
import { responseTopic } from "../emqx/names.ts";
import type { Hub } from "../hub/hub.ts";
import { clockMs } from "../ops/clock.ts";
import type { CarrierAnswers } from "./carrier-answers.ts";
import { EmqxConnection } from "./emqx-connection.ts";
import { EmqxInbox } from "./emqx-inbox.ts";
import type { LinkConnection } from "./link-connection.ts";

/** Actors whose client ids are remembered. */
const LISTENERS_MAX = 256;
const RESPONSES = responseTopic("", "").slice(0, -1);

export interface EmqxLinksParts {
  readonly cluster: string;
  readonly hub: Hub;
  readonly answers: CarrierAnswers;
  readonly then: (work: (nowMs: number) => void) => void;
  readonly frame: (from: string, bytes: Uint8Array, stayMs: number) => void;
  /** In force now. */
  readonly config: { readonly local: LocalConfig; readonly links: readonly LinkConfig[] };
  /** Of no link. */
  readonly problem: (code: ErrorCode, reason: string) => void;
  readonly all: ReadonlyMap<string, LinkConnection>;
}

export class EmqxLinks {
  readonly #parts: EmqxLinksParts;
  /** By response topic: the client that listens there. */
  readonly #listeners = new BoundedMap<string, string>(LISTENERS_MAX);
  #inbox: EmqxInbox | null = null;
  #isLocalUp = false;

  constructor(parts: EmqxLinksParts) {
    this.#parts = parts;
  }

  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections()) deadlineMs = Math.min(deadlineMs, connection.deadlineMs);
    return deadlineMs;
  }

  run(nowMs: number): void {
    for (const connection of this.#connections()) connection.run(nowMs);
  }

  /** A connection that is not started yet. */
  open(link: LinkConfig, endpoint: EndpointConfig): EmqxConnection {
    const { cluster, hub, answers, then, frame, config, all } = this.#parts;
    this.listen();
    const connection = new EmqxConnection(link, endpoint, {
      cluster,
      hub,
      answers,
      then,
      frame,
      local: config.local,
      isCurrent: (connection) => all.get(link.name) === connection,
      answer: (topic, correlation, bytes) => this.#inbox?.answer(topic, correlation, bytes),
      listeners: (from, actor) => {
        const client = this.#listeners.get(responseTopic(from, actor));
        return client === undefined ? [] : [client];
      },
    });
    if (this.#isLocalUp) connection.listen();
    return connection;
  }

  /** A connection was closed: with the last link the session goes. Of one that is switched off, EMQX is to be told. */
  async closed(graceMs: number): Promise<void> {
    if (!this.#isWanted) await this.stop(graceMs);
  }

  async stop(graceMs: number): Promise<void> {
    const inbox = this.#inbox;
    this.#inbox = null;
    await inbox?.stop(graceMs);
  }

  /** The agent's own sessions on the local broker stand, and its events are read. */
  localUp(): void {
    this.#isLocalUp = true;
    this.#inbox?.start();
    for (const connection of this.#connections()) connection.listen();
  }

  /** Makes the broker announce our own subscriptions again, which count like everybody's. */
  announceOwn(): void {
    this.#inbox?.refresh();
    for (const connection of this.#connections()) connection.refreshInbox();
  }

  /** A client of the local broker subscribed. */
  subscribed(client: string, filter: string): void {
    if (filter.startsWith(RESPONSES)) this.#listeners.set(filter, client);
  }

  *#connections(): Generator<EmqxConnection> {
    for (const connection of this.#parts.all.values()) if (connection instanceof EmqxConnection) yield connection;
  }

  get #isWanted(): boolean {
    return this.#parts.config.links.some(({ protocol }) => protocol === "emqx");
  }

  /** Opens the session, if there is a link that needs it. */
  listen(): void {
    if (this.#inbox !== null || !this.#isWanted) return;
    const { config, problem } = this.#parts;
    this.#inbox = new EmqxInbox(config.local, clockMs, {
      control: (from, bytes, reply) => {
        const connection = this.#parts.all.get(from);
        if (!(connection instanceof EmqxConnection)) return false;
        connection.control(bytes, reply);
        return true;
      },
      lostTrack: () => {
        for (const connection of this.#connections()) connection.lostTrack();
      },
      isDisabled: (name) => config.links.some((link) => link.name === name && !link.enable),
      problem,
    });
    if (this.#isLocalUp) this.#inbox.start();
  }
}
