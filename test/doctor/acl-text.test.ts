import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aclText } from "../../src/doctor/acl-text.ts";
import { localRights, peerRights } from "../../src/doctor/broker-rights.ts";
import { agentConfig, linkConfig } from "../ops/agent-fixture.ts";

const NOBODY_NAMED = new Map<string, string>();

function rules(lines: readonly string[]): string[] {
  return lines.filter((line) => line !== "" && !/^(#|%%)/.test(line));
}

describe("the local broker", () => {
  test("its agent reads what may leave, publishes what may arrive, and has the prefix; the peer only speaks", () => {
    const config = agentConfig({}, [linkConfig({ topics: ["t/#", "both"], exportFilters: ["pub/#", "both"] })]);
    assert.deepEqual(rules(aclText(localRights(config, NOBODY_NAMED), "mosquitto")), [
      "user west",
      "topic readwrite both",
      "topic read pub/#",
      "topic write t/#",
      "topic read $SYS/#",
      "topic readwrite $LINK/#",
      "user agent-east",
      "topic write $LINK/v1/west/east/#",
    ]);
  });

  test("a peer that dials in also listens; disabled links need nothing", () => {
    const links = [linkConfig({ endpoint: null }), linkConfig({ name: "off", enable: false, topics: ["secret/#"] })];
    const { users } = localRights(agentConfig({}, links), new Map([["east", "link-east"]]));
    assert.deepEqual(users[1], {
      user: "link-east",
      isGuess: false,
      cluster: "east",
      rights: [
        { access: "write", filter: "$LINK/v1/west/east/#" },
        { access: "read", filter: "$LINK/v1/east/west/#" },
      ],
    });
    assert.ok(!JSON.stringify(users).includes("secret"));
    assert.equal(users.length, 2);
  });

  test("of several links the union counts, each filter once, covered ones not at all", () => {
    const links = [
      linkConfig({ topics: ["t/#"], exportFilters: ["x/1"] }),
      linkConfig({ name: "north", topics: ["t/1", "u"], exportFilters: ["x/+"] }),
    ];
    const [own] = localRights(agentConfig({}, links), NOBODY_NAMED).users;
    assert.deepEqual(
      own?.rights.map(({ access, filter }) => `${access} ${filter}`),
      ["read x/+", "write t/#", "write u", "read $SYS/#", "readwrite $LINK/#"],
    );
  });

  test("events come from elsewhere with other brokers, and from nowhere with a fixed list", () => {
    const filters = (local: object): string[] => {
      const config = agentConfig();
      return (localRights({ ...config, local: { ...config.local, ...local } }, NOBODY_NAMED).users[0]?.rights ?? [])
        .map(({ filter }) => filter)
        .filter((filter) => filter.startsWith("$SYS") || filter.startsWith("ev"));
    };
    assert.deepEqual(filters({ broker: "emqx" }), ["$SYS/brokers/+/clients/#"]);
    assert.deepEqual(filters({ broker: "events", eventsTopic: "ev/#" }), ["ev/#"]);
    assert.deepEqual(filters({ broker: "static" }), []);
  });

  test("a user name that is made up is said to be", () => {
    const config = agentConfig();
    const nameless = { ...config, local: { ...config.local, username: null } };
    const text = aclText(localRights(nameless, NOBODY_NAMED), "mosquitto");
    assert.ok(text.includes("# the agent of cluster west; its user name is a guess (--user west=NAME)"));
    assert.ok(text.includes("user agent-west"));
    assert.ok(aclText(localRights(nameless, new Map([["west", "w"]])), "mosquitto").includes("user w"));
  });

  test("a prefix that # covers has to be denied to everybody else", () => {
    const text = aclText(localRights({ ...agentConfig(), controlPrefix: "_link" }, NOBODY_NAMED), "mosquitto").join(
      "\n",
    );
    assert.match(text, /"topic deny _link\/#"/);
  });
});

describe("the peer's broker", () => {
  test("this agent speaks, and hears the peer's answers there; with the prefix that is used there", () => {
    const rights = peerRights(agentConfig(), linkConfig({ controlPrefix: "_x" }), NOBODY_NAMED);
    assert.deepEqual(rights?.users[0]?.rights, [
      { access: "write", filter: "_x/v1/east/west/#" },
      { access: "read", filter: "_x/v1/west/east/#" },
    ]);
  });

  test("a peer that dials in has no broker that we go to", () => {
    assert.equal(peerRights(agentConfig(), linkConfig({ endpoint: null }), NOBODY_NAMED), null);
  });
});

describe("EMQX's acl.conf", () => {
  test("allows come first, then nothing more for the peer, then nothing of the prefix for anybody", () => {
    const config = agentConfig({}, [linkConfig({ exportFilters: ["#"], topics: ["t/#"] })]);
    assert.deepEqual(rules(aclText(localRights(config, NOBODY_NAMED), "emqx")), [
      '{allow, {username, "west"}, subscribe, ["#"]}.',
      '{allow, {username, "west"}, publish, ["t/#"]}.',
      '{allow, {username, "west"}, subscribe, ["$SYS/#"]}.',
      '{allow, {username, "west"}, all, ["$LINK/#"]}.',
      '{allow, {username, "agent-east"}, publish, ["$LINK/v1/west/east/#"]}.',
      '{deny, {username, "agent-east"}, all, ["#", "$SYS/#"]}.',
      '{deny, all, all, ["$LINK/#"]}.',
    ]);
  });

  test("on the peer's broker nobody else loses anything", () => {
    const rights = peerRights(agentConfig(), linkConfig(), NOBODY_NAMED);
    assert.ok(rights !== null);
    assert.deepEqual(rules(aclText(rights, "emqx")), [
      '{allow, {username, "west"}, publish, ["$LINK/v1/east/west/#"]}.',
      '{allow, {username, "west"}, subscribe, ["$LINK/v1/west/east/#"]}.',
      '{deny, {username, "west"}, all, ["#", "$SYS/#"]}.',
    ]);
  });

  test("names cannot break out of their quotes", () => {
    const config = agentConfig();
    const odd = { ...config, local: { ...config.local, username: 'a"}, all, ["#"]}.\\' } };
    const [first] = rules(aclText(localRights(odd, NOBODY_NAMED), "emqx"));
    assert.ok(first?.startsWith('{allow, {username, "a\\"}, all, [\\"#\\"]}.\\\\"}, '), first);
  });
});
