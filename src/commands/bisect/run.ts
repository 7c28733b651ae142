import { CodedError } from '../../base/error.js'
import { several } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatBisect, formatTesting } from '../../cli/format-bisect.js'
import { markOfStatus, runTest, splitCommand } from '../../cli/test-command.js'
import type { BisectMark, BisectReport } from '../../worktree/bisect.js'

/** `weft bisect run`: a command says which versions are good. */
export default class BisectRun extends BaseCommand {
  static override summary = 'Let a command test each version, until the first bad one is found'
  static override description =
    'The command runs in the root of the work tree. Its exit status says what the version is: 0 good, 125 cannot be tested, any other up to 127 bad; from 128 on, or where it cannot be started, the search stops. All behind the name of the command belongs to it.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> npm test',
    "<%= config.bin %> <%= command.id %> sh -c 'make || exit 125; ./check'",
  ]
  static override args = { command: several('Command and its arguments') }

  async run(): Promise<void> {
    const { own, command } = splitCommand(this.argv)
    await this.parse(BisectRun, own)
    if (command.length === 0) throw new CodedError('USAGE', 'Name a command that tests a version.')
    let { report, root } = await this.standing()
    if (report.status === 'waiting') {
      throw new CodedError('BISECT_NONE', 'A good and a bad version must be known first.', {
        hint: 'Name them with `weft bisect good <version>` and `weft bisect bad <version>`.',
      })
    }
    while (report.status === 'testing') {
      if (!this.jsonEnabled()) await this.answer(report, formatTesting)
      const status = await runTest(command, root)
      report = await this.mark(markOfStatus(command, status))
    }
    await this.answer(report, formatBisect)
  }

  /** The repository is closed while a test runs: it may want to ask weft something. */
  private async standing(): Promise<{ report: BisectReport; root: string }> {
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { resumeBisect } = await import('../../worktree/bisect.js')
    return { report: await resumeBisect(work), root: repo.root }
  }

  private async mark(mark: BisectMark): Promise<BisectReport> {
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { markBisect } = await import('../../worktree/bisect.js')
    return await markBisect(work, mark, [])
  }
}
