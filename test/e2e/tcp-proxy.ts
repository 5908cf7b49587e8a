/**
 * The wide-area link, as far as tests can have one: a TCP proxy that counts bytes and PUBLISH packets, cuts connections, and
 * turns into a black hole that keeps them open and passes nothing.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Parser, parser } from "mqtt-packet";

export interface Crossed {
  bytes: number;
  /** PUBLISH packets whose topic ends in `/msg`: frames. */
  frames: number;
  frameBytes: number;
  /** PUBLISH packets whose topic ends in `/ctl`: the conversation. */
  controls: number;
  /** All other PUBLISH packets. */
  others: number;
}

/** Types of CONNECT and PUBLISH. */
const COUNTED: ReadonlySet<number> = new Set([1, 3]);

type Mode = "open" | "refusing" | "hole";

export class TcpProxy {
  /** What clients of the proxy sent to the target. */
  readonly up: Crossed = nothing();
  /** What the target sent to them. */
  readonly down: Crossed = nothing();
  connections = 0;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: Mode = "open";
  #port = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#accept(client, targetPort));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    const address = proxy.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    proxy.#port = address.port;
    return proxy;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`;
  }

  /** Ends all connections and refuses new ones. */
  cut(): void {
    this.#mode = "refusing";
    this.#destroyAll();
  }

  /** Connections stay, and new ones are taken; nothing passes, not even an end. */
  blackHole(): void {
    this.#mode = "hole";
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Passes again. What a black hole held back comes now, as after a route that came back. */
  heal(): void {
    this.#mode = "open";
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async stop(): Promise<void> {
    this.#mode = "refusing";
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#destroyAll();
    await closed;
  }

  #destroyAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  #accept(client: Socket, targetPort: number): void {
    client.on("error", () => {});
    if (this.#mode === "refusing") {
      client.destroy();
      return;
    }
    this.connections += 1;
    const target = connect(targetPort, "127.0.0.1");
    const pair = [client, target] as const;
    this.#pairs.add(pair);
    for (const socket of pair) socket.setNoDelay(true);
    const version = { of: 5 };
    pump(client, target, counter(this.up, version));
    pump(target, client, counter(this.down, version));
    const end = (): void => {
      client.destroy();
      target.destroy();
      this.#pairs.delete(pair);
    };
    target.on("error", end);
    for (const socket of pair) socket.on("close", end);
    if (this.#mode === "hole") for (const socket of pair) socket.pause();
  }
}

function pump(from: Socket, to: Socket, count: (bytes: Buffer) => void): void {
  from.on("data", (bytes: Buffer) => {
    count(bytes);
    to.write(bytes);
  });
}

/** Counts the packets of one direction of one connection; `version` is what its CONNECT said. */
function counter(crossed: Crossed, version: { of: number }): (bytes: Buffer) => void {
  let packets: Parser | null = null;
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    crossed.bytes += bytes.length;
    packets ??= newParser(crossed, version);
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (let end = packetEnd(rest); end !== null && end <= rest.length; end = packetEnd(rest)) {
      // The others are not counted, and the parser knows fewer reason codes than Mosquitto sends.
      if (COUNTED.has((rest[0] ?? 0) >> 4)) packets.parse(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

/** Where the packet that `bytes` begins with ends; null: its length is not known yet. */
function packetEnd(bytes: Buffer): number | null {
  let length = 0;
  for (let at = 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if ((byte & 0x80) === 0) return at + 1 + length;
  }
  return null;
}

function newParser(crossed: Crossed, version: { of: number }): Parser {
  const packets = parser({ protocolVersion: version.of });
  packets.on("packet", (packet) => {
    if (packet.cmd === "connect") version.of = packet.protocolVersion ?? 4;
    if (packet.cmd !== "publish") return;
    if (packet.topic.endsWith("/msg")) {
      crossed.frames += 1;
      crossed.frameBytes += packet.payload.length;
    } else if (packet.topic.endsWith("/ctl")) crossed.controls += 1;
    else crossed.others += 1;
  });
  packets.on("error", () => {
    throw new Error("the proxy saw bytes that are no MQTT");
  });
  return packets;
}

function nothing(): Crossed {
  return { bytes: 0, frames: 0, frameBytes: 0, controls: 0, others: 0 };
}
