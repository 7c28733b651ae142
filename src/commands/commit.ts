import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several } from '../cli/arguments.js'
import type { ChosenChanges } from '../cli/choose-hunks.js'
import { BaseCommand } from '../cli/command.js'
import type { MessageRequest } from '../cli/editor.js'
import { commitNotes, formatCommit } from '../cli/format-work.js'
import type { ChangedContent } from '../repo/patch.js'
import type { Repository } from '../repo/repository.js'

/** What is to be committed. */
interface Wish {
  readonly paths: readonly string[] | undefined
  readonly withConflicts: boolean
  readonly chosen: ChosenChanges | undefined
}

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
    patch: Flags.boolean({ char: 'p', summary: 'Ask which changes to commit, one by one' }),
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
    const { paths } = args
    const chosen = flags.patch ? await this.choose(paths) : undefined
    const wish: Wish = { paths, withConflicts: flags['with-conflicts'], chosen }
    const message = flags.message ?? (await this.ask(wish))
    await using repo = await this.openRepository()
    const { commit, work, what } = await this.prepare(repo, wish)
    const report = await commit(work, { ...what, author: await this.author(repo.root), message })
    if (flags.message === undefined) (await import('../cli/editor.js')).forgetMessage(repo.root)
    await this.answer(report, formatCommit)
  }

  /** A message from the editor; empty where a merge has one already. The store is not open while somebody writes. */
  private async ask(wish: Wish): Promise<string> {
    const request = await this.request(wish)
    if (request === undefined) return ''
    const { writeMessage } = await import('../cli/editor.js')
    return await writeMessage(request)
  }

  private async request(wish: Wish): Promise<MessageRequest | undefined> {
    await using repo = await this.openRepository()
    const { previewCommit, work, config, what } = await this.prepare(repo, wish)
    if ((work.state.merge ?? work.state.pick) !== undefined) return undefined
    await this.author(repo.root) // whoever is unknown hears of it before writing anything
    return { root: repo.root, config, notes: commitNotes(work.head.branch, await previewCommit(work, what)) }
  }

  private async prepare(repo: Repository, { paths, withConflicts, chosen }: Wish) {
    const work = await this.openWorktree(repo)
    const { commit, previewCommit } = await import('../worktree/commit.js')
    const { readConfig } = await import('../repo/config.js')
    const config = readConfig(repo.root, this.home)
    const largeFile = config.get('core.largeFile')
    const all = paths?.map((path) => this.bytesIn(repo, path))
    const what = { paths: all, ...chosen, withConflicts, largeFile }
    return { commit, previewCommit, work, config, what }
  }

  /** Asks which of the changes are meant. The store is not open while somebody thinks. */
  private async choose(paths: readonly string[] | undefined): Promise<ChosenChanges> {
    const changes = await this.changes(paths)
    const { chooseHunks, chosenChanges, openDialogue } = await import('../cli/choose-hunks.js')
    const dialogue = openDialogue(this.jsonEnabled() ? process.stderr : process.stdout)
    const choices = await chooseHunks(changes, dialogue, this.style)
    dialogue.close()
    const chosen = chosenChanges(changes, choices)
    if (chosen.paths.length > 0 || changes.length === 0) return chosen
    throw new CodedError('NOTHING_TO_COMMIT', 'None of the changes was chosen.')
  }

  private async changes(paths: readonly string[] | undefined): Promise<ChangedContent[]> {
    await using repo = await this.openRepository()
    const { contentChanges } = await import('../worktree/diff.js')
    return await contentChanges(
      await this.openWorktree(repo),
      paths?.map((path) => this.bytesIn(repo, path)),
    )
  }
}
