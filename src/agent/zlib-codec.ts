/**
 * The frame codec of this process, by Node's own zlib: brotli and deflate, and zstd where the runtime has it (22.15 and
 * later). Synchronous: a frame of 64 KiB takes a fifth of a millisecond (docs/PERFORMANCE.md), less than the way to a
 * thread and back, and order needs no care.
 */
import zlib from "node:zlib";
import { COMPRESSIONS, type Compression, type FrameCodec } from "../wire/compression.ts";

type Convert = (bytes: Uint8Array, options: object) => Uint8Array;

/** Not in the types of the oldest runtime that we support. */
interface Zstd {
  readonly zstdCompressSync?: Convert;
  readonly zstdDecompressSync?: Convert;
}
const { zstdCompressSync, zstdDecompressSync } = zlib as object as Zstd;
const ZSTD_COMPRESSION_LEVEL = 100;
const ZSTD_WINDOW_LOG_MAX = 100;
/** The dearest level that costs no more than deflate's cheapest; a quarter fewer bytes than brotli's own cheapest. */
const BROTLI_QUALITY = 2;
/** Windows and outputs of 1 MiB: whoever announces a larger one is refused before memory is set aside for it. */
const WINDOW_LOG_MAX = 20;
/** A lone small message has little to say twice: twenty microseconds for a few bytes. */
const FRAME_BYTES_MIN = 512;
/** Node takes no smaller one. */
const CHUNK_BYTES_MIN = 64;

interface Method {
  readonly compress: (bytes: Uint8Array, chunkSize: number) => Uint8Array;
  readonly expand: (
    bytes: Uint8Array,
    limits: { readonly chunkSize: number; readonly maxOutputLength: number },
  ) => Uint8Array;
}

const METHODS: Readonly<Record<Compression, Method | null>> = {
  zstd:
    zstdCompressSync === undefined || zstdDecompressSync === undefined
      ? null
      : {
          compress: (bytes, chunkSize) =>
            zstdCompressSync(bytes, { chunkSize, params: { [ZSTD_COMPRESSION_LEVEL]: 1 } }),
          expand: (bytes, limits) =>
            zstdDecompressSync(bytes, { ...limits, params: { [ZSTD_WINDOW_LOG_MAX]: WINDOW_LOG_MAX } }),
        },
  brotli: {
    compress: (bytes, chunkSize) =>
      zlib.brotliCompressSync(bytes, {
        chunkSize,
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [zlib.constants.BROTLI_PARAM_LGWIN]: WINDOW_LOG_MAX,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    expand: (bytes, limits) => zlib.brotliDecompressSync(bytes, limits),
  },
  deflate: {
    compress: (bytes, chunkSize) => zlib.deflateRawSync(bytes, { chunkSize, level: 1 }),
    expand: (bytes, limits) => zlib.inflateRawSync(bytes, limits),
  },
};

/** What this runtime can do, the better ones first. */
export const ZLIB_ALGORITHMS: readonly Compression[] = COMPRESSIONS.filter((name) => METHODS[name] !== null);

export class ZlibCodec implements FrameCodec {
  readonly algorithms = ZLIB_ALGORITHMS;
  readonly frameBytesMin = FRAME_BYTES_MIN;
  #compressMs = 0;
  #expandMs = 0;

  get compressMs(): number {
    return this.#compressMs;
  }

  get expandMs(): number {
    return this.#expandMs;
  }

  compress(algorithm: Compression, bytes: Uint8Array): Uint8Array | null {
    const method = METHODS[algorithm];
    if (method === null) return null;
    const startMs = performance.now();
    try {
      return method.compress(bytes, Math.max(CHUNK_BYTES_MIN, bytes.length));
    } catch {
      // No memory for it: the frame leaves as it is.
      return null;
    } finally {
      this.#compressMs += performance.now() - startMs;
    }
  }

  expand(algorithm: Compression, bytes: Uint8Array, bytesMax: number): Uint8Array | null {
    const method = METHODS[algorithm];
    // Node takes no limit of 0.
    if (method === null || bytesMax === 0) return null;
    const startMs = performance.now();
    try {
      return method.expand(bytes, { chunkSize: Math.max(CHUNK_BYTES_MIN, bytesMax), maxOutputLength: bytesMax });
    } catch {
      // Not what the algorithm makes, cut short, or more than announced.
      return null;
    } finally {
      this.#expandMs += performance.now() - startMs;
    }
  }
}
