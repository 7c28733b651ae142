import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatPick } from '../cli/format-pick.js'
import { EXIT_CONFLICTS } from '../cli/report.js'

/** `weft pick`: the changes of versions, made here too. */
export default class Pick extends BaseCommand {
  static override summary = 'Make the changes of other versions on top of the current one'
  static override description =
    `Each becomes a version with the author and the message it had; weft blame goes on to name who first put the lines. A version's change is what it changed against its first parent. Conflicts are left in the work tree: weft resolve, then weft commit. The exit status is then 1.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f2a9c01b2d4',
    '<%= config.bin %> <%= command.id %> topic --no-commit',
  ]
  static override args = { versions: several('Versions, in the order in which they are taken') }
  static override flags = { 'no-commit': Flags.boolean({ summary: 'Leave the change in the work tree' }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Pick)
    const versions = args.versions ?? []
    if (versions.length === 0) throw new CodedError('USAGE', 'Name what to pick.', { hint: 'weft pick <version>...' })
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { pick } = await import('../worktree/pick.js')
    const report = await pick(work, { author: await this.author(repo.root), versions, noCommit: flags['no-commit'] })
    await this.answer(report, formatPick)
    if (report.conflicts.length > 0) process.exitCode = EXIT_CONFLICTS
  }
}
