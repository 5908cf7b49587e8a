/** Numbers, sizes and times as people read them. */

const UNITS = ["", "k", "M", "G", "T"];

/** 1234 → "1.2k"; below 10 with one digit behind the point. */
export function formatCount(value: number): string {
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1_000;
    unit += 1;
  }
  const digits = rest >= 10 || Number.isInteger(rest) ? 0 : 1;
  return `${rest.toFixed(digits)}${UNITS[unit]}`;
}

/** "1 route", "2 routes", "1.2k routes". */
export function formatSome(value: number, one: string): string {
  return `${formatCount(value)} ${one}${value === 1 ? "" : "s"}`;
}

export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = bytes;
  while (rest >= 1_023.5 && unit < names.length - 1) {
    rest /= 1_024;
    unit += 1;
  }
  return `${rest.toFixed(unit === 0 || rest >= 10 ? 0 : 1)} ${names[unit]}`;
}

/** "12 s", "3 min", "2 h", "5 d". */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** How long before `nowMs`; a clock that differs never makes it negative. */
export function formatAgo(iso: string | null, nowMs: number): string {
  return iso === null ? "never" : `${formatSpan(nowMs - Date.parse(iso))} ago`;
}
