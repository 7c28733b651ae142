import { BaseCommand } from '../../cli/command.js'
import { formatBisectEnd } from '../../cli/format-bisect.js'

/** `weft bisect reset`: the end. */
export default class BisectReset extends BaseCommand {
  static override summary = 'End a bisection and go back to where it began'
  static override examples = ['<%= config.bin %> <%= command.id %>']

  async run(): Promise<void> {
    await this.parse(BisectReset)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { resetBisect } = await import('../../worktree/bisect.js')
    await this.answer(await resetBisect(work), formatBisectEnd)
  }
}
