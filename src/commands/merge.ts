import * as Flags from '@oclif/core/flags'
import { optional, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatMerge } from '../cli/format-merge.js'
import { EXIT_CONFLICTS } from '../cli/report.js'

/** `weft merge`: join another version. */
export default class Merge extends BaseCommand {
  static override summary = 'Join another branch or version to the current one'
  static override description =
    `Lines are merged by their identity, files by theirs: what one side moved or renamed the other may have edited. Where nothing conflicts, the version that joins both is made at once. Conflicts are left in the work tree: weft resolve, then weft commit. The exit status is then 1. Without a version the other heads of the current branch are joined.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> topic',
    '<%= config.bin %> <%= command.id %> topic --squash -m "Add the topic"',
    '<%= config.bin %> <%= command.id %> topic --json',
  ]
  static override args = { version: optional('Branch or version; by default the other heads of the current branch') }
  static override flags = {
    message: Flags.string({ char: 'm', helpValue: '<text>', summary: 'What the version says' }),
    squash: Flags.boolean({
      summary: 'One version in the log; its lines keep their authors, versions and signatures all the same',
    }),
    'no-ff': Flags.boolean({ summary: 'Make a version also where moving the branch would do' }),
    'no-commit': Flags.boolean({ summary: 'Leave the outcome in the work tree' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Merge)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { merge } = await import('../worktree/merge.js')
    const report = await merge(work, {
      author: await this.author(repo.root),
      version: args.version,
      message: flags.message,
      squash: flags.squash,
      noForward: flags['no-ff'],
      noCommit: flags['no-commit'],
    })
    await this.answer(report, formatMerge)
    if (report.conflicts.length > 0) process.exitCode = EXIT_CONFLICTS
  }
}
