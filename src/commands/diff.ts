import * as Flags from '@oclif/core/flags'
import { several, VERSION_HELP } from '../cli/arguments.js'
import { PagedCommand } from '../cli/command.js'
import { formatDiff, formatDiffStat } from '../cli/format-diff.js'
import { mindVersions } from '../cli/version-as-path.js'
import type { DiffOptions, DiffRange } from '../repo/diff.js'
import type { Repository } from '../repo/repository.js'
import type { FileDiff } from '../repo/results.js'

/** `weft diff`: what differs, as a patch. */
export default class Diff extends PagedCommand {
  static override summary = 'Show what changed in the work tree, or from one version to another'
  static override description =
    `Without --at, the work tree is compared with the version that it is based on: what is shown is what a commit would record. The patch can be given to weft apply, git apply and patch -p1.

${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --at v1.2..main --stat',
    '<%= config.bin %> <%= command.id %> --at v1.2 --word README.md',
    '<%= config.bin %> <%= command.id %> src > my.patch',
  ]
  static override args = { paths: several('Files and directories to compare, all where none is named') }
  static override flags = {
    at: Flags.string({
      helpValue: '<A>[..<B>]',
      summary: 'Compare the work tree with version A, or version A with version B',
    }),
    stat: Flags.boolean({ exclusive: ['word'], summary: 'Only count lines, with a bar for each file' }),
    unified: Flags.integer({
      char: 'U',
      helpValue: '<lines>',
      min: 0,
      summary: 'Lines to show around a change, else 3',
    }),
    word: Flags.boolean({ summary: 'Show changes within lines, word by word' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Diff)
    const { parseRange } = await import('../repo/diff.js')
    const range = parseRange(flags.at)
    await using repo = await this.openRepository()
    const options = {
      paths: args.paths?.map((path) => this.pathIn(repo, path)),
      context: flags.unified,
      stat: flags.stat,
      words: flags.word,
    }
    try {
      await this.print(await this.differences(repo, range, options), flags.stat)
    } catch (error) {
      throw await mindVersions(error, repo, args.paths ?? [], 'weft diff')
    }
  }

  private async print(diffs: AsyncGenerator<FileDiff>, stat: boolean): Promise<void> {
    if (stat && !this.jsonEnabled()) {
      const all: FileDiff[] = []
      for await (const diff of diffs) all.push(diff)
      await this.answer(all, (found, style) => formatDiffStat(found, style, process.stdout.columns))
    } else await this.answerEach(diffs, formatDiff)
  }

  private async differences(
    repo: Repository,
    range: DiffRange,
    options: DiffOptions,
  ): Promise<AsyncGenerator<FileDiff>> {
    if (range.kind === 'versions') return repo.diff(range.from, range.to, options)
    const { diffWorktree } = await import('../worktree/diff.js')
    return diffWorktree(await this.openWorktree(repo), range.kind === 'tree' ? range.from : undefined, options)
  }
}
