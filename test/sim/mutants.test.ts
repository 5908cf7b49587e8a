/** The simulation is worth what it finds: each planted mistake must make some seed fail. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { MUTANTS } from "./mutants.ts";
import type { World as WorldType } from "./world.ts";

const BUILD = new URL("../..", import.meta.url).pathname;
const ROUNDS = 4;
/** Each mutant is caught by one seed in ten at least: forty are ample. */
const SEEDS_MAX = 60;

describe("the simulation catches", () => {
  for (const mutant of MUTANTS) {
    test(mutant.name, async (t) => {
      const copy = mkdtempSync(join(BUILD, "mutant-"));
      t.after(() => rmSync(copy, { recursive: true, force: true }));
      for (const folder of ["src", "test/sim"]) cpSync(join(BUILD, folder), join(copy, folder), { recursive: true });
      const file = join(copy, "src", mutant.file);
      const text = readFileSync(file, "utf8");
      const pattern = whateverSpace(mutant.find);
      assert.equal([...text.matchAll(pattern)].length, 1, `"${mutant.find}" occurs once in ${mutant.file}`);
      writeFileSync(file, text.replace(pattern, mutant.replace));
      const { World } = (await import(pathToFileURL(join(copy, "test/sim/world.js")).href)) as {
        World: typeof WorldType;
      };
      for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
        const { failures } = new World(seed).run(ROUNDS);
        if (failures.length === 0) continue;
        t.diagnostic(`seed ${seed}: ${failures[0]}`);
        return;
      }
      assert.fail(`survived ${SEEDS_MAX} seeds`);
    });
  }
});

/** Matches `code` however it is broken into lines. */
function whateverSpace(code: string): RegExp {
  const units = [...code.replace(/\s+/g, "")].map((unit) => unit.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(units.join("\\s*"), "g");
}
