import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { repositoryPath, typedPath } from '../cli/directory.js'
import { formatStatus } from '../cli/format-status.js'
import { findRoot } from '../repo/layout.js'
import { isPending } from '../worktree/operation-log.js'
import { workStatus } from '../worktree/status.js'

/** `weft status`: what is not committed yet. */
export default class Status extends BaseCommand {
  static override summary = 'Show what has changed since the last version'
  static override description =
    'Everything listed is part of the next commit: there is no staging. Files that .weftignore, or else .gitignore, ' +
    'names are left alone. A renamed file is shown as such where its content is the same.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> src doc',
    '<%= config.bin %> <%= command.id %> --ignored --json',
  ]
  static override args = { paths: several('Files and directories to look at, all where none is named') }
  static override flags = {
    all: Flags.boolean({ char: 'a', summary: 'Show long lists to the end on a terminal too' }),
    ignored: Flags.boolean({ summary: 'List ignored files as well' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Status)
    const root = await findRoot(process.cwd())
    const paths = args.paths?.map((path) => repositoryPath(path, root))
    if (isPending(root)) await this.finishInterrupted(root)
    const report = await workStatus(root, { paths, ignored: flags.ignored })
    const most = flags.all || !process.stdout.isTTY ? undefined : Math.max(10, (process.stdout.rows ?? 24) - 8)
    const typed = (path: string): string => typedPath(path, root)
    await this.answer(report, (value, style) => formatStatus(value, style, { most, typed }))
  }

  /** What a command that died has left would look like changes of the user's. One that is still at work is let be. */
  private async finishInterrupted(root: string): Promise<void> {
    const { Repository } = await import('../repo/repository.js')
    try {
      await using repo = await Repository.open(root, { home: this.home })
      await this.openWorktree(repo)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      // The report says that something is under way, and the next command that needs it done says what is wrong.
    }
  }
}
