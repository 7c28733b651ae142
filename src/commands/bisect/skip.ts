import { several } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatBisect } from '../../cli/format-bisect.js'

/** `weft bisect skip`: a mark. */
export default class BisectSkip extends BaseCommand {
  static override summary = 'Say that a version cannot be tested, and go on to another one'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> 1f3a5b 2c4d6e',
  ]
  static override args = { versions: several('Versions; by default the one that the work tree stands on') }

  async run(): Promise<void> {
    const { args } = await this.parse(BisectSkip)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { markBisect } = await import('../../worktree/bisect.js')
    await this.answer(await markBisect(work, 'skip', args.versions ?? []), formatBisect)
  }
}
