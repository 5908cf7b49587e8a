/**
 * The story, step by step. Each step says what happens and shows it: with what clients received, with what the agents
 * know, and with what was counted at the brokers, which know nothing of any link. Where something must NOT arrive, a later
 * message on the same way shows that everything before it has been there.
 */
import type { Cast } from "./cast.ts";
import { answering } from "./cast.ts";
import type { DemoClient } from "./demo-client.ts";
import type { DemoCluster } from "./demo-cluster.ts";
import { type DemoWorld, FACTORY_TOPICS, OFFICE_TOPICS } from "./demo-world.ts";
import type { Narrator } from "./narrator.ts";

const UNWANTED = 100;
const PUBLISHED = 1_000;
const WANTED = 10;
const REQUESTS = 20;
/** A message that went round would have come back within one of these. */
const ROUNDS = 3;
const DURING_CUT = 50;

export async function tellStory(world: DemoWorld, cast: Cast, narrator: Narrator): Promise<void> {
  await linked(world, narrator);
  await nobodyAsks(world, cast, narrator);
  await routeLearnt(world, cast, narrator);
  await onlyWhatMatches(world, cast, narrator);
  await carriedOnce(world, cast, narrator);
  await wildcardsMeet(world, cast, narrator);
  await requestReply(world, cast, narrator);
  await routesWithdrawn(world, cast, narrator);
  await noLoops(world, cast, narrator);
  await cutHeals(world, cast, narrator);
}

async function linked(world: DemoWorld, narrator: Narrator): Promise<void> {
  const { office, factory } = world;
  await narrator.step(
    "Two brokers, two agents, one link",
    "Each agent is an ordinary MQTT client of its broker. It reads there who subscribes to what, and tells the " +
      "agent of the other side. Each link says what its cluster wants to receive at most: " +
      `office takes ${list(OFFICE_TOPICS)}, factory takes ${list(FACTORY_TOPICS)}.`,
  );
  await narrator.waits("the two agents have found each other", () => bothConnected(world));
  await narrator.waits("each knows exactly what its clients want: nothing yet", () => {
    for (const cluster of [office, factory]) {
      const { wide } = cluster.agent.status().hub;
      if (wide !== null) return `${cluster.name} asks for everything (${wide.reason})`;
    }
    return routes(office, factory, []) === true ? routes(factory, office, []) : routes(office, factory, []);
  });
}

async function nobodyAsks({ office, factory }: DemoWorld, { machines }: Cast, narrator: Narrator): Promise<void> {
  await narrator.step(
    "Nobody asks, nothing crosses",
    `machines (on factory) publish ${UNWANTED} messages. Nobody on office has subscribed.`,
  );
  for (let i = 1; i <= UNWANTED; i += 1) await machines.publish(`line/${i % 3}/temperature`, "20.0");
  const { filters } = factory.agent.status().hub.demand;
  narrator.shows("factory's agent subscribes to nothing on its broker", filters === 0 || `it has ${filters} filters`);
  narrator.shows(`0 of ${UNWANTED} crossed`, office.arrived === 0 || `${office.arrived} crossed`);
}

async function routeLearnt({ office, factory }: DemoWorld, cast: Cast, narrator: Narrator): Promise<void> {
  const { dashboard, machines } = cast;
  await narrator.step(
    "A subscription becomes a route",
    "dashboard (on office) subscribes to line/+/temperature: an ordinary SUBSCRIBE to its own broker.",
  );
  await dashboard.subscribe("line/+/temperature");
  await narrator.waits("factory's agent has one route: line/+/temperature", () =>
    routes(office, factory, ["line/+/temperature"]),
  );
  await narrator.waits("and subscribes to it on its own broker", () => settled(factory, 1));
  await machines.publish("line/1/temperature", "21.5");
  await narrator.waits("machines publish line/1/temperature on factory: dashboard has it", () => has(dashboard, 1));
  narrator.shows(
    `it is the only message that crossed; the ${UNWANTED} from before stayed where they were`,
    office.arrived === 1 || `${office.arrived} crossed`,
  );
}

async function onlyWhatMatches(world: DemoWorld, { dashboard, machines }: Cast, narrator: Narrator): Promise<void> {
  const { office } = world;
  await narrator.step(
    "Only what somebody wants crosses",
    `machines publish ${count(PUBLISHED)} messages. ${WANTED} of them are temperatures; the rest is vibration data ` +
      "that nobody on office looks at.",
  );
  dashboard.forget();
  const before = { arrived: office.arrived, bytes: world.toOffice.bytes };
  const every = PUBLISHED / WANTED;
  // The last one is wanted: when it is there, everything before it has been on its way.
  for (let i = 1; i < PUBLISHED; i += 1) {
    machines.tell(i % every === 0 ? `line/${i / every}/temperature` : `line/${i % 7}/vibration`, `sample ${i}`);
  }
  await machines.publish(`line/${WANTED}/temperature`, "the last");
  await narrator.waits(`dashboard has its ${WANTED} temperatures`, () => has(dashboard, WANTED));
  const crossed = office.arrived - before.arrived;
  narrator.shows(
    `${WANTED} of ${count(PUBLISHED)} crossed, in ${count(world.toOffice.bytes - before.bytes)} bytes; ` +
      `${count(PUBLISHED - WANTED)} stayed home`,
    crossed === WANTED || `${crossed} crossed`,
  );
}

async function carriedOnce({ office, factory }: DemoWorld, cast: Cast, narrator: Narrator): Promise<void> {
  const { dashboard, visitor, machines } = cast;
  await narrator.step(
    "Wanted twice, carried once",
    "visitor (on office) subscribes to line/1/temperature and to line/1/#. The first is part of what dashboard has " +
      "already, so nobody needs to be told of it.",
  );
  await visitor.subscribe("line/1/temperature");
  await visitor.subscribe("line/1/#");
  await narrator.waits("factory's agent has two routes: line/+/temperature, line/1/#", () =>
    routes(office, factory, ["line/+/temperature", "line/1/#"]),
  );
  await narrator.waits("and subscribes to both, although they overlap", () => settled(factory, 2));
  for (const client of [dashboard, visitor]) client.forget();
  const before = office.arrived;
  await machines.publish("line/1/temperature", "22.0");
  await machines.publish("line/1/pressure", "3.1");
  await narrator.waits("line/1/temperature is there for dashboard and visitor, line/1/pressure for visitor", () =>
    has(dashboard, 1) === true ? has(visitor, 2) : has(dashboard, 1),
  );
  narrator.shows("each message crossed once", office.arrived - before === 2 || `${office.arrived - before} crossed`);
  await visitor.unsubscribe("line/1/temperature");
  await visitor.unsubscribe("line/1/#");
}

async function wildcardsMeet({ office, factory }: DemoWorld, cast: Cast, narrator: Narrator): Promise<void> {
  const { dashboard, visitor, machines } = cast;
  await narrator.step(
    "Wildcards meet wildcards",
    "visitor subscribes to +/+/alarm: any building, any line. Office's link takes line/# only. What crosses is what " +
      "both allow.",
  );
  await visitor.subscribe("+/+/alarm");
  await narrator.waits("factory's agent is asked for their intersection: line/+/alarm", () =>
    routes(office, factory, ["line/+/alarm", "line/+/temperature"]),
  );
  await narrator.waits("and subscribes to it", () => settled(factory, 2));
  for (const client of [dashboard, visitor]) client.forget();
  const before = office.arrived;
  await machines.publish("yard/2/alarm", "gate open");
  await machines.publish("line/2/alarm", "too hot");
  await narrator.waits("line/2/alarm reached visitor", () => has(visitor, 1, "line/2/alarm"));
  const crossed = office.arrived - before;
  narrator.shows("yard/2/alarm, published before it, stayed home", crossed === 1 || `${crossed} crossed`);
}

async function requestReply({ office, factory }: DemoWorld, cast: Cast, narrator: Narrator): Promise<void> {
  const { operator, mixer } = cast;
  await narrator.step(
    "A question and its answer",
    `operator (on office) asks mixer (on factory) ${REQUESTS} times. For each question it subscribes to a fresh reply ` +
      "topic and asks at once: the route must be there before the answer.",
  );
  answering(mixer);
  await mixer.subscribe("request/+");
  await narrator.waits("office's agent has one route: request/+", () => routes(factory, office, ["request/+"]));
  await narrator.waits("and subscribes to it", () => settled(office, 1));
  const startMs = performance.now();
  for (let i = 1; i <= REQUESTS; i += 1) {
    await operator.subscribe(`reply/${i}`);
    await operator.publish(`request/mix-${i}`, `reply/${i}`);
  }
  await narrator.waits(`${REQUESTS} questions, ${REQUESTS} answers, 0 lost`, () => {
    const answered = Array.from({ length: REQUESTS }, (_, i) => operator.copies(`reply/${i + 1}`));
    return answered.every((copies) => copies === 1) || `answers for each question: ${answered.join(" ")}`;
  });
  const eachMs = (performance.now() - startMs) / REQUESTS;
  narrator.say(`   ${eachMs.toFixed(1)} ms for each: subscribe, ask over there, answer back here.`);
  for (let i = 1; i <= REQUESTS; i += 1) await operator.unsubscribe(`reply/${i}`);
}

async function routesWithdrawn(world: DemoWorld, cast: Cast, narrator: Narrator): Promise<void> {
  const { office, factory } = world;
  const { dashboard, visitor, machines } = cast;
  await narrator.step(
    "Nobody asks any more",
    "visitor unsubscribes, dashboard keeps its temperatures. The routes of the reply topics went the same way.",
  );
  await visitor.unsubscribe("+/+/alarm");
  await narrator.waits("factory's agent has one route left: line/+/temperature", () =>
    routes(office, factory, ["line/+/temperature"]),
  );
  await narrator.waits("and has unsubscribed from the others on its broker", () => settled(factory, 1));
  dashboard.forget();
  const before = office.arrived;
  for (let i = 1; i <= UNWANTED; i += 1) await machines.publish("line/2/alarm", "still too hot");
  await machines.publish("line/2/temperature", "23.0");
  await narrator.waits("a temperature still arrives", () => has(dashboard, 1, "line/2/temperature"));
  const crossed = office.arrived - before;
  narrator.shows(`${UNWANTED} alarms published before it stayed home`, crossed === 1 || `${crossed} crossed`);
}

async function noLoops(world: DemoWorld, cast: Cast, narrator: Narrator): Promise<void> {
  const { office, factory } = world;
  const { dashboard, visitor, operator, mixer, machines } = cast;
  await narrator.step(
    "No loops",
    "visitor on office and mixer on factory now subscribe to #, everything. Each agent is asked for what it has just " +
      "brought itself; it must not send it back.",
  );
  await visitor.subscribe("#");
  await mixer.subscribe("#");
  await narrator.waits("office asks for all that its link takes: line/#, reply/+", () =>
    routes(office, factory, [...OFFICE_TOPICS]),
  );
  await narrator.waits("factory asks for everything: #", () => routes(factory, office, ["#"]));
  await narrator.waits("both agents have subscribed to that", () => {
    const here = settled(office, 1);
    return here === true ? settled(factory, 2) : here;
  });
  for (const client of [dashboard, visitor, mixer]) client.forget();
  const before = { office: office.arrived, factory: factory.arrived };
  await operator.publish("line/9/order", "from office");
  await machines.publish("line/9/state", "from factory");
  await narrator.waits("one message published on each side reaches both", () => {
    const here = has(visitor, 2);
    return here === true ? has(mixer, 2) : here;
  });
  // Each round passes both ways behind whatever went round: it would arrive first.
  for (let round = 1; round <= ROUNDS; round += 1) {
    await operator.publish(`line/round/${round}`, "to factory");
    await narrator.quietly("a later message crosses", () => has(mixer, 1, `line/round/${round}`));
    await machines.publish(`line/round/${round}/back`, "to office");
    await narrator.quietly("a later message crosses back", () => has(visitor, 1, `line/round/${round}/back`));
  }
  const copies = (client: DemoClient): number => client.copies("line/9/order") + client.copies("line/9/state");
  for (const client of [visitor, mixer]) {
    const [order, state] = [client.copies("line/9/order"), client.copies("line/9/state")];
    narrator.shows(
      `${client.name} has exactly one copy of each`,
      (order === 1 && state === 1) || `${copies(client)} copies`,
    );
  }
  const crossed = { office: office.arrived - before.office, factory: factory.arrived - before.factory };
  narrator.shows(
    `${ROUNDS} later messages each way passed, and nothing went round`,
    (crossed.office === 1 + ROUNDS && crossed.factory === 1 + ROUNDS) ||
      `${crossed.factory} crossed to factory and ${crossed.office} to office, instead of ${1 + ROUNDS} each`,
  );
  await visitor.unsubscribe("#");
  await mixer.unsubscribe("#");
}

async function cutHeals(world: DemoWorld, { dashboard, machines }: Cast, narrator: Narrator): Promise<void> {
  const { office, factory } = world;
  await narrator.step(
    "The link is cut, and heals",
    `The wire between the sites breaks. machines go on and publish ${DURING_CUT} temperatures; then the wire is mended.`,
  );
  await narrator.quietly("the routes are those of dashboard", () => routes(office, factory, ["line/+/temperature"]));
  await narrator.quietly("and the demand too", () => settled(factory, 1));
  world.cut();
  await narrator.waits(
    "both agents notice",
    () => world.clusters.every((cluster) => !world.link(cluster).transportUp) || "the link still stands",
  );
  dashboard.forget();
  for (let i = 1; i <= DURING_CUT; i += 1) await machines.publish("line/1/temperature", `${i}`);
  await narrator.waits(`factory's agent keeps the routes, and the ${DURING_CUT} messages in its spool`, () => {
    const { spooled } = world.link(factory).queue;
    return spooled === DURING_CUT || `${spooled} spooled`;
  });
  narrator.shows("dashboard has none of them", dashboard.inbox.length === 0 || `it has ${dashboard.inbox.length}`);
  world.mend();
  await narrator.waits("mended: the agents find each other again", () => bothConnected(world));
  await narrator.waits(`dashboard has all ${DURING_CUT}`, () => has(dashboard, DURING_CUT));
  await narrator.waits("office's agent has confirmed them, factory's has forgotten them", () => {
    const { spooled } = world.link(factory).queue;
    return spooled === 0 || `${spooled} spooled`;
  });
  const order = dashboard.inbox.map(({ text }) => text).join(" ");
  const expected = Array.from({ length: DURING_CUT }, (_, i) => `${i + 1}`).join(" ");
  narrator.shows("each once, in their order", order === expected || `it has ${order}`);
}

function bothConnected(world: DemoWorld): true | string {
  for (const cluster of world.clusters) {
    const { status, lastProblem } = world.link(cluster);
    if (status !== "connected") return `${cluster.name} is ${status}${lastProblem ? `: ${lastProblem.reason}` : ""}`;
  }
  return true;
}

/** Whether the peer has just these routes of the cluster that wants them. */
function routes(wanting: DemoCluster, peer: DemoCluster, expected: readonly string[]): true | string {
  const found = peer.routesIn(wanting.name);
  return found.join() === [...expected].sort().join() || `${peer.name} has ${list(found)}`;
}

/** Whether the agent's own subscriptions on its broker are the `filters` that its peer wants, all answered. */
function settled(cluster: DemoCluster, filters: number): true | string {
  const { demand } = cluster.agent.status().hub;
  return (demand.filters === filters && demand.pending === 0) || `${demand.filters} filters, ${demand.pending} pending`;
}

function has(client: DemoClient, messages: number, topic?: string): true | string {
  const found = topic === undefined ? client.inbox.length : client.copies(topic);
  return found === messages || `${client.name} has ${found}`;
}

function list(filters: readonly string[]): string {
  return filters.length === 0 ? "none" : filters.join(" and ");
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
