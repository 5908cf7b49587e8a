/** `brokerlink completion SHELL`: prints what a shell needs to complete commands, flags and their values. */
import { Argument, type Command } from "commander";
import { bashScript } from "./completion-bash.ts";
import { fishScript } from "./completion-fish.ts";
import { completionTree } from "./completion-tree.ts";
import { zshScript } from "./completion-zsh.ts";
import { EXIT_CODES_HELP } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

const COMPLETION_HELP = `
Examples:
  $ source <(brokerlink completion bash)
  $ brokerlink completion bash > /etc/bash_completion.d/brokerlink
  $ brokerlink completion zsh > "\${fpath[1]}/_brokerlink"
  $ brokerlink completion fish > ~/.config/fish/completions/brokerlink.fish
${EXIT_CODES_HELP}`;

export function addCompletionCommand(program: Command, { out }: Pick<Terminal, "out">): void {
  program
    .command("completion")
    .description("Print a script that completes commands and flags.")
    .addArgument(new Argument("<shell>", "for which shell").choices(Object.keys(SCRIPTS)))
    .addHelpText("after", COMPLETION_HELP)
    .action((shell: keyof typeof SCRIPTS) => out(SCRIPTS[shell](completionTree(program)).join("\n")));
}
