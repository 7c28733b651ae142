import { several } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatBisect } from '../../cli/format-bisect.js'

/** `weft bisect good`: a mark. */
export default class BisectGood extends BaseCommand {
  static override summary = 'Say that a version is good, and go on to the next one to test'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> v1.1 v1.0']
  static override args = { versions: several('Versions; by default the one that the work tree stands on') }

  async run(): Promise<void> {
    const { args } = await this.parse(BisectGood)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { markBisect } = await import('../../worktree/bisect.js')
    await this.answer(await markBisect(work, 'good', args.versions ?? []), formatBisect)
  }
}
