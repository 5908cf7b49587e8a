import assert from "node:assert/strict";
import { test } from "node:test";
import { runHere } from "./fake-terminal.ts";

test("--help of each command goes to stdout, fits 80 columns, and is fine", async () => {
  const commands = [
    ["run", "--help"],
    ["check", "-h"],
    ["forget", "-h"],
    ["healthcheck", "--help"],
    ["demo", "--help"],
    ...["acl", "doctor", "status", "routes", "explain", "top", "drain"].map((name) => [name, "--help"]),
    ["help", "run"],
  ];
  for (const args of [["--help"], ["help"], ...commands]) {
    const { code, out, error } = await runHere(args);
    assert.equal(code, 0, args.join(" "));
    assert.equal(error, "");
    assert.match(out, /^Usage: brokerlink/);
    assert.deepEqual(
      out.split("\n").filter((line) => line.length > 80),
      [],
      args.join(" "),
    );
    assert.match(out, /78 {2}bad configuration/);
  }
});

test("the help of run names every flag, every kind of broker, and the example of flags alone", async () => {
  const { out } = await runHere(["run", "--help"]);
  const forget = await runHere(["forget", "--help"]);
  for (const word of ["config", "cluster", "local", "broker", "link", "topics", "http", "data-dir", "log-level"]) {
    const flag = new RegExp(`^ {2}--${word} <`, "m");
    assert.match(out, flag);
    assert.match(forget.out, flag, "forget finds its agent as run does");
  }
  for (const kind of ["mosquitto", "aedes", "emqx", "events", "static"]) assert.ok(out.includes(kind), kind);
  assert.match(out, /--broker mosquitto --link b=mqtt:\/\/127\.0\.0\.1:2883 --topics b=t\/#,c\/1/);
});

test("bad usage says what was wrong and what was expected, on stderr", async () => {
  for (const [args, problem] of [
    [[], /^Usage: brokerlink/],
    [["frob"], /^error: unknown command 'frob'/],
    [["chek", "x"], /Did you mean check\?/],
    [["run", "--clutser", "a"], /unknown option '--clutser'\n\(Did you mean --cluster\?\)/],
    [["run", "extra"], /too many arguments/],
    [["run", "--config"], /argument missing/],
    [["forget", "extra"], /too many arguments/],
    [["forget", "--disk"], /unknown option '--disk'/],
    [["healthcheck", "--http", "9464"], /"9464": it must be HOST:PORT/],
    [["healthcheck", "a"], /too many arguments/],
    [["check"], /missing required argument 'file'/],
    [["explain"], /missing required argument 'topic'/],
    [["drain", "b", "--within", "soon"], /It must be a duration/],
    [["top", "--count", "0"], /It must be a whole number from 1 on/],
    [["status", "--http", "9464"], /"9464": it must be HOST:PORT/],
    [["acl", "--user", "b"], /it must be CLUSTER=NAME/],
    [["acl", "--format", "vernemq"], /Allowed choices are mosquitto, emqx/],
    [["completion", "tcsh"], /Allowed choices are bash, zsh, fish/],
    [["check", "a", "b"], /too many arguments/],
    [["run", "--link", "=mqtt://h"], /option '--link <name\[=url\]>' "=mqtt:\/\/h": it must be NAME or NAME=URL/],
    [["run", "--link", "b="], /"b=": it must be NAME or NAME=URL/],
    [["run", "--link", "mqtt://h:1883"], /"mqtt:\/\/h:1883": it must be NAME or NAME=URL/],
    [["run", "--topics", "b"], /"b": it must be NAME=FILTER or NAME=FILTER,FILTER/],
    [["run", "--topics", "=t"], /"=t": it must be NAME=FILTER/],
    [["run", "--http", "9464"], /"9464": it must be HOST:PORT, or \[ADDRESS\]:PORT for IPv6/],
    [["run", "--http", "::1:80"], /it must be HOST:PORT/],
    [["run", "--http", "h:port"], /it must be HOST:PORT/],
  ] as const) {
    const { code, out, error } = await runHere(args);
    assert.equal(code, 64, args.join(" "));
    assert.equal(out, "");
    assert.match(error, problem);
  }
});

test("a flag with one value is given once", async () => {
  for (const flag of ["config", "cluster", "local", "broker", "http", "data-dir", "log-level"]) {
    const { code, error } = await runHere(["run", `--${flag}`, "h:1", `--${flag}`, "h:2"]);
    assert.equal(code, 64, flag);
    assert.match(error, /"h:2": it is given twice/, flag);
  }
});

test("no usage error repeats a secret", async () => {
  for (const args of [
    ["run", "--local", "x", "--local", "mqtt://u:hunter2@h"],
    ["run", "--link", "mqtt://u:hunt=hunter2@h"],
    ["run", "--link", "mqtt://u:hunter2=x@h"],
    ["run", "--link", "=mqtt://u:hunter2@h"],
    ["run", "--topics", "mqtt://u:hunter2@h"],
    ["run", "--http", "u:hunter2@h:80"],
    ["run", "--password=hunter2"],
    ["run", "--password=hun'ter\nhunter2"],
    ["run", "--token=x=hunter2"],
    ["run", "mqtt://u:hunter2@h"],
    ["mqtt://u:hunter2@h"],
    ["check", "x", "mqtt://u:hunter2@h"],
    ["--password=hunter2", "run"],
  ]) {
    const { code, out, error } = await runHere(args);
    assert.equal(code, 64, args.join(" "));
    assert.ok(error.length > 0);
    assert.ok(!`${out}${error}`.includes("hunter2"), error);
  }
});

test("userinfo in a URL on the command line is bad configuration, and masked", async () => {
  const { code, error } = await runHere([
    ...["run", "--cluster", "a", "--broker", "mosquitto", "--local", "mqtt://user:hunter2@h"],
    ...["--link", "b=mqtt://user:hunter2@i"],
  ]);
  assert.equal(code, 78);
  assert.equal(error.split("\n").filter((line) => line.includes("has a user name or password in it")).length, 2, error);
  assert.ok(!error.includes("hunter2") && !error.includes("user:"), error);
});
