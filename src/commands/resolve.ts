import * as Flags from '@oclif/core/flags'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatConflictList, formatResolve } from '../cli/format-merge.js'

/** `weft resolve`: settle conflicts. */
export default class Resolve extends BaseCommand {
  static override summary = 'Say that conflicts are settled, or settle them by taking a side'
  static override description =
    'Edit the files until they are right and run this; or take our side (what the branch had), theirs (what was merged), or the lines of both. Conflicts are known from the merge itself and never guessed from markers in a file.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --list',
    '<%= config.bin %> <%= command.id %> src/server.c',
    '<%= config.bin %> <%= command.id %> package.json --theirs',
  ]
  static override args = { paths: several('Files and directories; all that conflict where none is named') }
  static override flags = {
    list: Flags.boolean({ summary: 'List the conflicts, and change nothing' }),
    ours: Flags.boolean({ exclusive: ['theirs', 'union'], summary: 'Take what the branch had' }),
    theirs: Flags.boolean({ exclusive: ['ours', 'union'], summary: 'Take what was merged' }),
    union: Flags.boolean({ exclusive: ['ours', 'theirs'], summary: 'Take the lines of both' }),
    force: Flags.boolean({ summary: 'Also where markers are left in a file' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Resolve)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    if (flags.list) {
      await this.page()
      const { listConflicts } = await import('../worktree/resolve.js')
      await this.answer(listConflicts(work), formatConflictList)
      return
    }
    const { resolveConflicts } = await import('../worktree/resolve.js')
    const take = (['ours', 'theirs', 'union'] as const).find((side) => flags[side])
    const paths = args.paths?.map((path) => this.bytesIn(repo, path))
    await this.answer(await resolveConflicts(work, { paths, take, force: flags.force }), formatResolve)
  }
}
