/**
 * Whether the control prefix works on the local broker: what the agent publishes there comes back to it, properties and No Local are
 * honoured, and nobody else hears or speaks there. Uses topics that no agent's word is taken from.
 */
import type { AgentConfig } from "../config/types.ts";
import type { PacketProperties } from "../mqtt/packet-properties.ts";
import { encodeKnock } from "../wire/knock.ts";
import { inboxFilters, inboxProbeTopics } from "../wire/names.ts";
import { type Bench, randomLevel } from "./bench.ts";
import { DoctorClient } from "./doctor-client.ts";
import { CONFIGURATION, type Finding, type Fix, finding } from "./finding.ts";

const WITHIN_MS = 3_000;
const REFUSED = 0x80;
/** Order and repeats have to stay as they are. */
const PROPERTIES: PacketProperties = {
  userProperties: [
    ["brokerlink-doctor", "1"],
    ["a", "2"],
    ["brokerlink-doctor", "3"],
  ],
};

export async function checkControl(bench: Bench, stem: string, config: AgentConfig): Promise<Finding[]> {
  const [listener, speaker] = [await bench.connect(), await bench.connect()];
  if (!(listener instanceof DoctorClient) || !(speaker instanceof DoctorClient))
    return [finding("control", "skipped", "a second connection was not let in")];
  const own = `${stem}/${randomLevel()}`;
  const granted = await listener.subscribe(
    [...inboxFilters(config.controlPrefix, config.cluster), own].map((filter) => ({ filter, qos: 1 as const })),
  );
  const fix = prefixFix(config);
  if (granted?.some((code) => code >= REFUSED) === true)
    return [
      finding("control", "fault", `the broker refuses to let this user subscribe below ${config.controlPrefix}`, fix),
    ];
  const denied = await spoken(speaker, listener, own, config, fix);
  if (denied !== null) return [denied];
  return [
    finding("control", "ok", `what is published below ${config.controlPrefix} reaches the agent's inbox`),
    propertiesFinding(speaker, listener, own),
    await noLocal(speaker, listener, `${stem}/${randomLevel()}`),
    await wildcard(bench, speaker, stem, config),
    await strangers(bench, listener, stem, config),
  ];
}

/** What comes back shows both rights; a refusal is told in MQTT 5 only. */
async function spoken(
  speaker: DoctorClient,
  listener: DoctorClient,
  own: string,
  { controlPrefix, cluster }: AgentConfig,
  fix: Fix,
): Promise<Finding | null> {
  for (const topic of [own, ...inboxProbeTopics(controlPrefix, cluster)]) {
    const result = await speaker.publish(topic, encodeKnock(), PROPERTIES);
    // Some versions of Mosquitto hang up instead of answering.
    if (!result.ok || result.reasonCode >= REFUSED)
      return finding("control", "fault", `the broker does not let this user publish on ${topic}`, fix);
    if ((await listener.hears((heard) => heard.topic === topic, WITHIN_MS)) === null) {
      const rights = speaker.version === 5 ? "read" : "read and write";
      return finding(
        "control",
        "fault",
        `what is published on ${topic} is not delivered: this user needs to ${rights} there`,
        fix,
      );
    }
  }
  return null;
}

function propertiesFinding(speaker: DoctorClient, listener: DoctorClient, own: string): Finding {
  if (speaker.version === 4) {
    const text =
      "MQTT 3.1.1: properties and expiry do not cross, and refusals are not told; the guard against loops has only the agent's own sessions";
    return finding("protocol", "note", text);
  }
  const heard = listener.heard.find(({ topic }) => topic === own)?.properties?.userProperties ?? [];
  const isSame = JSON.stringify(heard) === JSON.stringify(PROPERTIES.userProperties);
  if (isSame) return finding("protocol", "ok", "MQTT 5, and user properties arrive as they were sent");
  const text =
    "MQTT 5, and user properties are not kept: messages would lose the mark that keeps them from going in a circle";
  return finding("protocol", "fault", text, { file: CONFIGURATION, lines: ["local:", "  protocol_version: 4"] });
}

/** Whose message comes first is the answer: the speaker's own, or the other one's that was published after it. */
async function noLocal(speaker: DoctorClient, other: DoctorClient, topic: string): Promise<Finding> {
  await speaker.subscribe([{ filter: topic, qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 }]);
  await speaker.publish(topic, "own");
  await other.publish(topic, "other");
  const first = await speaker.hears((heard) => heard.topic === topic, WITHIN_MS);
  await speaker.unsubscribe([topic]);
  if (first?.text === "other") return finding("no_local", "ok", "our own messages are not sent back to us");
  if (first === null) return finding("no_local", "skipped", "no message came");
  if (speaker.version === 4)
    return finding(
      "no_local",
      "note",
      "our own messages are sent back: the agent recognises them by topic and payload",
    );
  const text = "No Local is not honoured: every message that arrives would go back to where it came from";
  return finding("no_local", "fault", text, { file: CONFIGURATION, lines: ["local:", "  protocol_version: 4"] });
}

/** Who subscribes to everything must not hear what agents say: it would carry it, and everybody could read it. */
async function wildcard(
  bench: Bench,
  speaker: DoctorClient,
  stem: string,
  { controlPrefix }: AgentConfig,
): Promise<Finding> {
  const everything = await bench.connect();
  if (!(everything instanceof DoctorClient))
    return finding("wildcard", "skipped", "a further connection was not let in");
  const [hidden, end] = [`${stem}/${randomLevel()}`, `${stem}/${randomLevel()}`];
  const codes = await everything.subscribe([
    { filter: end, qos: 1 },
    { filter: "#", qos: 0, retainHandling: 2 },
  ]);
  if (codes === null || codes.some((code) => code >= REFUSED))
    return finding("wildcard", "skipped", 'this user may not subscribe to "#"');
  await speaker.publish(hidden, encodeKnock());
  await speaker.publish(end, encodeKnock());
  await everything.hears(({ topic }) => topic === end, WITHIN_MS);
  const isSeen = everything.heard.some(({ topic }) => topic === hidden);
  await everything.close();
  if (!isSeen) return finding("wildcard", "ok", `"#" does not see what is below ${controlPrefix}`);
  const text = `whoever subscribes to "#" sees what is below ${controlPrefix}, and its broker carries it`;
  return finding("wildcard", "warning", text, {
    file: "acl_file of the local broker, for every user but the agents'",
    lines: [`topic deny ${controlPrefix}/#`],
  });
}

/** Somebody without a name who may publish below the prefix can speak as any peer. */
async function strangers(bench: Bench, listener: DoctorClient, stem: string, config: AgentConfig): Promise<Finding> {
  const fix = { file: "acl_file of the local broker", lines: ["# printed by: brokerlink acl --of local"] };
  const { username } = config.local;
  if (username === null) {
    const text =
      "the agent has no user name: whatever it may do, everybody may who reaches the broker, and speak as any peer";
    return finding("strangers", "warning", text, fix, {
      file: CONFIGURATION,
      lines: ["local:", "  username: NAME", "  password_file: FILE"],
    });
  }
  const nameless = await bench.connectNameless();
  if (!(nameless instanceof DoctorClient)) return finding("strangers", "ok", "clients without a name are not let in");
  const topic = `${stem}/${randomLevel()}`;
  await listener.subscribe([{ filter: topic, qos: 1 }]);
  await nameless.publish(topic, encodeKnock());
  // What the listener says itself comes behind whatever the other one got through.
  await listener.publish(topic, "own");
  const first = await listener.hears((heard) => heard.topic === topic, WITHIN_MS);
  if (first === null || first.text === "own")
    return finding("strangers", "ok", `clients without a name cannot publish below ${config.controlPrefix}`);
  return finding(
    "strangers",
    "warning",
    `clients without a name may publish below ${config.controlPrefix}, and speak as any peer`,
    fix,
  );
}

function prefixFix({ local, controlPrefix }: AgentConfig): Fix {
  const head = local.username === null ? "# before the first user line" : `user ${local.username}`;
  return { file: "acl_file of the local broker", lines: [head, `topic readwrite ${controlPrefix}/#`] };
}
