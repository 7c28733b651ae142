import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatPick } from '../cli/format-pick.js'
import { EXIT_CONFLICTS } from '../cli/report.js'

/** `weft revert`: what versions changed, taken back. */
export default class Revert extends BaseCommand {
  static override summary = 'Take back what versions changed, in versions of their own'
  static override description =
    `For what others have already; weft undo takes back what you did last as if it had never been. Lines that come back are those they were: weft blame names who first put them. Conflicts are left in the work tree: weft resolve, then weft commit. The exit status is then 1.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f2a9c01b2d4',
    '<%= config.bin %> <%= command.id %> v1.2 --no-commit',
  ]
  static override args = { versions: several('Versions, in the order in which they are taken back') }
  static override flags = { 'no-commit': Flags.boolean({ summary: 'Leave the change in the work tree' }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Revert)
    const versions = args.versions ?? []
    if (versions.length === 0) {
      throw new CodedError('USAGE', 'Name what to take back.', { hint: 'weft revert <version>...' })
    }
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { revert } = await import('../worktree/pick.js')
    const report = await revert(work, { author: await this.author(repo.root), versions, noCommit: flags['no-commit'] })
    await this.answer(report, formatPick)
    if (report.conflicts.length > 0) process.exitCode = EXIT_CONFLICTS
  }
}
