/** Compression of frames: the algorithms by the numbers they have on the wire, and what the pure part needs of one that can. */

/** The better ones first: what a sender takes when it may choose. */
export const COMPRESSIONS = ["zstd", "brotli", "deflate"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** docs/PROTOCOL.md, section 6.1. */
export const COMPRESSION_IDS: Readonly<Record<Compression, number>> = { deflate: 1, brotli: 2, zstd: 3 };

/** Null: of a later version. */
export function compressionOf(id: number): Compression | null {
  return COMPRESSIONS.find((name) => COMPRESSION_IDS[name] === id) ?? null;
}

/** What compresses and expands; the pure part has none of its own. Neither call throws. */
export interface FrameCodec {
  /** What it can do, in both directions, the better ones first. */
  readonly algorithms: readonly Compression[];
  /** A frame of fewer bytes costs it more than it saves. */
  readonly frameBytesMin: number;
  /** Null: it cannot. */
  compress(algorithm: Compression, bytes: Uint8Array): Uint8Array | null;
  /** Null: it is nothing that the algorithm makes, or would be more than `bytesMax` bytes. Never makes more than those. */
  expand(algorithm: Compression, bytes: Uint8Array, bytesMax: number): Uint8Array | null;
  /** Spent so far. */
  readonly compressMs: number;
  readonly expandMs: number;
}
