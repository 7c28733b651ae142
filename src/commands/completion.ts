import * as Args from '@oclif/core/args'
import type { Command } from '@oclif/core/command'
import { BaseCommand } from '../cli/command.js'
import { type CompletedCommand, completionScript, INSTALL, SHELLS } from '../cli/completion.js'
import { write } from '../cli/output.js'

/** `weft completion`: a script that teaches a shell the commands and flags. */
export default class Completion extends BaseCommand {
  static override summary = 'Print a script that completes weft commands in your shell'
  static override description = `To install it:\n\n${SHELLS.map((shell) => `${shell}: ${INSTALL[shell]}`).join('\n\n')}`
  static override examples = ['eval "$(<%= config.bin %> <%= command.id %> bash)"']
  static override args = {
    shell: Args.option({ options: SHELLS })({ description: 'Your shell', ignoreStdin: true, required: true }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(Completion)
    await write(completionScript(args.shell, this.config.commands.filter(({ hidden }) => !hidden).map(completed)))
  }
}

/** What completion must know of a command, from what oclif knows of it. */
function completed({ id, summary = '', flags }: Command.Loadable): CompletedCommand {
  return {
    name: id.replaceAll(':', ' '),
    summary,
    flags: Object.values(flags).map((flag) => ({
      name: flag.name,
      ...(flag.char && { char: flag.char }),
      summary: flag.summary ?? flag.description ?? '',
      value: flag.type === 'boolean' ? 'none' : flag.helpValue === '<dir>' ? 'directory' : 'text',
    })),
  }
}
