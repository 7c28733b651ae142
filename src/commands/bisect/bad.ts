import { several } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatBisect } from '../../cli/format-bisect.js'

/** `weft bisect bad`: a mark. */
export default class BisectBad extends BaseCommand {
  static override summary = 'Say that a version is bad, and go on to the next one to test'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> main']
  static override args = { versions: several('Versions; by default the one that the work tree stands on') }

  async run(): Promise<void> {
    const { args } = await this.parse(BisectBad)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { markBisect } = await import('../../worktree/bisect.js')
    await this.answer(await markBisect(work, 'bad', args.versions ?? []), formatBisect)
  }
}
