/** Counts what a call reads of maps: every inner node that a trie visits costs a lookup or the steps of an iteration. */

const iterators = Object.getPrototypeOf(new Map().entries()) as { next: () => unknown };

export function countMapReads(run: () => void): number {
  const { get, has } = Map.prototype;
  const { next } = iterators;
  let reads = 0;
  Map.prototype.get = function (key: unknown): unknown {
    reads += 1;
    return get.call(this, key);
  };
  Map.prototype.has = function (key: unknown): boolean {
    reads += 1;
    return has.call(this, key);
  };
  iterators.next = function (): unknown {
    reads += 1;
    return next.call(this);
  };
  try {
    run();
  } finally {
    Map.prototype.get = get;
    Map.prototype.has = has;
    iterators.next = next;
  }
  return reads;
}
