import * as Flags from '@oclif/core/flags'
import { optional, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatSwitch } from '../cli/format-work.js'

/** `weft switch`: stand on another branch or version. */
export default class Switch extends BaseCommand {
  static override summary = 'Bring the work tree to another branch or version'
  static override description =
    `Unsaved changes are carried along where both versions have the same at their paths; where they would be lost, nothing is done.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> main',
    '<%= config.bin %> <%= command.id %> -c fix/line-endings',
    '<%= config.bin %> <%= command.id %> v1.2',
    '<%= config.bin %> <%= command.id %> -',
  ]
  static override args = { to: optional('Branch or version; - is where you were before') }
  static override flags = {
    create: Flags.string({ char: 'c', helpValue: '<name>', summary: 'Make a new branch there and switch to it' }),
    discard: Flags.boolean({ summary: 'Give up unsaved changes that are in the way; undo brings them back' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Switch)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { switchTo } = await import('../worktree/switch.js')
    await this.answer(await switchTo(work, { to: args.to, create: flags.create, discard: flags.discard }), formatSwitch)
  }
}
