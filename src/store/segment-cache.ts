/** Segments that are read at present: a few stay in memory, the one used longest ago goes. */
import type { FileSystem } from "./file-system.ts";
import type { Segment } from "./segment.ts";

/** One that is read, the one before it for what is sent again, and the one that was filled last. */
const SEGMENTS_MAX = 3;
/** Segments of a single large message are larger than usual: then one stays. */
const BYTES_MAX = 8 * 1024 * 1024;

export class SegmentCache {
  readonly #fs: FileSystem;
  /** In the order of their last use. Each of them is on the disk. */
  readonly #loaded = new Set<Segment>();

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /** Takes over the memory of a segment that the disk has for certain. */
  add(segment: Segment): void {
    this.#loaded.delete(segment);
    this.#loaded.add(segment);
    let bytes = [...this.#loaded].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    for (const oldest of this.#loaded) {
      const fits = this.#loaded.size <= SEGMENTS_MAX && bytes <= BYTES_MAX;
      if (fits || oldest === segment) break;
      bytes -= oldest.memoryBytes;
      this.#loaded.delete(oldest);
      oldest.unload();
    }
  }

  /** Puts it among the last used. */
  touch(segment: Segment): void {
    if (this.#loaded.delete(segment)) this.#loaded.add(segment);
  }

  /** Throws what the disk says. */
  load(segment: Segment): void {
    segment.load(this.#fs);
    this.add(segment);
  }

  forget(segment: Segment): void {
    this.#loaded.delete(segment);
  }
}
