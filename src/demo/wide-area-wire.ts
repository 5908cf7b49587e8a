/**
 * Stands for the network between two sites: a TCP relay on loopback in front of one broker. It counts the bytes that
 * pass, and can be cut. Cutting resets every connection and refuses new ones until it is mended.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class WideAreaWire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;
  #bytes = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => this.#relay(near, targetPort));
  }

  /** Listens on a free port of loopback and leads to `targetPort`. */
  static async open(targetPort: number): Promise<WideAreaWire> {
    const wire = new WideAreaWire(targetPort);
    await new Promise<void>((resolve, reject) => {
      wire.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return wire;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Bytes sent towards the broker so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #relay(near: Socket, targetPort: number): void {
    if (this.#cut) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
    near.setNoDelay(true);
    near.on("data", (chunk) => {
      this.#bytes += chunk.length;
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.pipe(other);
      // A reset on one side is a reset on the other; what it was called matters to nobody.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
