import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatRemove } from '../cli/format-files.js'

/** `weft rm`: tracked files are removed. */
export default class Remove extends BaseCommand {
  static override summary = 'Remove tracked files, here and in the next version'
  static override description =
    'Of a directory all tracked files are removed; others are left alone. What was never committed is kept for undo.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> old.txt',
    '<%= config.bin %> <%= command.id %> doc/drafts',
  ]
  static override args = { paths: several('Files and directories') }
  static override flags = { cached: Flags.boolean({ aliases: ['keep'], hidden: true }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Remove)
    if (flags.cached) {
      throw new CodedError('USAGE', 'There is no staging area, so a file that stays is part of the next version.', {
        hint: 'Name it in .weftignore, `weft rm` it, commit, and `weft restore --at` the version before it: from then on it is ignored.',
      })
    }
    const paths = args.paths ?? []
    if (paths.length === 0) throw new CodedError('USAGE', 'Name what to remove.', { hint: 'weft rm <path>...' })
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { removePaths } = await import('../worktree/remove.js')
    const report = await removePaths(
      work,
      paths.map((path) => this.bytesIn(repo, path)),
    )
    await this.answer(report, formatRemove)
  }
}
