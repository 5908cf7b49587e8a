/**
 * All that connects one link with an EMQX cluster: the connection for our routes and the one for our messages, both to EMQX, and
 * the session on the local broker in which EMQX's messages wait for us. A thin shell around `EmqxPeer`, which decides.
 */
import { randomBytes } from "node:crypto";
import type { EndpointConfig, LinkConfig, LocalConfig } from "../config/types.ts";
import { EmqxPeer } from "../emqx/emqx-peer.ts";
import type { EmqxWorld } from "../emqx/emqx-world.ts";
import { messageTopic } from "../emqx/names.ts";
import type { ReplyTo } from "../emqx/registrar.ts";
import type { Hub } from "../hub/hub.ts";
import type { PacketProperties } from "../mqtt/packet-properties.ts";
import { MqttSession, type SessionProblem } from "../mqtt/session.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";
import { clockMs } from "../ops/clock.ts";
import { ackToken, ofAckToken } from "./ack-token.ts";
import type { CarrierAnswers } from "./carrier-answers.ts";
import { codeOf, EmqxRoutesSession } from "./emqx-routes-session.ts";
import { actorClientIds, emqxMessagesClientId, ownClientId } from "./emqx-sessions.ts";
import type { LinkConnection } from "./link-connection.ts";
import { eraseSession } from "./session-erasure.ts";
import { zlibInflate } from "./zlib-inflate.ts";

const KEEP_ALIVE_SECONDS = 15;
/** What EMQX sends while this agent is away waits in the local broker, at least so long. */
const INBOX_EXPIRY_SECONDS_MIN = 300;
const KICK_WITHIN_MS = 5_000;
/** How often a stop looks whether EMQX was told that our routes go. */
const POLL_MS = 10;
const REFRESH_MS = 60_000;

export interface EmqxConnectionParts {
  readonly cluster: string;
  readonly local: LocalConfig;
  readonly hub: Hub;
  readonly answers: CarrierAnswers;
  readonly then: (work: (nowMs: number) => void) => void;
  readonly frame: (from: string, bytes: Uint8Array, stayMs: number) => void;
  /** Whether this connection is still that of its link. */
  readonly isCurrent: (connection: EmqxConnection) => boolean;
  readonly answer: (topic: string, correlation: Uint8Array, bytes: Uint8Array) => void;
  /** Client ids that were seen to listen for the answers to an actor. */
  readonly listeners: (cluster: string, actor: string) => readonly string[];
}

export class EmqxConnection implements LinkConnection {
  readonly #parts: EmqxConnectionParts;
  readonly #link: string;
  readonly #peer: EmqxPeer;
  readonly #routes: EmqxRoutesSession;
  readonly #messages: MqttSession;
  readonly #inbox: MqttSession;
  #refresh: NodeJS.Timeout | null = null;

  constructor(link: LinkConfig, endpoint: EndpointConfig, parts: EmqxConnectionParts) {
    this.#parts = parts;
    this.#link = link.name;
    const { cluster, hub, local, then } = parts;
    const nowMs = clockMs();
    const actor = `brokerlink@${cluster}`;
    const clientId = ownClientId(endpoint.clientid, "msg", actor);
    const acceptor = hub.link(link.name)?.conversation.acceptor;
    this.#peer = new EmqxPeer(
      {
        me: cluster,
        peer: link.name,
        actor,
        incarnation: Math.max(nowMs, hub.identity.incarnation),
        peerIncarnation: Math.max(nowMs, (acceptor?.highest ?? 0) + 1),
        from: clientId,
        routesMax: link.routesMax,
        routeRetentionMs: link.routeRetentionMs,
        randomHex16: () => randomBytes(8).toString("hex"),
      },
      this.#world(),
      zlibInflate,
      acceptor?.routes.effective() ?? [],
      nowMs,
    );
    this.#routes = new EmqxRoutesSession(endpoint, ownClientId(endpoint.clientid, "routesync", actor), {
      connected: (packetBytesMax) => this.#do((atMs) => this.#peer.connected(packetBytesMax, atMs)),
      disconnected: (why, problem) => this.#do((atMs) => this.#routesDown(why, problem, atMs)),
      response: (bytes, correlation) => this.#do((atMs) => this.#peer.response(bytes, correlation, atMs)),
    });
    this.#messages = new MqttSession(
      {
        endpoint: { ...endpoint, protocolVersion: 5 },
        clientId,
        session: { cleanStart: "always", expirySeconds: 0 },
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        bridge: false,
        side: "peer",
        ackByPing: true,
        random: Math.random,
        will: () => null,
      },
      {
        connected: ({ limits }) => this.#do(() => this.#peer.messagesConnected(limits.maximumPacketSize)),
        disconnected: () => this.#do(() => this.#peer.messagesDisconnected()),
        message: () => {},
      },
    );
    this.#inbox = new MqttSession(
      {
        endpoint: { ...local, protocolVersion: 5 },
        clientId: emqxMessagesClientId(local.clientid, link.name),
        session: {
          cleanStart: "never",
          expirySeconds: Math.max(INBOX_EXPIRY_SECONDS_MIN, Math.ceil(link.routeRetentionMs / 1_000)),
        },
        acknowledge: "later",
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        bridge: false,
        side: "local",
        ackByPing: true,
        random: Math.random,
        will: () => null,
      },
      {
        connected: () => this.refreshInbox(),
        // The agent's own sessions say when the local broker is away.
        disconnected: () => {},
        message: (_topic, payload, { connection, packetId, qos, retain }) => {
          const token = qos === 0 ? null : ackToken(connection, packetId);
          if (retain && token !== null) this.#acknowledge(token);
          if (!retain) then((atMs) => this.#peer.message(payload, token, atMs));
        },
      },
    );
  }

  start(): void {
    this.#routes.start();
    this.#messages.start();
    this.#refresh = setInterval(() => this.refreshInbox(), REFRESH_MS);
  }

  /** The local broker's events are read: what we subscribe to there is seen, and counted. */
  listen(): void {
    this.#inbox.start();
  }

  renew(endpoint: EndpointConfig): void {
    this.#routes.renew(endpoint);
    this.#messages.renew({ ...endpoint, protocolVersion: 5 });
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#refresh !== null) clearInterval(this.#refresh);
    const endMs = performance.now() + graceMs / 2;
    this.run(clockMs());
    while (this.#peer.isLeaving && !this.#peer.isSettled && performance.now() < endMs) {
      await new Promise((again) => setTimeout(again, POLL_MS));
      this.run(clockMs());
    }
    await Promise.all([this.#routes.stop(graceMs), this.#messages.stop(graceMs), this.#inbox.stop(graceMs)]);
  }

  get counters(): Readonly<SessionCounters> {
    return this.#routes.counters;
  }

  get certificateEndsAtMs(): number | null {
    return this.#routes.certificateEndsAtMs;
  }

  get congested(): boolean {
    return this.#messages.congested;
  }

  get deadlineMs(): number {
    return this.#peer.deadlineMs;
  }

  run(nowMs: number): void {
    this.#peer.run(nowMs);
  }

  sendControl(bytes: Uint8Array): void {
    this.#peer.hubControl(bytes, clockMs());
    this.#parts.then(() => {});
  }

  sendFrame(_frame: number, bytes: Uint8Array, _confirm: boolean): void {
    this.#peer.hubFrame(bytes, clockMs());
    this.#parts.then(() => {});
  }

  refreshInbox(): void {
    if (this.#inbox.connected) this.#inbox.subscribe([{ filter: messageTopic(this.#link), qos: 1 }], () => {});
  }

  /** A word of one of EMQX's actors, from the local broker. */
  control(bytes: Uint8Array, reply: ReplyTo): void {
    this.#do((nowMs) => this.#peer.control(bytes, reply, nowMs));
  }

  lostTrack(): void {
    this.#do((nowMs) => this.#peer.lostTrack(nowMs));
  }

  #do(work: (nowMs: number) => void): void {
    this.#parts.then(work);
  }

  #routesDown(why: string, problem: SessionProblem | null, nowMs: number): void {
    this.#peer.disconnected(why, nowMs);
    if (problem !== null) this.#problem(problem.code, problem.reason, nowMs);
  }

  #problem(code: SessionProblem["code"], reason: string, nowMs: number): void {
    if (this.#parts.isCurrent(this)) this.#parts.hub.link(this.#link)?.problems.found(code, reason, nowMs);
  }

  #acknowledge(token: number): void {
    const { connection, packetId } = ofAckToken(token);
    this.#inbox.acknowledge(connection, packetId);
  }

  #kick(actor: string, nodes: readonly string[]): void {
    const { local, listeners } = this.#parts;
    const seen = listeners(this.#link, actor);
    const ids = seen.length > 0 ? seen : actorClientIds(this.#link, actor, nodes);
    // It connects again by itself, and greets; if the broker does not let us, it is tried again.
    for (const clientId of ids) void eraseSession({ ...local, protocolVersion: 5 }, clientId, KICK_WITHIN_MS);
  }

  /** What `EmqxPeer` asks for. The hub hears nothing of a connection that is no longer its link's. */
  #world(): EmqxWorld {
    const { cluster, hub, frame, answer, isCurrent, answers } = this.#parts;
    const name = this.#link;
    const ifCurrent = (work: () => void): void => {
      if (isCurrent(this)) work();
    };
    const publish = (
      topic: string,
      payload: Uint8Array,
      done: ((reasonCode: number | null, nowMs: number) => void) | null,
      properties: PacketProperties | null = null,
    ): void =>
      this.#routes.publish(
        { topic, payload, qos: done === null ? 0 : 1, retain: false, properties },
        done === null ? null : (code) => this.#do((nowMs) => done(code, nowMs)),
      );
    return {
      hubControl: (bytes) => ifCurrent(() => hub.control(cluster, name, bytes, clockMs())),
      hubFrame: (bytes) => ifCurrent(() => frame(name, bytes, 0)),
      linkUp: (packetBytesMax) => ifCurrent(() => hub.linkUp(name, packetBytesMax, clockMs())),
      linkDown: (why) => ifCurrent(() => hub.linkDown(name, why, clockMs())),
      problem: (code, reason) => this.#problem(code, reason, clockMs()),
      dropped: (direction, reason, count) => ifCurrent(() => hub.link(name)?.counters.drop(direction, reason, count)),
      count: (what) => ifCurrent(() => hub.link(name)?.counters.count(what)),
      subscribe: (filter) =>
        this.#routes.subscribe(filter, (code) => this.#do((nowMs) => this.#peer.subscribed(code, nowMs))),
      greet: (topic, bytes, responseTopic, correlation) =>
        publish(topic, bytes, (code, nowMs) => this.#peer.greeted(code, nowMs), {
          responseTopic,
          correlationData: Buffer.from(correlation, "latin1"),
        }),
      batch: (batch, topic, bytes) =>
        publish(topic, bytes, (code, nowMs) => this.#peer.batchConfirmed(batch, code, nowMs)),
      heartbeat: (topic, bytes) => publish(topic, bytes, null),
      reconnect: (delayMs, why) => this.#routes.restart(delayMs, why),
      message: (token, topic, payload, qos) => {
        const packet = { topic, payload, qos, retain: false };
        if (qos === 0) this.#messages.publish(packet);
        else
          this.#messages.publish(packet, (result) =>
            this.#do((nowMs) => this.#peer.messageAnswered(token, codeOf(result), nowMs)),
          );
      },
      messagesAnswered: (reasonCode) => ifCurrent(() => answers.frame(name, 0, reasonCode)),
      answer,
      kick: (actor, nodes) => this.#kick(actor, nodes),
      acknowledge: (token) => this.#acknowledge(token),
    };
  }
}
