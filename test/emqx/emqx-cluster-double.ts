/**
 * An EMQX cluster of one node, as far as cluster links show it: a Mosquitto plays its broker, and this class what EMQX does
 * inside. It speaks only as a real EMQX 5.8.9 was captured to, keeps its timers, and notes every rule that its peer breaks.
 *
 * Two things a client cannot do as the broker itself does: the PUBACKs are Mosquitto's, and who broke a rule cannot be cut
 * off. So the rules are checked here, and `violations` has to stay empty.
 */
import { createHash, randomBytes } from "node:crypto";
import mqtt, { type IPublishPacket, type MqttClient } from "mqtt";
import { intersect, matches } from "../../src/topic/algebra.ts";
import {
  ackBytes,
  EMQX_58,
  type EmqxVersion,
  type Forwarded,
  heartbeatBytes,
  initBytes,
  messageBytes,
  type PlainMessage,
  type RouteOp,
  readControl,
  readMessage,
  routeBytes,
} from "./plain-emqx.ts";
import { Tuple } from "./plain-terms.ts";

export interface DoubleLink {
  /** The peer's cluster, as this one calls it. */
  readonly name: string;
  readonly url: string;
  readonly topics: readonly string[];
  readonly enable?: boolean;
  readonly clientid?: string;
  readonly username?: string;
  readonly password?: string;
}

export interface DoubleOptions {
  readonly cluster: string;
  /** Of the Mosquitto that plays its broker. */
  readonly url: string;
  readonly links: readonly DoubleLink[];
  readonly node?: string;
  readonly version?: EmqxVersion;
}

interface ExternalActor {
  readonly incarnation: number;
  untilMs: number;
  readonly routes: Set<string>;
}

export const TTL_MS = 30_000;
const HEARTBEAT_MS = 10_000;
const RECONNECT_MS = 5_000;
const GATHER_MS = 10;
const GC_MS = 5_000;
const BATCH_MAX = 4_000;
const ROUTE = "$LINK/cluster/route/";
const MESSAGE = "$LINK/cluster/msg/";

export class EmqxClusterDouble {
  readonly cluster: string;
  readonly node: string;
  readonly version: EmqxVersion;
  readonly violations: string[] = [];
  /** Of peers: cluster, then actor. */
  readonly external = new Map<string, Map<string, ExternalActor>>();
  /** Answers that this cluster's own greetings got. */
  readonly answers: { readonly error: string | null; readonly needBootstrap: boolean }[] = [];
  /** Messages that came over a link, as they were. */
  readonly arrived: PlainMessage[] = [];
  /** Greetings that came. */
  readonly greetings: {
    readonly from: string;
    readonly incarnation: number;
    readonly needBootstrap: boolean | null;
  }[] = [];
  incarnation = Date.now();
  links: DoubleLink[];
  readonly #url: string;
  #broker: MqttClient | null = null;
  readonly #actors = new Map<string, RouteActor>();
  readonly #forwarders = new Map<string, MqttClient>();
  readonly #local = new Map<string, { filter: string; group: string | null }>();
  /** Per connection of a peer's actor: has it greeted? By client id. */
  readonly #connections = new Map<string, { greeted: boolean }>();
  #gc: NodeJS.Timeout | null = null;
  #ids = 0;

  constructor({ cluster, url, links, node = "emqx@127.0.0.1", version = EMQX_58 }: DoubleOptions) {
    this.cluster = cluster;
    this.node = node;
    this.version = version;
    this.#url = url;
    this.links = [...links];
  }

  async start(): Promise<void> {
    this.#broker = await mqtt.connectAsync(this.#url, { protocolVersion: 5, clientId: `inside-${this.cluster}` });
    this.#broker.on("message", (topic, payload, packet) => this.#received(topic, payload, packet));
    await this.#broker.subscribeAsync("$SYS/broker/log/N", { qos: 1 });
    await this.#broker.subscribeAsync([`${ROUTE}#`, `${MESSAGE}#`], { qos: 2 });
    await this.#broker.subscribeAsync("#", { qos: 2, nl: true, rap: true, rh: 2 });
    this.#gc = setInterval(() => this.#collect(), GC_MS);
    for (const link of this.links) if (link.enable !== false) this.dial(link);
  }

  /** Everything ends; `external` routes are in memory and gone. */
  async stop(): Promise<void> {
    if (this.#gc !== null) clearInterval(this.#gc);
    for (const link of this.links) await this.hangUp(link.name);
    await this.#broker?.endAsync(true);
    this.#broker = null;
    this.external.clear();
    this.#connections.clear();
  }

  /** The node ends and starts: another incarnation, nothing known. */
  async restart(): Promise<void> {
    await this.stop();
    this.incarnation = Math.max(Date.now(), this.incarnation + 1);
    await this.start();
  }

  dial(link: DoubleLink): void {
    const { clientid = this.cluster } = link;
    const hash = createHash("sha1").update(this.node).digest("hex").slice(0, 8);
    this.#actors.set(link.name, new RouteActor(this, link, `${clientid}:routesync:${hash}`));
    const forwarder = mqtt.connect(link.url, {
      protocolVersion: 5,
      clientId: `${clientid}:msg:${hash}:1`,
      ...loginOf(link),
      clean: true,
      keepalive: 60,
      reconnectPeriod: 2_000,
      queueQoSZero: false,
    });
    forwarder.on("error", () => {});
    this.#forwarders.set(link.name, forwarder);
  }

  async hangUp(name: string): Promise<void> {
    await this.#actors.get(name)?.stop();
    this.#actors.delete(name);
    await this.#forwarders.get(name)?.endAsync(true);
    this.#forwarders.delete(name);
  }

  /** Another configuration of a link: as in EMQX its actor and its connections are made anew. */
  async configure(link: DoubleLink): Promise<void> {
    await this.hangUp(link.name);
    this.links = [...this.links.filter(({ name }) => name !== link.name), link];
    if (link.enable === false) return;
    this.incarnation = Math.max(Date.now(), this.incarnation + 1);
    this.dial(link);
  }

  actor(name: string): RouteActor {
    const actor = this.#actors.get(name);
    if (actor === undefined) throw new Error(`no link ${name}`);
    return actor;
  }

  /** A local client of this cluster holds a filter now, or not any more. */
  subscribe(filter: string, group: string | null = null): void {
    this.#local.set(`${group ?? ""}/${filter}`, { filter, group });
    for (const actor of this.#actors.values())
      for (const op of this.#ops("add", filter, group, actor.link)) actor.say(op);
  }

  unsubscribe(filter: string, group: string | null = null): void {
    this.#local.delete(`${group ?? ""}/${filter}`);
    for (const actor of this.#actors.values())
      for (const op of this.#ops("delete", filter, group, actor.link)) actor.say(op);
  }

  unsubscribeAll(): void {
    for (const { filter, group } of [...this.#local.values()]) this.unsubscribe(filter, group);
  }

  /** All that a link's actor announces from the beginning. */
  bootstrap(link: DoubleLink): RouteOp[] {
    return [...this.#local.values()].flatMap(({ filter, group }) => this.#ops("add", filter, group, link));
  }

  /** Routes that a peer announced here. */
  routesOf(cluster: string): string[] {
    const routes = new Set<string>();
    for (const actor of this.external.get(cluster)?.values() ?? [])
      for (const key of actor.routes) routes.add(key.slice(0, key.indexOf("\0")));
    return [...routes].sort();
  }

  /** Everything that a peer announced, with identifiers. */
  idsOf(cluster: string): string[] {
    return [...(this.external.get(cluster)?.values() ?? [])].flatMap(({ routes }) => [...routes]).sort();
  }

  /** A message of this cluster goes over a link as it is told, whatever the routes say. */
  async forward(name: string, message: Forwarded): Promise<void> {
    const { qos = 1 } = message;
    const bytes = messageBytes(message, this.#nextId(), Date.now(), this.version.packed);
    const wrapperQos = this.version.wrapperQos2 ? qos : (Math.min(1, qos) as 0 | 1);
    await this.#forwarders.get(name)?.publishAsync(`${MESSAGE}${this.cluster}`, bytes, { qos: wrapperQos });
  }

  /** Bytes of any kind on the topics of this cluster: what a broken peer does. */
  async rubbish(name: string, kind: "route" | "msg", bytes: Buffer, cluster = this.cluster): Promise<void> {
    const topic = `${kind === "route" ? ROUTE : MESSAGE}${cluster}`;
    await this.#forwarders.get(name)?.publishAsync(topic, bytes, { qos: 1 });
  }

  /** Ends every connection of peers, as a broker does that is told to: by taking their sessions over for a moment. */
  async endPeers(): Promise<void> {
    for (const clientId of [...this.#connections.keys()].filter((id) => /:(routesync|msg):/.test(id))) {
      const rival = await mqtt.connectAsync(this.#url, { protocolVersion: 5, clientId, reconnectPeriod: 0 });
      await rival.endAsync(true);
    }
  }

  #nextId(): Buffer {
    this.#ids += 1;
    const id = randomBytes(16);
    id.writeUInt16BE(this.#ids % 65_536, 14);
    return id;
  }

  #ops(op: "add" | "delete", filter: string, group: string | null, link: DoubleLink): RouteOp[] {
    const id = group === null ? filter : `$s/${group}/${filter}`;
    const met = new Set(link.topics.map((topic) => intersect(topic, filter)).filter((each) => each !== null));
    return [...met].map((topic) => [op, topic, id] as const);
  }

  // ── what EMQX's broker does with what is published on it ─────────────────────────────────────────

  #received(topic: string, payload: Buffer, packet: IPublishPacket): void {
    if (topic === "$SYS/broker/log/N") {
      const line = payload.toString();
      const id = / as (\S+) \(p/.exec(line)?.[1];
      if (line.includes("New client connected") && id !== undefined) this.#connections.set(id, { greeted: false });
    } else if (topic.startsWith(ROUTE)) this.#route(topic.slice(ROUTE.length), payload, packet);
    else if (topic.startsWith(MESSAGE)) this.#message(topic.slice(MESSAGE.length), payload, packet);
    else if (!topic.startsWith("$")) this.#publish(topic, payload, packet);
  }

  #route(from: string, payload: Buffer, packet: IPublishPacket): void {
    let control: ReturnType<typeof readControl>;
    try {
      control = readControl(payload);
    } catch (error) {
      this.violations.push(`${from}: ${error}`);
      return;
    }
    if (control.op === "actor_init_ack") return;
    if (packet.retain) this.violations.push("a retained word");
    const actors = this.external.get(from) ?? new Map<string, ExternalActor>();
    const known = actors.get(control.actor);
    if (control.op === "actor_init") {
      this.#greeted(from, control, packet, actors, known);
      return;
    }
    if (known === undefined || known.incarnation !== control.incarnation) {
      this.violations.push(`${from}: ${control.op} of an actor that is not known, or of another life`);
      return;
    }
    if (packet.qos !== (control.op === "heartbeat" ? 0 : 1)) this.violations.push(`${control.op} at QoS ${packet.qos}`);
    if (control.op === "heartbeat") {
      known.untilMs = Date.now() + TTL_MS;
      return;
    }
    if (control.ops.length === 0 || control.ops.length > BATCH_MAX)
      this.violations.push(`${control.ops.length} operations`);
    for (const [op, route, id] of control.ops) {
      if (op === "add") known.routes.add(`${route}\0${id}`);
      else known.routes.delete(`${route}\0${id}`);
    }
  }

  #greeted(
    from: string,
    init: Extract<ReturnType<typeof readControl>, { op: "actor_init" }>,
    packet: IPublishPacket,
    actors: Map<string, ExternalActor>,
    known: ExternalActor | undefined,
  ): void {
    const { responseTopic, correlationData } = packet.properties ?? {};
    if (responseTopic === undefined || correlationData === undefined) {
      this.violations.push("a greeting that names no answer");
      return;
    }
    const connection = [...this.#connections].filter(([id]) => id.includes(":routesync:")).at(-1)?.[1];
    if (connection?.greeted === true) this.violations.push("a second greeting on one connection");
    if (connection !== undefined) connection.greeted = true;
    const link = this.links.find(({ name }) => name === from);
    const answer = (error: string | null, needBootstrap: boolean): void => {
      this.greetings.push({
        from,
        incarnation: init.incarnation,
        needBootstrap: error === null ? needBootstrap : null,
      });
      void this.#broker?.publishAsync(responseTopic, ackBytes(init.actor, error, needBootstrap), {
        qos: 1,
        properties: { correlationData },
      });
    };
    const error = this.#refusal(link, init.target);
    if (error !== null) {
      answer(error, false);
      return;
    }
    if (known !== undefined && init.incarnation < known.incarnation) {
      this.violations.push("an older incarnation");
      return;
    }
    const isSame = known !== undefined && known.incarnation === init.incarnation;
    this.external.set(from, actors);
    const untilMs = Date.now() + TTL_MS;
    if (isSame) known.untilMs = untilMs;
    else actors.set(init.actor, { incarnation: init.incarnation, untilMs, routes: new Set() });
    answer(null, !isSame);
  }

  #refusal(link: DoubleLink | undefined, target: string): string | null {
    if (link === undefined) return "unknown_cluster";
    if (target !== this.cluster) return "bad_remote_cluster_link_name";
    return link.enable === false ? "cluster_link_disabled" : null;
  }

  #message(from: string, payload: Buffer, packet: IPublishPacket): void {
    const link = this.links.find(({ name }) => name === from);
    let message: PlainMessage | null;
    try {
      message = readMessage(payload);
    } catch (error) {
      this.violations.push(`a message: ${error}`);
      return;
    }
    if (message === null || packet.retain) {
      this.violations.push("a message that EMQX would drop");
      return;
    }
    if (packet.qos !== Math.min(1, message.qos))
      this.violations.push(`QoS ${message.qos} in a wrapper of ${packet.qos}`);
    if (link === undefined || link.enable === false || !link.topics.some((filter) => matches(filter, message.topic)))
      return;
    this.arrived.push(message);
    // Its subscribers get it; the retainer does not, and nothing is forwarded again (No Local).
    void this.#broker?.publishAsync(message.topic, message.payload, { qos: Math.min(2, message.qos) as 0 | 1 | 2 });
  }

  /** A client of this cluster published: one copy for each cluster that wants it. */
  #publish(topic: string, payload: Buffer, packet: IPublishPacket): void {
    for (const { name, enable } of this.links) {
      const wants = this.routesOf(name).some((filter) => matches(filter, topic));
      if (!wants || enable === false) continue;
      const {
        contentType,
        responseTopic,
        correlationData,
        userProperties,
        messageExpiryInterval,
        payloadFormatIndicator,
      } = packet.properties ?? {};
      const user = Object.entries(userProperties ?? {}).flatMap(([key, value]) =>
        [value].flat().map((each) => ({ key, value: String(each) })),
      );
      void this.forward(name, {
        topic,
        payload,
        qos: packet.qos,
        retain: packet.retain,
        properties: [
          ...(contentType === undefined ? [] : [["Content-Type", Buffer.from(contentType)] as const]),
          ...(correlationData === undefined ? [] : [["Correlation-Data", correlationData] as const]),
          ...(messageExpiryInterval === undefined ? [] : [["Message-Expiry-Interval", messageExpiryInterval] as const]),
          ...(payloadFormatIndicator === undefined
            ? []
            : [["Payload-Format-Indicator", payloadFormatIndicator ? 1 : 0] as const]),
          ...(responseTopic === undefined ? [] : [["Response-Topic", Buffer.from(responseTopic)] as const]),
          ...userProperty(user),
        ],
      });
    }
  }

  #collect(): void {
    for (const actors of this.external.values())
      for (const [name, { untilMs }] of actors) if (untilMs < Date.now()) actors.delete(name);
  }
}

function loginOf({ username, password }: DoubleLink): { username?: string; password?: string } {
  return username === undefined || password === undefined ? {} : { username, password };
}

function userProperty(pairs: readonly { key: string; value: string }[]): NonNullable<Forwarded["properties"]> {
  if (pairs.length === 0) return [];
  return [["User-Property", pairs.map(({ key, value }) => new Tuple(Buffer.from(key), Buffer.from(value)))]];
}

/** This cluster's actor at a peer: one connection after the other, each with one greeting. */
export class RouteActor {
  readonly link: DoubleLink;
  readonly clientId: string;
  /** Greetings said; connections made. */
  greetings = 0;
  connections = 0;
  state: "connecting" | "handshaking" | "online" | "stopped" = "connecting";
  /** Tests silence it: no heartbeats, as when its node hangs. */
  isMute = false;
  readonly #double: EmqxClusterDouble;
  #client: MqttClient | null = null;
  #correlation = "";
  #hasBootstrapped = false;
  /** What is to be said, by topic and identifier. */
  readonly #open = new Map<string, RouteOp>();
  #busy = false;
  #timers: NodeJS.Timeout[] = [];
  #attemptedAtMs = 0;

  constructor(double: EmqxClusterDouble, link: DoubleLink, clientId: string) {
    this.#double = double;
    this.link = link;
    this.clientId = clientId;
    this.#connect();
  }

  /** A later word on a route replaces an earlier one. */
  say(op: RouteOp): void {
    this.#open.set(`${op[1]}\0${op[2]}`, op);
    if (this.#open.size > 1) return;
    if (this.state === "online") this.#later(GATHER_MS, () => void this.#flush());
  }

  /** Cuts the connection; the actor connects again. */
  cut(): void {
    this.#client?.stream.destroy();
  }

  async stop(): Promise<void> {
    this.state = "stopped";
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#client?.endAsync(true);
  }

  #later(ms: number, work: () => void): void {
    this.#timers.push(setTimeout(() => this.state !== "stopped" && work(), ms));
  }

  #connect(): void {
    const { version, node, cluster } = this.#double;
    this.state = "connecting";
    this.#attemptedAtMs = Date.now();
    const client = mqtt.connect(this.link.url, {
      protocolVersion: 5,
      clientId: this.clientId,
      ...loginOf(this.link),
      clean: version.cleanStart,
      keepalive: 60,
      reconnectPeriod: 0,
      ...(version.cleanStart ? {} : { properties: { sessionExpiryInterval: 60 } }),
    });
    this.#client = client;
    client.on("error", () => {});
    client.on("close", () => this.#closed(client));
    client.on("message", (_topic, payload, packet) => this.#answer(payload, packet));
    client.on("connect", () => {
      this.connections += 1;
      const responses = `$LINK/cluster/resp/${cluster}/${node}`;
      client.subscribe(responses, { qos: 1 }, () => {
        if (client !== this.#client || this.state === "stopped") return;
        this.state = "handshaking";
        this.greetings += 1;
        this.#correlation = randomBytes(8).toString("hex");
        client.publish(`${ROUTE}${cluster}`, initBytes(node, this.#double.incarnation, this.link.name), {
          qos: 1,
          properties: { responseTopic: responses, correlationData: Buffer.from(this.#correlation) },
        });
        const greeting = this.greetings;
        this.#later(version.handshakeMs, () => {
          if (this.state === "handshaking" && greeting === this.greetings) client.end(true);
        });
      });
    });
  }

  #closed(client: MqttClient): void {
    if (client !== this.#client || this.state === "stopped") return;
    this.#client = null;
    this.#busy = false;
    this.state = "connecting";
    this.#later(Math.max(0, this.#attemptedAtMs + RECONNECT_MS - Date.now()), () => this.#connect());
  }

  #answer(payload: Buffer, packet: IPublishPacket): void {
    const { correlationData } = packet.properties ?? {};
    if (this.state !== "handshaking" || correlationData?.toString() !== this.#correlation) return;
    const control = readControl(payload);
    if (control.op !== "actor_init_ack") throw new Error(`${control.op} as an answer`);
    this.#double.answers.push({ error: control.error, needBootstrap: control.needBootstrap });
    if (control.error !== null) {
      this.#client?.end(true);
      return;
    }
    void this.#online(control.needBootstrap);
  }

  async #online(needBootstrap: boolean): Promise<void> {
    if (needBootstrap || !this.#hasBootstrapped) {
      const ops = this.#double.bootstrap(this.link);
      for (let from = 0; from < ops.length; from += BATCH_MAX) await this.#send(ops.slice(from, from + BATCH_MAX));
      this.#hasBootstrapped = true;
    }
    this.state = "online";
    const client = this.#client;
    this.#later(HEARTBEAT_MS, () => this.#beat(client));
    await this.#flush();
  }

  #beat(client: MqttClient | null): void {
    if (client === null || client !== this.#client || this.state !== "online") return;
    if (!this.isMute)
      client.publish(`${ROUTE}${this.#double.cluster}`, heartbeatBytes(this.#double.node, this.#double.incarnation), {
        qos: 0,
      });
    this.#later(HEARTBEAT_MS, () => this.#beat(client));
  }

  async #flush(): Promise<void> {
    if (this.#busy || this.#open.size === 0 || this.state !== "online") return;
    this.#busy = true;
    const open = [...this.#open];
    const adds = open.filter(([, [op]]) => op === "add");
    const batch = [...adds, ...open.filter(([, [op]]) => op === "delete")].slice(0, BATCH_MAX);
    for (const [key] of batch) this.#open.delete(key);
    const sent = await this.#send(batch.map(([, op]) => op));
    this.#busy = false;
    if (!sent) for (const [key, op] of batch) if (!this.#open.has(key)) this.#open.set(key, op);
    if (sent) await this.#flush();
  }

  async #send(ops: readonly RouteOp[]): Promise<boolean> {
    const { cluster, node, incarnation, version } = this.#double;
    if (ops.length === 0) return true;
    try {
      await this.#client?.publishAsync(`${ROUTE}${cluster}`, routeBytes(node, incarnation, ops, version.packed), {
        qos: 1,
      });
      return true;
    } catch {
      // the connection ended first: it goes again
      return false;
    }
  }
}
