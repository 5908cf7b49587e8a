/**
 * Whether Mosquitto tells an ordinary client what its clients subscribe to: a client of ours does everything that has to be announced, and
 * another one watches for it.
 */
import {
  COUNT_PLAIN,
  LOG_ERROR,
  LOG_NOTICE,
  LOG_SUBSCRIBE,
  LOG_UNSUBSCRIBE,
  MOSQUITTO_LINES,
  UPTIME,
} from "../broker/mosquitto-setup.ts";
import { quoted } from "../config/printable.ts";
import { type Bench, randomLevel } from "./bench.ts";
import { DoctorClient, type Heard } from "./doctor-client.ts";
import { type Finding, finding, MOSQUITTO_CONF } from "./finding.ts";

/** Published when the broker starts, whatever its log and counters are: who hears nothing of it may not read. */
const VERSION = "$SYS/broker/version";
const LOG_TOPICS = [LOG_SUBSCRIBE, LOG_UNSUBSCRIBE, LOG_NOTICE, LOG_ERROR];
/** Lines come within a millisecond; a broker under load may take longer. */
const LINE_WITHIN_MS = 3_000;
/** A little more than the default of sys_interval. */
const COUNTER_WITHIN_MS = 11_500;
const SYS_INTERVAL_MAX_SECONDS = 2;
const CLOCK_SKEW_MAX_MS = 5_000;

interface Seen {
  readonly subscribe: Heard | null;
  readonly unsubscribe: Heard | null;
  readonly connect: Heard | null;
  readonly takeover: Heard | null;
}

/** `stem`: below the control prefix, where nothing is ever interest. `user`: as the agent logs in. */
export async function checkMosquittoEvents(bench: Bench, stem: string, user: string | null): Promise<Finding[]> {
  const watcher = await bench.connect();
  if (!(watcher instanceof DoctorClient))
    return [finding("events", "skipped", `no second connection: ${watcher.reason}`)];
  const topics = [...LOG_TOPICS, COUNT_PLAIN, UPTIME, VERSION];
  const codes = await watcher.subscribe(topics.map((filter) => ({ filter, qos: 1 })));
  const acl = aclFix(user);
  if (codes?.some((code) => code >= 0x80) === true) {
    return [finding("events", "fault", "the broker refuses to let this user read its log topics", acl)];
  }
  const act = await actors(bench, watcher, `${stem}/${randomLevel()}`);
  if (act === null) return [finding("events", "skipped", "a second client was not let in")];
  const reads = await watcher.hears(({ topic }) => topic === VERSION, LINE_WITHIN_MS);
  const lines = Object.values(act.seen).filter((line) => line !== null);
  if (lines.length === 0) {
    if (reads === null) {
      const text =
        "nothing under $SYS is delivered, although the broker accepted the subscription: this user may not read it";
      return [finding("events", "fault", text, acl)];
    }
    const text = "the broker does not announce subscriptions: links will ask for all of their topics";
    return [
      finding("events", "fault", text, { file: MOSQUITTO_CONF, lines: MOSQUITTO_LINES }),
      ...(await counters(watcher)),
    ];
  }
  return [
    ...typeFindings(act.seen),
    ...prefixFindings(act.seen.subscribe ?? lines[0] ?? null, act.filter),
    ...(await counters(watcher)),
  ];
}

/** One connects, subscribes, unsubscribes, and loses its name to another one. */
async function actors(
  bench: Bench,
  watcher: DoctorClient,
  filter: string,
): Promise<{ seen: Seen; filter: string } | null> {
  const first = await bench.connect();
  if (!(first instanceof DoctorClient)) return null;
  const { clientId } = first;
  await first.subscribe([{ filter, qos: 1 }]);
  await first.unsubscribe([filter]);
  const second = await bench.connect({ clientId });
  await first.close();
  if (second instanceof DoctorClient) await second.close();
  const line = (topics: readonly string[], text: string): Promise<Heard | null> =>
    watcher.hears((heard) => topics.includes(heard.topic) && heard.text.includes(text), LINE_WITHIN_MS);
  const [subscribe, unsubscribe, connect, takeover] = await Promise.all([
    line([LOG_SUBSCRIBE], `${clientId} 1 ${filter}`),
    line([LOG_UNSUBSCRIBE], `${clientId} ${filter}`),
    line([LOG_NOTICE], ` as ${clientId} (`),
    // Newer ones say it in a notice.
    watcher.hears(
      ({ topic, text }) =>
        (topic === LOG_ERROR && text.includes(`Client ${clientId} already connected`)) ||
        (topic === LOG_NOTICE && text.includes(`Client ${clientId} disconnected, session taken over`)),
      LINE_WITHIN_MS,
    ),
  ]);
  return { filter, seen: { subscribe, unsubscribe, connect, takeover } };
}

function typeFindings({ subscribe, unsubscribe, connect, takeover }: Seen): Finding[] {
  const missing: string[] = [];
  const what: string[] = [];
  const lacks = (heard: Heard | null, name: string, ...lines: string[]): void => {
    if (heard !== null) return;
    what.push(name);
    missing.push(...lines);
  };
  lacks(subscribe, "subscribes", "log_type subscribe");
  lacks(unsubscribe, "unsubscribes", "log_type unsubscribe");
  lacks(connect, "connects", "log_type notice", "connection_messages true");
  // Without notices nobody can know.
  lacks(connect === null ? subscribe : takeover, "takeovers", "log_type error");
  if (missing.length === 0)
    return [finding("events", "ok", "subscribes, unsubscribes, connects and takeovers are announced")];
  const text = `the broker does not announce ${what.join(", ")}: links will ask for more than is wanted, or for too long`;
  return [finding("events", "fault", text, { file: MOSQUITTO_CONF, lines: missing })];
}

/** What stands before the line itself is a timestamp, and seconds since 1970 unless it has a format of its own. */
function prefixFindings(heard: Heard | null, filter: string): Finding[] {
  if (heard === null || !heard.text.endsWith(filter)) return [];
  const prefix = /^(.*?): \S/.exec(heard.text)?.[1] ?? null;
  if (prefix === null) return [finding("log_timestamp", "ok", "log lines come without a timestamp")];
  const text = `log lines begin with a timestamp (${quoted(prefix)}): long ones are cut sooner`;
  const findings = [
    finding("log_timestamp", "warning", text, { file: MOSQUITTO_CONF, lines: ["log_timestamp false"] }),
  ];
  if (/^\d{10}$/.test(prefix)) findings.push(clockFinding(Number(prefix) * 1_000 - Date.now()));
  return findings;
}

function clockFinding(aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (Math.abs(aheadMs) <= CLOCK_SKEW_MAX_MS) return finding("clock", "ok", "the broker's clock and this one agree");
  const text = `the broker's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this one: keep both with NTP`;
  return finding("clock", "warning", text);
}

/** Two values of the uptime are one sys_interval apart. */
async function counters(watcher: DoctorClient): Promise<Finding[]> {
  const fix = { file: MOSQUITTO_CONF, lines: ["sys_interval 1"] };
  const uptimes = await watcher.waits(() => {
    const found = watcher.heard.filter(({ topic }) => topic === UPTIME).map(({ text }) => Number.parseInt(text, 10));
    return found.length < 2 ? null : found.slice(-2);
  }, COUNTER_WITHIN_MS);
  if (uptimes === null) {
    const text = `no counter came within ${COUNTER_WITHIN_MS / 1_000} s: nothing proves that all subscriptions are known, and links ask for all of their topics`;
    return [finding("counters", "fault", text, fix)];
  }
  const [before = 0, now = 0] = uptimes;
  const seconds = now - before;
  if (seconds > SYS_INTERVAL_MAX_SECONDS) {
    const text = `counters come every ${seconds} s: links ask for more than is wanted for as long after each doubt`;
    return [finding("counters", "warning", text, fix)];
  }
  return [finding("counters", "ok", `counters come every ${Math.max(1, seconds)} s`)];
}

function aclFix(user: string | null) {
  const head = user === null ? "# before the first user line" : `user ${user}`;
  return { file: "acl_file of the local broker", lines: [head, "topic read $SYS/#"] };
}
