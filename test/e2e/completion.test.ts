/** The completions in the shells that they are for. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { Command, folderWith } from "./command.ts";

async function script(t: TestContext, shell: string): Promise<string> {
  const command = new Command(t, ["completion", shell]);
  assert.equal(await command.end(), 0, command.error);
  const folder = folderWith(t, { "config.yaml": "", "other.txt": "" });
  const file = join(folder, shell === "zsh" ? "_brokerlink" : `brokerlink.${shell}`);
  writeFileSync(file, command.out);
  return file;
}

function run(program: string, args: readonly string[], cwd = "/"): string[] {
  const text = execFileSync(program, [...args], { cwd, encoding: "utf8", timeout: 30_000 });
  return text.split("\n").filter((line) => line !== "");
}

/** What the shell offers for a line of which the last word is to be completed. */
type Offers = (words: readonly string[]) => string[];

const CASES = [
  ["a command", ["dra"], ["drain"]],
  ["several", ["do"], ["doctor"]],
  ["a flag", ["doctor", "--qu"], ["--queue"]],
  ["values of a flag", ["run", "--broker", "mo"], ["mosquitto"]],
  ["values that commander knows", ["acl", "--format", ""], ["emqx", "mosquitto"]],
  ["an argument", ["completion", "f"], ["fish"]],
  ["nothing where nobody knows", ["explain", "t"], []],
] as const;

function offersAll(offers: Offers): void {
  for (const [what, words, expected] of CASES) assert.deepEqual(offers(words).sort(), [...expected], what);
  const commands = offers([""]);
  for (const name of ["run", "check", "forget", "acl", "doctor", "status", "routes", "explain", "top", "drain", "demo"])
    assert.ok(commands.includes(name), `${name} among ${commands}`);
  assert.ok(
    offers(["check", "con"]).some((each) => each.endsWith("config.yaml")),
    "files",
  );
  assert.ok(
    offers(["run", "--config", "con"]).some((each) => each.endsWith("config.yaml")),
    "files behind a flag",
  );
}

describe("shells", () => {
  before(() => {
    for (const shell of ["bash", "zsh", "fish"]) execFileSync("sh", ["-c", `command -v ${shell}`]);
  });

  test("bash", async (t) => {
    const file = await script(t, "bash");
    offersAll((words) => {
      const line = ["brokerlink", ...words].map((word) => `'${word}'`).join(" ");
      const code = `source ${file}; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _brokerlink; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return run("bash", ["--norc", "-c", code], join(file, ".."));
    });
    assert.deepEqual(run("bash", ["--norc", "-c", `source ${file}; complete -p brokerlink`]), [
      "complete -F _brokerlink brokerlink",
    ]);
  });

  test("fish", async (t) => {
    const file = await script(t, "fish");
    offersAll((words) => {
      const code = `source ${file}; complete -C 'brokerlink ${words.join(" ")}'`;
      return run("fish", ["--no-config", "-c", code], join(file, "..")).map((line) => line.split("\t")[0] ?? "");
    });
  });

  test("zsh, in a terminal of its own: the line is completed as it is typed", async (t) => {
    const file = await script(t, "zsh");
    const folder = join(file, "..");
    // What is completed is run, and says what it was given.
    const driver = [
      "zmodload zsh/zpty",
      "zpty shell zsh -f -i",
      `zpty -w shell "PROMPT= RPROMPT=; unsetopt beep; cd ${folder}; fpath=(${folder} \\$fpath); autoload -Uz compinit; compinit -u -D; brokerlink() { print -r -- \\"GOT:\\$*:\\" }"`,
      ...[
        ["dra", "drain"],
        ["doctor --qu", "doctor --queue"],
        ["run --broker mo", "run --broker mosquitto"],
        ["completion f", "completion fish"],
        ["check con", "check config.yaml"],
      ].map(
        ([typed, whole]) =>
          `zpty -w -n shell $'brokerlink ${typed}\\t\\n'; zpty -r -m shell seen $'*GOT:${whole}*:*' || { print "not ${whole}: $seen"; exit 1 }; print 'ok ${whole}'`,
      ),
    ];
    const said = run("zsh", ["-f", "-c", driver.join("\n")], folder);
    assert.deepEqual(said, [
      "ok drain",
      "ok doctor --queue",
      "ok run --broker mosquitto",
      "ok completion fish",
      "ok check config.yaml",
    ]);
  });
});
