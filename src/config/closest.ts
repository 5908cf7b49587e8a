/** Which known word was probably meant: for typing errors in keys, variables and values. */

/** Longer texts are no typing errors of ours, and the distance costs the product of both lengths. */
const LENGTH_MAX = 80;

/** The candidate nearest to `word`, or null when none is near. Case, `-` and `_` do not count. */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > LENGTH_MAX) return null;
  const plainWord = plain(word);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(plainWord.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plainWord, plain(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The end of a problem: `; did you mean "server"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const best = closest(word, candidates);
  return best === null ? "" : `; did you mean "${best}"?`;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_.]/g, "");
}

/** Insertions, deletions, replacements, and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      }
      line.push(cost);
    }
    before = above;
    above = line;
  }
  return above[b.length] ?? 0;
}
