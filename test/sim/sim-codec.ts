/** Compression without an algorithm: the bytes stay in the world, and a number in their place crosses the wire. */
import { COMPRESSIONS, type Compression, type FrameCodec } from "../../src/wire/compression.ts";

const HANDLE_BYTES = 4;

export class SimCodec implements FrameCodec {
  readonly algorithms: readonly Compression[] = COMPRESSIONS;
  readonly frameBytesMin = 0;
  readonly compressMs = 0;
  readonly expandMs = 0;
  readonly #kept: Uint8Array[] = [];

  compress(_algorithm: Compression, bytes: Uint8Array): Uint8Array {
    this.#kept.push(bytes.slice());
    const handle = new Uint8Array(HANDLE_BYTES);
    new DataView(handle.buffer).setUint32(0, this.#kept.length - 1);
    return handle;
  }

  expand(_algorithm: Compression, bytes: Uint8Array, bytesMax: number): Uint8Array | null {
    if (bytes.length !== HANDLE_BYTES) return null;
    const kept = this.#kept[new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)];
    return kept !== undefined && kept.length <= bytesMax ? kept.slice() : null;
  }
}
