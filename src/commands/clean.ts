import * as Flags from '@oclif/core/flags'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatClean } from '../cli/format-files.js'

/** `weft clean`: untracked files are removed. */
export default class Clean extends BaseCommand {
  static override summary = 'Remove files that are not tracked'
  static override description =
    'What is ignored stays unless asked for. Directories that are left empty go too; repositories within the work tree are never touched. Undo brings everything back.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n',
    '<%= config.bin %> <%= command.id %> --ignored build',
  ]
  static override args = { paths: several('Files and directories; below the working directory where none is named') }
  static override flags = {
    'dry-run': Flags.boolean({ char: 'n', summary: 'Only list what would be removed' }),
    ignored: Flags.boolean({ summary: 'Also remove what is ignored' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Clean)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { clean } = await import('../worktree/clean.js')
    // Below the working directory, as git has it.
    const paths = (args.paths ?? ['.']).map((path) => this.bytesIn(repo, path))
    const report = await clean(work, {
      paths: paths.includes('') ? undefined : paths,
      ignored: flags.ignored,
      dryRun: flags['dry-run'],
    })
    await this.answer(report, formatClean)
  }
}
