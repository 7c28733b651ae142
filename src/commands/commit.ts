import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import type { MessageRequest } from '../cli/editor.js'
import { commitNotes, formatCommit } from '../cli/format-work.js'
import type { Repository } from '../repo/repository.js'

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
    const message = flags.message ?? (await this.ask(args.paths, flags['with-conflicts']))
    await using repo = await this.openRepository()
    const { commit, work, what } = await this.prepare(repo, args.paths, flags['with-conflicts'])
    const report = await commit(work, { ...what, author: await this.author(repo.root), message })
    if (flags.message === undefined) (await import('../cli/editor.js')).forgetMessage(repo.root)
    await this.answer(report, formatCommit)
  }

  /** A message from the editor; empty where a merge has one already. The store is not open while somebody writes. */
  private async ask(paths: readonly string[] | undefined, withConflicts: boolean): Promise<string> {
    const request = await this.request(paths, withConflicts)
    if (request === undefined) return ''
    const { writeMessage } = await import('../cli/editor.js')
    return await writeMessage(request)
  }

  private async request(
    paths: readonly string[] | undefined,
    withConflicts: boolean,
  ): Promise<MessageRequest | undefined> {
    await using repo = await this.openRepository()
    const { previewCommit, work, config, what } = await this.prepare(repo, paths, withConflicts)
    if ((work.state.merge ?? work.state.pick) !== undefined) return undefined
    await this.author(repo.root) // whoever is unknown hears of it before writing anything
    return { root: repo.root, config, notes: commitNotes(work.head.branch, await previewCommit(work, what)) }
  }

  private async prepare(repo: Repository, paths: readonly string[] | undefined, withConflicts: boolean) {
    const work = await this.openWorktree(repo)
    const { commit, previewCommit } = await import('../worktree/commit.js')
    const { readConfig } = await import('../repo/config.js')
    const config = readConfig(repo.root, this.home)
    const largeFile = config.get('core.largeFile')
    const what = { paths: paths?.map((path) => this.bytesIn(repo, path)), withConflicts, largeFile }
    return { commit, previewCommit, work, config, what }
  }
}
