import { several, VERSION_HELP } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatBisect } from '../../cli/format-bisect.js'

/** `weft bisect start`: look for the first bad version. */
export default class BisectStart extends BaseCommand {
  static override summary = 'Look for the version that broke something'
  static override description =
    `Name a bad version and good ones, now or later with weft bisect bad and good. The work tree is brought to the version that halves what is in between; test it and say what it is.\n\n${VERSION_HELP}`
  static override examples = ['<%= config.bin %> <%= command.id %> main v1.2', '<%= config.bin %> <%= command.id %>']
  static override args = { versions: several('A version that is bad, then any that are good') }

  async run(): Promise<void> {
    const { args } = await this.parse(BisectStart)
    const [bad, ...good] = args.versions ?? []
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { startBisect } = await import('../../worktree/bisect.js')
    await this.answer(await startBisect(work, bad, good), formatBisect)
  }
}
