import assert from "node:assert/strict";
import { test } from "node:test";
import { hubLinkOptions } from "../../src/agent/link-options.ts";
import { ZLIB_ALGORITHMS } from "../../src/agent/zlib-codec.ts";
import { MemorySpoolLog } from "../../src/flow/memory-spool-log.ts";
import { loaded, withLink } from "../config/loading.ts";

test("every value of a link and its spool reaches the hub", () => {
  const { file } = withLink({
    topics: ["t/#"],
    export: ["e"],
    max_inflight: 3,
    retry_interval: "4s",
    drain_rate: 9,
    max_routes: 5,
    max_demand: 6,
    route_retention: "7s",
    retained: "live",
    compression: "deflate",
  });
  const config = loaded({ file: { ...file, spool: { max_bytes: "1MiB", max_age: "8s", when_full: "drop_newest" } } });
  assert.deepEqual(
    config.links.map((link) => {
      const { codec, ...options } = hubLinkOptions(link, config, undefined);
      assert.deepEqual(codec?.algorithms, ZLIB_ALGORITHMS);
      return options;
    }),
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
        drainPerSecond: 9,
        spool: { bytesMax: 2 ** 20, ageMaxMs: 8_000, whenFull: "drop_newest" },
        durability: "memory",
        retained: "live",
        compression: "deflate",
      },
    ],
  );
});

test("a link without a server dials in", () => {
  const config = loaded({ file: { ...withLink({}).file, links: [{ name: "b" }] } });
  assert.deepEqual(
    config.links.map((link) => hubLinkOptions(link, config, undefined).dialsIn),
    [true],
  );
});

test("a link's durability and the log of a durable one reach the hub", () => {
  const config = loaded({ file: { ...withLink({}).file, data_dir: "d", spool: { when_full: "backpressure" } } });
  const logs = { main: new MemorySpoolLog("0011223344556677"), live: new MemorySpoolLog("0011223344556678") };
  const options = config.links.map((link) => hubLinkOptions(link, config, logs));
  assert.deepEqual(
    options.map(({ durability, logs: kept, spool }) => [durability, kept, spool.whenFull]),
    [["disk", logs, "backpressure"]],
  );
});

test("a link without compression has no codec, so it neither compresses nor offers to expand", () => {
  const config = loaded(withLink({ compression: "none" }));
  assert.deepEqual(
    config.links.map((link) => hubLinkOptions(link, config, undefined)).map((link) => [link.codec, link.compression]),
    [[undefined, undefined]],
  );
});

test("each link counts the time of its own codec", () => {
  const config = loaded({ file: { ...withLink({}).file, links: [{ name: "b" }, { name: "c" }] } });
  const codecs = new Set(config.links.map((link) => hubLinkOptions(link, config, undefined).codec));
  assert.equal(codecs.size, 2);
});
