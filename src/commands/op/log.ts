import * as Flags from '@oclif/core/flags'
import { PagedCommand } from '../../cli/command.js'
import { formatOperation } from '../../cli/format-work.js'
import { findRoot } from '../../repo/layout.js'

/** `weft op log`: what commands did. */
export default class OpLog extends PagedCommand {
  static override summary = 'List what commands changed here, the last first'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -n 5']
  static override flags = {
    limit: Flags.integer({ char: 'n', helpValue: '<count>', min: 1, summary: 'Only so many' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(OpLog)
    const root = await findRoot(process.cwd())
    const { operations } = await import('../../worktree/undo.js')
    await this.answerEach(operations(root, flags.limit), formatOperation)
  }
}
