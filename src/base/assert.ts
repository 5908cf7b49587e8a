/** Checks for what only a bug can break. Expected failures are values, never these. */

/** Throws when `condition` is false: the caller's reasoning is wrong, not its input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}

/** Closes a `switch` whose cases are all handled: the compiler refuses the call while one is missing. */
export function unreachable(value: never): never {
  throw new Error(`bug: unreachable value ${JSON.stringify(value)}`);
}
