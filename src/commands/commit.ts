import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { commitNotes, formatCommit } from '../cli/format-work.js'

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
    const { commit, previewCommit } = await import('../worktree/commit.js')
    const { readConfig } = await import('../repo/config.js')
    const config = readConfig(repo.root, this.home)
    const paths = args.paths?.map((path) => this.bytesIn(repo, path))
    const what = { paths, withConflicts: flags['with-conflicts'], largeFile: config.get('core.largeFile') }
    const author = await this.author(repo.root)
    const standard = (work.state.merge ?? work.state.pick)?.message
    if (flags.message !== undefined || standard !== undefined) {
      await this.answer(await commit(work, { ...what, author, message: flags.message ?? '' }), formatCommit)
      return
    }
    const { forgetMessage, writeMessage } = await import('../cli/editor.js')
    const notes = commitNotes(work.head.branch, await previewCommit(work, what))
    const message = await writeMessage({ root: repo.root, config, notes })
    await this.answer(await commit(work, { ...what, author, message }), formatCommit)
    forgetMessage(repo.root)
  }
}
