/** What an examination found, and what to change. */

/**
 * `ok`: works. `note`: works, and worth knowing. `warning`: works, and will not always, or not as well as it could. `fault`: does not
 * work, or loses messages. `skipped`: was not looked at, and why.
 */
export type Level = "ok" | "note" | "warning" | "fault" | "skipped";

/** Lines to put into a file, just as they stand. */
export interface Fix {
  /** Which file: `mosquitto.conf`, `acl_file`, `configuration of brokerlink`. */
  readonly file: string;
  readonly lines: readonly string[];
}

export interface Finding {
  /** What was looked at: a word for scripts. */
  readonly check: string;
  readonly level: Level;
  readonly text: string;
  readonly fixes: readonly Fix[];
}

/** Of one broker, in the order in which it was looked at. */
export interface Examination {
  /** `local`, or the name of the link. */
  readonly broker: string;
  readonly title: string;
  readonly findings: readonly Finding[];
}

export function finding(check: string, level: Level, text: string, ...fixes: (Fix | null)[]): Finding {
  return { check, level, text, fixes: fixes.filter((fix) => fix !== null) };
}

export const MOSQUITTO_CONF = "mosquitto.conf of the local broker";
export const CONFIGURATION = "configuration of brokerlink";
