/** The command line as a shell has to know it: read off the program itself, so that nothing is ever missing. */
import type { Command, Option } from "commander";
import { BROKER_KINDS, LOG_LEVELS } from "../config/types.ts";

export interface FlagNode {
  /** `--config`, and `-h` where there is a short one. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takes: Takes | null;
}

/** What follows a flag, or stands as an argument. */
export type Takes =
  | { readonly kind: "file" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "any" };

export interface CommandNode {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly FlagNode[];
  /** Of its first argument; null: it has none. */
  readonly argument: Takes | null;
}

/** Checked with the rest of the configuration, so that commander does not know them. */
const KNOWN_WORDS: Readonly<Record<string, readonly string[]>> = {
  "--broker": BROKER_KINDS,
  "--log-level": LOG_LEVELS,
};
const HELP: FlagNode = { names: ["--help", "-h"], description: "show this help", takes: null };

export function completionTree(program: Command): CommandNode[] {
  return program.commands.map((command) => {
    const [argument] = command.registeredArguments;
    return {
      name: command.name(),
      description: command.description(),
      flags: [...command.options.map(flagNode), HELP],
      argument: argument === undefined ? null : takes(argument.argChoices, argument.name()),
    };
  });
}

function flagNode({ long, short, description, required, argChoices, flags }: Option): FlagNode {
  const names = [long, short].filter((name) => name !== undefined && name !== null);
  const words = argChoices ?? KNOWN_WORDS[long ?? ""];
  return { names, description, takes: required ? takes(words, /<([^>]+)>/.exec(flags)?.[1] ?? "") : null };
}

function takes(words: readonly string[] | undefined, name: string): Takes {
  if (words !== undefined) return { kind: "words", words };
  return { kind: name === "file" || name === "dir" ? "file" : "any" };
}
