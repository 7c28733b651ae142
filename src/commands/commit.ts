import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatCommit } from '../cli/format-work.js'

/** `weft commit`: a version of what has changed. */
export default class Commit extends BaseCommand {
  static override summary = 'Make a version of everything that has changed'
  static override description =
    'New files are included unless they are ignored (.weftignore, else .gitignore). There is no staging area: name paths to commit only what changed there, or choose hunks with --patch.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> -m "Say hello"',
    '<%= config.bin %> <%= command.id %> src README.md -m "Explain"',
    '<%= config.bin %> <%= command.id %> --patch',
  ]
  static override args = { paths: several('Files and directories; everything where none is named') }
  static override flags = {
    message: Flags.string({
      char: 'm',
      helpValue: '<text>',
      summary: 'What the version changes; without it an editor opens',
    }),
    'with-conflicts': Flags.boolean({ summary: 'Commit although conflicts are not resolved' }),
    amend: Flags.boolean({ hidden: true }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Commit)
    if (flags.amend) {
      throw new CodedError('USAGE', 'A version is never changed, so there is no --amend.', {
        hint: '`weft undo` takes the last commit back and leaves its changes in the work tree; then commit again.',
      })
    }
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { commit } = await import('../worktree/commit.js')
    const report = await commit(work, {
      message: flags.message ?? '',
      author: await this.author(repo.root),
      paths: args.paths?.map((path) => this.bytesIn(repo, path)),
      withConflicts: flags['with-conflicts'],
    })
    await this.answer(report, formatCommit)
  }
}
