import * as Args from '@oclif/core/args'
import { BaseCommand } from '../cli/command.js'
import { formatUnshelve } from '../cli/format-pick.js'
import { EXIT_CONFLICTS } from '../cli/report.js'

/** `weft unshelve`: bring back what was put aside. */
export default class Unshelve extends BaseCommand {
  static override summary = 'Bring back changes that were put aside'
  static override description =
    'They are merged onto the version that the work tree stands on now, by file and by line. Conflicts are left in the work tree: weft resolve. The exit status is then 1. Where unsaved changes would be lost, nothing is done.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> 2']
  static override args = {
    n: Args.integer({
      default: 1,
      description: 'Which, as weft shelve --list numbers them; 1 is the last',
      ignoreStdin: true,
      min: 1,
    }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(Unshelve)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { unshelve } = await import('../worktree/shelve.js')
    const report = await unshelve(work, args.n)
    await this.answer(report, formatUnshelve)
    if (report.conflicts.length > 0) process.exitCode = EXIT_CONFLICTS
  }
}
