/**
 * The three sessions on the local broker (design: they never share a receive window) and the adapter that reads its
 * subscription events. A thin shell: it turns packets into calls of its owner and the owner's wishes into packets.
 *
 *   <clientid>-events  durable: log lines and counters for the adapter
 *   <clientid>-link    control messages and frames of peers that publish here, and ours for peers that dial in
 *   <clientid>-data    durable: demand and republish on one connection, because No Local works per session
 */
import { FRAME_EXPIRY_SECONDS } from "../hub/link-host.ts";
import type { Republish } from "../hub/republish.ts";
import { toMessageProperties } from "../mqtt/packet-properties.ts";
import { failureCode } from "../mqtt/publish.ts";
import { type MessageAbout, MqttSession, type SessionProblem } from "../mqtt/session.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";
import type { SessionUp } from "../mqtt/session-options.ts";
import type { DemandFilter } from "../route/demand-ids.ts";
import { controlTopic, messageTopic, parseName, probeTopic } from "../wire/names.ts";
import { ackToken, ofAckToken } from "./ack-token.ts";
import { EchoProbe } from "./echo-probe.ts";
import type { LocalBrokerEvents, LocalBrokerOptions, LocalSessionName, OwnSession } from "./local-broker-options.ts";
import { LocalEvents } from "./local-events.ts";
import { LocalInbox } from "./local-inbox.ts";
import { stayMs } from "./peer-connection.ts";
import { StoredDoubt } from "./stored-doubt.ts";

/** Of durable sessions where memory is gone with the process: they outlive a short absence. */
const SESSION_EXPIRY_SECONDS = 300;
/** Of sessions that keep nothing beyond their connection. */
const FLEETING = { cleanStart: "always", expirySeconds: 0 } as const;
const KEEP_ALIVE_SECONDS = 20;

/** The link and data sessions wait this long for the events: what they subscribe should be announced, and so be counted right. */
const EVENTS_FIRST_MS = 6_000;

export class LocalBroker {
  readonly #options: LocalBrokerOptions;
  readonly #events: LocalBrokerEvents;
  readonly #reader: LocalEvents;
  readonly #linkSession: MqttSession;
  readonly #dataSession: MqttSession;
  readonly #markTopic: string;
  readonly #inbox: LocalInbox;
  readonly #echoProbe: EchoProbe;
  readonly #storedDoubt: StoredDoubt;
  #eventsFirst: NodeJS.Timeout | null = null;
  #othersStarted = false;
  #taking = true;

  constructor(options: LocalBrokerOptions, events: LocalBrokerEvents) {
    this.#options = options;
    this.#events = events;
    const { config, cluster, controlPrefix } = options;
    this.#markTopic = `${probeTopic(controlPrefix, cluster)}-mark`;
    const adapter = options.adapter({
      ...events,
      event: (event) => {
        if (event.type === "events_enabled") this.#startOthers();
        events.event(event);
        // Our own rows have to be seen anew like everybody's: subscribing again makes the broker announce them.
        if (event.type === "gap" || event.type === "broker_restarted") this.announceOwn();
      },
    });
    const common = {
      endpoint: config,
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      ackByPing: true,
      random: options.random,
      will: () => null,
      side: "local",
    } as const;
    const { keepSeconds } = options;
    const durable = { cleanStart: "first", expirySeconds: SESSION_EXPIRY_SECONDS } as const;
    const kept = keepSeconds === null ? durable : ({ cleanStart: "never", expirySeconds: keepSeconds } as const);
    // Aedes 1.2.0 forgets a message that a kept session has not been sent yet, and closes the connection, whenever another one
    // matches two of the session's filters. And what it keeps ends with its process anyway.
    const dataSession = config.broker === "aedes" ? FLEETING : kept;
    this.#reader = new LocalEvents(
      { ...common, clientId: sessionClientId(config.clientid, "events"), session: durable, bridge: false },
      adapter,
      {
        up: () => events.session("events", true, null),
        down: (problem) => events.session("events", false, problem),
        away: () => events.event({ type: "gap", reason: "adapter_disconnected" }),
        brokerIsUp: () => this.#dataSession.connected,
      },
    );
    this.#linkSession = new MqttSession(
      {
        ...common,
        clientId: sessionClientId(config.clientid, "link"),
        session: FLEETING,
        bridge: true,
      },
      {
        connected: (how) => this.#linkConnected(how.limits.maximumPacketSize),
        disconnected: (problem) => this.#linkDisconnected(problem),
        message: (topic, payload, about) => this.#linkMessage(topic, payload, about),
      },
    );
    this.#dataSession = new MqttSession(
      {
        ...common,
        clientId: sessionClientId(config.clientid, "data"),
        session: dataSession,
        bridge: true,
        acknowledge: "later",
      },
      {
        connected: (how) => this.#dataConnected(how),
        disconnected: (problem) => this.#dataDisconnected(problem),
        message: (topic, payload, about) => this.#dataMessage(topic, payload, about),
      },
    );
    this.#inbox = new LocalInbox(controlPrefix, cluster, this.#linkSession, this.#dataSession, events);
    this.#echoProbe = new EchoProbe(`${probeTopic(controlPrefix, cluster)}-echo`, this.#dataSession, this.#linkSession);
    this.#storedDoubt = new StoredDoubt(this.#echoProbe.topic, `${options.random()}`, this.#linkSession);
  }

  start(): void {
    this.#reader.start();
    this.#eventsFirst = setTimeout(() => this.#startOthers(), EVENTS_FIRST_MS);
  }

  #startOthers(): void {
    if (this.#othersStarted) return;
    this.#othersStarted = true;
    if (this.#eventsFirst !== null) clearTimeout(this.#eventsFirst);
    this.#linkSession.start();
    this.#dataSession.start();
  }

  /** Makes the broker announce our own rows again, which count like everybody's. */
  announceOwn(): void {
    this.#reader.announceOwn();
    this.#inbox.refresh();
    if (this.#dataSession.connected && this.#dataSession.protocolVersion === 5) {
      this.#dataSession.subscribe([{ filter: this.#markTopic, qos: 1 }], () => {});
    }
  }

  /** There is reason to doubt that the broker (still) passes on what is published for us, or by us. */
  doubtControl(): void {
    this.#inbox.doubt();
  }

  /** What arrives from now on is not taken: it stays with the broker, unacknowledged. */
  pauseTaking(): void {
    this.#taking = false;
  }

  /** PUBACK for a message of the data session, by its token. */
  acknowledge(ack: number, reasonCode: number): void {
    const { connection, packetId } = ofAckToken(ack);
    this.#dataSession.acknowledge(connection, packetId, reasonCode);
  }

  /** Ends the data session: what clients publish from now on waits with the broker. Nothing is republished any more either. */
  stopTaking(graceMs: number): Promise<void> {
    this.#othersStarted = true;
    return this.#dataSession.stop(graceMs);
  }

  async stop(graceMs: number): Promise<void> {
    this.#inbox.stop();
    this.#echoProbe.stop();
    this.#storedDoubt.stop();
    if (this.#eventsFirst !== null) clearTimeout(this.#eventsFirst);
    this.#othersStarted = true;
    await Promise.all([this.#linkSession.stop(graceMs), this.#dataSession.stop(graceMs), this.#reader.stop(graceMs)]);
  }

  get deadlineMs(): number {
    return this.#reader.deadlineMs;
  }

  tick(nowMs: number): void {
    this.#reader.tick(nowMs);
  }

  refreshCount(nowMs: number): void {
    this.#reader.refreshCount(nowMs);
  }

  // ── what the hub asks of the data session ─────────────────────────────────────────────────────────

  subscribe(filters: readonly DemandFilter[], done: (codes: readonly number[]) => void): void {
    const versionFive = this.#dataSession.protocolVersion === 5;
    const entries = filters.map(({ filter, id }) =>
      versionFive
        ? { filter, qos: 1 as const, noLocal: true, retainAsPublished: true, retainHandling: 2 as const, id }
        : { filter, qos: 1 as const },
    );
    this.#storedDoubt.subscribing(filters.map(({ filter }) => filter));
    this.#dataSession.subscribe(entries, (codes) => {
      if (codes === null) return;
      this.#storedDoubt.subscribed();
      done(codes);
    });
  }

  unsubscribe(filters: readonly string[], done: (codes: readonly number[]) => void): void {
    this.#dataSession.unsubscribe(filters, (codes) => {
      if (codes !== null) done(codes);
    });
  }

  sendMarker(marker: number): void {
    this.#dataSession.publish({
      topic: this.#markTopic,
      payload: Buffer.from(String(marker)),
      qos: 1,
      retain: false,
    });
  }

  republish(message: Republish, done: ((reasonCode: number | null) => void) | null): void {
    const { topic, payload, qos, retain, properties, expirySeconds } = message;
    // A broker that stores nothing would refuse the message: its subscribers get it all the same.
    const keeps = retain && this.#dataSession.limits?.retainAvailable !== false;
    const packet = { topic, payload, qos, retain: keeps, properties, expirySeconds };
    if (done === null) this.#dataSession.publish(packet);
    // What our own session refuses to send is answered as the broker would.
    else this.#dataSession.publish(packet, (result) => done(result.ok ? result.reasonCode : failureCode(result.why)));
  }

  // ── the link session ─────────────────────────────────────────────────────────────────────────────

  /** For a peer that dials in: it listens on this broker. `as`: the name it knows us by. */
  sendControl(peer: string, as: string, bytes: Uint8Array): void {
    const topic = controlTopic(this.#options.controlPrefix, peer, as);
    this.#linkSession.publish({ topic, payload: bytes, qos: 1, retain: false }, (result) => {
      if (!result.ok) return;
      if (result.reasonCode >= 0x80) this.doubtControl();
      this.#events.linkAnswered(peer, null, result.reasonCode);
    });
  }

  sendFrame(peer: string, frame: number, bytes: Uint8Array, confirm: boolean): void {
    const { controlPrefix, cluster } = this.#options;
    const packet = {
      topic: messageTopic(controlPrefix, peer, cluster),
      payload: bytes,
      retain: false,
      expirySeconds: FRAME_EXPIRY_SECONDS,
    };
    if (!confirm) {
      this.#linkSession.publish({ ...packet, qos: 0 });
      return;
    }
    this.#linkSession.publish({ ...packet, qos: 1 }, (result) => {
      if (result.ok) this.#events.linkAnswered(peer, frame, result.reasonCode);
    });
  }

  get counters(): Readonly<Record<LocalSessionName, SessionCounters>> {
    return {
      events: this.#reader.counters,
      link: this.#linkSession.counters,
      data: this.#dataSession.counters,
    };
  }

  get certificateEndsAtMs(): number | null {
    return this.#linkSession.certificateEndsAtMs;
  }

  get linkCongested(): boolean {
    return this.#linkSession.congested;
  }

  #linkConnected(packetBytesMax: number): void {
    this.#events.session("link", true, null);
    this.#inbox.linkUp(() => {
      this.#events.linkUp(packetBytesMax);
      this.#echoProbe.linkReady();
      this.#storedDoubt.linkReady();
    });
  }

  #linkDisconnected(problem: SessionProblem): void {
    this.#inbox.linkDown();
    this.#events.session("link", false, problem);
    this.#echoProbe.linkLost();
    this.#storedDoubt.linkLost();
    this.#events.linkDown(problem);
  }

  #linkMessage(topic: string, payload: Uint8Array, about: MessageAbout): void {
    if (this.#inbox.message(topic)) return;
    const name = parseName(this.#options.controlPrefix, topic);
    if (name === null || about.retain) return;
    if (name.kind === "ctl") this.#events.control(name.to, name.from, payload);
    else if (name.to === this.#options.cluster)
      this.#events.frame(name.from, payload, stayMs(about.properties?.messageExpiryInterval));
  }

  // ── the data session ─────────────────────────────────────────────────────────────────────────────

  #dataConnected(how: SessionUp): void {
    const { sessionPresent } = how;
    this.#storedDoubt.dataConnected(how);
    this.#events.session("data", true, null);
    this.#inbox.dataUp();
    if (how.protocolVersion === 5) {
      this.#dataSession.subscribe([{ filter: this.#markTopic, qos: 1 }], (codes) => {
        if (codes !== null) this.#events.dataUp(sessionPresent, true, false);
      });
      return;
    }
    this.#echoProbe.dataReady((echoing) => {
      this.#storedDoubt.dataReady();
      this.#events.dataUp(sessionPresent, false, echoing);
    });
  }

  #dataDisconnected(problem: SessionProblem): void {
    this.#echoProbe.dataLost();
    this.#storedDoubt.dataLost();
    this.#events.session("data", false, problem);
    this.#events.dataDown();
  }

  #dataMessage(topic: string, payload: Uint8Array, about: MessageAbout): void {
    const { connection, packetId } = about;
    const isMark = topic === this.#markTopic;
    if (isMark) this.#events.marker(Number(Buffer.from(payload).toString("latin1")));
    if (isMark || this.#storedDoubt.message(topic, payload) || this.#echoProbe.message(topic, payload)) {
      if (about.qos > 0) this.#dataSession.acknowledge(connection, packetId);
      return;
    }
    if (!this.#taking) return;
    this.#events.message({
      topic,
      payload,
      qos: about.qos,
      retain: about.retain,
      stored: about.retain && this.#storedDoubt.doubts(topic),
      properties: toMessageProperties(about.properties),
      expirySeconds: about.properties?.messageExpiryInterval ?? null,
      subscriptionIds: about.subscriptionIds,
      packetId,
      dup: about.dup,
      ack: about.qos === 0 ? null : ackToken(connection, packetId),
    });
  }
}

export function sessionClientId(prefix: string, name: OwnSession): string {
  return `${prefix}-${name}`;
}
