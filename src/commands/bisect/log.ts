import { BaseCommand } from '../../cli/command.js'
import { findRoot } from '../../repo/layout.js'

/** `weft bisect log`: what was said. */
export default class BisectLog extends BaseCommand {
  static override summary = 'Show what was said so far, as commands that would say it again'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> > bisect.sh']

  async run(): Promise<void> {
    await this.parse(BisectLog)
    const root = await findRoot(process.cwd())
    const [{ bisectLog }, { readState }] = await Promise.all([
      import('../../worktree/bisect.js'),
      import('../../worktree/state.js'),
    ])
    await this.answerEach(bisectLog(readState(root)), (said) => `weft bisect ${said}\n`)
  }
}
