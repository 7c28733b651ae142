import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { BaseCommand } from '../cli/command.js'
import { formatRedo } from '../cli/format-work.js'

/** `weft redo`: do again what was undone. */
export default class Redo extends BaseCommand {
  static override summary = 'Do again what was undone last'
  static override description = 'Possible until something else is done.'
  static override examples = ['<%= config.bin %> <%= command.id %>']
  static override args = {
    count: Args.integer({ default: 1, description: 'How many commands to do again', ignoreStdin: true, min: 1 }),
  }
  static override flags = {
    force: Flags.boolean({ summary: 'Also where files were changed since; what they hold is kept for undo' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Redo)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { redo } = await import('../worktree/undo.js')
    await this.answer(await redo(work, args.count, flags.force), formatRedo)
  }
}
