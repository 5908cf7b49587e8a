import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EMPTY_DIGEST } from "../../src/base/digest.ts";
import { HubRoutes } from "../../src/emqx/hub-routes.ts";
import { isResponseTopic, speakerOf } from "../../src/emqx/names.ts";
import { RemoteRoutes } from "../../src/emqx/remote-routes.ts";
import { RouteBacklog } from "../../src/emqx/route-backlog.ts";
import { groupOfId, routeIds } from "../../src/emqx/route-id.ts";

describe("identifiers", () => {
  test("are EMQX's own, for each group one", () => {
    assert.deepEqual(routeIds("t/1", []), ["t/1"]);
    assert.deepEqual(routeIds("t/1", ["g", "h"]), ["$s/g/t/1", "$s/h/t/1"]);
  });
  test("say the group of a shared subscription, of any kind", () => {
    assert.equal(groupOfId("t/1"), null);
    assert.equal(groupOfId("$s/g/t/1"), "g");
    assert.equal(groupOfId("$s/$queue/t/qq"), "$queue");
    assert.equal(groupOfId("$sp/g/session/t/1"), "g");
    assert.equal(groupOfId("$p/session/t/1"), null);
    assert.equal(groupOfId("$s/"), null);
    assert.equal(groupOfId("$s//t"), null);
  });
});

describe("names", () => {
  test("a speaker is whatever stands behind the prefix", () => {
    assert.equal(speakerOf("$LINK/cluster/route/a"), "a");
    assert.equal(speakerOf("$LINK/cluster/route/a/b"), "a/b");
    assert.equal(speakerOf("$LINK/cluster/route/"), null);
    assert.equal(speakerOf("$LINK/cluster/msg/a"), null);
  });
  test("answers go to the speaker's own response topics only", () => {
    assert.equal(isResponseTopic("$LINK/cluster/resp/a/n@h", "a"), true);
    for (const topic of ["my/resp", "$LINK/cluster/resp/b/n", "$LINK/cluster/resp/a/", "$LINK/cluster/resp/a/#"])
      assert.equal(isResponseTopic(topic, "a"), false, topic);
  });
});

describe("what all actors of a cluster want", () => {
  test("a filter stands while one identifier asks for it", () => {
    const routes = new RemoteRoutes();
    routes.add("t/1", null);
    routes.add("t/1", null);
    assert.deepEqual(routes.takeOps(), [{ op: "add", filter: "t/1", groups: [] }]);
    routes.remove("t/1", null);
    assert.deepEqual(routes.takeOps(), []);
    routes.remove("t/1", null);
    assert.deepEqual(routes.takeOps(), [{ op: "delete", filter: "t/1" }]);
    assert.equal(routes.size, 0);
    assert.deepEqual(routes.digest, EMPTY_DIGEST);
  });

  test("groups are shown while no plain subscriber is there", () => {
    const routes = new RemoteRoutes();
    routes.add("t/1", "h");
    routes.add("t/1", "g");
    assert.deepEqual(routes.takeOps(), [{ op: "add", filter: "t/1", groups: ["g", "h"] }]);
    routes.add("t/1", null);
    assert.deepEqual(routes.takeOps(), [{ op: "add", filter: "t/1", groups: [] }]);
    routes.remove("t/1", null);
    routes.remove("t/1", "h");
    assert.deepEqual(routes.takeOps(), [{ op: "add", filter: "t/1", groups: ["g"] }]);
  });

  test("additions come before deletions, whatever came first", () => {
    const routes = new RemoteRoutes();
    routes.add("a", null);
    routes.takeOps();
    routes.remove("a", null);
    routes.add("b", null);
    assert.deepEqual(
      routes.takeOps().map(({ op, filter }) => `${op} ${filter}`),
      ["add b", "delete a"],
    );
  });

  test("what no agent could take is left out or widened", () => {
    const routes = new RemoteRoutes();
    for (const topic of ["$SYS/#", "a/#/b", "", "a\0b"]) assert.equal(routes.add(topic, null), false, topic);
    routes.remove("$SYS/#", null);
    assert.equal(routes.add("+/#", null), true);
    assert.equal(routes.add("a/".repeat(300), null), true);
    const filters = [...routes.routes()].map(({ filter }) => filter);
    assert.deepEqual([filters[0], filters[1]?.endsWith("/#"), filters.length], ["#", true, 2]);
  });
});

describe("what EMQX has to be told", () => {
  const texts = (backlog: RouteBacklog): string[] =>
    backlog.take(1_000_000).map(({ op, topic, id }) => `${op} ${topic} ${id}`);

  test("adds go before deletes, a later word replaces an earlier one", () => {
    const backlog = new RouteBacklog();
    backlog.change("a", []);
    backlog.change("a", null);
    backlog.change("b", ["g"]);
    assert.deepEqual(texts(backlog), ["add b $s/g/b", "delete a a"]);
  });

  test("groups of one route are told by their difference", () => {
    const backlog = new RouteBacklog();
    backlog.change("a", ["g", "h"]);
    texts(backlog);
    backlog.confirmed();
    backlog.change("a", []);
    assert.deepEqual(texts(backlog), ["add a a", "delete a $s/g/a", "delete a $s/h/a"]);
  });

  test("what was not confirmed goes again, unless something newer is to be said", () => {
    const backlog = new RouteBacklog();
    backlog.change("a", []);
    backlog.change("b", []);
    texts(backlog);
    backlog.change("a", null);
    backlog.unconfirmed();
    assert.deepEqual(texts(backlog), ["add b b", "delete a a"]);
  });

  test("an EMQX that forgot hears all that we have, and no deletion; one that may have hears both", () => {
    const backlog = new RouteBacklog();
    backlog.change("a", []);
    texts(backlog);
    backlog.confirmed();
    backlog.change("a", null);
    backlog.change("b", []);
    const revision = backlog.revision;
    backlog.again();
    assert.ok(backlog.revision > revision);
    assert.deepEqual(texts(backlog), ["add b b", "delete a a"]);
    backlog.forgotten();
    assert.deepEqual(texts(backlog), ["add b b"]);
  });

  test("batches have a limit of operations and one of bytes, and one operation always fits", () => {
    const backlog = new RouteBacklog();
    for (let count = 0; count < 5_000; count += 1) backlog.change(`t/${count}`, []);
    assert.equal(backlog.take(10_000_000).length, 4_000);
    assert.equal(backlog.isEmpty, false);
    assert.equal(backlog.take(10_000_000).length, 1_000);
    backlog.change("x".repeat(2_000), []);
    backlog.change("y".repeat(2_000), []);
    assert.equal(backlog.take(100).length, 1);
    assert.equal(backlog.take(100).length, 1);
    backlog.withdraw();
    assert.equal(
      backlog.take(10_000_000).every(({ op }) => op === "delete"),
      true,
    );
  });
});

describe("the hub's routes", () => {
  const mark = (op: number) => ({ op, count: 0, digest: EMPTY_DIGEST });
  const add = (filter: string) => ({ op: "add", filter, groups: [] }) as const;

  test("a whole set takes the place of the one before, by their difference", () => {
    const routes = new HubRoutes();
    assert.equal(routes.part({ type: "bootstrap", bootstrap: 1, part: 0, ops: [add("a"), add("b")] }), true);
    assert.deepEqual(routes.end(1, 1, mark(5)), [
      { filter: "a", groups: [] },
      { filter: "b", groups: [] },
    ]);
    assert.equal(routes.end(1, 1, mark(5)), null, "a repeated end");
    assert.equal(routes.appliedOp, 5);
    routes.part({ type: "bootstrap", bootstrap: 2, part: 0, ops: [add("b"), add("c")] });
    assert.deepEqual(routes.end(2, 1, mark(6)), [
      { filter: "c", groups: [] },
      { filter: "a", groups: null },
    ]);
    assert.equal(routes.part({ type: "bootstrap", bootstrap: 1, part: 0, ops: [] }), false, "an old one");
  });

  test("a set that misses a part is not taken", () => {
    const routes = new HubRoutes();
    routes.part({ type: "bootstrap", bootstrap: 1, part: 1, ops: [add("b")] });
    assert.equal(routes.nextPart, 0);
    assert.equal(routes.end(1, 2, mark(1)), null);
  });

  test("operations are applied once and in order", () => {
    const routes = new HubRoutes();
    routes.part({ type: "bootstrap", bootstrap: 1, part: 0, ops: [] });
    routes.end(1, 1, mark(0));
    assert.equal(routes.apply(1, [add("a"), add("b")]).length, 2);
    assert.deepEqual(routes.apply(2, [add("b"), { op: "delete", filter: "a" }]), [{ filter: "a", groups: null }]);
    assert.deepEqual(routes.apply(1, [add("a")]), []);
    assert.deepEqual(routes.apply(9, [add("z")]), []);
    assert.equal(routes.appliedOp, 3);
    assert.equal(routes.size, 1);
    routes.newSpeaker();
    assert.equal(routes.appliedOp, 0);
  });
});
