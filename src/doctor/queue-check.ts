/** Whether the local broker's queue for a session that is away holds more than the thousand messages that are its default. */
import type { AgentConfig } from "../config/types.ts";
import { type Bench, randomLevel } from "./bench.ts";
import { DoctorClient, doctorClientId } from "./doctor-client.ts";
import { type Finding, type Fix, finding, MOSQUITTO_CONF } from "./finding.ts";

/** Somewhat more than the default of Mosquitto and of EMQX. */
const MESSAGES = 1_100;
const DELIVERED_WITHIN_MS = 3_000;
const SESSION_SECONDS = 60;

/** `agentRuns`: it would take what overflows here for a loss of its own. */
export async function checkQueue(
  bench: Bench,
  stem: string,
  { local }: AgentConfig,
  agentRuns: boolean,
): Promise<Finding> {
  if (local.broker === "aedes")
    return finding(
      "queue",
      "note",
      "the agent lets Aedes keep nothing: what is published while it is away does not cross",
    );
  if (agentRuns)
    return finding(
      "queue",
      "skipped",
      "not measured while the agent runs, which would count what overflows as its own loss; --queue measures it all the same",
    );
  const topic = `${stem}/${randomLevel()}`;
  const session = { clientId: doctorClientId(local.clientid), expirySeconds: SESSION_SECONDS };
  const first = await bench.connect(session);
  const speaker = await bench.connect();
  if (!(first instanceof DoctorClient) || !(speaker instanceof DoctorClient))
    return finding("queue", "skipped", "a further connection was not let in");
  await first.subscribe([{ filter: topic, qos: 1 }]);
  await first.close();
  const results = await Promise.all(Array.from({ length: MESSAGES }, (_, n) => speaker.publish(topic, `${n}`)));
  const taken = results.filter((result) => result.ok && result.reasonCode < 0x80).length;
  const again = await bench.connect(session);
  if (!(again instanceof DoctorClient)) return finding("queue", "skipped", "the session was not let in again");
  const kept = await deliveries(again, topic, taken);
  await again.unsubscribe([topic]);
  await again.close();
  // A clean start ends the session.
  await bench.connect({ clientId: session.clientId });
  if (kept >= taken)
    return finding("queue", "ok", `the queue of a session that is away holds at least ${taken} messages`);
  const text = `of ${taken} messages for a session that was away the broker dropped ${taken - kept}, and told their publishers that all is well`;
  return finding("queue", "fault", text, queueFix(local.broker));
}

/** As many as come, until all are there or none came for the whole of the time. */
async function deliveries(client: DoctorClient, topic: string, all: number): Promise<number> {
  const count = (): number => client.heard.filter((heard) => heard.topic === topic).length;
  for (let before = -1; count() < all && count() > before; ) {
    before = count();
    await client.waits(
      () => (count() >= all ? true : null),
      before === 0 ? DELIVERED_WITHIN_MS : DELIVERED_WITHIN_MS / 5,
    );
  }
  return count();
}

function queueFix(broker: AgentConfig["local"]["broker"]): Fix | null {
  switch (broker) {
    case "mosquitto":
      return { file: MOSQUITTO_CONF, lines: ["max_queued_messages 1000000"] };
    case "emqx":
      return { file: "emqx.conf of the local broker", lines: ["mqtt.max_mqueue_len = 1000000"] };
    case "aedes":
    case "events":
    case "static":
      return null;
  }
}
