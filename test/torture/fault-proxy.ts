/**
 * A TCP proxy that does to a line what lines suffer from: cuts, black holes, holes in one direction, delay, and a bandwidth
 * that is small. It knows nothing of what it carries.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

type Direction = "up" | "down";

export interface LineState {
  /** New connections are refused, old ones reset. */
  readonly cut: boolean;
  /** Connections stay and pass nothing in these directions, not even an end. `up`: from the client of the proxy. */
  readonly hole: readonly Direction[];
  readonly delayMs: number;
  /** Of each connection and direction; Infinity: no limit. */
  readonly bytesPerSecond: number;
}

const HEALTHY: LineState = { cut: false, hole: [], delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
/** How much may wait on the way before the sender is told to stop, as in the buffers of a modem. */
const BUFFER_BYTES_MAX = 256 * 1024;

interface Pipe {
  readonly direction: Direction;
  readonly from: Socket;
  readonly to: Socket;
  readonly waiting: { readonly bytes: Buffer; readonly dueMs: number }[];
  waitingBytes: number;
  /** When the line has carried what was written so far. */
  freeAtMs: number;
  timer: NodeJS.Timeout | null;
  ended: boolean;
}

export class FaultProxy {
  readonly #server: Server;
  readonly #target: () => number;
  readonly #sockets = new Set<Socket>();
  readonly #pipes = new Set<Pipe>();
  #state: LineState = HEALTHY;
  #port = 0;

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    const address = proxy.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    proxy.#port = address.port;
    return proxy;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`;
  }

  /** What is not named is healthy. */
  set(state: Partial<LineState> = {}): void {
    this.#state = { ...HEALTHY, ...state };
    if (this.#state.cut) this.#destroyAll();
    for (const pipe of this.#pipes) this.#pump(pipe);
  }

  async stop(): Promise<void> {
    this.#state = { ...HEALTHY, cut: true };
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#destroyAll();
    await closed;
  }

  #destroyAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #accept(client: Socket): void {
    client.on("error", () => {});
    if (this.#state.cut) {
      client.resetAndDestroy();
      return;
    }
    const target = connect(this.#target(), "127.0.0.1");
    target.on("error", () => {});
    this.#join("up", client, target);
    this.#join("down", target, client);
  }

  #join(direction: Direction, from: Socket, to: Socket): void {
    const pipe: Pipe = { direction, from, to, waiting: [], waitingBytes: 0, freeAtMs: 0, timer: null, ended: false };
    this.#sockets.add(from);
    this.#pipes.add(pipe);
    from.setNoDelay(true);
    from.on("data", (bytes: Buffer) => {
      const { delayMs, bytesPerSecond } = this.#state;
      const nowMs = performance.now();
      pipe.freeAtMs = Math.max(pipe.freeAtMs, nowMs) + (bytes.length / bytesPerSecond) * 1_000;
      pipe.waiting.push({ bytes, dueMs: pipe.freeAtMs + delayMs });
      pipe.waitingBytes += bytes.length;
      if (pipe.waitingBytes > BUFFER_BYTES_MAX) from.pause();
      this.#pump(pipe);
    });
    from.on("close", () => {
      pipe.ended = true;
      this.#sockets.delete(from);
      this.#pump(pipe);
    });
  }

  #pump(pipe: Pipe): void {
    if (pipe.timer !== null) clearTimeout(pipe.timer);
    pipe.timer = null;
    if (this.#state.hole.includes(pipe.direction)) return;
    const nowMs = performance.now();
    for (;;) {
      const next = pipe.waiting[0];
      if (next === undefined) break;
      if (next.dueMs > nowMs) {
        pipe.timer = setTimeout(() => this.#pump(pipe), Math.ceil(next.dueMs - nowMs));
        return;
      }
      pipe.waiting.shift();
      pipe.waitingBytes -= next.bytes.length;
      if (!pipe.to.destroyed) pipe.to.write(next.bytes);
    }
    if (pipe.from.isPaused()) pipe.from.resume();
    if (!pipe.ended) return;
    this.#pipes.delete(pipe);
    pipe.to.destroy();
  }
}
