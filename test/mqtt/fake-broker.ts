/** A broker of a few lines on loopback, for what no real one does on request: each test says how it answers. */
import { createServer, type Server, type Socket } from "node:net";
import { generate, type IConnectPacket, type Packet, parser } from "mqtt-packet";
import { until } from "../support/until.ts";

export class FakePeer {
  readonly socket: Socket;
  readonly packets: Packet[] = [];
  connect: IConnectPacket | null = null;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get version(): 4 | 5 {
    return this.connect?.protocolVersion === 5 ? 5 : 4;
  }

  /** The bridge bit; the parser's types leave it out. */
  get bridged(): boolean {
    const { connect } = this;
    return connect !== null && "bridgeMode" in connect && connect.bridgeMode === true;
  }

  send(packet: Packet): void {
    this.socket.write(generate(packet, { protocolVersion: this.version }));
  }

  /** CONNACK 0. */
  accept(properties: object = {}, sessionPresent = false): void {
    this.refuse(0, properties, sessionPresent);
  }

  refuse(code: number, properties: object = {}, sessionPresent = false): void {
    if (this.version === 5) this.send({ cmd: "connack", reasonCode: code, sessionPresent, properties });
    else this.send({ cmd: "connack", returnCode: code, sessionPresent });
  }

  of<C extends Packet["cmd"]>(cmd: C): Extract<Packet, { cmd: C }>[] {
    return this.packets.filter((packet): packet is Extract<Packet, { cmd: C }> => packet.cmd === cmd);
  }
}

/** What a well-behaved broker answers, without delivering anything. */
export function obliging(peer: FakePeer, packet: Packet): void {
  switch (packet.cmd) {
    case "connect":
      peer.accept();
      break;
    case "publish":
      if (packet.qos === 1) peer.send({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 });
      break;
    case "subscribe":
      peer.send({
        cmd: "suback",
        messageId: packet.messageId ?? 0,
        granted: packet.subscriptions.map(({ qos }) => qos),
      });
      break;
    case "unsubscribe":
      peer.send({ cmd: "unsuback", messageId: packet.messageId ?? 0, granted: packet.unsubscriptions.map(() => 0) });
      break;
    case "pingreq":
      peer.send({ cmd: "pingresp" });
      break;
    case "disconnect":
      peer.socket.end();
      break;
  }
}

export class FakeBroker {
  readonly peers: FakePeer[] = [];
  answer: (peer: FakePeer, packet: Packet) => void;
  /** Called before a byte was read. */
  opened: (peer: FakePeer) => void = () => {};
  /** Leaves its side open when the other one closes. */
  lingers = false;
  #server: Server;
  #port = 0;

  private constructor(answer: (peer: FakePeer, packet: Packet) => void) {
    this.answer = answer;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#opened(socket));
  }

  static async start(answer: (peer: FakePeer, packet: Packet) => void = obliging): Promise<FakeBroker> {
    const broker = new FakeBroker(answer);
    await new Promise<void>((resolve) => broker.#server.listen(0, "127.0.0.1", resolve));
    const address = broker.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    broker.#port = address.port;
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`;
  }

  get last(): FakePeer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error("nobody has connected");
    return peer;
  }

  get open(): number {
    return this.peers.filter(({ closed }) => !closed).length;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** As `await using`: the broker, and that everything which connected to it has left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #opened(socket: Socket): void {
    const peer = new FakePeer(socket);
    this.peers.push(peer);
    socket.on("error", () => {});
    socket.on("end", () => {
      if (!this.lingers) socket.end();
    });
    socket.on("close", () => {
      peer.closed = true;
    });
    this.opened(peer);
    let reader = parser({ protocolVersion: 4 });
    const take = (packet: Packet): void => {
      peer.packets.push(packet);
      if (packet.cmd === "connect") {
        peer.connect = packet;
        if (packet.protocolVersion === 5) {
          reader = parser({ protocolVersion: 5 });
          reader.on("packet", take);
        }
      }
      this.answer(peer, packet);
    };
    reader.on("packet", take);
    socket.on("data", (chunk) => reader.parse(chunk));
  }
}

export async function packetsOf(peer: () => FakePeer, cmd: Packet["cmd"], count: number): Promise<void> {
  await until(`${count} × ${cmd}`, () => peer().of(cmd).length >= count || `${peer().of(cmd).length}`);
}
