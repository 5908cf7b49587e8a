/** A codec that needs no library: runs of one byte as two bytes. Texts that repeat themselves shrink, others grow. */
import { COMPRESSIONS, type Compression, type FrameCodec } from "../../src/wire/compression.ts";

const RUN_MAX = 255;

export class ToyCodec implements FrameCodec {
  readonly algorithms: readonly Compression[];
  readonly frameBytesMin = 512;
  compressMs = 0;
  expandMs = 0;
  /** What it was asked to compress. */
  compressed = 0;

  constructor(algorithms: readonly Compression[] = COMPRESSIONS) {
    this.algorithms = algorithms;
  }

  compress(_algorithm: Compression, bytes: Uint8Array): Uint8Array {
    this.compressed += 1;
    const runs: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      let end = at + 1;
      while (end < bytes.length && bytes[end] === bytes[at] && end - at < RUN_MAX) end += 1;
      runs.push(end - at, bytes[at] ?? 0);
      at = end;
    }
    return Uint8Array.from(runs);
  }

  expand(_algorithm: Compression, bytes: Uint8Array, bytesMax: number): Uint8Array | null {
    const out = new Uint8Array(bytesMax);
    let length = 0;
    for (let at = 0; at < bytes.length; at += 2) {
      const run = bytes[at] ?? 0;
      if (run === 0 || at + 1 === bytes.length || length + run > bytesMax) return null;
      out.fill(bytes[at + 1] ?? 0, length, length + run);
      length += run;
    }
    return out.subarray(0, length);
  }
}
