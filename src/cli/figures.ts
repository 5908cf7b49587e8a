/** Numbers and times as people read them at a glance. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The two largest units: `3d 4h`, `5m 2s`, `0s`. */
export function span(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole >= DAY) return `${Math.floor(whole / DAY)}d ${Math.floor((whole % DAY) / HOUR)}h`;
  if (whole >= HOUR) return `${Math.floor(whole / HOUR)}h ${Math.floor((whole % HOUR) / MINUTE)}m`;
  if (whole >= MINUTE) return `${Math.floor(whole / MINUTE)}m ${Math.floor((whole % MINUTE) / SECOND)}s`;
  return `${Math.floor(whole / SECOND)}s`;
}

/** From one of the API's times to another. */
export function spanBetween(from: string, to: string): string {
  return span(Date.parse(to) - Date.parse(from));
}

/** `950`, `12.3k`, `4.56M` */
export function short(value: number): string {
  const units = ["", "k", "M", "G", "T"];
  let [rest, unit] = [value, 0];
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1_000;
    unit += 1;
  }
  if (unit === 0) return Number.isInteger(rest) || rest >= 100 ? String(Math.round(rest)) : rest.toFixed(1);
  return `${rest.toPrecision(3)}${units[unit]}`;
}
