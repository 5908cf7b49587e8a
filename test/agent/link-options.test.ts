import assert from "node:assert/strict";
import { test } from "node:test";
import { hubLinkOptions } from "../../src/agent/link-options.ts";
import { loaded, withLink } from "../config/loading.ts";

test("every value of a link and its spool reaches the hub", () => {
  const { file } = withLink({
    topics: ["t/#"],
    export: ["e"],
    max_inflight: 3,
    retry_interval: "4s",
    max_routes: 5,
    max_demand: 6,
    route_retention: "7s",
  });
  const config = loaded({ file: { ...file, spool: { max_bytes: "1MiB", max_age: "8s", when_full: "drop_newest" } } });
  assert.deepEqual(
    config.links.map((link) => hubLinkOptions(link, config)),
    [
      {
        name: "b",
        topics: ["t/#"],
        exportFilters: ["e"],
        dialsIn: false,
        routesMax: 5,
        demandMax: 6,
        routeRetentionMs: 7_000,
        framesInflightMax: 3,
        retryIntervalMs: 4_000,
        spool: { bytesMax: 2 ** 20, ageMaxMs: 8_000, whenFull: "drop_newest" },
      },
    ],
  );
});

test("a link without a server dials in", () => {
  const config = loaded({ file: { ...withLink({}).file, links: [{ name: "b" }] } });
  assert.deepEqual(
    config.links.map((link) => hubLinkOptions(link, config).dialsIn),
    [true],
  );
});

test("what is configured and not carried out is refused, not done by halves", () => {
  const refusal = (link: object, more: object): void => {
    const config = loaded({ file: { ...withLink(link).file, ...more } });
    for (const each of config.links) hubLinkOptions(each, config);
  };
  assert.throws(() => refusal({}, { data_dir: "d" }), /durability: "disk" is checked, and not carried out/);
  assert.throws(() => refusal({ durability: "end_to_end" }, {}), /durability: "end_to_end" is checked/);
  assert.throws(() => refusal({}, { spool: { when_full: "backpressure" } }), /"backpressure" is checked/);
});
