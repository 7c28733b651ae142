import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { BaseCommand } from '../cli/command.js'
import { formatUndo } from '../cli/format-work.js'

/** `weft undo`: take back what commands did. */
export default class Undo extends BaseCommand {
  static override summary = 'Take back the last command that changed something'
  static override description =
    'Whatever changed names, files or what is under way can be undone, unsaved contents included: a commit, a switch, a merge, a restore. A version that is undone stays in the store.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> 3']
  static override args = {
    count: Args.integer({ default: 1, description: 'How many commands to take back', ignoreStdin: true, min: 1 }),
  }
  static override flags = {
    force: Flags.boolean({ summary: 'Also where files were changed since; what they hold is kept for redo' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Undo)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { undo } = await import('../worktree/undo.js')
    await this.answer(await undo(work, args.count, flags.force), formatUndo)
  }
}
