/**
 * What one link does about states, retained messages as a broker has them stored: ours for the peer, the peer's for the local
 * broker, and what both agents say of them to each other. Only brokers of MQTT 5 can take part: elsewhere nothing shows whose
 * a retained message is. Pure.
 */
import type { InboundMessage } from "../flow/inbound.ts";
import type { Outbound } from "../flow/outbound.ts";
import type { Conversation } from "../link/conversation.ts";
import type { LinkOutput } from "../link/output.ts";
import { intersect } from "../topic/algebra.ts";
import type { Message, StatesWord } from "../wire/message.ts";
import type { Counters } from "./counters.ts";
import type { HubLinkOptions, LinkHost } from "./link-host.ts";
import type { LinkProblems } from "./link-problems.ts";
import { type Republish, republishOf } from "./republish.ts";
import { StateCounters } from "./state-counters.ts";
import { StateSink } from "./state-sink.ts";
import { StateSource } from "./state-source.ts";
import type { LinkStatus } from "./status.ts";

/** The link that they are of. */
export interface StatesLink {
  readonly options: HubLinkOptions;
  readonly conversation: Conversation;
  readonly outbound: Outbound;
  readonly counters: Counters;
  readonly transportIsUp: boolean;
  exports(topic: string): boolean;
  perform(outputs: readonly LinkOutput[], nowMs: number): void;
  readonly problems: LinkProblems;
}

export class LinkStates {
  readonly counters = new StateCounters();
  readonly #link: StatesLink;
  readonly #host: LinkHost;
  readonly #source: StateSource;
  readonly #sink: StateSink;
  /** Until the local broker has been spoken to it is taken for one of MQTT 5. */
  #hasProperties = true;
  #localUp = false;
  /** Undefined: it has not said anything in its present life. */
  #peer: StatesWord | null | undefined;
  #blocked: string | null = null;
  /** The peer asks for states, and cannot have them. */
  #refuses = false;

  constructor(link: StatesLink, host: LinkHost) {
    this.#link = link;
    this.#host = host;
    const incomplete = (why: string, nowMs: number) => link.problems.found("RETAINED_INCOMPLETE", why, nowMs);
    this.#source = new StateSource({
      counters: this.counters,
      outbound: link.outbound,
      spoolBytesMax: () => this.#options.spool.bytesMax,
      exports: (topic) => link.exports(topic) && !host.isControl(topic),
      read: (filters, done) => host.readStored(filters, done),
      fence: (done) => host.fence(done),
      incomplete,
    });
    this.#sink = new StateSink({
      counters: this.counters,
      read: (topics, done) => host.readStored(topics, done),
      publish: (token, message, nowMs) => this.#republish(token, message, nowMs),
      settle: (token, nowMs) => host.settle(token, nowMs),
      unreadable: incomplete,
    });
    this.#sink.want(this.word.wanted, Number.NEGATIVE_INFINITY);
  }

  /** They may change. */
  get #options(): HubLinkOptions {
    return this.#link.options;
  }

  /** What to say in hello and ack. */
  get word(): StatesWord {
    return { wanted: this.#options.retained === "sync" && this.#hasProperties, served: this.#hasProperties };
  }

  get status(): LinkStatus["states"] {
    const { readings, sent, published, out, in: into } = this.counters;
    const skipped = (direction: "out" | "in", counts: Readonly<Record<string, number>>) =>
      Object.entries(counts).map(([reason, count]) => ({ direction, reason, count }));
    return {
      wanted: this.#options.retained === "sync",
      blocked: this.#blocked,
      waiting: this.#source.waiting,
      readings,
      sent,
      published,
      skipped: [...skipped("out", out), ...skipped("in", into)],
    };
  }

  get deadlineMs(): number {
    return this.#source.deadlineMs;
  }

  localUp(hasProperties: boolean, nowMs: number): void {
    this.#localUp = true;
    this.#source.localUp(this.#host.demandRevision);
    if (hasProperties === this.#hasProperties) return;
    this.#hasProperties = hasProperties;
    this.#wantForPeer(nowMs);
    this.#say("the local broker is known", nowMs);
  }

  /** The link's options are others. */
  reconfigured(nowMs: number): void {
    if (this.#sink.wanted !== this.word.wanted) this.#say("what is retained is wanted, or not any more", nowMs);
    else this.#judge(nowMs);
  }

  /** The link is over: what is being read is for nobody. */
  end(): void {
    this.#sink.localDown();
    this.#source.newLife();
  }

  localDown(): void {
    this.#localUp = false;
    this.#sink.localDown();
    this.#source.localDown();
  }

  newSpeaker(): void {
    this.#peer = undefined;
    this.#source.newLife();
  }

  peerSays(word: StatesWord | null, nowMs: number): void {
    this.#peer = word;
    this.#judge(nowMs);
    this.#wantForPeer(nowMs);
  }

  /** A route of the peer, cut to what it may get, came or went. */
  route(filter: string, up: boolean): void {
    this.#source.route(filter, up, this.#host.demandRevision);
  }

  /** A message of a local client is on its way to the peer. Answers how it is to go. */
  live(message: Message): Message {
    return this.#source.live(message);
  }

  /** A message of the peer goes to the local broker. */
  arrived({ token, message, origin }: InboundMessage, nowMs: number): void {
    const { name, retained = "strip" } = this.#options;
    const cluster = origin ?? name;
    const how = { withProperties: this.#host.localHasProperties, keepRetain: retained !== "strip" };
    const whole: Republish = republishOf(message, cluster, how);
    if (message.state === true && token !== null) {
      this.#sink.take(token, { ...whole, retain: true }, cluster, nowMs);
      return;
    }
    this.#sink.live(message.topic, nowMs);
    this.#republish(token, whole, nowMs);
  }

  flush(nowMs: number): void {
    this.#sink.flush();
    const { announcer, acceptor } = this.#link.conversation;
    // It takes frames, and has told all of its routes.
    const listens = announcer.state === "online" && acceptor.state === "online" && acceptor.complete;
    this.#source.flush(listens && this.#localUp, this.#host.demandSettledRevision, nowMs);
  }

  #republish(token: number | null, message: Republish, nowMs: number): void {
    this.#link.counters.republished += 1;
    this.#host.republish(token, message, nowMs);
  }

  /** What we say of states is other than before: the peer has to hear it. */
  #say(why: string, nowMs: number): void {
    this.#sink.want(this.word.wanted, nowMs);
    this.#judge(nowMs);
    const { transportIsUp, conversation } = this.#link;
    if (transportIsUp) this.#link.perform(conversation.announcer.greet(nowMs, why), nowMs);
  }

  #wantForPeer(nowMs: number): void {
    const isAsked = this.#peer?.wanted === true;
    const refused = this.#refuses;
    this.#refuses = isAsked && !this.#hasProperties;
    if (this.#refuses && !refused) {
      const reason = `cluster "${this.#options.name}" wants what is retained here, and the local broker speaks MQTT 3.1.1`;
      this.#link.problems.found("RETAINED_UNSUPPORTED", reason, nowMs);
    }
    this.#source.want(isAsked && this.#hasProperties, this.#filters(), this.#host.demandRevision);
  }

  *#filters(): Iterable<string> {
    const { exportFilters } = this.#options;
    for (const route of this.#link.conversation.acceptor.routes.effective()) {
      for (const exported of exportFilters) {
        const met = intersect(exported, route);
        if (met !== null) yield met;
      }
    }
  }

  /** Said once for each reason. */
  #judge(nowMs: number): void {
    const before = this.#blocked;
    this.#blocked = this.#reason();
    if (this.#blocked !== null && this.#blocked !== before)
      this.#link.problems.found("RETAINED_UNSUPPORTED", this.#blocked, nowMs);
  }

  #reason(): string | null {
    const { name, retained } = this.#options;
    if (retained !== "sync") return null;
    const asLive = "what is retained there does not come, only what is published from now on";
    if (!this.#hasProperties) return `the local broker speaks MQTT 3.1.1: ${asLive}`;
    if (this.#peer === null) return `the agent of cluster "${name}" is of a version without it: ${asLive}`;
    if (this.#peer?.served === false) return `the broker of cluster "${name}" speaks MQTT 3.1.1: ${asLive}`;
    return null;
  }
}
