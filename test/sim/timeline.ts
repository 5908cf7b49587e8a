/** Virtual time: what is to happen, in order of time and then of scheduling. Nothing here waits. */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

export class Timeline {
  #heap: Entry[] = [];
  #order = 0;
  nowMs: number;
  steps = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  after(delayMs: number, act: () => void): void {
    this.#order += 1;
    const entry = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order, act };
    const heap = this.#heap;
    heap.push(entry);
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(entry, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = entry;
  }

  runUntil(endMs: number): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > endMs) break;
      this.#pop();
      this.nowMs = first.atMs;
      this.steps += 1;
      first.act();
    }
    this.nowMs = endMs;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      let smallest = last;
      let at = i;
      for (const child of [left, left + 1]) {
        const entry = heap[child];
        if (entry !== undefined && before(entry, smallest)) {
          smallest = entry;
          at = child;
        }
      }
      if (at === i) break;
      heap[i] = smallest;
      i = at;
    }
    heap[i] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
